import { alertingConfigSchema, parseAlerting } from "@lynceus/protocol/alerting";
import { receiverTypes } from "@lynceus/protocol/receivers";
import { describe, expect, test } from "vitest";
import { type Field, fieldsOf } from "../src/components/alerting/fields.ts";
import { at, idFrom, numberOf, pairsOf, put } from "../src/components/alerting/form-value.ts";
import { blankOf } from "../src/lib/alerting/blanks.ts";
import {
  listKinds,
  pieceOf,
  sortProblems,
  usersOf,
  withoutPiece,
  withPiece,
  withRouteMoved,
} from "../src/lib/alerting/pieces.ts";
import { problemText } from "../src/lib/alerting/problem-text.ts";
import { readSupposed } from "../src/lib/alerting/supposed.ts";

const config = alertingConfigSchema.parse({
  receivers: [{ type: "ntfy", id: "phone", name: "Phone" }],
  people: [{ id: "huber", name: "M. Huber", receivers: ["phone"] }],
  escalations: [{ id: "exchange", name: "Exchange", steps: [{ targets: [{ person: "huber" }], minutes: 15 }] }],
  routes: [
    { id: "silent", name: "Silent", match: "pattern:fleet-blind" },
    { id: "rest", name: "Rest", escalation: "exchange" },
  ],
});
const context = { type: "webhook" as const, zone: "Europe/Berlin", now: Date.UTC(2026, 10, 27) };

/** Paths that fields of a piece write. */
const pathsOf = (fields: readonly Field[], under = ""): string[] =>
  fields.flatMap((field) => {
    if (field.as === "more") return pathsOf(field.fields, under);
    const path = under + field.path;
    if (field.as === "items") return [path, ...pathsOf(field.fields, `${path}.0.`)];
    if (field.as === "maybe") return [path, ...pathsOf(field.fields, `${path}.`)];
    return [path];
  });
const leavesOf = (value: unknown, under = ""): string[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, `${under}${key}.`))
    : [under.slice(0, -1)];

describe("the forms", () => {
  test.each([
    ...listKinds.filter((kind) => kind !== "receivers").map((kind) => [kind, null] as const),
    ...receiverTypes.map((type) => ["receivers", type] as const),
    ["limits", null] as const,
  ])("of %s %s have a field for everything that the configuration has of it", (kind, type) => {
    const value =
      kind === "limits" ? pieceOf(config, "limits", "") : blankOf(kind, { ...context, type: type ?? "webhook" });
    const fields = pathsOf(fieldsOf(kind, type));
    const without = leavesOf(value).filter(
      (leaf) => !["id", "type"].includes(leaf) && !fields.some((path) => leaf === path || leaf.startsWith(`${path}.`)),
    );
    expect(without).toEqual([]);
  });

  test("make an id of a name, keep what is no number as it is typed, and read pairs", () => {
    expect(idFrom("Proxy team, Zürich!")).toBe("proxy-team-zurich");
    expect([numberOf("5"), numberOf("0.5"), numberOf("many"), numberOf("")]).toEqual([5, 0.5, "many", ""]);
    expect(pairsOf("team = messaging\n\ntier=1")).toEqual({ pairs: { team: "messaging", tier: "1" }, problem: null });
    expect(pairsOf("team").problem).toMatch(/"team" is no pair; use e.g. team=messaging/);
    expect(put({ a: { b: 1, c: 2 } }, "a.b", 3)).toEqual({ a: { b: 3, c: 2 } });
    expect(at(put(null, "a.b", 3), "a.b")).toBe(3);
  });
});

