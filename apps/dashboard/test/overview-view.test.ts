import { countsOf, type FleetCell } from "@lynceus/db/fleet-cells";
import { parseFilter } from "@lynceus/protocol/filter";
import type { Counts } from "@lynceus/protocol/read-api";
import { describe, expect, test } from "vitest";
import { beforeAfter, changeTitle } from "../src/components/changes/words.ts";
import { countTicks, spreadLabels } from "../src/components/charts/scale.ts";
import { term } from "../src/components/machines/links.ts";
import { heatOf, shade } from "../src/components/overview/heat.ts";
import { momentOf, pastCounts, pastHeat, pastSentence } from "../src/components/overview/past.ts";
import { sentenceOf } from "../src/components/overview/sentence.ts";
import { deltas, deltaText, patternLines, trendOf } from "../src/components/overview/trend.ts";
import { versionsOf } from "../src/components/overview/versions.ts";

const counts = (over: Partial<Counts> = {}): Counts => ({
  healthy: 9812,
  failing: 351,
  stale: 187,
  cannotTell: 62,
  signedOff: 3406,
  atRisk: 214,
  ...over,
});
const text = (input: Partial<Parameters<typeof sentenceOf>[0]>) => {
  const made = sentenceOf({ counts: counts(), causes: [], simulated: 0, remedy: null, ...input });
  return { lead: made.lead.map((run) => run.text).join(""), next: made.next };
};
const px1 = { pattern: "proxy-auth-required", cause: "px1.contoso.com asks for its own login", machines: 347 };

describe("the sentence of the overview", () => {
  test("says how many of how many, the largest cause and what fixes it", () => {
    expect(text({ causes: [px1, { ...px1, machines: 2 }], remedy: "Let Exchange through without a login" })).toEqual({
      lead: "Credential prompts expected on 351 of 10,412 machines. 347 for one cause: px1.contoso.com asks for its own login.",
      next: "What fixes it: let Exchange through without a login.",
    });
  });
  test("says first what the failing machines share, and how many do not fit", () => {
    const shared = { subject: "A PAC change at 09:14", explains: 347, of: 351, misfits: 4 };
    expect(text({ causes: [px1], shared, remedy: "Let Exchange through without a login" }).lead).toBe(
      "Credential prompts expected on 351 of 10,412 machines. A PAC change at 09:14 explains 347 of them; 4 do not fit.",
    );
    expect(text({ shared: { ...shared, explains: 351, misfits: 0 } }).lead).toMatch(/explains all of them\.$/);
    expect(text({ shared: { ...shared, of: 349, misfits: 2 } }).lead).toMatch(/explains 347 of the 349 that can be/);
  });
  test("states its coverage when nothing fails", () => {
    expect(text({ counts: counts({ failing: 0 }) })).toEqual({
      lead: "No credential prompts expected, on 9,812 of 10,061 machines.",
      next: "187 stale and 62 cannot tell are not part of this statement.",
    });
  });
  test("does not call a fleet well of which nothing is known", () => {
    expect(text({ counts: counts({ failing: 0, healthy: 0 }) }).lead).toMatch(/^Cannot tell whether/);
    expect(text({ counts: counts({ failing: 0, healthy: 0, stale: 0, cannotTell: 0 }) }).lead).toMatch(
      /^No machine reports now/,
    );
  });
  test("says how many machines are simulated", () => {
    expect(text({ simulated: 200 }).lead).toContain("10,412 machines. 200 of them simulated.");
  });
});

const cell = (over: Partial<FleetCell>): FleetCell => ({
  site: "Manila",
  status: "healthy",
  atRisk: false,
  pattern: null,
  machines: 1,
  simulated: 0,
  ...over,
});

describe("site by pattern", () => {
  const cells = [
    cell({ machines: 80 }),
    cell({ status: "failing", pattern: "proxy-auth-required", machines: 9 }),
    cell({ status: "failing", pattern: null, machines: 2 }),
    cell({ site: "Perth", status: "stale", machines: 3 }),
    cell({ site: "Perth", atRisk: true, pattern: "ews-slow", machines: 4 }),
    cell({ site: null, status: "signed-off", machines: 50 }),
  ];
  const heat = heatOf(cells);

  test("counts every reporting machine in its row, and signed-off ones in none", () => {
    expect(heat.rows.map((row) => [row.title, row.reporting])).toEqual([
      ["Manila", 91],
      ["Perth", 7],
    ]);
    expect(heat.reporting).toBe(98);
    expect(countsOf(cells)).toEqual({ healthy: 84, failing: 11, stale: 3, cannotTell: 0, signedOff: 50, atRisk: 4 });
  });
  test("has a column for failing machines whose cause is not named", () => {
    expect(heat.columns.map((column) => [column.title, column.total])).toEqual([
      ["Proxy asks for login", 9],
      ["No cause named", 2],
      ["EWS slow", 4],
      ["Stale", 3],
    ]);
  });
  test("opens queries that the filter language understands", () => {
    for (const query of [...heat.columns, ...heat.rows].map((entry) => entry.query)) {
      expect(parseFilter(query, { now: 0 }).errors).toEqual([]);
    }
  });
  test("shades by share on a square-root scale, so that one of a hundred is seen", () => {
    expect(shade(0, 100)).toBe(0);
    expect(shade(1, 100)).toBeGreaterThan(15);
    expect(shade(100, 100)).toBe(95);
  });
});

