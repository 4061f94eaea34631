import { type FleetGroup, summarizeFleet } from "@lynceus/diagnosis/fleet";
import { describe, expect, it } from "vitest";
import { affectedBy } from "../src/fleet.ts";

const group = (change: Partial<FleetGroup>): FleetGroup => ({
  site: "Graz",
  location: "inside",
  route: "direct",
  verdictConfigured: "exchange-onprem",
  verdictDirect: "exchange-onprem",
  tlsIssuer: "Example CA",
  tlsSpki: "ab",
  machines: 5,
  ...change,
});
const summary = (...groups: FleetGroup[]) => summarizeFleet(groups, 0);
const down = {
  verdictConfigured: "tcp-timeout",
  verdictDirect: "tcp-timeout",
  tlsIssuer: null,
  tlsSpki: null,
} as const;

describe("who is judged again when the fleet changes", () => {
  it("is nobody while the same holds with other numbers", () => {
    expect(affectedBy(summary(group({})), summary(group({ machines: 7 })))).toEqual([]);
  });

  it("is everybody of the location when EWS goes down for all, and when it comes back", () => {
    const up = summary(group({}), group({ site: "Linz", route: "px1:8080" }));
    const off = summary(group(down), group({ ...down, site: "Linz", route: "px1:8080" }));
    expect(affectedBy(up, off)).toEqual([{ location: "inside", sites: null }]);
    expect(affectedBy(off, up)).toEqual([{ location: "inside", sites: null }]);
  });

  it("is the site alone when a contrasting peer appears there", () => {
    const before = summary(group({}), group({ site: "Linz" }));
    const after = summary(group({}), group({ site: "Linz" }), group({ site: "Linz", route: "px1:8080", machines: 1 }));
    expect(affectedBy(before, after)).toEqual([{ location: "inside", sites: new Set(["Linz"]) }]);
  });

  it("is everybody of the location when most see another certificate", () => {
    expect(affectedBy(summary(group({})), summary(group({ tlsSpki: "cd" })))).toEqual([
      { location: "inside", sites: null },
    ]);
  });
});
