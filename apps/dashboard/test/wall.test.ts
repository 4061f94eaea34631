import { describe, expect, test } from "vitest";
import { freshnessOf } from "../src/components/wall/freshness.ts";
import { failingNote, largestAt } from "../src/components/wall/notes.ts";

describe("how new the wallboard is", () => {
  const asOf = Date.UTC(2026, 10, 24, 2, 12, 40);
  const countedAt = Date.UTC(2026, 10, 24, 2, 12, 0);

  test("what was read is the newest data while a collector counts", () => {
    expect(freshnessOf({ asOf, countedAt }, asOf + 4_000)).toEqual({ newestAt: asOf, live: true });
    // A count that is due and comes late is no outage.
    expect(freshnessOf({ asOf: countedAt + 85_000, countedAt }, countedAt + 86_000).live).toBe(true);
  });

  test("it is not live once what was read is older than a minute", () => {
    expect(freshnessOf({ asOf, countedAt }, asOf + 59_999).live).toBe(true);
    expect(freshnessOf({ asOf, countedAt }, asOf + 60_000)).toEqual({ newestAt: asOf, live: false });
  });

  test("it is not live where no collector counts, however often it is read", () => {
    const later = countedAt + 90_000;
    expect(freshnessOf({ asOf: later, countedAt }, later)).toEqual({ newestAt: countedAt, live: false });
    expect(freshnessOf({ asOf, countedAt: null }, asOf)).toEqual({ newestAt: null, live: false });
  });
});

describe("what stands under the figures", () => {
  const now = Date.UTC(2026, 10, 24, 3, 14);
  const point = (failing: number) => ({ failing, stale: 0, cannotTell: 0, atRisk: 0, patterns: {} });
  /** Minutes before now, and what failed then; null: nobody counted. */
  const trend = (...seen: [ago: number, failing: number | null][]) => ({
    times: seen.map(([ago]) => now / 1000 - ago * 60),
    points: seen.map(([, failing]) => (failing === null ? null : point(failing))),
  });

  test("since when the failing machines are as many", () => {
    expect(failingNote(trend([70, 4], [18, 340], [16, 351], [2, 351], [0, 351]), now)).toBe("steady for 16 min");
    expect(failingNote(trend([70, 351], [0, 351]), now)).toBe("steady for 1 h 10 min or more");
    expect(failingNote(trend([70, 351], [30, null], [20, 351], [0, 351]), now)).toBe("steady for 20 min");
  });

  test("else what the last hour brought, where it was counted", () => {
    expect(failingNote(trend([61, 4], [2, 340], [0, 351]), now)).toBe("+347 in 1 h");
    expect(failingNote(trend([61, 351], [30, 360], [2, 300], [0, 351]), now)).toBe("same as 1 h ago");
    expect(failingNote(trend([30, 4], [2, 340], [0, 351]), now)).toBe(null);
    expect(failingNote(trend([61, null], [0, 351]), now)).toBe(null);
  });

  test("where most of those that are not seen stand, if there is more than one site", () => {
    const row = (site: string | null, stale: number) => ({
      site,
      counts: { healthy: 1, failing: 0, stale, cannotTell: 0, signedOff: 0, atRisk: 0 },
      reporting: stale + 1,
      subnets: [],
    });
    expect(largestAt([row("Tokyo", 2), row("Kraków", 131), row(null, 400)], "stale")).toEqual({
      site: "Kraków",
      count: 131,
    });
    expect(largestAt([row("Tokyo", 0), row("Kraków", 0)], "stale")).toBe(null);
    expect(largestAt([row("Kraków", 131)], "stale")).toBe(null);
  });
});