describe("a piece", () => {
  test("goes in its place; a new route before the one that matches everything", () => {
    const renamed = withPiece(config, "routes", "silent", { id: "silent", name: "Silent sites" });
    expect(renamed.prefix).toBe("routes.0");
    const added = withPiece(config, "routes", "", { ...blankOf("routes", context), id: "bern", name: "Bern" });
    expect(added.prefix).toBe("routes.1");
    expect(parseAlerting(added.config).config?.routes.map(({ id }) => id)).toEqual(["silent", "bern", "rest"]);
  });

  test("of limits is put back where it came from", () => {
    const { config: same } = withPiece(config, "limits", "", pieceOf(config, "limits", ""));
    expect(parseAlerting(same).config).toEqual(config);
  });

  test("has problems of its own, by field, and causes others, by where they are", () => {
    const { config: changed, prefix } = withPiece(config, "people", "huber", {
      id: "huber",
      name: "",
      receivers: ["mail"],
    });
    const { inside, elsewhere } = sortProblems(parseAlerting(changed).problems, prefix);
    expect(inside.map(({ path }) => path)).toContain("name");
    expect(elsewhere).toEqual([]);
    const gone = sortProblems(parseAlerting(withoutPiece(config, "people", "huber")).problems, "people.0");
    expect(gone.elsewhere.map(({ path }) => path)).toEqual(["escalations.0.steps.0.targets.0.person"]);
  });

  test("is used by what names it", () => {
    expect(usersOf(config, "receivers", "phone")).toEqual(["person M. Huber"]);
    expect(usersOf(config, "people", "huber")).toEqual(["escalation Exchange"]);
    expect(usersOf(config, "escalations", "exchange")).toEqual(["route Rest"]);
    expect(usersOf(config, "routes", "rest")).toEqual([]);
  });

  test("of routes is moved by one place, and not out of the list", () => {
    expect(withRouteMoved(config, "rest", -1)?.routes.map(({ id }) => id)).toEqual(["rest", "silent"]);
    expect(withRouteMoved(config, "rest", 1)).toBeNull();
    expect(withRouteMoved(config, "silent", -1)).toBeNull();
    expect(withRouteMoved(config, "nothing", 1)).toBeNull();
  });
});

describe("problems", () => {
  test.each([
    [{ people: [{ id: "huber", name: "", receivers: ["phone"] }] }, "people.0.name", "This is missing."],
    [{ people: [{ id: "huber", name: "H", receivers: [] }] }, "people.0.receivers", "Choose one at least."],
    [
      { people: [{ id: "huber", name: "H", email: "x", receivers: ["a"] }] },
      "people.0.email",
      '"x" is no mail address; use e.g. oncall@contoso.com.',
    ],
    [{ settings: { openMachines: 0 } }, "settings.openMachines", "0 is too small; 1 is the least."],
    [{ settings: { openMachines: "many" } }, "settings.openMachines", '"many" is no number; use e.g. 5.'],
    [{ settings: { openMachines: 1.5 } }, "settings.openMachines", "1.5 is no whole number; use e.g. 5."],
    [{ settings: { highSharePercent: 101 } }, "settings.highSharePercent", "101 is too large; 100 is the most."],
  ])("of %j name the value and the rule", (document, path, words) => {
    const problem = parseAlerting(document).problems.find((one) => one.path === path);
    expect(problem && problemText(problem, document)).toBe(words);
  });
});

describe("who would be paged", () => {
  const clock = { now: Date.UTC(2026, 10, 27), zone: "Europe/Berlin" };
  test("asks nothing until it is asked", () => {
    expect(readSupposed({}, clock)).toMatchObject({ supposed: null, errors: {} });
  });
  test("reads times on the viewer's clock", () => {
    const { supposed } = readSupposed({ machines: "3", at: "2026-12-06T02:00", tags: "vip, hq" }, clock);
    expect(supposed).toMatchObject({ machines: 3, at: Date.UTC(2026, 11, 6, 1), tags: ["vip", "hq"], site: null });
  });
  test("says what is wrong, by field", () => {
    const { supposed, errors } = readSupposed({ machines: "0", pattern: "x", at: "soon" }, clock);
    expect(supposed).toBeNull();
    expect(Object.keys(errors).sort()).toEqual(["at", "machines", "pattern"]);
  });
});
