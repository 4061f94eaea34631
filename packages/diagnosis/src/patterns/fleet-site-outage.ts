import type { SharedFault } from "../fleet-shared.ts";
import { isCounted } from "../fleet-verdicts.ts";
import { networkOf } from "../network.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import { badEws, type View } from "../view.ts";

/** The fault of this machine's site, else of its network. */
function placeOf({ fleet, system }: View): { readonly name: string; readonly fault: SharedFault } | null {
  const { siteName, shared } = fleet;
  const site = siteName === null ? undefined : shared.sites.get(siteName);
  if (siteName !== null && site) return { name: siteName, fault: site };
  const [address] = system?.privateAddresses ?? [];
  const subnet = address === undefined ? null : networkOf(address);
  const fault = subnet === null ? undefined : shared.subnets.get(subnet);
  return subnet !== null && fault ? { name: subnet, fault } : null;
}

/**
 * Domain 5.5: a site, or one network, of which most machines fail while other sites are well, by more than one proxy.
 * One proxy that is the way of a whole site is `fleet-shared-proxy`.
 */
export const pattern: Pattern = {
  id: "fleet-site-outage",
  title: "One location cannot reach Exchange",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "The network between one location and Exchange is broken. Lync at that location cannot authenticate and prompts, whatever proxy a machine uses.",
  evidence:
    "At least three machines and 60 % of those of one site or subnet fail, at least 40 points more than at the sites that are well, and not by one proxy alone.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "fleet-shared-proxy: nine in ten of the failing machines share one proxy.",
    "fleet-ews-down: the other sites fail too, so nothing is left to compare.",
    "Machines at home: outside there are no sites.",
    "A site with fewer than three failing machines.",
  ],
  whoFixes: "Network team of the site",
  remedy: [
    {
      who: "Network team of the site",
      what: "check the line, the firewall and the routes from this location to Exchange",
      reference: "KB 2409256",
    },
    { who: "Network team of the site", what: "check which change at this location came before it", reference: null },
  ],
  references: ["KB 2409256"],
  match(view) {
    const ews = badEws(view);
    const place = placeOf(view);
    if (!ews || !place || !isCounted(ews.configured.verdict)) return null;
    const { bad, judged, othersBad, othersJudged, verdict } = place.fault;
    const name = quote(place.name);
    const counts = `${bad} of ${judged} machines at ${name}, ${othersBad} of ${othersJudged} elsewhere`;
    return makeMatch({
      severity: "prompting",
      confidence: bad >= 0.9 * judged ? "high" : "medium",
      explains: true,
      cause: `${name} cannot reach Exchange`,
      sentence: `Credential prompts expected: ${bad} of ${judged} machines at ${name} cannot reach Exchange at ${hostOf(ews.configured)}, by more than one way; elsewhere ${othersBad} of ${othersJudged} fail. Fix in the network of ${name}, not on this machine.`,
      evidence: [
        factEvidence("fleet", `EWS is bad for ${counts}`, counts, view.now),
        factEvidence("fleet", `Most of them see: ${verdictTexts[verdict]}`, verdict, view.now),
        probeEvidence(ews.configured),
        ews.direct === ews.configured ? null : probeEvidence(ews.direct),
      ],
    });
  },
};
