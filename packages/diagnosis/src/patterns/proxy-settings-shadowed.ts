import type { UserSettings } from "@lynceus/protocol/facts";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { badEws } from "../view.ts";

/** What the registry's single values say, which is what most people look at. */
function legacyWords({ legacy }: UserSettings): string {
  if (legacy?.AutoConfigURL) return `the script ${quote(legacy.AutoConfigURL)}`;
  if (legacy?.ProxyEnable) return `the proxy ${quote(legacy.ProxyServer ?? "without a name")}`;
  return "no proxy";
}

function blobWords({ blob }: UserSettings): string {
  if (blob?.pac && blob.pacUrl !== "") return `the script ${quote(blob.pacUrl)}`;
  if (blob?.manual && blob.server !== "") return `the proxy ${quote(blob.server)}`;
  return blob?.autoDetect ? "automatic detection" : "no proxy";
}

/** Domain 5.1, 4.4 under 5.0 rule 9: where policy is machine-wide, what a user's hive says is ignored. */
export const pattern: Pattern = {
  id: "proxy-settings-shadowed",
  title: "The setting one sees is not the setting in force",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Windows works from the Connections blob. Values that were written into the registry without the system's interface are shown by tools and scripts, but not used, until something refreshes the blob; then the way changes at once.",
  evidence:
    "The user's single registry values (ProxyEnable, ProxyServer, AutoConfigURL) say something else than the Connections blob that is in force, and no policy makes the machine's setting the one for all.",
  severities: ["will-prompt", "at-risk"],
  confidences: ["medium"],
  notThis: [
    "ProxySettingsPerUser = 0: then the machine's setting is in force on purpose.",
    "A remembered proxy whose flag is off: neither place uses it.",
    "proxy-baseline-drift: both places agree, on something that is not rolled out.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    {
      who: "Desktop team",
      what: "set the proxy through LAN settings, group policy or the WinINET interface, not by writing single values",
      reference: "Microsoft: Understanding web proxy configuration",
    },
  ],
  references: ["Microsoft: Understanding web proxy configuration"],
  match(view) {
    if (view.settingsFacts?.policy.ProxySettingsPerUser === 0) return null;
    const [user] = view.userSettings.filter(
      ({ mismatch, blob, legacy }) => mismatch && blob !== null && legacy !== null,
    );
    if (!user) return null;
    const ews = badEws(view);
    const [seen, used] = [legacyWords(user), blobWords(user)];
    return makeMatch({
      severity: ews ? "will-prompt" : "at-risk",
      confidence: "medium",
      explains: false,
      cause: `the registry shows ${seen}, but ${used} is in force`,
      sentence: `${ews ? "Credential prompts expected: the" : "The"} registry shows ${seen}, but ${used} is in force${ews ? ", and Exchange is not reached with it" : ""}. Set the proxy through LAN settings or policy, not by single values.`,
      evidence: [
        factEvidence("settings", `Single registry values: ${seen}`, seen, null),
        factEvidence("settings", `Connections blob, in force: ${used}`, used, null),
        probeEvidence(view.ews?.configured ?? null),
      ],
    });
  },
};