test("a cause opens exactly its failing machines, whatever characters it holds", () => {
  const query = [term("status", "failing"), term("primary", "tls-interception"), term("cause", 'a "b", c\\d')].join(
    " ",
  );
  const { terms, errors } = parseFilter(query, { now: 0 });
  expect(errors).toEqual([]);
  expect(terms.map((term) => term.field)).toEqual(["status", "primary", "cause"]);
  expect(terms[2]?.values[0]).toMatchObject({ text: 'a "b", c\\d', match: "exact" });
});

test("a change is shown field by field, before and after", () => {
  expect(changeTitle({ kind: "script", text: "Script content 9f3c1e → 41ab07" })).toBe("Proxy script 9f3c1e → 41ab07");
  expect(beforeAfter("Script content 9f3c1e → 41ab07")).toEqual({
    what: "Script content",
    before: "9f3c1e",
    after: "41ab07",
  });
  expect(beforeAfter("Proxy server: none → px1:8080")).toEqual({
    what: "Proxy server",
    before: "none",
    after: "px1:8080",
  });
  expect(beforeAfter("Agent 1.4.2 → 1.5.0")).toEqual({ what: "Agent", before: "1.4.2", after: "1.5.0" });
  expect(beforeAfter("The key was seen twice")).toBeNull();
});

describe("the trend", () => {
  const at = (minutes: number) => new Date(Date.UTC(2026, 10, 24) + minutes * 60_000);
  const sample = (minutes: number, failing: number, patterns: Record<string, number> = {}) => ({
    ...counts({ failing }),
    at: at(minutes),
    patterns,
  });

  test("shows a gap where nobody counted, never a zero", () => {
    const trend = trendOf([sample(0, 1), sample(1, 2), sample(30, 3)], { ...counts(), patterns: {} }, at(31).getTime());
    expect(trend.points.map((point) => point?.failing ?? null)).toEqual([1, 2, null, 3, 351]);
  });
  test("has a line for each of the worst patterns, which add up to what fails", () => {
    const samples = [
      sample(0, 4, { "ews-slow": 9 }),
      sample(1, 10, { "proxy-auth-required": 7, "tls-interception": 2 }),
    ];
    const trend = trendOf(
      samples,
      { ...counts({ failing: 3 }), patterns: { "proxy-auth-required": 3 } },
      at(2).getTime(),
    );
    expect(patternLines(trend, ["proxy-auth-required"])).toEqual([
      { pattern: "proxy-auth-required", values: [0, 7, 3] },
      { pattern: null, values: [4, 3, 0] },
    ]);
    expect(patternLines(trend, [])).toEqual([{ pattern: null, values: [4, 10, 3] }]);
  });
  test("compares with an hour ago only where somebody counted then", () => {
    expect(deltas([sample(0, 4)], counts(), at(60).getTime())?.failing).toBe(347);
    expect(deltas([sample(40, 4)], counts(), at(60).getTime())).toBeNull();
    expect([deltaText(347), deltaText(-3), deltaText(0), deltaText(undefined)]).toEqual([
      "+347 in 1 h",
      "−3 in 1 h",
      "same as 1 h ago",
      undefined,
    ]);
  });
});

describe("axes", () => {
  test("start at zero and end at a round number of whole machines", () => {
    expect(countTicks(347)).toEqual([0, 100, 200, 300, 400]);
    expect(countTicks(21)).toEqual([0, 10, 20, 30]);
    expect(countTicks(0)).toEqual([0, 1, 2]);
  });
  test("keep the labels of two near lines apart and inside", () => {
    const [a = 0, b = 0] = spreadLabels([98, 99], 30, 10, 100);
    expect(Math.abs(a - b)).toBeGreaterThanOrEqual(30);
    expect(Math.max(a, b)).toBeLessThanOrEqual(100);
  });
});

