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
  /** The samples spread evenly over three days. */
  const spread = (list: readonly number[]) =>
    fold(list.map((ms, i) => ({ at: start + Math.floor((i * 3 * day) / list.length), ms })));
  const later = start + 3 * day - 1;

  it("gives the median to an eighth", () => {
    const times = fc.array(fc.double({ min: 5, max: 60_000, noNaN: true }), { minLength: 48, maxLength: 300 });
    fc.assert(
      fc.property(times, (list) => {
        const sorted = list.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
        const median = medianLatency(spread(list), later) ?? 0;
        expect(median / exact).toBeGreaterThan(0.88);
        expect(median / exact).toBeLessThan(1.13);
      }),
    );
  });

  it("says nothing before 48 answers on three days", () => {
    const some = (count: number) => Array.from({ length: count }, () => 100);
    expect(medianLatency(spread(some(47)), later)).toBeNull();
    expect(medianLatency(spread(some(48)), later)).not.toBeNull();
    const twoDays = some(200).map((ms, i) => ({ at: start + (i % 2) * day, ms }));
    expect(medianLatency(fold(twoDays), later)).toBeNull();
    expect(medianLatency(undefined, start)).toBeNull();
  });

  it("forgets what is older than seven days, whatever order it came in, and stays small", () => {
    const old = Array.from({ length: 300 }, (_, i) => ({ at: start + (i % 3) * day, ms: 5000 }));
    const recent = Array.from({ length: 60 }, (_, i) => ({ at: start + (9 + (i % 3)) * day, ms: 50 }));
    const now = start + 12 * day - 1;
    expect(medianLatency(fold([...old, ...recent]), now)).toBeLessThan(60);
    expect(medianLatency(fold([...recent, ...old]), now)).toBeLessThan(60);
    expect(medianLatency(fold(old), now)).toBeNull();
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
