import { countHistoryQuerySchema, targetHistoryQuerySchema } from "@lynceus/protocol/series";
import { beforeAll, describe, expect, it } from "vitest";
import { readCountSeries } from "../src/count-series.ts";
import { commitBatch } from "../src/ingest.ts";
import { dropExpired } from "../src/partitions.ts";
import { readSamples, recordSample, sampledSites } from "../src/samples.ts";
import { fleetOf, wholeFleet } from "../src/scope.ts";
import { addTally, addTargetSamples, type Tallies, type TargetTally } from "../src/target-samples.ts";
import { readTargetSeries } from "../src/target-series.ts";
import { batch, columns, enrol, machine, minutesAgo, now, update, useDatabase } from "./fixtures.ts";

const counts = (query: Record<string, unknown>) => countHistoryQuerySchema.parse(query);
const targets = (query: Record<string, unknown>) => targetHistoryQuerySchema.parse(query);
const failing = {
  status: "failing",
  primaryPattern: "proxy-auth-required",
  primarySeverity: "prompting",
  primaryConfidence: "high",
  primaryCause: "px1 asks for its own login",
  primarySince: now,
  patterns: ["proxy-auth-required"],
} as const;

/** Values of each series by its label. */
const shown = (answer: { series: { labels: Record<string, string>; values: (number | null)[] }[] }) =>
  Object.fromEntries(answer.series.map(({ labels, values }) => [Object.values(labels).join(" "), values]));

