import type { ProbeSlot } from "@lynceus/protocol/state";
import { hasExchangeMarker } from "../classify.ts";
import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import { offersWindowsLogin, ofService, type View, verdictIs } from "../view.ts";

/** A login that no password of the mailbox satisfies: a 401 of something that is not Exchange. */
const asksForLogin = (slot: ProbeSlot): boolean =>
  slot.facts.http?.status === 401 && !offersWindowsLogin(slot.facts) && !hasExchangeMarker(slot.facts);

/** A page, a form, a foreign redirect or a wrong certificate. A plain 404 is no endpoint, and clients go on (AD-ERR). */
const inTheWay = (slot: ProbeSlot): boolean =>
  verdictIs(slot, "unexpected-200", "preauth-form", "tls-name", "captive-portal");

/** Whether a portal answers everything here, so that nothing is known of the apex. */
const portalHere = (view: View): boolean =>
  ofService(view, "control").some(({ configured }) => configured?.verdict === "captive-portal");

/** Domain 5.2, 2.3. The apex is asked first, also where `autodiscover.<domain>` is right. */
export const pattern: Pattern = {
  id: "apex-site-answers-autodiscover",
  title: "The company web site answers instead of Exchange",
  layer: "server",
  scope: "server",
  mechanism:
    "Lync asks the bare mail domain for Autodiscover before autodiscover.<domain>. A web site that demands a login there asks users for a password that can never be right; a page or a wrong certificate stalls the search.",
  evidence:
    "At https://<mail domain>/autodiscover/autodiscover.xml something that is not Exchange answers 401 without Negotiate and NTLM, or answers with a page, a form, a foreign redirect or another name's certificate.",
  severities: ["prompting", "at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "A 404, or nobody listening: no endpoint, and clients go on to the next name.",
    "Exchange itself at the bare domain: right.",
    "captive-portal: there, the control target is answered by the portal too.",
    "autodiscover-dns-missing: no record at all.",
  ],
  whoFixes: "Web team",
  remedy: [
    {
      who: "Web team",
      what: "answer 404 at /autodiscover/ on the bare domain, with a valid certificate and without a login",
      reference: "Microsoft: Handling Autodiscover error messages",
    },
    { who: "DNS team", what: "publish autodiscover.<mail domain>", reference: "KB 2787614" },
  ],
  references: ["KB 2787614", "Microsoft: Handling Autodiscover error messages"],
  match(view) {
    if (portalHere(view)) return null;
    const slots = ofService(view, "apex").flatMap(({ configured, direct }) => configured ?? direct ?? []);
    const login = slots.find(asksForLogin);
    const slot = login ?? slots.find(inTheWay);
    if (!slot) return null;
    const what = login ? "asks for a login that is not Exchange's" : verdictTexts[slot.verdict].toLowerCase();
    return makeMatch({
      severity: login ? "prompting" : "at-risk",
      confidence: login ? "high" : "medium",
      explains: false,
      cause: `the web site of ${hostOf(slot)} answers at the Autodiscover address: ${what}`,
      sentence: `${login ? "Credential prompts expected: the" : "The"} web site of ${hostOf(slot)} answers at the Autodiscover address (${what}), where Lync looks for Exchange first. Fix on the web site, not on Exchange.`,
      evidence: [
        probeEvidence(slot, String(slot.facts.http?.status ?? slot.verdict)),
        ...ofService(view, "autodiscover").map(({ configured }) => probeEvidence(configured)),
      ],
    });
  },
};
