import { interpolate, type Replace } from "../src/interpolate";
import { asKind, complete, filterProblem, problemOf, restricting, textOf, withoutAll } from "../src/query";
import type { CountsQuery, LynceusQuery, MachinesQuery } from "../src/types";

const counts = (change: Partial<CountsQuery> = {}) =>
  complete({ refId: "A", kind: "counts", ...change }) as CountsQuery;

describe("a saved query", () => {
  it("is completed, whatever a hand or an older version left out or wrote wrong", () => {
    expect(complete({ refId: "A" })).toEqual({
      refId: "A",
      kind: "counts",
      by: "status",
      status: [],
      site: [],
      pattern: [],
      proxy: [],
      series: 20,
      live: true,
    });
    const wrong = { refId: "A", kind: "colours", site: "Bern", series: "many", live: false } as unknown as LynceusQuery;
    expect(complete(wrong)).toMatchObject({ kind: "counts", site: [], series: 20, live: false });
    expect(complete({ refId: "B", kind: "machines", hide: true })).toMatchObject({ hide: true, sort: "-since" });
  });

  it("keeps what another kind has as well, and leaves the rest behind", () => {
    const targets = asKind(counts({ site: ["Bern"], by: "site", proxy: ["px1:8080"] }), "targets");
    expect(targets).toMatchObject({ kind: "targets", site: ["Bern"], by: "site", measure: "availability" });
    expect(targets).not.toHaveProperty("proxy");
    expect(asKind(counts({ by: "status" }), "targets")).toMatchObject({ by: "target" });
  });

  it("says in words what it asks", () => {
    expect(textOf(counts({ by: "site", site: ["Bern", "Graz"], status: ["stale"] }))).toBe(
      "Counts: stale by site of site Bern, Graz",
    );
    expect(textOf(complete({ refId: "A", kind: "machines", q: "" }))).toBe("Machines: all");
  });
});

describe("a list", () => {
  it("restricts by its values, and not at all with a * among them", () => {
    expect(restricting(["a", "a", ""])).toEqual(["a"]);
    expect(restricting(["a", "*"])).toEqual([]);
  });
});

describe("a filter", () => {
  it("loses the terms that ask for anything at all, and no other", () => {
    expect(withoutAll('status:failing site:* -tag:* name:* "a:* b" site:"New *"')).toBe(
      'status:failing "a:* b" site:"New *"',
    );
    expect(withoutAll("site:*")).toBe("");
  });

  it("that cannot be read says where, why and how it would be right; with variables it is judged later", () => {
    expect(filterProblem("status:failing")).toBeNull();
    expect(filterProblem("status:broken")).toMatch(/At 8, "broken": one of healthy, failing.*status:failing/);
    expect(filterProblem("site:$site colour:red")).toBeNull();
  });
});

describe("a problem", () => {
  it("is told before anything is asked", () => {
    expect(problemOf(counts({ by: "pattern", proxy: ["direct"] }))).toMatch(/not by both at once/);
    expect(problemOf(counts({ status: ["healthy", "at-risk"], by: "none" }))).toMatch(/counted twice/);
    expect(problemOf(counts({ status: ["broken"] }))).toMatch(/State "broken" does not exist; use one of failing/);
    expect(problemOf(counts({ site: Array.from({ length: 101 }, (_, i) => `s${i}`) }))).toMatch(
      /101 sites are more than the 100.*Custom all value/,
    );
    expect(problemOf(complete({ refId: "A", kind: "machines", q: "colour:red" }))).toMatch(/no such field/);
  });

  it("is none where a variable stands, or where nothing is wrong", () => {
    expect(problemOf(counts({ by: "pattern", proxy: ["$proxy"] }))).toBeNull();
    for (const kind of ["counts", "targets", "machines", "values", "incidents", "causes", "changes", "events"] as const)
      expect(problemOf(complete({ refId: "A", kind }))).toBeNull();
  });
});

describe("variables", () => {
  const values: Record<string, string | string[]> = { site: ["Bern", "New York"], one: "Graz", all: "*" };
  const replace: Replace = (text, _scoped, format) =>
    text.replace(/\$(\w+)/g, (whole, name: string) => (name in values ? format(values[name] as string) : whole));

  it("become as many items of a list as they have values", () => {
    const asked = interpolate(counts({ site: ["$site", "$one", "Oslo"], proxy: ["$all"] }), replace) as CountsQuery;
    expect(asked.site).toEqual(["Bern", "New York", "Graz", "Oslo"]);
    expect(restricting(asked.proxy)).toEqual([]);
  });

  it("become the values of a term of a filter, in quotes where they need them", () => {
    const query = complete({ refId: "A", kind: "machines", q: "status:failing site:$site tag:$all name:$unknown" });
    const { q } = interpolate(query, replace) as MachinesQuery;
    expect(q).toBe('status:failing site:Bern,"New York" tag:* name:$unknown');
    expect(withoutAll(q)).toBe('status:failing site:Bern,"New York" name:$unknown');
  });
});
