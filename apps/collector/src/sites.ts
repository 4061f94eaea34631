import { BlockList, isIP } from "node:net";
import type { Location } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";

export interface Subnet {
  /** `10.4.0.0/16`, `fd00:4::/48`. */
  readonly cidr: string;
  readonly site: string;
}

interface Rule {
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
  readonly list: BlockList;
  readonly site: string;
}

/** The admin's map from subnets to sites, longest prefix first. Broken entries are left out. */
export function createSiteMap(subnets: readonly Subnet[]) {
  const rules: Rule[] = [];
  for (const { cidr, site } of subnets) {
    const [network = "", length] = cidr.split("/");
    const version = isIP(network);
    if (version === 0) continue;
    const bits = length === undefined ? (version === 4 ? 32 : 128) : Number(length);
    const family = version === 4 ? "ipv4" : "ipv6";
    const list = new BlockList();
    try {
      list.addSubnet(network, bits, family);
    } catch {
      continue;
    }
    rules.push({ bits, family, list, site });
  }
  rules.sort((a, b) => b.bits - a.bits);

  /** Site of the first of the addresses that any subnet holds; null when none does. */
  return (addresses: readonly string[]): string | null => {
    for (const rule of rules)
      for (const address of addresses) {
        const version = isIP(address);
        if (version === (rule.family === "ipv4" ? 4 : 6) && rule.list.check(address, rule.family)) return rule.site;
      }
    return null;
  };
}

export type SiteMap = ReturnType<typeof createSiteMap>;

/**
 * Whether the subnet map may be used for a machine that stands there (domain 5.0 rule 3): inside or by VPN only, as
 * 192.168.1.0/24 at home is not the office. Where the policy gives no way to tell (neither beacon nor inside
 * suffixes), every location is unknown, and the map is used for all.
 */
export const siteMapApplies = (location: Location, policy: Pick<Policy, "beacon" | "insideSuffixes">): boolean =>
  location === "inside" ||
  location === "vpn" ||
  (location === "unknown" && policy.beacon === null && policy.insideSuffixes.length === 0);
