import { counterfactual, hostOf, makeMatch, type Pattern, probeEvidence, proxyOf } from "../pattern.ts";
import { badEws, isProxied, ofService } from "../view.ts";

/** Domain 5.1. Redirects to a proxy vendor's host are refusals as well (5.0 rule 6). */
export const pattern: Pattern = {
  id: "proxy-blocks-exchange",
  title: "The proxy refuses Exchange",
  layer: "proxy-answer",
  scope: "client",
  mechanism: "The proxy answers with a refusal or its block page, so Exchange is never asked and Lync's login fails.",
  evidence: "The proxy refuses the tunnel to EWS (403), or its own block page or a redirect to it is the answer.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "A 403 from Exchange itself, inside the tunnel: an EWS access policy.",
    "captive-portal: the network's own login page.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "allow CONNECT to the Exchange, Autodiscover and Lync web names on 443, for all users",
      reference: "KB 2409256",
    },
    { who: "Proxy team", what: "or return DIRECT for them in the script, where direct works", reference: "KB 2769142" },
  ],
  references: ["KB 2409256", "KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (ews?.configured.verdict !== "proxy-blocked") return null;
    const slot = ews.configured;
    const proxy = isProxied(slot) ? proxyOf(slot) : "a proxy in the path";
    const status = slot.facts.connect?.status ?? slot.facts.http?.status ?? null;
    const control = ofService(view, "control").find(({ state, configured }) => state === "ok" && isProxied(configured));
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: `${proxy} refuses ${hostOf(slot)}`,
      sentence: `Credential prompts expected: ${proxy} refuses ${hostOf(slot)}${status === null ? "" : ` (${status})`}.${counterfactual(ews)} Fix on the proxy, not on this machine.`,
      evidence: [
        probeEvidence(slot, status === null ? null : String(status)),
        probeEvidence(ews.direct),
        probeEvidence(control?.configured ?? null, "the same proxy lets the control target through"),
      ],
    });
  },
};
