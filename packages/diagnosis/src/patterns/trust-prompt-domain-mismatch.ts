import { within } from "../classify.ts";
import { isCloudHost } from "../organisation.ts";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { ofService, type Sighting, type View } from "../view.ts";

/** What Lync trusts while TrustModelData is not set; a value replaces the list (domain 2.4). */
const defaultTrust = ["lync.com", "outlook.com", "lync.glbdns.microsoft.com", "microsoftonline.com"];

const maxEntries = 256;
const entriesOf = (text: string): string[] =>
  text
    .split(/[,;\s]+/, maxEntries)
    .map((entry) => entry.replace(/^\*?\./, ""))
    .filter((entry) => entry !== "");

/** Servers that Lync connects to: those that answered as the service they are. */
const connectedTo = (view: View): Sighting[] =>
  [
    ...(view.ews ? [view.ews] : []),
    ...ofService(view, "autodiscover", "lync-discover", "lync-web", "lync-rgs", "lync-abs"),
  ].filter(({ state, configured }) => state === "ok" && configured !== null);

/** Domain 5.4, 2.4. A question of trust, not of credentials; users report both as "it asks me again". */
export const pattern: Pattern = {
  id: "trust-prompt-domain-mismatch",
  title: "Lync asks whether to trust the server",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Lync asks before it connects to a server outside the sign-in address's domain that no list of trusted domains names. Users see one more window; who declines it has no Exchange Web Services.",
  evidence:
    "Exchange, Autodiscover or Lync's web services answer at a name outside the SIP domains, and neither the machine's TrustModelData (or Lync's defaults, where it is not set) nor the policy's trusted domains name it.",
  severities: ["at-risk"],
  confidences: ["high"],
  notThis: [
    "A server below the SIP domain: trusted.",
    "TrustModelData that was not read: cannot tell.",
    "A credential prompt: this one asks for no password.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    {
      who: "Desktop team",
      what: "add the server's domain to TrustModelData by policy, and repeat the four defaults (lync.com, outlook.com, lync.glbdns.microsoft.com, microsoftonline.com), which a value replaces",
      reference: "KB 2833618",
    },
    { who: "Helpdesk", what: "tell users to accept the question and to tick Always trust", reference: "KB 2531068" },
  ],
  references: ["KB 2833618", "KB 2531068"],
  match(view) {
    const { sipDomains, trustedDomains } = view.expectations;
    const read = view.userSettings.flatMap(({ windows }) => windows ?? []);
    if (sipDomains.length === 0 || read.length === 0) return null;
    const asked = connectedTo(view).flatMap((sighting) => {
      const host = sighting.target.host;
      const trusts = (domains: readonly string[]) => domains.some((domain) => within(host, domain));
      if (trusts(sipDomains) || trusts(trustedDomains)) return [];
      const users = read.filter(
        ({ trustModelData }) => !trusts(trustModelData === null ? defaultTrust : entriesOf(trustModelData)),
      );
      // Exchange Online's hosts are trusted by what outlook.com stands for.
      const cloud = users.filter(
        ({ trustModelData }) =>
          !(
            isCloudHost(host) &&
            (trustModelData === null || entriesOf(trustModelData).some((entry) => within("outlook.com", entry)))
          ),
      );
      return cloud.length > 0 ? [{ sighting, users: cloud }] : [];
    });
    const [first] = asked;
    if (!first) return null;
    const host = quote(first.sighting.target.host);
    const list = first.users[0]?.trustModelData ?? null;
    const setting = list === null ? "TrustModelData is not set" : `TrustModelData is ${quote(list, 200)}`;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `${host} lies outside the SIP domain and Lync's trusted domains`,
      sentence: `Lync is expected to ask whether to trust ${host}, which lies outside ${quote(sipDomains.join(", "))} and its trusted domains. This is no credential prompt, but who declines has no Exchange Web Services. Set TrustModelData by policy.`,
      evidence: [
        factEvidence("settings", setting, list ?? "not set", null),
        ...asked.slice(0, 6).map(({ sighting }) => probeEvidence(sighting.configured)),
      ],
    });
  },
};
