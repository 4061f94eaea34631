import type { Confidence } from "@lynceus/protocol/names";
import { onlineAnswer } from "../organisation.ts";
import { factEvidence, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { hasSymptom, type View } from "../view.ts";

/** Domain 3.5: tenant by tenant from here on … */
const phaseOut = Date.UTC(2026, 9, 1);
/** … and for all of them from here on. */
const end = Date.UTC(2027, 3, 1);

/** How sure it is that this tenant serves no EWS, with why; null where it still does or need not be told. */
function retired({ now, expectations }: View): { confidence: Confidence; why: string } | null {
  if (now >= end) return { confidence: "high", why: "Exchange Online has served no EWS since 1 April 2027" };
  if (now < phaseOut || expectations.tenantEws === "enabled") return null;
  return expectations.tenantEws === "disabled"
    ? { confidence: "high", why: "EWS is switched off in this tenant, as the policy says" }
    : { confidence: "low", why: "Exchange Online has been switching EWS off tenant by tenant since 1 October 2026" };
}

/** Domain 5.4, 3.5 under 5.0 rule 9: an anonymous 401 proves nothing, so the admin's word decides. */
export const pattern: Pattern = {
  id: "exo-ews-retired",
  title: "Exchange Online no longer serves EWS",
  layer: "authentication",
  scope: "server",
  mechanism:
    "Exchange Online has been switching EWS off since October 2026, for all by April 2027. It still answers an anonymous request, but refuses the login, so Lync loses calendar and history and asks again.",
  evidence:
    "The policy says that mailboxes are in Exchange Online, Exchange Online answers for EWS, and the tenant's EWS is off: by the policy's word, by the date, or possibly, where the policy does not say.",
  severities: ["prompting", "at-risk"],
  confidences: ["high", "low"],
  notThis: [
    "Exchange on premises: not concerned.",
    "A tenant whose EWS is declared enabled, before April 2027.",
    "mixed-modern-auth: a client setting, which can be fixed on the machine.",
  ],
  whoFixes: "Exchange Online admins; nothing on the machine helps",
  remedy: [
    {
      who: "Exchange Online admins",
      what: "say in Lynceus' policy whether EWS is enabled in the tenant",
      reference: null,
    },
    {
      who: "Exchange Online admins",
      what: "move these users to a client without EWS (Teams), or keep EWS with an allow list until April 2027",
      reference: "Microsoft: Retirement of Exchange Web Services in Exchange Online",
    },
  ],
  references: ["Microsoft: Retirement of Exchange Web Services in Exchange Online"],
  match(view) {
    const slot = onlineAnswer(view);
    if (!view.expectations.mailboxInExchangeOnline || !slot) return null;
    const found = retired(view);
    if (!found) return null;
    const symptom = hasSymptom(view) && found.confidence === "high";
    return makeMatch({
      severity: symptom ? "prompting" : "at-risk",
      confidence: found.confidence,
      explains: false,
      cause: found.why,
      sentence: `${symptom ? "Credential prompts expected: " : ""}${symptom ? found.why : `The mailbox is in Exchange Online. ${found.why}`}. An anonymous probe cannot see it. Nothing on this machine helps; move the user or allow EWS in the tenant.`,
      evidence: [
        factEvidence(
          "policy",
          `The policy's word on the tenant's EWS: ${view.expectations.tenantEws}`,
          view.expectations.tenantEws,
          null,
        ),
        probeEvidence(slot),
      ],
    });
  },
};
