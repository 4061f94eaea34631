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
