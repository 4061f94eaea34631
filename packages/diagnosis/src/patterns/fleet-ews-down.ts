import { fitsEwsDown } from "../fleet.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { badEws, ofService } from "../view.ts";

/**
 * Domain 5.5: at least 80 % of the machines of this location with a fresh probe are bad on both routes, over two sites
 * and two routes. A machine is a member only by verdicts that a dead Exchange explains: a dead proxy or a portal stays
 * the client's own finding. Replaces its members' client findings (5.0 rule 14).
 */
export const pattern: Pattern = {
  id: "fleet-ews-down",
  title: "Exchange EWS is down for everyone",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "Exchange or its web services are unavailable. Lync cannot authenticate against it and prompts continuously, on every machine.",
  evidence:
    "At least 80 % of the machines with a fresh probe, over at least two sites and two routes, are bad on the configured and on the direct route, and the health page does not say that Exchange is healthy.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "A shared proxy or a site's network: other routes or sites still reach Exchange.",
    "A proxy that asks for a login: those machines are left out of the ratio.",
    "Machines outside: each location is judged by itself.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "check Outlook connectivity first: if Outlook fails too, Exchange is down",
      reference: "KB 2298541",
    },
    {
      who: "Exchange team",
      what: "check the EWS application pool, Managed Availability and the load balancer's pool",
      reference: null,
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    const { ewsDown } = view.fleet;
    if (!ewsDown || !ews?.direct || !fitsEwsDown(ews.configured.verdict, ews.direct.verdict)) return null;
    if (
      ofService(view, "exchange-health").some(({ configured, direct }) =>
        [configured, direct].some((slot) => slot?.verdict === "exchange-health-ok"),
      )
    )
      return null;
    const counts = `${ewsDown.bad} of ${ewsDown.judged} machines, ${ewsDown.sites} sites, ${ewsDown.routes} routes`;
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: `Exchange at ${hostOf(ews.configured)} answers nobody`,
      sentence: `Credential prompts expected: Exchange fails for ${ewsDown.bad} of ${ewsDown.judged} machines over ${ewsDown.sites} sites. No route reaches it. Fix on Exchange, not on this machine.`,
      evidence: [
        factEvidence("fleet", `EWS is bad on both routes for ${counts}`, counts, view.now),
        probeEvidence(ews.configured),
        probeEvidence(ews.direct),
      ],
    });
  },
};
