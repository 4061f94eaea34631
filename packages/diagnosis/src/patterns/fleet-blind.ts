import { factEvidence, makeMatch, type Pattern, quote } from "../pattern.ts";

/**
 * Domain 5.5 and 5.0 rule 12. Only for machines that are silent themselves; what was found on them before stays as it
 * was.
 */
export const pattern: Pattern = {
  id: "fleet-blind",
  title: "We lost sight of many machines at once",
  layer: "fleet",
  scope: "fleet",
  ofSilence: true,
  mechanism:
    "Many agents of one site fell silent together: its line, its way to the collector, or an update of the agent. It says nothing about prompts, and nothing that was found before is closed by it.",
  evidence:
    "At least three machines of a site, and 30 points more than at this hour of the week as a rule, are silent for more than three intervals without a goodbye, while others report. Only time in which a collector was up to hear counts.",
  severities: ["at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "Machines that said goodbye: asleep, shut down, uninstalled.",
    "Evenings and weekends: hours in which the site is silent as a rule.",
    "A collector that was down: it heard nobody.",
    "fleet-site-outage: the machines report, and cannot reach Exchange.",
  ],
  whoFixes: "Owner of the monitoring",
  remedy: [
    {
      who: "Owner of the monitoring",
      what: "check the site's line and its way to the collector",
      reference: null,
    },
    {
      who: "Owner of the monitoring",
      what: "check whether an update of the agent or of a firewall rule came before it",
      reference: null,
    },
  ],
  references: ["KB 2409256"],
  match(view) {
    const { siteName, shared } = view.fleet;
    const blind = siteName === null ? undefined : shared.blind.get(siteName);
    if (!view.silent || siteName === null || !blind) return null;
    const site = quote(siteName);
    const { silent, of, usually } = blind;
    const usual = Math.round(usually * 100);
    return makeMatch({
      severity: "at-risk",
      confidence: silent >= 0.9 * of ? "high" : "medium",
      explains: false,
      cause: `${silent} of ${of} machines at ${site} are silent`,
      sentence: `${silent} of ${of} machines at ${site} fell silent without a goodbye${usual > 0 ? `; at this hour ${usual} % are silent as a rule` : ""}. Other sites report. Check the site's line and its way to the collector.`,
      evidence: [
        factEvidence(
          "fleet",
          `Silent for more than three intervals: ${silent} of ${of} at ${site}`,
          String(silent),
          view.now,
        ),
      ],
    });
  },
};
