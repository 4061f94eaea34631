import { makeMatch, type Pattern, portOf, probeEvidence } from "../pattern.ts";
import { tcpVerdicts } from "../verdicts.ts";
import { badEws, ofService } from "../view.ts";

/**
 * Domain 5.4b, judged by target, not by the literal port 443. A network on which nothing at all answers is dead, not
 * closed: some other port must answer, the plain-http control's or SIP's. A policy without either leaves the 443
 * control alone to decide.
 */
export const pattern: Pattern = {
  id: "https-egress-blocked",
  title: "Port 443 is closed to everywhere from here",
  layer: "network-path",
  scope: "client",
  mechanism:
    "The connection to every https server fails, Exchange's among them, while names resolve: a firewall closes the port, or the network requires a proxy that is not set.",
  evidence:
    "EWS, Autodiscover, Lync web services and the https control target all fail to connect on a direct configured route, their names resolve, and another port answers.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "ews-port-blocked: there, the https control target works.",
    "captive-portal: there, something answers.",
    "A dead network: there, no other port answers either.",
    "A network that is closed on purpose, with a proxy set: the direct probe fails by design.",
  ],
  whoFixes: "Network team",
  remedy: [
    { who: "Network team", what: "open TCP 443 outbound for this network", reference: "KB 2409256" },
    {
      who: "Helpdesk",
      what: "set the proxy or script that this network requires in LAN settings",
      reference: "KB 2769142",
    },
  ],
  references: ["KB 2409256", "KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (ews?.configured.facts.route.kind !== "direct" || view.policy.expectations.requiresProxy) return null;
    const blocked = tcpVerdicts;
    const controls = ofService(view, "control");
    const control = controls.find(({ target }) => target.kind !== "http");
    if (!blocked.has(ews.configured.verdict) || !control?.configured || !blocked.has(control.configured.verdict))
      return null;
    const others = ofService(view, "autodiscover", "lync-discover", "lync-web", "lync-rgs", "lync-abs", "mapi", "oab");
    // A name that does not exist says nothing about ports.
    const reached = others.filter(
      ({ configured }) => configured?.facts.dns?.ok && configured.facts.route.kind === "direct",
    );
    if (!reached.every(({ configured }) => configured && blocked.has(configured.verdict))) return null;
    const elsewhere = view.sightings
      .filter(
        ({ target }) => (target.service === "control" && target.kind === "http") || target.service.startsWith("sip"),
      )
      .filter(({ target }) => target.kind !== "srv");
    const alive = elsewhere.find(({ configured }) => configured?.facts.tcp?.ok);
    if (elsewhere.length > 0 && !alive) return null;
    const refused = ews.configured.verdict === "tcp-refused";
    const port = portOf(ews.configured) ?? 443;
    return makeMatch({
      severity: "prompting",
      confidence: refused ? "high" : "medium",
      explains: true,
      cause: `port ${port} is closed to everywhere`,
      sentence: `Credential prompts expected: no https server can be reached from here (${ews.configured.verdict}), Exchange as little as the control target. Fix in the network, not on Exchange.`,
      evidence: [
        probeEvidence(ews.configured),
        probeEvidence(control.configured),
        ...reached.slice(0, 4).map(({ configured }) => probeEvidence(configured)),
        probeEvidence(alive?.configured ?? null, "answers"),
      ],
    });
  },
};
