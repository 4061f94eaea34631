import { countsOf, type FleetCell } from "@lynceus/db/fleet-cells";
import type { SiteSubnet } from "@lynceus/db/sites";
import { compareNatural } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";

export interface SiteRow {
  /** Null: machines at no site. */
  site: string | null;
  counts: Counts;
  /** All but those that signed off. */
  reporting: number;
  subnets: SiteSubnet[];
}

/** Every site that a machine or the map names; those that fail or are not seen most first, no site last. */
export function siteRows(cells: readonly FleetCell[], subnets: readonly SiteSubnet[]): SiteRow[] {
  const names = new Set<string | null>([...cells.map(({ site }) => site), ...subnets.map(({ site }) => site)]);
  const rows = [...names].map((site): SiteRow => {
    const counts = countsOf(cells.filter((cell) => cell.site === site));
    return {
      site,
      counts,
      reporting: counts.healthy + counts.failing + counts.stale + counts.cannotTell,
      subnets: subnets.filter((subnet) => subnet.site === site),
    };
  });
  const unseen = ({ counts }: SiteRow) => counts.stale + counts.cannotTell;
  return rows.sort(
    (a, b) =>
      Number(a.site === null) - Number(b.site === null) ||
      b.counts.failing - a.counts.failing ||
      unseen(b) - unseen(a) ||
      b.reporting - a.reporting ||
      compareNatural(a.site ?? "", b.site ?? ""),
  );
}
