import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyFleet, type FleetGroup, fleetContext, summarizeFleet } from "../src/fleet.ts";
import { start } from "./support/machine.ts";

const group = (over: Partial<FleetGroup>): FleetGroup => ({
  site: "Zürich",
  location: "inside",
  route: "px1:8080",
  verdictConfigured: "exchange-onprem",
  verdictDirect: "exchange-onprem",
  tlsIssuer: "Contoso CA",
  tlsSpki: "aa",
  machines: 10,
  ...over,
});
const down = { verdictConfigured: "exchange-down", verdictDirect: "tcp-timeout" } as const;
const inside = (groups: FleetGroup[], site: string | null = "Zürich") =>
  fleetContext(summarizeFleet(groups, start), { site, location: "inside" });

describe("the fleet's summary", () => {
  it("counts the peers of a site that reach Exchange through a proxy, by location", () => {
    const groups = [
      group({ machines: 4 }),
      group({ route: "direct", machines: 3 }),
      group({ site: "Bern", machines: 9 }),
      group({ location: "vpn", machines: 7 }),
      group({ verdictConfigured: "tcp-timeout", machines: 2 }),
    ];
    expect(inside(groups).site).toEqual({ judged: 9, ok: 7, bad: 2, okThroughProxy: 4 });
    expect(inside(groups).location.judged).toBe(18);
    expect(fleetContext(summarizeFleet(groups, start), { site: "Bern", location: "outside" })).toEqual(emptyFleet);
  });

  it("leaves out machines without a verdict, with an unknown one, and behind a proxy that asks for a login", () => {
    const groups = [
      group({ verdictConfigured: null }),
      group({ verdictConfigured: "unknown-answer" }),
      group({ verdictConfigured: "proxy-auth-required" }),
    ];
    expect(inside(groups)).toEqual({ ...emptyFleet, siteName: "Zürich" });
  });

  it("sees Exchange down from four of five machines over two sites and two routes", () => {
    const bad = [group({ ...down, machines: 4 }), group({ ...down, site: "Bern", route: "direct", machines: 4 })];
    expect(inside([...bad, group({ machines: 2 })]).ewsDown).toEqual({ bad: 8, judged: 10, sites: 2, routes: 2 });
    expect(inside([...bad, group({ machines: 3 })]).ewsDown).toBeNull();
  });

  it("does not take one site, one route, or dead proxies for a dead Exchange", () => {
    expect(inside([group(down), group({ ...down, route: "direct" })]).ewsDown).toBeNull();
    expect(inside([group(down), group({ ...down, site: "Bern" })]).ewsDown).toBeNull();
    const proxies = { verdictConfigured: "proxy-unreachable", verdictDirect: "tcp-timeout" } as const;
    expect(inside([group(proxies), group({ ...proxies, site: "Bern", route: "px2:80" })]).ewsDown).toBeNull();
    const works = { verdictConfigured: "proxy-upstream-fail", verdictDirect: "exchange-onprem" } as const;
    expect(inside([group(works), group({ ...works, site: "Bern", route: "px2:80" })]).ewsDown).toBeNull();
  });

  it("names the certificate of more than half, and none without three machines", () => {
    const other = { tlsIssuer: "Zscaler", tlsSpki: "bb" };
    expect(inside([group({ machines: 6 }), group({ ...other, machines: 5 })]).majority).toEqual({
      issuer: "Contoso CA",
      spki: "aa",
      machines: 6,
      of: 11,
    });
    expect(inside([group({ machines: 5 }), group({ ...other, machines: 5 })]).majority).toBeNull();
    expect(inside([group({ machines: 2 })]).majority).toBeNull();
    expect(inside([group({ tlsIssuer: null })]).majority).toBeNull();
  });
});

const anyGroup = fc.record({
  site: fc.constantFrom("Bern", "Genf", null),
  location: fc.constantFrom("inside" as const, "outside" as const),
  route: fc.constantFrom("px1:8080", "px2:8080", "direct", null),
  verdictConfigured: fc.constantFrom(
    "exchange-onprem" as const,
    "proxy-unreachable" as const,
    "tcp-timeout" as const,
    "proxy-auth-required" as const,
    null,
  ),
  verdictDirect: fc.constantFrom("exchange-onprem" as const, "tcp-timeout" as const, null),
  tlsIssuer: fc.constantFrom("Contoso CA", null),
  tlsSpki: fc.constantFrom("aa", "bb", null),
  tlsSpkiBefore: fc.constantFrom("aa", "cc", null),
  backEnd: fc.constantFrom("EX01", "EX02", null),
  address: fc.constantFrom("10.1.20.15", "10.1.20.16", null),
  subnet: fc.constantFrom("10.1.1.0/24", "10.1.2.0/24", null),
  pacHash: fc.constantFrom("p1", "p2", "none", null),
  pacUrl: fc.constantFrom("http://a/", "http://b/", null),
  pacNew: fc.constantFrom(true, false, null),
  changedTo: fc.constantFrom("c1", null),
  dnsAnswer: fc.constantFrom("10.1.20.15", "52.96.0.1", null),
  machines: fc.integer({ min: 1, max: 9 }),
});
const groups = fc.array(anyGroup, { maxLength: 40 });

describe("any fleet", () => {
  it("shows the same in whatever order and in however many rows its machines came", () => {
    fc.assert(
      fc.property(
        groups.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const single = shuffled.flatMap((one) =>
            Array.from({ length: one.machines }, () => ({ ...one, machines: 1 })),
          );
          for (const site of ["Bern", "Genf", null]) {
            const { majority: _, ...expected } = fleetContext(summarizeFleet(list, start), {
              site,
              location: "inside",
            });
            expect(fleetContext(summarizeFleet(single, start), { site, location: "inside" })).toMatchObject(expected);
          }
        },
      ),
    );
  });

  it("shows the same here, whatever machines there are at another location", () => {
    fc.assert(
      fc.property(groups, groups, (list, others) => {
        const here = list.map((one) => ({ ...one, location: "inside" as const }));
        const there = others.map((one) => ({ ...one, location: "outside" as const }));
        const of = (all: FleetGroup[]) =>
          fleetContext(summarizeFleet(all, start), { site: "Bern", location: "inside" });
        if (here.length > 0) expect(of([...here, ...there])).toEqual(of(here));
      }),
    );
  });

  it("has no shared fault without machines that are well", () => {
    fc.assert(
      fc.property(groups, (list) => {
        const sick = list.map((one) => ({ ...one, verdictConfigured: "tcp-timeout" as const }));
        for (const { shared } of summarizeFleet(sick, start).locations.values())
          for (const faults of [
            shared.proxies,
            shared.scripts,
            shared.scriptUrls,
            shared.sites,
            shared.subnets,
            shared.backEnds,
          ])
            expect(faults.size).toBe(0);
      }),
    );
  });

  it("has no new fault by a machine of which nothing is known", () => {
    fc.assert(
      fc.property(groups, (list) => {
        const unknown = group({
          site: null,
          route: null,
          verdictConfigured: null,
          verdictDirect: null,
          tlsIssuer: null,
          tlsSpki: null,
          machines: 1,
        });
        const of = (all: FleetGroup[]) =>
          fleetContext(summarizeFleet(all, start), { site: "Bern", location: "inside" });
        expect(of([...list, unknown]).shared).toEqual(of(list).shared);
      }),
    );
  });
});
