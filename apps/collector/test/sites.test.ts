import { describe, expect, it } from "vitest";
import { siteMapApplies } from "../src/sites.ts";

describe("site of a machine", () => {
  it("comes from the map only inside and by VPN, or where nothing tells the location", () => {
    const told = { beacon: null, insideSuffixes: ["contoso.com"] };
    const untold = { beacon: null, insideSuffixes: [] };
    expect(siteMapApplies("inside", told)).toBe(true);
    expect(siteMapApplies("vpn", told)).toBe(true);
    expect(siteMapApplies("outside", told)).toBe(false);
    expect(siteMapApplies("unknown", told)).toBe(false);
    expect(siteMapApplies("unknown", untold)).toBe(true);
    expect(siteMapApplies("outside", untold)).toBe(false);
  });
});
