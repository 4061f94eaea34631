import type { MachineRow } from "@lynceus/protocol/read-api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnIds, defaultColumns, wholeValue } from "../src/components/machines/column-info.ts";
import { defaultsOf, readRequest } from "../src/components/machines/query.ts";
import { place, windowOf } from "../src/components/machines/rows-window.ts";
import {
  countOf,
  isChosen,
  mostByHand,
  nothing,
  selectionOf,
  withoutRow,
  withRows,
} from "../src/components/machines/selection.ts";
import { bulkActSchema, selectionSchema } from "../src/lib/bulk-input.ts";

const row = (id: string, over: Partial<MachineRow> = {}): MachineRow => ({
  id,
  hostname: id,
  status: "healthy",
  atRisk: false,
  since: "2026-11-24T02:12:07.000Z",
  primary: null,
  patterns: [],
  site: null,
  location: "inside",
  route: "direct",
  verdictConfigured: "exchange-onprem",
  verdictDirect: null,
  chainConfigured: "ooxooo",
  chainDirect: null,
  pacHash: null,
  os: "windows",
  osVersion: "Windows 11 24H2",
  agentVersion: "1.4.2",
  lastSeenAt: null,
  connected: true,
  approved: true,
  cloned: false,
  simulated: false,
  tags: ["b", "a"],
  ...over,
});
const page = (ids: string[], over: Partial<MachineRow> = {}) => ({
  items: ids.map((id) => row(id, over)),
  total: 1_000,
  asOf: "2026-11-24T03:00:00.000Z",
});

describe("rows of a list that is read in part", () => {
  it("change their values in place, and stay where they are while they are looked at", () => {
    const was = place(page(["a", "b", "c"]));
    const { rows, touched, moved } = windowOf(was, page(["c", "a", "b"], { status: "failing" }), 0);
    expect([...rows.values()].map((one) => [one.id, one.status])).toEqual([
      ["a", "failing"],
      ["b", "failing"],
      ["c", "failing"],
    ]);
    expect(touched.sort()).toEqual(["a", "b", "c"]);
    expect(moved).toBe(3);
  });

  it("keep a machine that left the window, until the new order is asked for", () => {
    const { rows, moved } = windowOf(place(page(["a", "b"])), page(["x", "b"]), 0);
    expect([...rows.values()].map((one) => one.id)).toEqual(["a", "b"]);
    expect(moved).toBe(1);
  });

  it("take what came to places that nobody saw, and let go of places elsewhere", () => {
    const was = place(page(["a", "b"]));
    const { rows, moved } = windowOf(was, page(["m", "n"]), 500);
    expect([...rows.keys()]).toEqual([500, 501]);
    expect(moved).toBe(0);
  });

  it("are never drawn twice at one place, and never more than were given", () => {
    const ids = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { minLength: 1 });
    fc.assert(
      fc.property(ids, ids, fc.nat(5), (before, after, from) => {
        const { rows, moved } = windowOf(place(page(before)), page(after), from);
        expect(rows.size).toBe(after.length);
        expect(moved).toBeLessThanOrEqual(after.length);
      }),
    );
  });
});

describe("a selection", () => {
  it("is of rows by hand up to a bound, or of all that match at a moment", () => {
    const many = Array.from({ length: mostByHand + 5 }, (_, i) => ({ id: `m${i}`, hostname: `M-${i}` }));
    const chosen = withRows(nothing, many);
    expect(countOf(chosen)).toBe(mostByHand);
    expect(isChosen(withoutRow(chosen, "m0"), "m0")).toBe(false);
    const all = { kind: "all", q: "status:failing", at: 1, machines: 12_431 } as const;
    expect([countOf(all), isChosen(all, "anything")]).toEqual([12_431, true]);
    expect(selectionOf(all)).toEqual({ kind: "all", q: "status:failing", at: 1 });
  });

  it.each([
    [{ kind: "rows", ids: [] }],
    [{ kind: "rows", ids: ["nonsense"] }],
    [{ kind: "all", q: "x".repeat(600), at: 1 }],
    [{ kind: "all", q: "", at: Number.NaN }],
    [null],
  ])("is refused as %j", (input) => {
    expect(selectionSchema.safeParse(input).success).toBe(false);
  });

  it.each([
    [{ kind: "tag", add: [], remove: [] }, "No tag is given; use e.g. pilot."],
    [{ kind: "tag", add: ["two words"], remove: [] }, "A tag has no spaces, commas, quotes or *; use e.g. pilot."],
    [{ kind: "site", site: "x".repeat(201) }, "A site has at most 200 characters; use e.g. Manila."],
  ])("has no act such as %j", (input, message) => {
    expect(bulkActSchema.safeParse(input).error?.issues[0]?.message).toBe(message);
  });
});

describe("what the address asks for", () => {
  const context = { now: Date.parse("2026-11-24T03:00:00Z"), zone: "UTC" };

  it("goes before a view of the team, and a view before what this browser remembers", () => {
    const view = {
      slug: "px1",
      name: "px1",
      q: "route:px1",
      sort: "name",
      columns: ["name", "route", "gone"],
      group: "site",
      createdBy: "a",
      updatedAt: "",
    };
    const defaults = defaultsOf(view, { cols: "name,tags", density: "relaxed" });
    expect(defaults).toEqual({
      q: "route:px1",
      sort: "name",
      cols: ["name", "route"],
      group: "site",
      density: "relaxed",
    });
    expect(readRequest({}, context, defaults)).toMatchObject({ query: "route:px1", sort: "name", group: "site" });
    expect(readRequest({ q: "", sort: "-seen", group: "none" }, context, defaults)).toMatchObject({
      query: "",
      sort: "-seen",
      group: null,
    });
    expect(defaultsOf(null, { cols: "nonsense" }).cols).toEqual(defaultColumns);
  });

  it("is kept as far as it can be read", () => {
    const request = readRequest(
      { q: "status:failing nothing:7 site:", sort: "nonsense", group: "constructor" },
      context,
    );
    expect(request.terms.map((term) => term.field)).toEqual(["status"]);
    expect(request.problems).toHaveLength(2);
    expect(request).toMatchObject({ sort: "-since", group: null });
  });
});

it("every column has a whole value for exports", () => {
  const machine = row("a", { pacHash: "ab".repeat(32), patterns: ["clock-skew", "ews-slow"], answerMs: 12.5 });
  const values = Object.fromEntries(columnIds.map((id) => [id, wholeValue(id, machine)]));
  expect(values).toMatchObject({
    script: "ab".repeat(32),
    since: "2026-11-24T02:12:07.000Z",
    seen: "",
    tags: "b a",
    contributing: "ews-slow",
    ms: "12.5",
    system: "windows Windows 11 24H2",
  });
});
