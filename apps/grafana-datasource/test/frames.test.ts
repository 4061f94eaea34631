import { FieldType } from "@grafana/data";
import { causesFrame, changesFrame } from "../src/frames/causes";
import { escapeHtml, eventsFrame } from "../src/frames/events";
import { incidentsFrame } from "../src/frames/incidents";
import { machinesFrame } from "../src/frames/machines";
import { nameOf, noticesOf, timesOf, wideFrame } from "../src/frames/series";
import { valuesFrame } from "../src/frames/values";
import { withCounts } from "../src/stream";

const base = "https://lynceus.example.org";
const options = { refId: "A", otherwise: "failing", stepSeconds: 60, links: () => [], notices: [], dark: false };

const machine = {
  id: "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
  hostname: "LT-\u202e1",
  status: "cannot-tell" as const,
  atRisk: false,
  since: "2026-11-26T02:12:00.000Z",
  primary: null,
  patterns: [],
  site: null,
  location: "inside" as const,
  route: null,
  verdictConfigured: null,
  verdictDirect: null,
  chainConfigured: null,
  chainDirect: null,
  pacHash: null,
  os: "windows",
  osVersion: "",
  agentVersion: "0.1.0",
  lastSeenAt: null,
  connected: false,
  approved: true,
  cloned: false,
  simulated: true,
  tags: ["a", "b"],
};

describe("series", () => {
  it("lie on the grid that the answer describes", () => {
    expect(timesOf({ start: "2026-11-26T00:00:00.000Z", stepSeconds: 300, points: 3 })).toEqual([
      1795651200000, 1795651500000, 1795651800000,
    ]);
  });

  it("are named by what tells them apart, quantiles as people call them", () => {
    expect(nameOf({}, "failing")).toBe("failing");
    expect(nameOf({ status: "cannot-tell" }, "")).toBe("cannot tell");
    expect(nameOf({ target: "ews", quantile: "0.5" }, "")).toBe("ews median");
    expect(nameOf({ quantile: "0.95", target: "ews" }, "")).toBe("ews p95");
    expect(nameOf({ site: "B\u200bern" }, "")).toBe("B⟨U+200B⟩ern");
  });

  it("become one wide frame: counts step from zero with gaps, states in their colours", () => {
    const frame = wideFrame(
      [1, 2],
      [
        { labels: { status: "failing" }, values: [3, null] },
        { labels: { status: "reporting" }, values: [9, 9] },
      ],
      { ...options, unit: "machines" },
    );
    expect(frame.fields.map((field) => field.type)).toEqual([FieldType.time, FieldType.number, FieldType.number]);
    expect(frame.fields[1]).toMatchObject({
      labels: { status: "failing" },
      values: [3, null],
      config: {
        displayNameFromDS: "failing",
        min: 0,
        decimals: 0,
        custom: { lineInterpolation: "stepAfter", spanNulls: false },
        color: { mode: "fixed", fixedColor: "#CC3D08" },
      },
    });
    expect(frame.fields[2]?.config.color).toBeUndefined();
  });

  it("have the unit of what they measure", () => {
    const unitOf = (unit: "ratio" | "milliseconds") =>
      wideFrame([1], [{ labels: {}, values: [1] }], { ...options, unit }).fields[1]?.config;
    expect(unitOf("ratio")).toMatchObject({ unit: "percentunit", min: 0, max: 1 });
    expect(unitOf("milliseconds")).toMatchObject({ unit: "ms", min: 0 });
  });

  it("say what a point stands for, and that others are missing", () => {
    const series = [{ labels: {}, values: [] }];
    expect(noticesOf({ note: "Each point is …", left: 0, series })).toEqual([
      { severity: "info", text: "Each point is …" },
    ]);
    expect(noticesOf({ note: "n", left: 12, series })[1]).toMatchObject({ severity: "warning" });
  });
});

describe("counts of now at the end of series", () => {
  const minute = 60_000;
  const state = { times: [0, minute, 2 * minute], series: [{ labels: { site: "Bern" }, values: [1, 2, 3] }] };
  const counts = (at: number, ...values: [string, number][]) => ({
    at: new Date(at).toISOString(),
    series: values.map(([site, value]) => ({ labels: { site }, value })),
  });

  it("replace the last point while its span is not over, else begin a new one; the front moves on", () => {
    expect(withCounts(state, counts(2.5 * minute, ["Bern", 9]), minute)).toEqual({
      times: [0, minute, 2 * minute],
      series: [{ labels: { site: "Bern" }, values: [1, 2, 9] }],
    });
    expect(withCounts(state, counts(3 * minute, ["Bern", 9]), minute)).toEqual({
      times: [minute, 2 * minute, 3 * minute],
      series: [{ labels: { site: "Bern" }, values: [2, 3, 9] }],
    });
  });

  it("leave a gap where nobody told of some spans", () => {
    expect(withCounts(state, counts(7 * minute, ["Bern", 9]), minute)).toEqual({
      times: [2 * minute, 3 * minute, 7 * minute],
      series: [{ labels: { site: "Bern" }, values: [3, null, 9] }],
    });
  });

  it("begin a series that was not there, and take one that is not counted any more to zero", () => {
    expect(withCounts(state, counts(3 * minute, ["Graz", 4]), minute).series).toEqual([
      { labels: { site: "Bern" }, values: [2, 3, 0] },
      { labels: { site: "Graz" }, values: [null, null, 4] },
    ]);
  });

  it("are left out where they are older than what is known, and begin what is empty", () => {
    expect(withCounts(state, counts(minute, ["Bern", 9]), minute)).toBe(state);
    expect(withCounts({ times: [], series: [] }, counts(minute, ["Bern", 9]), minute)).toEqual({
      times: [minute],
      series: [{ labels: { site: "Bern" }, values: [9] }],
    });
  });
});

