import { makeMatch, type Pattern, probeEvidence, proxyOf } from "../pattern.ts";
import { isOk } from "../verdicts.ts";
import { badEws, isProxied, verdictIs } from "../view.ts";

/** Domain 5.1: the direct probe is the proof, so without it there is no match. */
export const pattern: Pattern = {
  id: "proxied-path-broken",
  title: "Direct works, through the proxy it does not",
  layer: "proxy-answer",
  scope: "client",
  mechanism:
    "The proxy answers, but cannot resolve or reach the internal name, cuts the tunnel, or lets it hang. Exchange itself is fine.",
  evidence:
    "Exchange answers on the direct route; on the configured route through a proxy the gateway, the tunnel, TLS or the answer fails.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "proxy-unreachable, proxy-auth-required, proxy-blocks-exchange: the proxy says why.",
    "ews-service-down: direct fails in the same way.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "let internal Exchange names bypass the proxy (bypass list, or DIRECT in the script)",
      reference: "KB 2298541",
    },
    {
      who: "Proxy team",
      what: "or let the proxy resolve and reach them, and raise its https idle timeout (Microsoft asks 8 hours)",
      reference: "KB 2409256",
    },
  ],
  references: ["KB 2409256", "KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (!ews?.direct || !isProxied(ews.configured) || !isOk(ews.direct.verdict, ews.target)) return null;
    const slot = ews.configured;
    if (
      !verdictIs(slot, "proxy-upstream-fail", "proxy-error", "tls-reset", "http-timeout", "tcp-reset", "server-error")
    )
      return null;
    const proxy = proxyOf(slot);
    const status = slot.facts.connect?.status ?? null;
    const answer = status !== null && status > 299 ? `${slot.verdict}, CONNECT ${status}` : slot.verdict;
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: `${proxy} does not carry Exchange (${answer})`,
      sentence: `Credential prompts expected: Exchange does not answer through ${proxy} (${answer}). Direct, Exchange answers. Fix on the proxy, not on Exchange.`,
      evidence: [probeEvidence(slot, answer), probeEvidence(ews.direct)],
    });
  },
};
