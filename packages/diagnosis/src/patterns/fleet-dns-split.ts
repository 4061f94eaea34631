import { dnsAnswerOf } from "../back-end.ts";
import { isPublicAddress } from "../network.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";

/**
 * Domain 5.5: of the sites, those that get public addresses for a name that is internal at the others. Addresses that
 * only differ, all internal or all public, are the work of a balancer or of sites by design.
 */
export const pattern: Pattern = {
  id: "fleet-dns-split",
  title: "Different answers for the same Exchange name",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "The resolver of one site answers with the addresses for the internet. Its machines reach Exchange by the outside, where another login is in front, or not at all.",
  evidence:
    "At one site most machines get public addresses for the name of EWS, and at another site most get internal ones; three machines each at least.",
  severities: ["at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "Sites with different internal addresses: each its own balancer.",
    "Machines outside or behind a proxy: they should get the public answer, or ask no resolver.",
    "autodiscover-dns-missing: the name has no answer at all.",
  ],
  whoFixes: "DNS team",
  remedy: [
    {
      who: "DNS team",
      what: "add the internal zone or a conditional forwarder to the resolvers of this site",
      reference: "KB 2566790",
    },
  ],
  references: ["KB 2566790"],
  match(view) {
    const { siteName, shared } = view.fleet;
    const split = shared.dnsSplit;
    const expected = siteName === null ? undefined : split?.publicSites.get(siteName);
    const slot = view.ews?.direct ?? null;
    const answer = dnsAnswerOf(slot);
    if (!split || siteName === null || expected === undefined || !slot || answer === null) return null;
    if (!answer.split(" ").every(isPublicAddress)) return null;
    const site = quote(siteName);
    return makeMatch({
      severity: "at-risk",
      confidence: split.internalSites >= 2 ? "high" : "medium",
      explains: false,
      cause: `${site} gets public addresses for ${hostOf(slot)}`,
      sentence: `The name ${hostOf(slot)} leads to public addresses at ${site} (${quote(answer)}) and to internal ones at ${split.internalSites} other ${split.internalSites === 1 ? "site" : "sites"} (${quote(split.internalAnswer)}). Add the internal zone to the resolvers of ${site}.`,
      evidence: [
        factEvidence("fleet", `Most machines at ${site}: ${quote(expected)}`, expected, view.now),
        factEvidence("fleet", `Elsewhere: ${quote(split.internalAnswer)}`, split.internalAnswer, view.now),
        probeEvidence(slot, answer),
      ],
    });
  },
};
