import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Access,
  allows,
  covers,
  everyMachine,
  isWholeFleet,
  mayRead,
  type Right,
  refusal,
  rights,
  roleOfToken,
  roles,
  type Scope,
  scopeText,
} from "../src/access.ts";

const bern: Scope = { sites: ["Bern"], tags: null };
const machine = (site: string | null, ...tags: string[]) => ({ site, tags });

describe("a scope", () => {
  it("holds machines at one of its sites, or with one of its tags", () => {
    const scope: Scope = { sites: ["Bern", "Graz"], tags: ["vip"] };
    expect(mayRead(scope, machine("Bern"))).toBe(true);
    expect(mayRead(scope, machine("Oslo", "vip", "pilot"))).toBe(true);
    expect(mayRead(scope, machine(null, "vip"))).toBe(true);
    expect(mayRead(scope, machine("Oslo", "pilot"))).toBe(false);
    expect(mayRead(scope, machine(null))).toBe(false);
  });

  it("compares names exactly: another spelling is another site", () => {
    expect(mayRead(bern, machine("bern"))).toBe(false);
    expect(mayRead(bern, machine("Bern "))).toBe(false);
  });

  it("of empty lists holds nothing, and of no lists everything", () => {
    for (const empty of [
      { sites: [], tags: [] },
      { sites: [], tags: null },
      { sites: null, tags: [] },
    ])
      expect(mayRead(empty, machine("Bern", "vip"))).toBe(false);
    expect(mayRead(everyMachine, machine(null))).toBe(true);
  });

  it("is said in words", () => {
    expect(scopeText(everyMachine)).toBe("the whole fleet");
    expect(scopeText({ sites: ["Bern"], tags: ["vip"] })).toBe("site Bern, tag vip");
    expect(scopeText({ sites: [], tags: null })).toBe("no machine");
  });

  const names = fc.constantFrom("a", "b", "c");
  const list = fc.option(fc.uniqueArray(names), { nil: null });
  const scopes = fc.record({ sites: list, tags: list });

  it("that covers another holds every machine of it", () => {
    const machines = fc.record({ site: fc.option(names, { nil: null }), tags: fc.uniqueArray(names) });
    fc.assert(
      fc.property(scopes, scopes, machines, (outer, inner, one) => {
        if (covers(outer, inner) && mayRead(inner, one)) expect(mayRead(outer, one)).toBe(true);
      }),
    );
  });

  it("is covered by itself and by the whole fleet, which only the whole fleet covers", () => {
    fc.assert(
      fc.property(scopes, (scope) => {
        expect(covers(scope, scope)).toBe(true);
        expect(covers(everyMachine, scope)).toBe(true);
        expect(covers(scope, everyMachine)).toBe(isWholeFleet(scope));
      }),
    );
  });
});

describe("a right", () => {
  const access = (role: Access["role"], scope: Scope = everyMachine): Access => ({ role, ...scope });
  const held = (one: Access) => (Object.keys(rights) as Right[]).filter((right) => allows(one, right));

  it("is held by a role and those above it", () => {
    expect(held(access("viewer"))).toEqual(["read", "oversee"]);
    expect(held(access("operator"))).toEqual(["read", "oversee", "operate", "place"]);
    expect(held(access("admin"))).toEqual(Object.keys(rights));
    for (const right of Object.keys(rights) as Right[])
      for (const [at, role] of roles.entries())
        if (allows(access(role), right))
          for (const above of roles.slice(at)) expect(allows(access(above), right)).toBe(true);
  });

  it("over the whole installation is held by nobody who sees a part of the fleet", () => {
    expect(held(access("admin", bern))).toEqual(["read", "operate", "administer"]);
    expect(held(access("viewer", bern))).toEqual(["read"]);
  });

  it("that is missing says which of the two is", () => {
    expect(refusal(access("viewer"), "operate")).toBe("The role viewer does not suffice; operator is needed.");
    expect(refusal(access("admin", bern), "configure")).toMatch(/whole fleet/);
  });

  it("of a token comes from its scopes; one that opens the wallboard has none", () => {
    expect(roleOfToken(["read", "admin"])).toBe("admin");
    expect(roleOfToken(["operate"])).toBe("operator");
    expect(roleOfToken(["read"])).toBe("viewer");
    expect(roleOfToken(["wall"])).toBeNull();
    expect(roleOfToken(["everything"])).toBeNull();
  });
});
