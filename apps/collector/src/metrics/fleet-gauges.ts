import type { FleetCell } from "@lynceus/db/fleet-cells";
import type { LastCount } from "@lynceus/db/samples";
import { Gauge, type OpenMetricsContentType, type Registry } from "prom-client";

/** What lies beyond a limit, added up. */
export const other = "other";
/** Agents' versions with lines of their own. */
const topVersions = 20;

/**
 * Keys of the largest entries. The largest and not the worst, so that a line does not come and go with its failures.
 * @example largest(new Map([["Bern", 1], ["Graz", 2]]), 1) // Graz
 */
export function largest(sizes: ReadonlyMap<string, number>, limit: number): Set<string> {
  const inOrder = [...sizes].sort(([a, sizeA], [b, sizeB]) => sizeB - sizeA || (a < b ? -1 : 1));
  return new Set(inOrder.slice(0, limit).map(([key]) => key));
}

/** The fleet by status, site, pattern and agent version, with no more lines than the limits allow, however many sites there are. */
export function createFleetGauges(
  registry: Registry<OpenMetricsContentType>,
  { topSites }: { readonly topSites: number },
) {
  const registers = [registry];
  const machines = new Gauge({
    name: "lynceus_machines",
    help: "Machines by status, real and simulated ones apart. The status at-risk is of healthy machines that carry a finding: those are counted twice.",
    labelNames: ["status", "simulated"] as const,
    registers,
  });
  const bySite = new Gauge({
    name: "lynceus_site_machines",
    help: `Machines by site and status; sites beyond the ${topSites} largest are "${other}", machines at no site in none.`,
    labelNames: ["site", "status", "simulated"] as const,
    registers,
  });
  const byPattern = new Gauge({
    name: "lynceus_pattern_machines",
    help: "Machines that are healthy or failing by the pattern of their primary finding.",
    labelNames: ["pattern", "simulated"] as const,
    registers,
  });
  const bySiteAndPattern = new Gauge({
    name: "lynceus_site_pattern_machines",
    help: "The same by site, as above.",
    labelNames: ["site", "pattern", "simulated"] as const,
    registers,
  });
  const byVersion = new Gauge({
    name: "lynceus_agents",
    help: `Machines by version of their agent, as last counted; versions beyond the ${topVersions} most frequent are "${other}".`,
    labelNames: ["version"] as const,
    registers,
  });
  const countedAt = new Gauge({
    name: "lynceus_fleet_counted_timestamp_seconds",
    help: "When one collector of all last swept and counted the fleet, which it does each minute; 0 before the first time.",
    registers,
  });

  function showCell(cell: FleetCell, siteLabel: string | null, count: number, simulated: "true" | "false"): void {
    if (count === 0) return;
    const { pattern, status } = cell;
    const states = status === "healthy" && cell.atRisk ? [status, "at-risk"] : [status];
    for (const state of states) {
      machines.inc({ status: state, simulated }, count);
      if (siteLabel !== null) bySite.inc({ site: siteLabel, status: state, simulated }, count);
    }
    // The last finding of a machine that is silent or signed off is history.
    if (pattern === null || (status !== "healthy" && status !== "failing")) return;
    byPattern.inc({ pattern, simulated }, count);
    if (siteLabel !== null) bySiteAndPattern.inc({ site: siteLabel, pattern, simulated }, count);
  }

  return {
    /** Shows the fleet as it is, instead of what was shown before. */
    show(cells: readonly FleetCell[], counted: LastCount | null): void {
      for (const gauge of [machines, bySite, byPattern, bySiteAndPattern, byVersion]) gauge.reset();
      // A status that no machine has is 0, not unknown.
      for (const status of ["healthy", "failing", "stale", "cannot-tell", "signed-off", "at-risk"])
        machines.set({ status, simulated: "false" }, 0);

      const sizes = new Map<string, number>();
      for (const { site, machines: count } of cells) if (site !== null) sizes.set(site, (sizes.get(site) ?? 0) + count);
      const kept = largest(sizes, topSites);
      for (const cell of cells) {
        const label = cell.site === null || kept.has(cell.site) ? cell.site : other;
        showCell(cell, label, cell.machines - cell.simulated, "false");
        showCell(cell, label, cell.simulated, "true");
      }

      countedAt.set(counted ? counted.at.getTime() / 1000 : 0);
      const versions = new Map(Object.entries(counted?.agents ?? {}));
      const keptVersions = largest(versions, topVersions);
      for (const [version, count] of versions)
        byVersion.inc({ version: version === "" ? "unknown" : keptVersions.has(version) ? version : other }, count);
    },
  };
}
