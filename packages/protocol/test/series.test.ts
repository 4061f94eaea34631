import { describe, expect, it } from "vitest";
import { countProblem, countsOf, type FleetSample } from "../src/counts.ts";
import { latencyQuantile, latencyStep, latencyTime } from "../src/latency-steps.ts";
import { countQuerySchema } from "../src/series.ts";

const sample: FleetSample = {
  healthy: 10,
  failing: 4,
  stale: 2,
  cannotTell: 1,
  signedOff: 3,
  atRisk: 2,
  patterns: { "proxy-auth-required": 4, "ews-slow": 2 },
  routes: { "px1:8080": [6, 4, 1, 0], direct: [4, 0, 1, 0], unknown: [0, 0, 0, 1] },
};
const of = (query: Record<string, unknown>) =>
  Object.fromEntries(countsOf(sample, "Bern", countQuerySchema.parse(query)));

describe("what a sample counts", () => {
  it("is the failing machines unless something else is asked", () => {
    expect(of({})).toEqual({ "": 4 });
    expect(of({ status: ["stale", "cannot-tell"] })).toEqual({ "": 3 });
    expect(of({ by: "site", status: "reporting" })).toEqual({ Bern: 17 });
  });

  it("is divided by state, by pattern or by proxy, or is of some of them", () => {
    expect(of({ by: "status" })).toEqual({ failing: 4, stale: 2, "cannot-tell": 1, healthy: 10 });
    expect(of({ by: "status", proxy: "px1:8080" })).toEqual({ failing: 4, stale: 1, "cannot-tell": 0, healthy: 6 });
    expect(of({ by: "pattern", pattern: ["ews-slow"] })).toEqual({ "ews-slow": 2 });
    expect(of({ pattern: ["ews-slow", "proxy-auth-required"] })).toEqual({ "": 6 });
    expect(of({ by: "proxy" })).toEqual({ "px1:8080": 4, direct: 0, unknown: 0 });
    expect(of({ proxy: ["direct", "px9:1"], status: "healthy" })).toEqual({ "": 4 });
  });
});

describe("a count that cannot be given", () => {
  it.each([
    [{ by: "pattern", proxy: "direct" }, /not by both at once/],
    [{ by: "pattern", status: "healthy" }, /counted on failing and at-risk machines together/],
    [{ by: "proxy", status: "signed-off" }, /not as signed-off/],
    [{ status: ["healthy", "at-risk"] }, /counted twice/],
    [{ status: ["failing", "reporting"] }, /counted twice/],
  ])("%j is refused with the rule and an example", (query, rule) => {
    const parsed = countQuerySchema.safeParse(query);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toMatch(rule);
  });

  it("does not stand for one that can: a series of each state may overlap", () => {
    expect(countProblem({ by: "status", status: ["healthy", "at-risk"] } as never)).toBeNull();
  });
});

describe("times in steps", () => {
  it("are right to an eighth, from a millisecond to ten minutes", () => {
    for (const ms of [1, 2, 3, 17, 250, 999, 5_000, 600_000])
      expect(Math.abs(Math.log(latencyTime(latencyStep(ms)) / ms))).toBeLessThan(Math.log(1.125) + 1e-9);
    expect(latencyStep(0)).toBe(0);
  });

  it("give the share of answers that was asked for, between two steps too, and nothing of nothing", () => {
    const counts = new Map([
      [10, 50],
      [20, 50],
    ]);
    expect(latencyQuantile(counts, 0.25)).toBeCloseTo(latencyTime(10));
    expect(latencyQuantile(counts, 0.75)).toBeCloseTo(latencyTime(20));
    expect(latencyQuantile(counts, 1)).toBeCloseTo(latencyTime(20.5));
    expect(latencyQuantile(counts, 0.9)!).toBeGreaterThan(latencyQuantile(counts, 0.75)!);
    expect(latencyQuantile(new Map(), 0.5)).toBeNull();
    expect(latencyQuantile(new Map([[3, 0]]), 0.5)).toBeNull();
  });
});