describe("counts over time", () => {
  const at = useDatabase();
  const px1 = "px1.contoso.com:8080";

  beforeAll(async () => {
    const { db } = at;
    const first = await machine(db, "LT-1", { ...failing, site: "Manila", route: px1 });
    await machine(db, "LT-2", { site: "Manila", route: px1 });
    await machine(db, "LT-3", { site: "Berlin", route: "direct", atRisk: true, primaryPattern: "autodetect-off" });
    await machine(db, "LT-4", { site: null as never, status: "cannot-tell", route: null });
    await enrol(db, "LT-5");
    // Two of the hour's minutes: in the first one machine more fails; in between nobody counted.
    const third = await machine(db, "LT-6", { ...failing, site: "Berlin", route: px1 });
    await recordSample(db, minutesAgo(50));
    await commitBatch(
      db,
      batch({ machines: [update(third, [1, 2], { columns: columns({ site: "Berlin", route: "direct" }) })] }),
    );
    await recordSample(db, minutesAgo(47));
    await commitBatch(
      db,
      batch({ machines: [update(first, [1, 2], { columns: columns({ site: "Manila", route: px1 }) })] }),
    );
    await recordSample(db, minutesAgo(46));
  });
  const span = { since: minutesAgo(51).toISOString(), until: minutesAgo(45.5).toISOString(), step: 60 };

  it("say how many failed in each minute, and leave a gap where nobody counted", async () => {
    const answer = await readCountSeries(wholeFleet(at.db), counts(span), now);
    expect(answer).toMatchObject({ start: minutesAgo(51).toISOString(), stepSeconds: 60, points: 6, unit: "machines" });
    expect(shown(answer)).toEqual({ "": [null, 2, null, null, 1, 0] });
  });

  it("are of the minute with most failing machines where a point spans several", async () => {
    const answer = await readCountSeries(wholeFleet(at.db), counts({ ...span, by: "status", step: 300 }), now);
    expect(shown(answer)).toEqual({
      failing: [null, 2],
      stale: [null, 0],
      "cannot-tell": [null, 2],
      healthy: [null, 2],
    });
    expect(answer.note).toBe("Each point is the minute with most failing machines in 5 min.");
  });

  it("are divided by site, worst first, with a machine at no site in none", async () => {
    const answer = await readCountSeries(wholeFleet(at.db), counts({ ...span, by: "site", status: "reporting" }), now);
    expect(shown(answer)).toEqual({ Manila: [null, 2, null, null, 2, 2], Berlin: [null, 2, null, null, 2, 2] });
    const one = await readCountSeries(wholeFleet(at.db), counts({ ...span, by: "site", series: 1 }), now);
    expect([one.series.length, one.left]).toEqual([1, 1]);
  });

  it("are divided by pattern, zero where the fleet was counted and none had it", async () => {
    const answer = await readCountSeries(wholeFleet(at.db), counts({ ...span, by: "pattern" }), now);
    expect(shown(answer)).toEqual({
      "proxy-auth-required": [null, 2, null, null, 1, 0],
      "autodetect-off": [null, 1, null, null, 1, 1],
    });
    const chosen = counts({ ...span, by: "site", pattern: ["proxy-auth-required"], site: ["Manila"] });
    expect(shown(await readCountSeries(wholeFleet(at.db), chosen, now))).toEqual({
      Manila: [null, 1, null, null, 1, 0],
    });
  });

  it("are divided by proxy, in the states that a route has", async () => {
    const answer = await readCountSeries(wholeFleet(at.db), counts({ ...span, by: "proxy", status: "reporting" }), now);
    expect(shown(answer)).toEqual({
      [px1]: [null, 3, null, null, 2, 2],
      direct: [null, 1, null, null, 2, 2],
      unknown: [null, 2, null, null, 2, 2],
    });
    const sum = counts({ ...span, proxy: [px1, "direct"], status: "healthy", site: ["Manila", "Berlin"] });
    expect(shown(await readCountSeries(wholeFleet(at.db), sum, now))).toEqual({ "": [null, 2, null, null, 3, 4] });
  });

  it("come from hours, which keep their worst minute, where a span is long or past the minutes", async () => {
    const answer = await readCountSeries(
      at.db,
      counts({ since: minutesAgo(180).toISOString(), until: minutesAgo(0.1).toISOString(), step: 3600 }),
      now,
    );
    expect(shown(answer)).toEqual({ "": [null, null, 2] });
    const month = await readCountSeries(wholeFleet(at.db), counts({ since: "2026-10-01T00:00:00Z", step: 60 }), now);
    expect(month.stepSeconds).toBe(3600);
    expect(month.series[0]?.values.filter((value) => value !== null)).toEqual([2]);
  });

  it("are never more points than a screen shows, however small the step", async () => {
    const week = counts({ since: "2026-11-15T12:00:00Z", step: 60 });
    const answer = await readCountSeries(wholeFleet(at.db), week, now);
    expect(answer.points).toBeLessThanOrEqual(1500);
    expect(answer.stepSeconds % 60).toBe(0);
  });

  it("are refused with a reason where the span is empty, too long, or of a site that may not be read", async () => {
    const ask = (query: Record<string, unknown>, sites: string[] | null = null, tags: string[] | null = null) =>
      readCountSeries(fleetOf(at.db, { sites, tags }), counts(query), now);
    await expect(ask({ since: now.toISOString() })).rejects.toThrow(/is not before until/);
    await expect(ask({ since: "2020-01-01T00:00:00Z" })).rejects.toThrow(/days; at most 400 are kept/);
    await expect(ask({ ...span, site: "Berlin" }, ["Manila"])).rejects.toThrow(/"Berlin" is not in what this access/);
    await expect(ask(span, null, ["vip"])).rejects.toThrow(/kept for sites, and this access sees tag vip/);
    expect(shown(await ask({ ...span, site: "Manila" }, ["Manila"], ["vip"]))).toEqual({
      "": [null, 1, null, null, 1, 0],
    });
    expect(shown(await ask({ ...span }, ["Manila"]))).toEqual({ "": [null, 1, null, null, 1, 0] });
    expect(shown(await ask({ ...span, by: "site" }, ["Manila"]))).toEqual({ Manila: [null, 1, null, null, 1, 0] });
  });

  it("name the twenty routes that matter most and add the others up", async () => {
    const { db } = at;
    for (let i = 0; i < 25; i++) await machine(db, `R-${i}`, { site: "Bern", route: `px${i}.contoso.com:8080` });
    const bern = (await readSamples(db, { routes: true })).get("Bern");
    expect(Object.keys(bern?.routes ?? {})).toHaveLength(21);
    expect(bern?.routes.other).toEqual([5, 0, 0, 0]);
    // Without routes the same comes of the cells that the database keeps.
    const bare = [...(await readSamples(db, { routes: true }))].map(([site, sample]) => [
      site,
      { ...sample, routes: {} },
    ]);
    expect(Object.fromEntries(await readSamples(db, { routes: false }))).toEqual(Object.fromEntries(bare));
    await recordSample(db, now);
    expect(await sampledSites(wholeFleet(db), now)).toEqual(["Berlin", "Bern", "Manila"]);
  });
});

