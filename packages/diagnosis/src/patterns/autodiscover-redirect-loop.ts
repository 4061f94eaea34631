import type { ProbeSlot } from "@lynceus/protocol/state";
import { isCloudHost, isOwnHost, urlHost } from "../organisation.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { ofService, type View, verdictIs } from "../view.ts";

/** Redirects that an agent follows (domain 6.2). */
const followed = 3;

const nameOf = (hop: string): string => hop.toLowerCase().replace(/:\d+$/, "");

/** Why the redirects of this answer lead nowhere, as half a sentence; null where they do not. */
function fault(slot: ProbeSlot, view: View): string | null {
  const { http, tls, endpoint } = slot.facts;
  if (!http || http.status === null) return null;
  const redirects = http.redirects;
  // Read over a session that did not verify, though the first one did: the certificate at the end is the fault.
  if (redirects.length > 0 && http.untrusted && tls?.ok)
    return `ends at ${quote(redirects.at(-1) ?? "")}, whose certificate is not valid for it`;
  if (http.status < 300 || http.status > 399 || http.location === null) return null;
  // A login form and a proxy's block page have patterns of their own.
  if (verdictIs(slot, "preauth-form", "proxy-blocked")) return null;
  const target = urlHost(http.location);
  if (/^http:/i.test(http.location)) return `leads to ${quote(http.location)}, which is not https`;
  if (redirects.length >= followed) return `is still a redirect after ${redirects.length} hops`;
  const seen = [endpoint.host, ...redirects].map(nameOf);
  if (target !== null && redirects.length > 0 && seen.includes(target)) return `leads back to ${quote(target)}`;
  if (target === null || view.expectations.mailboxInExchangeOnline || view.expectations.exchangeOnline) return null;
  if (isCloudHost(target)) return `leads to ${quote(target)}, but the mailboxes are on premises`;
  const declared = [...view.expectations.ssoHosts, ...view.expectations.trustedDomains];
  const known = isOwnHost(target, view) || declared.some((host) => nameOf(target).endsWith(nameOf(host)));
  return known || nameOf(target) === nameOf(endpoint.host) ? null : `leads to ${quote(target)}, another organisation`;
}

/** Domain 5.2. Judged only where a control target shows that no portal redirects everything. */
export const pattern: Pattern = {
  id: "autodiscover-redirect-loop",
  title: "Autodiscover redirects somewhere unusable",
  layer: "server",
  scope: "server",
  mechanism:
    "Autodiscover clients follow few redirects, over https only, to names that they can verify. One that goes in circles, leaves https or ends at another organisation leaves Lync without the address of EWS, or makes it ask whether to trust a foreign name.",
  evidence:
    "Autodiscover answers with a redirect to plain http, to another organisation, or to Exchange Online though the mailboxes are on premises; or it is still redirecting after three hops; or its end does not verify.",
  severities: ["will-prompt"],
  confidences: ["medium"],
  notThis: [
    "A redirect whose end is Exchange: normal.",
    "captive-portal: there, the control target is answered by the portal too.",
    "preauth-form-in-front: the redirect leads to a login form.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "correct the redirect or the CNAME, so that it ends at an https name of the organisation",
      reference: "Microsoft: Handling Autodiscover error messages",
    },
    { who: "Exchange team", what: "add the final name to the certificate", reference: "KB 2787614" },
    {
      who: "Desktop team",
      what: "where a new domain is meant, add it to TrustModelData with the four default names",
      reference: "KB 2833618",
    },
  ],
  references: ["KB 2833618", "Microsoft: Handling Autodiscover error messages"],
  match(view) {
    const controlled = ofService(view, "control").some(({ state }) => state === "ok") || view.ews?.state === "ok";
    if (!controlled) return null;
    for (const { configured, direct, state } of ofService(view, "autodiscover")) {
      const slot = configured ?? direct;
      const why = slot && fault(slot, view);
      if (!slot || !why || (state === "ok" && !slot.facts.http?.untrusted)) continue;
      const hops = slot.facts.http?.redirects ?? [];
      return makeMatch({
        severity: "will-prompt",
        confidence: "medium",
        explains: false,
        cause: `Autodiscover at ${hostOf(slot)} ${why}`,
        sentence: `Credential prompts expected when Lync next looks for Exchange: Autodiscover at ${hostOf(slot)} ${why}. Fix the redirect on Exchange or in DNS, not on this machine.`,
        evidence: [
          probeEvidence(slot, slot.facts.http?.location ?? null),
          hops.length > 0
            ? factEvidence(
                `probe:${slot.facts.configuration}:${slot.facts.target}:${slot.facts.via}`,
                `Redirects followed: ${quote(hops.join(", "), 256)}`,
                String(hops.length),
                slot.at,
              )
            : null,
        ],
      });
    }
    return null;
  },
};
