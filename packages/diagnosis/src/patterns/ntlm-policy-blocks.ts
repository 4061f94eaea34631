import { offeredSchemes } from "../classify.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { hasSymptom, offersWindowsLogin, type View } from "../view.ts";

/** Below it only LM and NTLMv1 are sent, which Extended Protection refuses (domain 2.8). */
const ntlmV2 = 3;
const denyAll = 2;

/** Why Kerberos does not carry the login instead, as half a sentence; null where it may (5.0 rule 9). */
function withoutKerberos(view: View, offered: readonly string[]): string | null {
  if (view.expectations.kerberos === "works") return null;
  if (view.expectations.kerberos === "absent") return "Kerberos does not reach Exchange, as the policy says";
  if (view.system?.domainJoined === false) return "the machine is in no domain";
  return offered.includes("negotiate") ? null : "Exchange does not offer Negotiate";
}

/** Domain 5.4 under 5.0 rule 9: without a symptom it is at-risk at most. */
export const pattern: Pattern = {
  id: "ntlm-policy-blocks",
  title: "NTLM settings make the login impossible",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Without Kerberos the Windows login is NTLM. A machine that sends only NTLM version 1 is refused by Extended Protection for ever; one whose policy denies outgoing NTLM sends nothing at all.",
  evidence:
    "LmCompatibilityLevel is 0, 1 or 2, or RestrictSendingNTLMTraffic denies; Exchange offers Negotiate or NTLM; and Kerberos is absent: the machine is in no domain, Exchange offers no Negotiate, or the policy says so.",
  severities: ["prompting", "will-prompt", "at-risk"],
  confidences: ["medium"],
  notThis: [
    "A value that is absent: Windows' default, which is fine.",
    "A machine in a domain whose Kerberos reaches Exchange: NTLM is not needed.",
    "Values that were not read: cannot tell.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    {
      who: "Desktop team",
      what: "set LmCompatibilityLevel to 5, which sends NTLM version 2 alone",
      reference: "Windows Extended Protection in Exchange Server",
    },
    {
      who: "Desktop team",
      what: "where outgoing NTLM is denied, list Exchange's names in ClientAllowedNTLMServers",
      reference: null,
    },
    {
      who: "Exchange team",
      what: "or give Exchange's name an SPN (http/<name>) on one account, so that Kerberos works",
      reference: "Microsoft: Kerberos for load-balanced client access",
    },
  ],
  references: ["Windows Extended Protection in Exchange Server"],
  match(view) {
    const auth = view.system?.authentication;
    const slot = view.ews?.configured;
    if (!auth || !slot || !offersWindowsLogin(slot.facts)) return null;
    const level = auth.lmCompatibilityLevel;
    const old = level !== null && level >= 0 && level < ntlmV2;
    const denied = auth.restrictSendingNtlmTraffic === denyAll;
    const why = withoutKerberos(view, offeredSchemes(slot.facts));
    if ((!old && !denied) || why === null) return null;
    const symptom = hasSymptom(view);
    const bound = view.expectations.extendedProtection === "on";
    const setting = old ? `LmCompatibilityLevel is ${level}` : "policy denies outgoing NTLM";
    return makeMatch({
      severity: !symptom ? "at-risk" : old && bound ? "prompting" : "will-prompt",
      confidence: "medium",
      explains: false,
      cause: `${setting}, and ${why}`,
      sentence: `${symptom ? "Credential prompts expected: " : "No prompt is reported yet, but "}${setting}, and ${why}, so no Windows login to ${hostOf(slot)} can work${old ? " where Extended Protection is on" : ""}. Fix in the machine's security policy.`,
      evidence: [
        old ? factEvidence("system", `LmCompatibilityLevel: ${level}`, String(level), null) : null,
        denied ? factEvidence("system", "RestrictSendingNTLMTraffic: 2 (deny all)", "2", null) : null,
        factEvidence("system", `No Kerberos: ${why}`, why, null),
        probeEvidence(slot, offeredSchemes(slot.facts).join(", ")),
      ],
    });
  },
};