describe("agent versions", () => {
  const of = (...counts: [string | null, number][]) =>
    versionsOf(
      counts.map(([version, machines]) => ({ version, machines })),
      "1.4.0",
    );

  test("mark those that are older than the newest, each with the machines that it counts", () => {
    const { rows, newest, machines } = of(["1.4.2", 300], ["1.10.0", 100], ["1.4.2-rc1", 20], [null, 7]);
    expect(newest).toBe("1.10.0");
    expect(machines).toBe(427);
    expect(rows.map(({ title, machines: n, query, old }) => [title, n, query, old])).toEqual([
      ["1.4.2", 300, "agent:1.4.2", true],
      ["1.10.0", 100, "agent:1.10.0", false],
      ["1.4.2-rc1", 20, "agent:1.4.2-rc1", true],
      ["unknown", 7, "agent:unknown", false],
    ]);
    for (const { query } of rows) expect(parseFilter(query, { now: 0 }).errors).toEqual([]);
  });
  test("are not all old because one machine says so, nor because of what was not released", () => {
    expect(of(["1.4.0", 500], ["99.0.0", 1]).newest).toBe("1.4.0");
    expect(of(["1.4.0", 500], ["2.0.0-rc1", 400]).newest).toBe("1.4.0");
    expect(of(["1.3.9", 5]).rows[0]?.old).toBe(true);
    expect(of(["<b>", 5]).rows[0]?.old).toBe(false);
  });
  test("beyond the most frequent ones share a row, which lists exactly the others", () => {
    const many = Array.from({ length: 9 }, (_, i): [string, number] => [`1.4.${9 - i}`, 90 - i]);
    const last = of(...many).rows.at(-1);
    expect(last).toMatchObject({ title: "4 other versions", machines: 85 + 84 + 83 + 82 });
    expect(last?.query).toBe("-agent:1.4.9,1.4.8,1.4.7,1.4.6,1.4.5");
  });
  test("of a hostile length still fit into a filter", () => {
    const long = Array.from({ length: 9 }, (_, i): [string, number] => [`${i}${"x".repeat(63)}`, 9 - i]);
    for (const { query } of of(...long).rows) expect(parseFilter(query, { now: 0 }).errors).toEqual([]);
  });
});

describe("a moment gone by", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");

  test("is read from the address, or it is said what is wrong with it", () => {
    expect(momentOf(undefined, now)).toBeNull();
    expect(momentOf("2026-11-24T02:12:00Z", now)).toEqual({ at: Date.parse("2026-11-24T02:12:00Z"), problem: null });
    expect(momentOf("2026-11-24T03:12 01:00", now)).toEqual({ at: Date.parse("2026-11-24T02:12:00Z"), problem: null });
    for (const wrong of ["yesterday", "2026-11-24", "2026-11-24T02:12", "2026-13-24T02:12:00Z", ["a", "b"]])
      expect(momentOf(wrong, now)?.problem, String(wrong)).toMatch(/is no time; .* such as at=2026-11-24T02:12:00Z$/);
    expect(momentOf("2026-11-24T12:00:01Z", now)?.problem).toMatch(/is yet to come/);
  });

  const site = (name: string | null, over: Partial<Counts>, patterns: Record<string, number> = {}) => ({
    site: name,
    ...counts({ healthy: 0, failing: 0, stale: 0, cannotTell: 0, signedOff: 0, atRisk: 0, ...over }),
    patterns,
  });
  const sites = [
    site("Manila", { healthy: 80, failing: 9, atRisk: 4 }, { "proxy-auth-required": 9, "ews-slow": 4 }),
    site("Perth", { healthy: 5, stale: 3 }),
    site("Graz", { signedOff: 40 }),
    site(null, { failing: 1, signedOff: 10 }, { "proxy-auth-required": 1 }),
  ];

  test("adds up its sites, and says how many were failing", () => {
    const total = pastCounts({ at: new Date(now), sites, agents: null });
    expect(total).toMatchObject({ healthy: 85, failing: 10, stale: 3, signedOff: 50, atRisk: 4 });
    expect(total.patterns).toEqual({ "proxy-auth-required": 10, "ews-slow": 4 });
    const said = (of: Counts) => {
      const { lead, next } = pastSentence(of, []);
      return [lead.map((run) => run.text).join(""), next];
    };
    expect(said(total)).toEqual(["Credential prompts were expected on 10 of 98 machines.", null]);
    expect(said({ ...total, failing: 0 })).toEqual([
      "No credential prompts were expected, on 85 of 88 machines.",
      "3 stale were not part of this statement.",
    ]);
  });
  test("has a row for each site and adds up in each column", () => {
    const heat = pastHeat(sites);
    expect(heat.rows.map(({ title, reporting }) => [title, reporting])).toEqual([
      ["Manila", 89],
      ["No site", 1],
      ["Perth", 8],
    ]);
    expect(heat.reporting).toBe(98);
    expect(heat.columns.map(({ id, total }) => [id, total])).toEqual([
      ["failing", 10],
      ["proxy-auth-required", 10],
      ["ews-slow", 4],
      ["stale", 3],
    ]);
    for (const [i, column] of heat.columns.entries())
      expect(heat.rows.reduce((sum, row) => sum + (row.cells[i] ?? 0), 0)).toBe(column.total);
  });
});
