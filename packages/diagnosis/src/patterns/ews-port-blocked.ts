import { hostOf, makeMatch, type Pattern, portOf, probeEvidence } from "../pattern.ts";
import { badEws, ofService, verdictIs } from "../view.ts";

/**
 * Domain 5.2 under 5.0 rule 7: only where the configured route is direct; a direct probe that fails beside a proxy is
 * design. "Reachable" for the neighbour is a connection: Lync web services, SIP, or Autodiscover on another address.
 */
export const pattern: Pattern = {
  id: "ews-port-blocked",
  title: "The port to Exchange is blocked",
  layer: "network-path",
  scope: "client",
  mechanism:
    "A firewall between this machine and Exchange drops or refuses the connection, so Lync cannot log in to EWS.",
  evidence:
    "EWS times out or is refused on a direct configured route, while the https control target works and Lync's servers, or Autodiscover on another address, accept connections.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "fleet-ews-down: there, it fails from every site.",
    "https-egress-blocked: there, the https control target fails too.",
    "autodetect-off: there, the network requires a proxy that is not set.",
    "A proxy-only network, where direct is closed by design.",
  ],
  whoFixes: "Network team",
  remedy: [
    { who: "Network team", what: "open TCP 443 from this network to Exchange", reference: "KB 2409256" },
    {
      who: "Exchange team",
      what: "check that Exchange's front end listens, if other sites fail as well",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2409256", "KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (ews?.configured.facts.route.kind !== "direct" || view.policy.expectations.requiresProxy) return null;
    const slot = ews.configured;
    if (!verdictIs(slot, "tcp-timeout", "tcp-refused")) return null;
    const control = ofService(view, "control").find(({ target, state }) => target.kind !== "http" && state === "ok");
    const neighbour = ofService(view, "sip", "lync-discover", "lync-web", "lync-rgs", "lync-abs", "autodiscover").find(
      ({ configured }) =>
        configured?.facts.tcp?.ok === true &&
        configured.facts.route.kind === "direct" &&
        configured.facts.tcp.address !== slot.facts.tcp?.address,
    );
    if (!control || !neighbour) return null;
    const refused = slot.verdict === "tcp-refused";
    const { judged, bad } = view.fleet.site;
    const wide = judged >= 3 && bad * 2 >= judged;
    const port = portOf(slot) ?? 443;
    return makeMatch({
      severity: "prompting",
      confidence: refused ? "high" : "medium",
      explains: true,
      cause: `port ${port} of ${hostOf(slot)} is ${refused ? "refused" : "not answered"}${wide ? " for the site" : ""}`,
      sentence: `Credential prompts expected: ${hostOf(slot)} ${refused ? "refuses" : "does not answer"} on port ${port}; other servers answer from here${wide ? `, and ${bad} of ${judged} machines of this site fail alike` : ""}. Fix in the network's firewall.`,
      evidence: [
        probeEvidence(slot),
        probeEvidence(control.configured),
        probeEvidence(neighbour.configured, "accepts connections"),
      ],
    });
  },
};
