import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { badEws, isProxied, verdictIs } from "../view.ts";

const down = ["exchange-down", "server-error"] as const;

/** Domain 5.4b: every route that reaches the server tells the same; a route that does not reach it says nothing. */
export const pattern: Pattern = {
  id: "ews-service-down",
  title: "Exchange answers, but EWS is stopped or failing",
  layer: "server",
  scope: "server",
  mechanism:
    "An unavailable EWS makes Lync prompt continuously, because Exchange cannot be reached for authentication.",
  evidence: "TCP and TLS succeed, and EWS answers 503 or another server error on every route that reaches the server.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: ["proxied-path-broken: direct works.", "fleet-ews-down: the same seen by the whole fleet."],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "check Outlook first, then the EWS application pool, Managed Availability and the back end",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (!ews || !verdictIs(ews.configured, ...down)) return null;
    const { tls, http } = ews.configured.facts;
    if (ews.target.kind === "https" && !tls?.ok) return null;
    const direct = ews.direct;
    if (isProxied(ews.configured) && direct?.facts.http && !verdictIs(direct, ...down)) return null;
    const status = http?.status ?? null;
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: `EWS at ${hostOf(ews.configured)} answers ${status ?? "with an error"}`,
      sentence: `Credential prompts expected: Exchange at ${hostOf(ews.configured)} is reached, but EWS answers ${status ?? "with an error"}. No route does better. Fix on Exchange, not on this machine.`,
      evidence: [
        probeEvidence(ews.configured, status === null ? null : String(status)),
        direct === ews.configured ? null : probeEvidence(direct),
      ],
    });
  },
};