describe("targets over time", () => {
  const at = useDatabase();
  const tally = (over: Partial<TargetTally> = {}): TargetTally => ({
    site: "",
    target: "ews",
    via: "configured",
    simulated: false,
    at: minutesAgo(30).getTime(),
    ok: 9,
    bad: 1,
    undecided: 2,
    latency: { "20": 9 },
    ...over,
  });
  const options = { now, targets: ["ews", "autodiscover"] };
  const manila = () => fleetOf(at.db, { sites: ["Manila"], tags: null });
  const span = { since: minutesAgo(60).toISOString(), until: minutesAgo(0.1).toISOString(), step: 600 };

  beforeAll(async () => {
    const { db } = at;
    // Two collectors, at the same time, and again: what each heard is added up.
    await Promise.all([
      addTargetSamples(db, [tally(), tally({ target: "autodiscover", ok: 0, bad: 4, latency: {} })]),
      addTargetSamples(db, [tally({ ok: 1, bad: 9, latency: { "20": 1, "30": 1 } })]),
    ]);
    await addTargetSamples(db, [tally({ at: minutesAgo(10).getTime(), bad: 0 }), tally({ site: "Manila", bad: 5 })]);
    await addTargetSamples(db, [tally({ simulated: true, bad: 90 })]);
  });

  it("say which share of the answers was good, without those that prove nothing", async () => {
    const answer = await readTargetSeries(wholeFleet(at.db), targets({ ...span, simulated: "false" }), options);
    expect(answer).toMatchObject({ unit: "ratio", stepSeconds: 600, points: 6 });
    expect(shown(answer)).toEqual({
      ews: [null, null, null, 0.5, null, 1],
      autodiscover: [null, null, null, 0, null, null],
    });
  });

  it("count answers, and take simulated machines in only where asked", async () => {
    const query = targets({ ...span, measure: "answers", by: "none", target: "ews" });
    expect(shown(await readTargetSeries(wholeFleet(at.db), query, options))).toEqual({
      ok: [null, null, null, 19, null, 9],
      bad: [null, null, null, 100, null, 0],
      undecided: [null, null, null, 6, null, 2],
    });
  });

  it("give quantiles of the time of good answers, right to an eighth", async () => {
    const query = targets({
      ...span,
      measure: "latency",
      target: "ews",
      quantile: ["0.5", "0.99"],
      simulated: "false",
    });
    const answer = await readTargetSeries(wholeFleet(at.db), query, options);
    expect(answer.unit).toBe("milliseconds");
    const [median, high] = answer.series.map(({ values }) => values[3] as number);
    expect(Math.abs(Math.log((median as number) / 1.25 ** 20))).toBeLessThan(Math.log(1.125));
    expect(high as number).toBeGreaterThan(1.25 ** 29);
  });

  it("are divided by site, and of hours where ten minutes are not kept any more", async () => {
    const bySite = targets({ ...span, by: "site", site: "Manila", measure: "answers" });
    expect(shown(await readTargetSeries(wholeFleet(at.db), bySite, options))["Manila bad"]).toEqual([
      null,
      null,
      null,
      5,
      null,
      null,
    ]);
    const long = await readTargetSeries(
      at.db,
      targets({ since: "2026-11-10T00:00:00Z", until: minutesAgo(0.1).toISOString(), simulated: "false" }),
      options,
    );
    expect(long.stepSeconds).toBe(3600);
    expect(shown(long).ews?.at(-1)).toBeCloseTo(19 / 29);
  });

  it("are refused where one answer would read too much, or a site that may not be read", async () => {
    const many = { ...options, targets: Array.from({ length: 60 }, (_, i) => `t${i}`) };
    const long = targets({ since: "2026-08-01T00:00:00Z", by: "target" });
    await expect(readTargetSeries(wholeFleet(at.db), long, many)).rejects.toThrow(/choose fewer targets or sites/);
    const berlin = targets({ ...span, site: "Berlin" });
    await expect(readTargetSeries(manila(), berlin, options)).rejects.toThrow(/"Berlin"/);
    const own = await readTargetSeries(manila(), targets({ ...span, measure: "answers", by: "none" }), options);
    expect(shown(own).bad).toEqual([null, null, null, 5, null, null]);
  });

  it("are merged in memory without changing what was given", () => {
    const tallies: Tallies = new Map();
    const given = tally();
    addTally(tallies, given);
    addTally(tallies, tally({ latency: { "20": 1, "21": 4 } }));
    addTally(tallies, tally({ site: "Berlin" }));
    expect([...tallies.values()]).toEqual([
      tally({ ok: 18, bad: 2, undecided: 4, latency: { "20": 10, "21": 4 } }),
      tally({ site: "Berlin" }),
    ]);
    expect(given).toEqual(tally());
  });

  it("go after a week, and their hours after the history's time", async () => {
    const { db } = at;
    const eightDaysOn = new Date(now.getTime() + 8 * 86_400_000);
    await recordSample(db, now);
    await dropExpired(db, eightDaysOn, { observationDays: 30, historyDays: 396 });
    const kept = async () => {
      const [row] = await db.prisma.$queryRaw<Record<string, number>[]>`
        SELECT (SELECT count(*)::int FROM target_samples) AS tens, (SELECT count(*)::int FROM target_hours) AS hours,
          (SELECT count(*)::int FROM fleet_samples) AS minutes, (SELECT count(*)::int FROM fleet_hours) AS "fleetHours"`;
      return row;
    };
    expect(await kept()).toEqual({ tens: 0, hours: 4, minutes: 1, fleetHours: 1 });
    await dropExpired(db, new Date(now.getTime() + 40 * 86_400_000), { observationDays: 30, historyDays: 396 });
    expect(await kept()).toMatchObject({ minutes: 0, fleetHours: 1 });
    await dropExpired(db, new Date(now.getTime() + 400 * 86_400_000), { observationDays: 30, historyDays: 396 });
    expect(await kept()).toEqual({ tens: 0, hours: 0, minutes: 0, fleetHours: 0 });
  });
});
