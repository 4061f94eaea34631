import { isCloudHost, onlineAnswer } from "../organisation.ts";
import { factEvidence, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { hasSymptom, ofService, type View } from "../view.ts";

/** Whether Lync's own services were seen on premises. */
const lyncOnPremises = (view: View): boolean =>
  ofService(view, "lync-discover", "lync-web", "lync-rgs", "lync-abs", "sip").some(
    ({ state, target }) => state === "ok" && !isCloudHost(target.host),
  );

const isLync2013 = (version: string | null | undefined): boolean => /^15\./.test(version ?? "");

/** Domain 5.4, 2.6 under 5.0 rule 9: needs the admin's word that the mailboxes are in Exchange Online. */
export const pattern: Pattern = {
  id: "mixed-modern-auth",
  title: "The mailbox is in the cloud, Lync is on premises",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Exchange Online takes modern authentication only. Lync that signs in on premises ignores Exchange Online's offer unless a policy value allows it, and asks for a password that Exchange Online does not take.",
  evidence:
    "The policy says that mailboxes are in Exchange Online; Exchange Online answers for EWS; Lync's services are on premises; and AllowAdalForNonLyncIndependentOfLync is not 1 (for Lync 2013, EnableADAL is missing as well).",
  severities: ["prompting", "at-risk"],
  confidences: ["high"],
  notThis: [
    "Mailboxes on premises beside Exchange Online: not meant.",
    "exo-ews-retired: the tenant no longer serves EWS, whatever the client is set to.",
    "Values that were not read: cannot tell.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    {
      who: "Desktop team",
      what: "set AllowAdalForNonLyncIndependentOfLync=1 in HKCU\\Software\\Policies\\Microsoft\\Office\\16.0\\Lync (15.0 for Lync 2013)",
      reference: "Microsoft: AllowAdalForNonLyncIndependentOfLync setting",
    },
    {
      who: "Desktop team",
      what: "for Lync 2013, set EnableADAL=1 and Version=1 under Office\\15.0\\Common\\Identity as well",
      reference: null,
    },
  ],
  references: [
    "Microsoft: AllowAdalForNonLyncIndependentOfLync setting",
    "Microsoft: Skype for Business topologies supported with modern authentication",
  ],
  match(view) {
    const slot = onlineAnswer(view);
    if (!view.expectations.mailboxInExchangeOnline || !slot) return null;
    if (!lyncOnPremises(view)) return null;
    const read = view.userSettings.flatMap(({ windows }) => windows ?? []);
    const old = isLync2013(view.system?.lync.version);
    const lacking = read.filter(
      ({ allowAdalForNonLync, enableAdal }) => allowAdalForNonLync !== 1 || (old && enableAdal !== 1),
    );
    const [first] = lacking;
    if (!first) return null;
    const symptom = hasSymptom(view);
    const setting =
      first.allowAdalForNonLync === 1
        ? "EnableADAL is not set"
        : `AllowAdalForNonLyncIndependentOfLync is ${first.allowAdalForNonLync ?? "not set"}`;
    const of = `${lacking.length} of ${read.length} users`;
    return makeMatch({
      severity: symptom ? "prompting" : "at-risk",
      confidence: "high",
      explains: false,
      cause: `the mailbox is in Exchange Online, Lync on premises, and ${setting}`,
      sentence: `${symptom ? "Credential prompts expected: " : ""}${symptom ? "the" : "The"} mailbox is in Exchange Online, Lync is on premises, and ${setting} (${of}), so Lync does not use Exchange Online's modern login. Set the policy value on the machine.`,
      evidence: [
        factEvidence("settings", `${setting}, ${of}`, String(first.allowAdalForNonLync ?? "not set"), null),
        probeEvidence(slot),
        factEvidence("policy", "The policy says: mailboxes in Exchange Online", "mailboxInExchangeOnline", null),
      ],
    });
  },
};
