import { factEvidence, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { badEws, verdictIs } from "../view.ts";

/**
 * Domain 5.1 under 5.0 rule 7. Confidence is high where a peer of the same site and location reaches EWS through a
 * proxy, or the admin said that the network requires one. Without either there is no match: a direct machine whose
 * Exchange fails looks just so, and the network path explains it.
 */
export const pattern: Pattern = {
  id: "autodetect-off",
  title: "Automatically detect settings is off and nothing else is set",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "No detection, no script, no proxy: Lync goes direct. Where the network requires a proxy, Exchange is unreachable, the address book goes stale and free/busy has gaps.",
  evidence:
    "Detection, script and proxy are all off, EWS cannot be reached on the direct configured route, and the network needs a proxy: the policy says so, or peers of this site reach EWS through one.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "ews-port-blocked: peers with other settings fail too.",
    "A site that goes direct on purpose: Exchange answers there.",
    "wpad-missing: there, detection is on.",
  ],
  whoFixes: "Helpdesk, by LAN settings or group policy",
  remedy: [
    {
      who: "Helpdesk",
      what: "Internet Options, Connections, LAN settings: tick Automatically detect settings, or set the organisation's script or proxy",
      reference: "KB 2298541",
    },
    { who: "Helpdesk", what: "restart Internet Explorer and Lync", reference: "KB 2298541" },
    { who: "Desktop team", what: "push the setting by group policy, so that it stays", reference: "KB 2769142" },
  ],
  references: ["KB 2298541", "KB 2769142"],
  match(view) {
    const { settings, fleet } = view;
    const ews = badEws(view);
    if (!settings || settings.autoDetect || settings.pacUrl !== null || settings.server !== null) return null;
    if (ews?.configured.facts.route.kind !== "direct" || view.location === "outside") return null;
    if (!verdictIs(ews.configured, "tcp-timeout", "tcp-refused", "tcp-reset", "dns-fail")) return null;
    const peers = fleet.site.okThroughProxy;
    if (peers === 0 && !view.policy.expectations.requiresProxy) return null;
    const contrast =
      peers > 0 ? `${peers} peers of this site reach it through a proxy` : "this network requires a proxy";
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: "Automatically detect settings is off and nothing else is set",
      sentence: `Credential prompts expected: no detection, script or proxy is set, and Exchange cannot be reached directly; ${contrast}. Fix on this machine, in LAN settings.`,
      evidence: [
        factEvidence("settings", "Automatically detect settings off, no script, no proxy", settings.source, null),
        probeEvidence(ews.configured),
        factEvidence("fleet", contrast, String(peers), view.now),
      ],
    });
  },
};
