import { factEvidence, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import type { View } from "../view.ts";

/** Services whose any-of groups must all be ok: Exchange, Autodiscover, Lync's web services where the policy has them. */
const services = new Set(["ews", "autodiscover", "apex", "lync-discover", "lync-web"]);

function everythingAnswers(view: View): boolean {
  const groups = view.groups.filter(({ members }) => members.some(({ target }) => services.has(target.service)));
  return view.ews?.state === "ok" && groups.every(({ state }) => state === "ok");
}

const time = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/**
 * Domain 5.4: by exclusion, and never from probes alone. One report is likely a normal first prompt: the seed calls one
 * shortly after sign-in expected, and only what goes on a problem (domain 1.3).
 */
export const pattern: Pattern = {
  id: "stale-credentials-suspected",
  title: "Everything is reachable; the password is old",
  layer: "authentication",
  scope: "client",
  lastResort: true,
  mechanism:
    "A saved password that no longer holds, an expired or locked account, or a mail address that differs from the sign-in address is refused by a server that is otherwise healthy. No probe without credentials can see it.",
  evidence:
    "A person reported a prompt within the last day, while Exchange, Autodiscover and Lync's web services answer well and no other pattern holds.",
  severities: ["prompting", "at-risk"],
  confidences: ["low"],
  notThis: [
    "One prompt shortly after sign-in: likely a normal first prompt.",
    "trust-prompt-domain-mismatch: the question whether to trust a server asks for no password.",
    "Any other pattern that holds: it comes first.",
  ],
  whoFixes: "Helpdesk",
  remedy: [
    {
      who: "Helpdesk",
      what: "remove the saved Office credentials from Credential Manager (MicrosoftOffice16_Data:SSPI and Outlook's)",
      reference: "KB 4051374",
    },
    { who: "Helpdesk", what: "delete Lync's sign-in info, then restart Lync", reference: "KB 2787614" },
    {
      who: "Helpdesk",
      what: "check whether the password has expired or the account is locked",
      reference: "KB 2630976",
    },
    {
      who: "Helpdesk",
      what: "check that the primary mail address, the user principal name and the SIP address are the same",
      reference: "KB 2436962",
    },
  ],
  references: ["KB 4051374", "KB 2630976", "KB 2436962", "KB 2298541"],
  match(view) {
    const last = view.reports.at(-1);
    if (!last || !everythingAnswers(view)) return null;
    const count = view.reports.length;
    const again = count > 1;
    return makeMatch({
      severity: again ? "prompting" : "at-risk",
      confidence: "low",
      explains: false,
      cause: again
        ? `${count} prompts reported while everything answers: an old password or account is suspected`
        : "one prompt reported while everything answers: likely a normal first prompt",
      sentence: again
        ? `Credential prompts expected: ${count} were reported within a day, the last at ${time(last.at)}, while every server answers well. An old saved password or an expired account is suspected. The helpdesk removes saved credentials and checks the account.`
        : `One prompt was reported at ${time(last.at)} while every server answers well: likely a normal first prompt, as after sign-in. Should it come again, an old saved password or an expired account is suspected.`,
      evidence: [
        ...view.reports.slice(-8).map(({ at }) => factEvidence("report", `Prompt reported at ${time(at)}`, null, at)),
        probeEvidence(view.ews?.configured ?? null),
      ],
    });
  },
};
