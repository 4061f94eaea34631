import type { AlertSettings } from "@lynceus/protocol/alerting";
import type { Severity } from "@lynceus/protocol/names";
import type { Urgency } from "@lynceus/protocol/notice";
import { type Spread, siteKey } from "./spread.ts";
import type { Incident } from "./types.ts";

/**
 * How loud an incident is, by the machines of which somebody may be told and which fresh cycles confirm. Severity and
 * spread decide (domain 5): many machines, or a good share of a site, or one that matters; Exchange down for everyone
 * always. What is at risk alone is never more than low, and is told to nobody.
 */
export function urgencyOf(
  incident: Pick<Incident, "kind" | "pattern" | "simulated" | "location"> & { readonly severity: Severity },
  spread: Spread,
  sites: ReadonlyMap<string, number>,
  settings: AlertSettings,
): Urgency {
  if (incident.kind === "silent") return settings.silentSiteUrgency;
  if (incident.severity === "at-risk" || spread.fresh === 0) return "low";
  if (incident.pattern === "fleet-ews-down" || spread.freshImportant || spread.fresh >= settings.highMachines)
    return "high";
  const { simulated, location } = incident;
  for (const [site, machines] of spread.freshSites) {
    const of = site === null ? 0 : (sites.get(siteKey({ simulated, location, site })) ?? 0);
    if (of > 0 && machines >= settings.highShareMachines && 100 * machines >= settings.highSharePercent * of)
      return "high";
  }
  return "low";
}
