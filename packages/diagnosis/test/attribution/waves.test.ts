import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SettingsChange, settingsWaves } from "../../src/attribution/waves.ts";
import { start } from "../support/machine.ts";

const minute = 60_000;
const changes = (count: number, to = "c9", every = minute): SettingsChange[] =>
  Array.from({ length: count }, (_, index) => ({ machine: `m${index}`, at: start + index * every, to }));

describe("a wave of settings changes", () => {
  it("is five machines and a tenth of the fleet that changed to the same within half an hour", () => {
    expect(settingsWaves(changes(5), 50)).toMatchObject([
      { to: "c9", from: start, until: start + 4 * minute, machines: ["m0", "m1", "m2", "m3", "m4"] },
    ]);
    expect(settingsWaves(changes(4), 10)).toEqual([]);
    expect(settingsWaves(changes(5), 51)).toEqual([]);
  });

  it("is none where each changed to something else, or over a longer time", () => {
    expect(
      settingsWaves(
        changes(9).map((change, index) => ({ ...change, to: `c${index}` })),
        9,
      ),
    ).toEqual([]);
    expect(settingsWaves(changes(6, "c9", 10 * minute), 6)).toEqual([]);
  });

  it("is no single machine that changes to and fro", () => {
    expect(
      settingsWaves(
        changes(20).map((change) => ({ ...change, machine: "m1" })),
        20,
      ),
    ).toEqual([]);
  });

  it("keeps its name while it goes on, and is another one after a pause", () => {
    const first = changes(40, "c9", 5 * minute);
    const [wave, ...others] = settingsWaves(first, 50);
    expect(others).toEqual([]);
    expect(wave?.machines).toHaveLength(40);
    expect(settingsWaves(first.slice(0, 10), 50)[0]?.id).toBe(wave?.id);
    const again = changes(6).map((change) => ({ ...change, at: change.at + 24 * 60 * minute }));
    expect(settingsWaves([...first, ...again], 50)).toHaveLength(2);
  });

  it("does not depend on the order in which the changes came", () => {
    const any = fc.array(
      fc.record({
        machine: fc.constantFrom("a", "b", "c", "d", "e", "f"),
        at: fc.integer({ min: 0, max: 180 }).map((at) => start + at * minute),
        to: fc.constantFrom("c1", "c2"),
      }),
    );
    fc.assert(
      fc.property(
        any.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(settingsWaves(shuffled, 10)).toEqual(settingsWaves(list, 10));
        },
      ),
    );
  });
});
