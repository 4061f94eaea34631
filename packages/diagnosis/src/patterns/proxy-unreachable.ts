import { counterfactual, makeMatch, type Pattern, probeEvidence, proxyOf } from "../pattern.ts";
import { badEws, isProxied } from "../view.ts";

/** Domain 5.1. A name or port that fails on a network where nothing else answers is no dead proxy (see `view.ts`). */
export const pattern: Pattern = {
  id: "proxy-unreachable",
  title: "The proxy this machine points to is dead",
  layer: "proxy-reach",
  scope: "client",
  mechanism:
    "Every request to Exchange dies before it leaves for Exchange; to Lync that is a login that cannot be made.",
  evidence: "The configured route to EWS is a proxy whose name does not resolve or whose port does not answer.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "proxied-path-broken: there, the proxy answers.",
    "A dead network: there, nothing else answers either.",
    "A machine at home that points to an internal proxy.",
  ],
  whoFixes: "Proxy team, or the helpdesk where the setting is wrong",
  remedy: [
    {
      who: "Helpdesk",
      what: "correct the proxy's name and port in LAN settings, or remove a proxy that is gone",
      reference: "KB 2298541",
    },
    { who: "Proxy team", what: "bring the proxy back, or take it out of the script", reference: null },
    { who: "Helpdesk", what: "then restart Internet Explorer and Lync", reference: "KB 2298541" },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (!ews || !isProxied(ews.configured) || ews.configured.verdict !== "proxy-unreachable") return null;
    const proxy = proxyOf(ews.configured);
    const { dns, tcp } = ews.configured.facts;
    const how = dns && !dns.ok ? `its name does not resolve, ${dns.rcode}` : (tcp?.error ?? "no answer");
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: `${proxy} does not answer (${how})`,
      sentence: `Credential prompts expected: the proxy ${proxy} does not answer (${how}).${counterfactual(ews)} Fix the proxy, or the setting that points to it.`,
      evidence: [probeEvidence(ews.configured, how), probeEvidence(ews.direct)],
    });
  },
};