describe("tables", () => {
  it("of machines show words, times and no invisible character, and lead to the machine's page", () => {
    const frame = machinesFrame("A", [machine], base);
    const field = (name: string) => frame.fields.find((one) => one.name === name);
    expect(field("state")?.values).toEqual(["cannot tell"]);
    expect(field("machine")?.values).toEqual(["LT-⟨U+202E⟩1"]);
    expect(field("machine")?.config.links?.[0]?.url).toBe(`${base}/machines/\${__data.fields["id"]:percentencode}`);
    expect(field("since")?.values).toEqual([Date.parse(machine.since)]);
    expect(field("seen")?.values).toEqual([null]);
    expect(field("id")?.config.custom).toMatchObject({ hidden: true });
    expect(field("simulated")?.values).toEqual([true]);
    expect(machinesFrame("A", [machine], null).fields.every((one) => one.config.links === undefined)).toBe(true);
  });

  it("of incidents lead to their pages, and say how those that are over ended", () => {
    const incident = {
      number: 1182,
      state: "acknowledged",
      urgency: "high",
      title: "px1\u202e asks for its own login (407)",
      failing: 347,
      silent: 2,
      openedAt: machine.since,
      endedAt: null,
      ended: null,
      acknowledged: { by: "M. Huber", at: machine.since, via: "web" },
      sites: [
        { site: "Bern", machines: 340, of: 900 },
        { site: null, machines: 7, of: null },
      ],
    };
    const over = { ...incident, endedAt: machine.since, ended: { how: "resolved" } };
    const frame = incidentsFrame("A", [incident, over] as never, base);
    const field = (name: string) => frame.fields.find((one) => one.name === name);
    expect(field("state")?.values).toEqual(["acknowledged", "resolved"]);
    expect(field("title")?.values[0]).toBe("px1⟨U+202E⟩ asks for its own login (407)");
    expect(field("title")?.config.links?.[0]?.url).toBe(`${base}/incidents/\${__data.fields["number"]:percentencode}`);
    expect(field("sites")?.values[0]).toBe("Bern, no site");
    expect(field("endedAt")?.values).toEqual([null, Date.parse(machine.since)]);
    expect(field("acknowledged")?.values[0]).toBe("M. Huber");
  });

  it("of values leave out those that no machine has, and keep each one's filter for its link", () => {
    const items = [
      { value: "New York", machines: 4 },
      { value: "none", machines: 2 },
      { value: "Oslo", machines: null },
    ];
    const frame = valuesFrame("A", "site", items, base);
    expect(frame.fields.map((field) => field.values)).toEqual([
      ['site:"New York"', "site:none"],
      ["New York", "none"],
      [4, 2],
    ]);
  });

  it("of causes and changes have figures as numbers and moments as times", () => {
    const cause = {
      id: "c",
      text: "Proxy px1",
      explains: 3,
      of: 4,
      clearedAt: null,
      since: machine.since,
      change: null,
    };
    const causes = causesFrame("A", [cause as never], base);
    expect(causes.fields.find((field) => field.name === "explains")?.type).toBe(FieldType.number);
    expect(causes.fields.find((field) => field.name === "clearedAt")?.values).toEqual([null]);
    const change = {
      id: "x",
      kind: "script",
      text: "Script",
      firstAt: machine.since,
      lastAt: machine.since,
      machines: 2,
    };
    expect(changesFrame("A", [change as never], base).fields.find((field) => field.name === "lastAt")?.values).toEqual([
      Date.parse(machine.since),
    ]);
  });
});

describe("events", () => {
  it("go on to the end of what is shown while they have none, and never end before they begin", () => {
    const event = { id: "1", title: "Cause", text: "x", tags: ["cause"], url: null };
    const frame = eventsFrame(
      "A",
      [
        { ...event, from: "1970-01-01T00:00:01.000Z", to: null },
        { ...event, from: "1970-01-01T00:00:02.000Z", to: "1970-01-01T00:00:01.000Z" },
      ],
      9_000,
    );
    expect(frame.fields.map(({ name, values }) => [name, values])).toContainEqual(["timeEnd", [9_000, 2_000]]);
  });

  it("are text whatever a machine sent: nothing of it is read as HTML", () => {
    expect(escapeHtml(`<img src=x onerror="alert('1')">&`)).toBe(
      "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;",
    );
    const hostile = {
      id: "1",
      from: machine.since,
      to: null,
      title: "<b>",
      text: "<script>",
      tags: [],
      url: `${base}/causes/"><b>`,
    };
    const text = String(eventsFrame("A", [hostile], 0).fields.find((field) => field.name === "text")?.values[0]);
    expect(text).toBe(
      `&lt;script&gt;<br><a href="${base}/causes/&quot;&gt;&lt;b&gt;" target="_blank" rel="noreferrer">Open in Lynceus</a>`,
    );
  });
});
