import { describe, expect, it } from "vitest";
import { createSiteMap, siteMapApplies } from "../src/sites.ts";

describe("site of a machine", () => {
  const siteOf = createSiteMap([
    { cidr: "10.0.0.0/8", site: "elsewhere" },
    { cidr: "10.4.0.0/16", site: "Graz" },
    { cidr: "fd00:4::/48", site: "Linz" },
    { cidr: "nonsense/99", site: "never" },
    { cidr: "10.4.0.0/77", site: "never" },
  ]);

  it("is that of the longest prefix", () => {
    expect(siteOf(["10.4.9.1"])).toBe("Graz");
    expect(siteOf(["10.5.9.1"])).toBe("elsewhere");
    expect(siteOf(["fd00:4::1"])).toBe("Linz");
  });

  it("is none for addresses outside the map or that are none", () => {
    expect(siteOf(["192.168.1.7", "not an address", ""])).toBeNull();
  });

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
