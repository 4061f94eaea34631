import type { EffectiveSettings } from "@lynceus/protocol/facts";
import type { Baseline } from "@lynceus/protocol/policy";
import { bypassEntries } from "@lynceus/proxy-settings/bypass-list";
import { parseProxyServer, proxiesFor } from "@lynceus/proxy-settings/proxy-server";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";

/** An address as it compares: scheme and host in lower case, no query, which never leaves the machine. */
function sameAddress(a: string, b: string): boolean {
  const canonical = (text: string) => {
    try {
      const url = new URL(text);
      return `${url.protocol}//${url.host}${url.pathname}`;
    } catch {
      return text.trim().toLowerCase();
    }
  };
  return canonical(a) === canonical(b);
}

/** Proxy of https, which is what Exchange takes. */
function httpsProxy(server: string, dialect: EffectiveSettings["dialect"]): string {
  const [first] = proxiesFor(parseProxyServer(server, dialect), "https");
  return first ? `${first.host.toLowerCase()}:${first.port}` : "";
}

const modeNames: Record<Baseline["mode"], string> = {
  direct: "no proxy",
  "auto-detect": "automatic detection",
  pac: "a script",
  manual: "a proxy server",
};

const modeOf = ({ autoDetect, pacUrl, server }: EffectiveSettings): Baseline["mode"] =>
  pacUrl !== null ? "pac" : server !== null ? "manual" : autoDetect ? "auto-detect" : "direct";

/** How these settings differ from those rolled out, in words. */
function differences(settings: EffectiveSettings, baseline: Baseline): string[] {
  const { mode } = baseline;
  if (mode === "auto-detect" && settings.autoDetect && settings.pacUrl === null && settings.server === null) return [];
  if (modeOf(settings) !== mode) return [`${modeNames[modeOf(settings)]} is set instead of ${modeNames[mode]}`];
  if (mode === "pac" && baseline.pacUrl !== null && !sameAddress(settings.pacUrl ?? "", baseline.pacUrl))
    return [`the script is ${quote(settings.pacUrl ?? "")} instead of ${quote(baseline.pacUrl)}`];
  if (mode !== "manual") return [];
  const wanted = baseline.proxy === null ? null : httpsProxy(baseline.proxy, settings.dialect);
  const actual = httpsProxy(settings.server ?? "", settings.dialect);
  const present = new Set(bypassEntries(settings.bypass.toLowerCase(), settings.dialect));
  const missing = baseline.bypass.filter((entry) => !present.has(entry.trim().toLowerCase()));
  return [
    ...(wanted !== null && wanted !== actual
      ? [`the proxy is ${quote(settings.server ?? "")} instead of ${quote(baseline.proxy ?? "")}`]
      : []),
    ...(missing.length > 0 ? [`the bypass list lacks ${quote(missing.join(", "), 160)}`] : []),
  ];
}

/** Domain 5.1: only while Exchange answers; what breaks it has a pattern of its own. */
export const pattern: Pattern = {
  id: "proxy-baseline-drift",
  title: "This machine's proxy setting is not the one we roll out",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "The setting works today by another way than the one that is maintained. The next change of network or script is made for the setting that was rolled out, and breaks this one.",
  evidence:
    "The policy declares the setting that is rolled out, and the one in force differs in its mode, script, proxy or required bypass entries, while Exchange answers.",
  severities: ["at-risk"],
  confidences: ["high"],
  notThis: [
    "Further entries in the bypass list: allowed.",
    "A location for which the policy declares no setting.",
    "Exchange that fails: the pattern that explains it is shown instead.",
    "proxy-settings-shadowed: the rolled-out setting is there, but another one is in force.",
  ],
  whoFixes: "Desktop team",
  remedy: [
    { who: "Desktop team", what: "apply the group policy or Intune profile again", reference: "KB 2298541" },
    {
      who: "Desktop team",
      what: "check ProxySettingsPerUser: a machine-wide setting and a per-user one may compete",
      reference: null,
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const { settings, expectations, ews } = view;
    const { baseline } = expectations;
    if (!baseline?.locations.includes(view.location) || !settings || ews?.state !== "ok") return null;
    const found = differences(settings, baseline);
    if (found.length === 0) return null;
    const what = found.join(", and ");
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `not the setting that is rolled out: ${what}`,
      sentence: `The proxy setting is not the one that is rolled out: ${what}. Exchange answers today. Apply the policy again before the next change of the network.`,
      evidence: [
        ...found.map((text) => factEvidence("settings", `In force: ${text}`, settings.source, null)),
        probeEvidence(ews.configured),
      ],
    });
  },
};
