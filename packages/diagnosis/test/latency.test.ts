import { limits } from "@lynceus/protocol/limits";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addLatency, medianLatency } from "../src/latency.ts";

const day = 86_400_000;
const start = 20_000 * day;
const fold = (samples: readonly { at: number; ms: number }[]) =>
  samples.reduce<ReturnType<typeof addLatency> | undefined>(
    (known, { at, ms }) => addLatency(known, at, ms),
    undefined,
  );

describe("the memory of a machine's own times", () => {
  it("gives the median to an eighth", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 5, max: 60_000, noNaN: true }), { minLength: 12, maxLength: 300 }),
        (list) => {
          const sorted = list.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
          const median = medianLatency(fold(list.map((ms, i) => ({ at: start + i, ms }))), start + 1000) ?? 0;
          expect(median / exact).toBeGreaterThan(0.88);
          expect(median / exact).toBeLessThan(1.13);
        },
      ),
    );
  });

  it("says nothing before a dozen answers", () => {
    const some = (count: number) => fold(Array.from({ length: count }, (_, i) => ({ at: start + i, ms: 100 })));
    expect(medianLatency(some(11), start + 1000)).toBeNull();
    expect(medianLatency(some(12), start + 1000)).not.toBeNull();
    expect(medianLatency(undefined, start)).toBeNull();
  });

  it("forgets what is older than seven days, whatever order it came in, and stays small", () => {
    const old = Array.from({ length: 50 }, (_, i) => ({ at: start + i, ms: 5000 }));
    const recent = Array.from({ length: 20 }, (_, i) => ({ at: start + 7 * day + i, ms: 50 }));
    expect(medianLatency(fold([...old, ...recent]), start + 7 * day + 1000)).toBeLessThan(60);
    expect(medianLatency(fold([...recent, ...old]), start + 7 * day + 1000)).toBeLessThan(60);
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(), ms: fc.double({ min: 0, max: 6e5, noNaN: true }) }), { maxLength: 200 }),
        (samples) => {
          const kept = fold(samples.map(({ at, ms }) => ({ at: start + (at % (40 * day)), ms })));
          expect(kept?.length ?? 0).toBeLessThanOrEqual(limits.latencyDays);
          for (const { counts } of kept ?? []) expect(Object.keys(counts).length).toBeLessThanOrEqual(61);
        },
      ),
    );
  });
});
