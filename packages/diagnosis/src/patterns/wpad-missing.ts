import { factEvidence, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { badEws, verdictIs } from "../view.ts";

/**
 * Domain 5.1 under 5.0 rule 7. Auto-detect on, with nothing to detect, is the normal state of most networks: it is a
 * fault only where EWS cannot be reached directly and the network is known to need a proxy, by the admin's word or by
 * a peer of the same site whose EWS works through one.
 */
export const pattern: Pattern = {
  id: "wpad-missing",
  title: "Auto-detect is on, but the network announces no proxy",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Automatic detection finds neither a DHCP option 252 nor a wpad name, so Lync goes direct into a network that lets only its proxy out.",
  evidence:
    "Automatic detection alone is set, it was tried and found nothing, EWS fails to connect directly, and the network needs a proxy: the policy says so, or peers of this site reach EWS through one.",
  severities: ["prompting"],
  confidences: ["medium"],
  notThis: [
    "A network without a proxy: Exchange answers directly and nothing is wrong.",
    "autodetect-off: there, detection is off.",
    "ews-port-blocked: peers with other settings fail as well.",
  ],
  whoFixes: "Network team",
  remedy: [
    {
      who: "Network team",
      what: "announce the script by DHCP option 252 or the DNS name wpad",
      reference: "KB 2769142",
    },
    {
      who: "Helpdesk",
      what: "or set the script or proxy in LAN settings, then restart Internet Explorer and Lync",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2769142", "KB 2298541"],
  match(view) {
    const { settings, wpad, fleet } = view;
    const ews = badEws(view);
    if (!settings?.autoDetect || settings.pacUrl !== null || settings.server !== null) return null;
    if (!wpad?.tried || wpad.dhcp252Url !== null || wpad.dnsHost !== null || view.location === "outside") return null;
    if (ews?.configured.facts.route.kind !== "direct") return null;
    if (!verdictIs(ews.configured, "tcp-timeout", "tcp-refused")) return null;
    const peers = fleet.site.okThroughProxy;
    if (peers === 0 && !view.policy.expectations.requiresProxy) return null;
    const contrast =
      peers > 0 ? `${peers} peers of this site reach it through a proxy` : "this network requires a proxy";
    return makeMatch({
      severity: "prompting",
      confidence: "medium",
      explains: true,
      cause: "auto-detect is on, but the network announces no proxy",
      sentence: `Credential prompts expected: the network announces no proxy, and Exchange cannot be reached directly; ${contrast}. The network team announces the script, or the helpdesk sets it.`,
      evidence: [
        factEvidence("wpad", "No DHCP option 252 and no wpad name", "none", wpad.at),
        probeEvidence(ews.configured),
        factEvidence("fleet", contrast, String(peers), view.now),
        view.settingsFacts?.policy.DisableWpad
          ? factEvidence("settings", "WinHTTP's own automatic detection is switched off by policy", "DisableWpad", null)
          : null,
      ],
    });
  },
};
