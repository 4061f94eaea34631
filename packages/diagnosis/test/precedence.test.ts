import { patternIds, severities } from "@lynceus/protocol/names";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalogue, patternById } from "../src/catalogue.ts";
import { layers } from "../src/pattern.ts";
import { clears, nextPersistence, raises } from "../src/persistence.ts";
import { compareFindings, type Ranked } from "../src/precedence.ts";

const ranked: fc.Arbitrary<Ranked> = fc.record({
  pattern: fc.constantFrom(...patternIds),
  severity: fc.constantFrom(...severities),
  explains: fc.boolean(),
  layer: fc.constantFrom(...layers),
});
/** As on a machine: the layer is the pattern's own. */
const finding = ranked.map((rank): Ranked => ({ ...rank, layer: patternById(rank.pattern).layer }));

describe("compareFindings", () => {
  it("is a total order: antisymmetric, transitive, and zero only for the same pattern", () => {
    fc.assert(
      fc.property(finding, finding, finding, (a, b, c) => {
        expect(Math.sign(compareFindings(a, b))).toBe(-Math.sign(compareFindings(b, a)) + 0);
        if (compareFindings(a, b) <= 0 && compareFindings(b, c) <= 0)
          expect(compareFindings(a, c)).toBeLessThanOrEqual(0);
        if (compareFindings(a, b) === 0) expect(a).toEqual(b);
        expect(compareFindings(a, a)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("puts what explains before what does not, whatever the severity", () => {
    fc.assert(
      fc.property(finding, finding, (a, b) => {
        expect(compareFindings({ ...a, explains: true }, { ...b, explains: false })).toBeLessThan(0);
      }),
    );
  });

  it("asks for the layer only among those that explain, and then for the severity", () => {
    const far: Ranked = { pattern: "ews-basic-only", layer: "authentication", severity: "prompting", explains: true };
    const near: Ranked = { pattern: "proxy-unreachable", layer: "proxy-reach", severity: "at-risk", explains: true };
    expect(compareFindings(near, far)).toBeLessThan(0);
    expect(compareFindings({ ...near, explains: false }, { ...far, explains: false })).toBeGreaterThan(0);
  });
});

describe("the catalogue", () => {
  it("holds every pattern once, in the order of the protocol", () => {
    expect(catalogue.map(({ id }) => id)).toEqual([...patternIds]);
  });
});

describe("persistence", () => {
  const held = fc.array(fc.boolean(), { maxLength: 5 });

  it("raises after two in a row or three of five, and clears after three without", () => {
    expect([raises([true]), raises([false, true, true]), raises([true, true, false])]).toEqual([false, true, false]);
    expect([
      raises([true, false, true, false, true]),
      clears([true, false, false, false]),
      clears([false, false]),
    ]).toEqual([true, true, false]);
  });

  it("remembers at most five cycles, and nothing when nothing held", () => {
    fc.assert(
      fc.property(held, fc.boolean(), (cycles, wasRaised) => {
        const entry = nextPersistence({ held: cycles, raised: wasRaised, since: 1 }, null, 2, false);
        expect(entry?.held.length ?? 0).toBeLessThanOrEqual(5);
        if (entry && !entry.raised) expect(entry.held).toContain(true);
      }),
    );
    expect(nextPersistence(undefined, null, 1, false)).toBeNull();
  });
});
