import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { ofService } from "../view.ts";

/** Domain 5.4. */
export const pattern: Pattern = {
  id: "preauth-form-in-front",
  title: "A web form protects Exchange",
  layer: "authentication",
  scope: "server",
  mechanism: "A reverse proxy or Exchange's own form login asks for a page to be filled in. Lync cannot fill in forms.",
  evidence:
    "EWS or Autodiscover answers 440, or leads to a known login form (/owa/auth, /my.policy, /adfs/ls, /CookieAuth.dll).",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "captive-portal: the network's login page, on every address.",
    "A redirect to a declared single sign-on host without a form path.",
  ],
  whoFixes: "Exchange team, on the reverse proxy",
  remedy: [
    { who: "Exchange team", what: "publish /EWS and /autodiscover without form pre-authentication", reference: null },
  ],
  references: ["KB 2298541"],
  match(view) {
    const form = [view.ews, ...ofService(view, "autodiscover")].find(
      (sighting) => sighting?.configured?.verdict === "preauth-form",
    );
    const slot = form?.configured;
    if (!form || !slot) return null;
    const status = slot.facts.http?.status ?? null;
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: form === view.ews && form.state === "bad",
      cause: `a login form stands in front of ${hostOf(slot)}`,
      sentence: `Credential prompts expected: a web login form stands in front of ${hostOf(slot)}, which Lync cannot fill in. Fix on the reverse proxy, not on this machine.`,
      evidence: [
        probeEvidence(slot, slot.facts.http?.location ?? (status === null ? null : String(status))),
        form.direct === slot ? null : probeEvidence(form.direct),
      ],
    });
  },
};
