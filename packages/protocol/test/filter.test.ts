import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FilterField,
  type FilterValue,
  filterFields,
  filterLimits,
  formatFilter,
  parseFilter,
} from "../src/filter.ts";

const now = Date.UTC(2026, 10, 24, 12, 0, 0);
const parse = (text: string, zone = "UTC") => parseFilter(text, { now, zone });
/** The one term of a text, which must be free of errors. */
const only = (text: string, zone?: string) => {
  const { terms, errors } = parse(text, zone);
  expect(errors).toEqual([]);
  expect(terms).toHaveLength(1);
  return terms[0] as (typeof terms)[number];
};
const value = (text: string, zone?: string) => only(text, zone).values[0] as FilterValue;
const problem = (text: string) => {
  const { terms, errors } = parse(text);
  expect(errors).toHaveLength(1);
  return { ...errors[0], terms };
};

describe("terms", () => {
  test("a field with a value, negated, and with alternatives", () => {
    expect(only("status:failing")).toEqual({
      negated: false,
      field: "status",
      op: ":",
      values: [{ kind: "text", text: "failing", match: "exact", needle: "failing" }],
    });
    expect(only("-os:windows,macos")).toMatchObject({
      negated: true,
      field: "os",
      values: [{ needle: "windows" }, { needle: "macos" }],
    });
  });
  test("space is and", () => {
    expect(parse("  status:failing \t site:Manila\n").terms.map((term) => term.field)).toEqual(["status", "site"]);
  });
  test("a word alone is part of the name", () => {
    expect(only("front")).toEqual(only("name:*front*"));
    expect(only('-"MNL FRONT"')).toMatchObject({
      negated: true,
      field: "name",
      values: [{ match: "contains", needle: "MNL FRONT" }],
    });
    expect(value("LT-*")).toMatchObject({ match: "prefix", needle: "LT-" });
    expect(value("*-09")).toMatchObject({ match: "suffix", needle: "-09" });
  });
  test("quotes hold spaces, commas and quotes", () => {
    expect(value('site:"New York, \\"East\\" \\\\ 2"')).toMatchObject({
      match: "exact",
      needle: 'New York, "East" \\ 2',
    });
  });
  test("fields and values of fixed lists do not mind case, names keep theirs", () => {
    expect(only("STATUS:Failing")).toEqual(only("status:failing"));
    expect(value("name:LT-9")).toMatchObject({ needle: "LT-9" });
  });
  test("a wildcard stands in fixed lists too, when something matches", () => {
    expect(value("pattern:proxy-*")).toMatchObject({ match: "prefix", needle: "proxy-" });
    expect(problem("pattern:proxi-*").rule).toMatch(/^one of captive-portal, /);
  });
  test("unknown and none differ, and are texts in quotes", () => {
    expect(value("site:unknown")).toEqual({ kind: "unknown", text: "unknown" });
    expect(value("site:none")).toEqual({ kind: "none", text: "none" });
    expect(value('site:"unknown"')).toMatchObject({ kind: "text", needle: "unknown" });
    expect(value('site:"none"')).toMatchObject({ kind: "text", needle: "none" });
    expect(value("skew:unknown")).toEqual({ kind: "unknown", text: "unknown" });
    expect(value("by:none")).toMatchObject({ kind: "text", needle: "none" });
    expect(value("unknown")).toMatchObject({ kind: "text", match: "contains", needle: "unknown" });
  });
  test("a route without a port is any port of the host", () => {
    expect(value("route:px1.contoso.com")).toMatchObject({
      match: "prefix",
      needle: "px1.contoso.com:",
      text: "px1.contoso.com",
    });
    expect(value("route:px1.contoso.com:8080")).toMatchObject({ match: "exact", needle: "px1.contoso.com:8080" });
    expect(value("route:DIRECT")).toMatchObject({ match: "exact", needle: "direct" });
    expect(value("route:px*")).toMatchObject({ match: "prefix", needle: "px" });
  });
  test("a script is named by the beginning of its hash", () => {
    expect(value("pac:3FA9")).toMatchObject({ match: "prefix", needle: "3fa9" });
    expect(value("pac:file")).toMatchObject({ match: "exact", needle: "file" });
    expect(value("pac:none")).toMatchObject({ kind: "none" });
    expect(problem("pac:xyz").rule).toMatch(/hex/);
  });
  test.each([
    ["10.40.0.0/16", "10.40.0.0/16"],
    ["10.40.8.57", "10.40.8.57/32"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::1", "::1/128"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ])("the subnet %s is %s", (text, cidr) => {
    expect(value(`subnet:${text}`)).toMatchObject({ kind: "subnet", cidr });
  });
  test.each([
    "10.40.0.0/33",
    "10.40.0/16",
    "010.1.1.1",
    "1.2.3.4/8/8",
    "::1/129",
    "x",
    "/8",
    "10.0.0.0/",
    "1.2.3.4/-1",
  ])("%s is no subnet", (text) => {
    expect(problem(`subnet:${text}`)).toMatchObject({ example: "subnet:10.40.0.0/16" });
  });
});

describe("numbers", () => {
  const at = (number: number, inclusive: boolean) => ({ value: number, inclusive });
  test.each([
    ["ms>2000", at(2000, false), null],
    ["ms>=2s", at(2000, true), null],
    ["skew<5m", null, at(300_000, false)],
    ["skew<=-500", null, at(-500, true)],
    ["ms:12.5", at(12.5, true), at(12.5, true)],
  ])("%s", (text, min, max) => {
    expect(value(text)).toMatchObject({ kind: "range", min, max });
  });
  test.each(["ms>abc", "ms>", "ms>1e9", "ms>2x", "skew:--5"])("%s is refused", (text) => {
    expect(parse(text).errors[0]?.message).toMatch(/such as ms>2000|such as skew>5m/);
  });
});

describe("times", () => {
  const range = (text: string, zone?: string) => {
    const found = value(text, zone);
    if (found.kind !== "range") throw new Error("no range");
    const iso = (bound: { value: number; inclusive: boolean } | null) =>
      bound === null ? null : `${bound.inclusive ? "=" : ""}${new Date(bound.value).toISOString()}`;
    return [iso(found.min), iso(found.max)];
  };
  test.each([
    // Began more than two hours ago.
    ["since>2h", null, "2026-11-24T10:00:00.000Z"],
    ["since>=2h", null, "=2026-11-24T10:00:00.000Z"],
    ["seen<15m", "2026-11-24T11:45:00.000Z", null],
    ["seen<=1w", "=2026-11-17T12:00:00.000Z", null],
    ["changed:1d", "=2026-11-23T12:00:00.000Z", null],
    ["changed:2026-11-24", "=2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"],
    ["changed>2026-11-24", "=2026-11-25T00:00:00.000Z", null],
    ["changed>=2026-11-24", "=2026-11-24T00:00:00.000Z", null],
    ["changed<2026-11-24", null, "2026-11-24T00:00:00.000Z"],
    ["changed<=2026-11-24", null, "2026-11-25T00:00:00.000Z"],
    ["changed:2026-11-24T02:12", "=2026-11-24T02:12:00.000Z", "2026-11-24T02:13:00.000Z"],
    ["changed:2026-11-24T02:12:30", "=2026-11-24T02:12:30.000Z", "2026-11-24T02:12:31.000Z"],
    ["changed>=2026-11-24T02:12+01:00", "=2026-11-24T01:12:00.000Z", null],
    ["changed>=2026-11-24T02:12-03:30", "=2026-11-24T05:42:00.000Z", null],
    ["changed>=2026-11-24Z", "=2026-11-24T00:00:00.000Z", null],
  ])("%s", (text, min, max) => {
    expect(range(text)).toEqual([min, max]);
  });
  test("without a zone they are the viewer's", () => {
    expect(range("changed>=2026-11-24T02:12", "Europe/Berlin")[0]).toBe("=2026-11-24T01:12:00.000Z");
    expect(range("changed>=2026-07-24T02:12", "Europe/Berlin")[0]).toBe("=2026-07-24T00:12:00.000Z");
    expect(range("changed>=2026-11-24T02:12Z", "Europe/Berlin")[0]).toBe("=2026-11-24T02:12:00.000Z");
  });
  test("the days on which the clocks change have 23 and 25 hours", () => {
    expect(range("changed:2026-03-29", "Europe/Berlin")).toEqual([
      "=2026-03-28T23:00:00.000Z",
      "2026-03-29T22:00:00.000Z",
    ]);
    expect(range("changed:2026-10-25", "Europe/Berlin")).toEqual([
      "=2026-10-24T22:00:00.000Z",
      "2026-10-25T23:00:00.000Z",
    ]);
  });
  test("a zone that is none counts as UTC", () => {
    expect(range("changed>=2026-11-24T02:12", "No/Where")[0]).toBe("=2026-11-24T02:12:00.000Z");
  });
  test.each([
    "2026-02-30",
    "2026-13-01",
    "2026-11-24T24:00",
    "2026-11-24T02:60",
    "2h30m",
    "yesterday",
    "-2h",
    "2026-11-24T02:12+99:00",
    "24.11.2026",
  ])("%s is no time", (text) => {
    expect(problem(`since>${text}`)).toMatchObject({ value: text, example: "since>2h or since>=2026-11-24T02:12" });
  });
});

describe("errors", () => {
  test("name the position, the value, the rule and an example", () => {
    expect(problem("status:failing verdict:proxi")).toMatchObject({
      start: 23,
      end: 28,
      value: "proxi",
      example: "verdict:proxy-auth-required",
      message: expect.stringMatching(/^At 24, "proxi": one of dns-fail, .*; such as verdict:proxy-auth-required$/),
    });
  });
  test.each([
    ["statu:failing", 0, 5, /^no such field; fields are status, severity/],
    ["constructor:x", 0, 11, /^no such field/],
    ["status:", 0, 7, /^a value after the field$/],
    ["status:failing,", 0, 15, /^a value after the field$/],
    ["site:*", 5, 6, /^a value beside the \*$/],
    ["site:a*b", 5, 8, /start or end only$/],
    ['site:"New York', 5, 14, /ends with "$/],
    ['"MNL', 0, 4, /ends with "$/],
    ["-", 0, 1, /value/],
    ["a,b", 0, 3, /^a comma joins/],
    ['site:"a"b', 8, 9, /^a space after/],
    ["os>windows", 3, 10, /^> compares times and numbers; os takes :$/],
    ['site:"a\tb"', 5, 10, /^no control characters$/],
    ["name:\u0000x", 5, 7, /^no control characters$/],
    ["name:\uD800", 5, 6, /^no control characters$/],
    ["since>unknown", 6, 13, /^a time is/],
  ])("%j", (text, start, end, rule) => {
    const found = parse(text).errors[0];
    expect(found).toMatchObject({
      start,
      end,
      rule: expect.stringMatching(rule),
      example: expect.stringMatching(/.+/),
    });
  });
  test("a word that is no field's is a name, whatever it means elsewhere", () => {
    expect(only("__proto__:x")).toMatchObject({
      field: "name",
      values: [{ match: "contains", needle: "__proto__:x" }],
    });
  });
  test("the terms that parse stay in force", () => {
    const { terms, errors } = parse("status:failing os:amiga -tag:pilot nope:1 front");
    expect(terms.map((term) => term.field)).toEqual(["status", "tag", "name"]);
    expect(errors.map((error) => error.value)).toEqual(["amiga", "nope"]);
  });
  test("one bad alternative holds the whole term back, since the rest would show fewer than asked", () => {
    expect(parse("os:windows,amiga").terms).toEqual([]);
  });
  test("the 21st term is refused, 20 are taken", () => {
    const terms = Array.from({ length: filterLimits.terms }, (_, i) => `tag:t${i}`);
    expect(parse(terms.join(" "))).toMatchObject({ errors: [] });
    const more = parse([...terms, "tag:x", "tag:y"].join(" "));
    expect(more.terms).toHaveLength(filterLimits.terms);
    expect(more.errors).toEqual([
      expect.objectContaining({ value: "tag:x tag:y", rule: "a filter has at most 20 terms" }),
    ]);
  });
  test("the 513th character is refused, and a term that it cuts is not in force", () => {
    const text = `os:linux ${"a".repeat(filterLimits.chars - 9)}`;
    expect(parse(text)).toMatchObject({ errors: [], terms: [{ field: "os" }, { field: "name" }] });
    expect(parse(`${text}b`)).toMatchObject({
      terms: [{ field: "os" }],
      errors: [{ start: 512, end: 513, rule: "a filter has at most 512 characters" }],
    });
  });
});

describe("the text of terms", () => {
  test.each([
    ["  status:FAILING   -os:windows,MACOS ", "status:failing -os:windows,macos"],
    ["name:*front*", "front"],
    ["-name:*x*", "-x"],
    ["name:LT-*", "name:LT-*"],
    ['"a:b"', '"a:b"'],
    ['"-x"', '"-x"'],
    ['site:"plain"', "site:plain"],
    ['site:"New York"', 'site:"New York"'],
    ['site:"unknown",unknown', 'site:"unknown",unknown'],
    ["since>2H", "since>2h"],
    ["changed>=2026-11-24t02:12z", "changed>=2026-11-24T02:12Z"],
    ["route:PX1:8080,px2", "route:px1:8080,px2"],
    ["DOMAIN\\host", "DOMAIN\\host"],
    ['name:"a\\\\b c"', 'name:"a\\\\b c"'],
  ])("%s is written %s", (text, expected) => {
    expect(formatFilter(parse(text).terms)).toBe(expected);
  });

  const names = Object.keys(filterFields) as FilterField[];
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      "failing",
      "2h",
      "2026-11-24",
      "10.0.0.0/8",
      "unknown",
      "none",
      "*x*",
      "x*",
      "direct",
      "px:80",
      "3fa9",
      "12.5",
      '"a b"',
      '"unknown"',
    ),
    ...names.map((name) =>
      fc.constantFrom(...(("values" in filterFields[name] ? filterFields[name].values : []) as string[]), "x"),
    ),
  );
  const term = fc
    .tuple(
      fc.boolean(),
      fc.option(fc.constantFrom(...names)),
      fc.constantFrom(":", ":", ":", "<", ">=", ">"),
      fc.array(word, { minLength: 1, maxLength: 3 }),
    )
    .map(([minus, field, op, values]) => `${minus ? "-" : ""}${field === null ? "" : field + op}${values.join(",")}`);
  const text = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.array(term, { maxLength: 6 }).map((terms) => terms.join(" ")),
  );

  test("parses to the same terms, and is written the same again", () => {
    fc.assert(
      fc.property(text, (query) => {
        const { terms } = parse(query);
        const once = formatFilter(terms);
        // Quotes and escapes may lengthen a text beyond the bound; a shorter one is never cut.
        if (once.length > filterLimits.chars) return;
        const again = parse(once);
        expect(again.errors).toEqual([]);
        expect(again.terms).toEqual(terms);
        expect(formatFilter(again.terms)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });
  test("of any text gives errors inside the text and never a throw", () => {
    fc.assert(
      fc.property(
        fc.oneof(text, fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) })),
        (query) => {
          for (const { start, end, message } of parse(query).errors) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeGreaterThanOrEqual(start);
            expect(end).toBeLessThanOrEqual(query.length);
            expect(message).toMatch(/such as/);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
  test("of a megabyte of anything is refused beyond its bounds", () => {
    for (const unit of ['"', "a", ",", "a:", "-", "\\", 'site:"', "os:linux ", "*"]) {
      const { terms, errors } = parse(unit.repeat(1e6));
      expect(terms.length).toBeLessThanOrEqual(filterLimits.terms);
      expect(errors.length).toBeGreaterThan(0);
    }
  });
  test("every field's example parses, as the field itself", () => {
    for (const [field, info] of Object.entries(filterFields)) expect(only(info.example)).toMatchObject({ field });
  });
});
