import type { Fleet } from "@lynceus/db/scope";
import { atSites, SeriesError } from "@lynceus/db/series-grid";
import type { Scope } from "@lynceus/protocol/access";

/** What is seen at a site, so that figures of incidents are of its machines; who sees machines by tag sees what they saw. */
export function seenAt(fleet: Fleet, site: string | null): Scope {
  try {
    return site === null ? fleet.scope : atSites(fleet, [site]).scope;
  } catch (error) {
    if (error instanceof SeriesError) return fleet.scope;
    throw error;
  }
}
