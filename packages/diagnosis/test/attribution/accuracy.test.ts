import { describe, expect, it } from "vitest";
import { attributionAccuracy, attributionSection } from "../../accuracy/attribution.ts";

/** Seeded: the same each time. docs/accuracy.md has the figures of more fleets. */
const results = attributionAccuracy(12);

/** Where few machines or few known values leave room for chance; everywhere else every cause is named, and no other. */
const floors: Record<string, { readonly precision: number; readonly recall: number }> = {
  "a site of 4 to 9 machines, noise 5 %": { precision: 0.9, recall: 0.7 },
  "every third value not known, noise 5 %": { precision: 0.9, recall: 0.95 },
  "sites that differ in everything, two causes, noise 5 %": { precision: 0.9, recall: 0.9 },
};

describe("planted causes", () => {
  it.each(results.map((result) => [result.scenario, result] as const))(
    "%s: found, and no other one",
    (name, result) => {
      if (result.planted === 0) expect(result.named).toBe(0);
      else {
        const { precision, recall } = floors[name] ?? { precision: 1, recall: 1 };
        expect(result.precision).toBeGreaterThanOrEqual(precision);
        expect(result.recall).toBeGreaterThanOrEqual(recall);
        // The change that made it, not the three that stood beside it.
        expect(result.changes).toBeGreaterThanOrEqual(result.found * 0.95);
      }
    },
  );

  it("give the same figures again", () => {
    expect(attributionAccuracy(1)).toEqual(attributionAccuracy(1));
  });

  it("are published with their numbers", () => {
    const lines = attributionSection(results);
    for (const { scenario, planted } of results)
      expect(lines.some((line) => line.startsWith(`| ${scenario} | 12 | ${planted} |`))).toBe(true);
  });
});
