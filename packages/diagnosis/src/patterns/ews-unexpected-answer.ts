import { hasExchangeMarker } from "../classify.ts";
import { hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { ewsInterception } from "../tls-evidence.ts";
import { isOk, verdictTexts } from "../verdicts.ts";
import { isProxied, ofService, verdictIs } from "../view.ts";

const strange = [
  "unexpected-200",
  "not-found",
  "other-basic-auth",
  "forbidden",
  "unknown-answer",
  "captive-portal",
] as const;

/**
 * Domain 5.4b. A redirect to an undeclared host reads as a portal; with the control target right it is an answer of
 * the address itself. An answer with Exchange's marks is never "not Exchange". Where direct is closed, an answer read
 * over a tunnel whose certificate verified is the server's own.
 */
export const pattern: Pattern = {
  id: "ews-unexpected-answer",
  title: "Something that is not Exchange answers at the EWS address",
  layer: "server",
  scope: "server",
  mechanism:
    "The name leads to another server: a web site, a wrong pool, a page that forbids. Where it asks for a Basic login, users see prompts that no password satisfies.",
  evidence:
    "EWS answers with a page, 403, 404, a foreign redirect, another server's Basic login or something unknown, on the direct route as well.",
  severities: ["prompting", "will-prompt"],
  confidences: ["medium"],
  notThis: [
    "captive-portal: there, the control target is answered by the portal too.",
    "preauth-form-in-front: a known login form.",
    "proxy-blocks-exchange: the proxy's own refusal.",
    "A Windows web server without Exchange's marks: probably Exchange behind a reverse proxy, cannot tell.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    { who: "DNS team", what: "check where the name leads, inside and outside", reference: "KB 2787614" },
    {
      who: "Exchange team",
      what: "check the reverse proxy's rule and the load balancer's pool for /EWS/",
      reference: null,
    },
  ],
  references: ["KB 2787614"],
  match(view) {
    const { ews } = view;
    const slot = ews?.configured;
    if (!ews || !slot || !verdictIs(slot, ...strange) || slot.facts.fenced) return null;
    const status = slot.facts.http?.status ?? null;
    if (status === null || hasExchangeMarker(slot.facts) || ewsInterception(view)) return null;
    const portal = slot.verdict === "captive-portal";
    const controls = ofService(view, "control").filter(({ target }) => target.kind === "http");
    if (portal && !controls.some(({ state }) => state === "ok")) return null;
    if (isProxied(slot)) {
      const { direct } = ews;
      if (direct && isOk(direct.verdict, ews.target)) return null;
      const seenDirect = direct !== null && direct.facts.http !== null;
      if (seenDirect ? !verdictIs(direct, ...strange) : !slot.facts.tls?.ok) return null;
    }
    const login = slot.verdict === "other-basic-auth";
    const location = slot.facts.http?.location ?? null;
    const what = portal && location ? `redirects to ${quote(location)}` : `answers ${status}`;
    return makeMatch({
      severity: login ? "prompting" : "will-prompt",
      confidence: "medium",
      explains: ews.state === "bad",
      cause: `${hostOf(slot)} ${what}, not as Exchange does`,
      sentence: `Credential prompts expected: ${hostOf(slot)} ${what} at the EWS address (${verdictTexts[slot.verdict].toLowerCase()}), which is not Exchange. Fix in DNS or on the reverse proxy, not on this machine.`,
      evidence: [probeEvidence(slot, `${status}`), ews.direct === slot ? null : probeEvidence(ews.direct)],
    });
  },
};
