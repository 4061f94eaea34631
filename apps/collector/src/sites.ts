import type { Location } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";

/** Site of a machine by its private addresses, or null (`siteFinder` of packages/db). */
export type SiteMap = (addresses: readonly string[]) => string | null;

/**
 * Whether the subnet map may be used for a machine that stands there (domain 5.0 rule 3): inside or by VPN only, as
 * 192.168.1.0/24 at home is not the office. Where the policy gives no way to tell (neither beacon nor inside
 * suffixes), every location is unknown, and the map is used for all.
 */
export const siteMapApplies = (location: Location, policy: Pick<Policy, "beacon" | "insideSuffixes">): boolean =>
  location === "inside" ||
  location === "vpn" ||
  (location === "unknown" && policy.beacon === null && policy.insideSuffixes.length === 0);
