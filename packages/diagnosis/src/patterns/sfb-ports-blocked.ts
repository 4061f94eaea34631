import type { ProbeSlot } from "@lynceus/protocol/state";
import { makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { tcpVerdicts } from "../verdicts.ts";
import { ofService, type Sighting, type View } from "../view.ts";

const closed = ({ state, configured }: Sighting) =>
  state === "bad" &&
  configured !== null &&
  configured.facts.route.kind === "direct" &&
  tcpVerdicts.has(configured.verdict);

interface Closed {
  readonly slot: ProbeSlot;
  readonly host: string;
  readonly port: number | null;
  /** What became of the connection. */
  readonly how: string;
  /** The port accepts, and TLS is cut: something in between lets no SIP through. */
  readonly cut: boolean;
}

const ofTarget = ({ configured: slot }: Sighting & { readonly configured: ProbeSlot }): Closed => ({
  slot,
  host: slot.facts.endpoint.host,
  port: slot.facts.endpoint.port,
  how: slot.verdict,
  cut: false,
});

const sameName = (a: string, b: string) => a.toLowerCase().replace(/\.$/, "") === b.toLowerCase().replace(/\.$/, "");

type Answer = Closed | "open" | null;

/** How the server of the best record answered the agent, which visits it beside the look-up; null for another server. */
function visited(slot: ProbeSlot, server: { readonly host: string; readonly port: number }): Answer {
  const { tcp, tls, srv } = slot.facts;
  const best = srv?.find(({ host, port }) => port > 0 && host !== "" && host !== ".");
  if (!tcp || !best || best.port !== server.port || !sameName(best.host, server.host)) return null;
  const closed = (how: string, cut: boolean): Closed => ({ slot, host: best.host, port: best.port, how, cut });
  if (!tcp.ok) return closed(`tcp-${tcp.error ?? "timeout"}`, false);
  if (tls && !tls.ok && (tls.error === "reset" || tls.error === "timeout")) return closed(`tls-${tls.error}`, true);
  return "open";
}

const isClosed = (sighting: Sighting): sighting is Sighting & { readonly configured: ProbeSlot } =>
  sighting.configured !== null && closed(sighting);

/**
 * The published ports, when all of them are closed. Inside that is the SRV record's port alone (5.0 rule 11): as the
 * agent saw it beside the record, else as the target of the same name and port did; a record whose server nobody
 * visited leaves it open. Outside, 443 of the edge is not probed: cannot tell.
 */
function closedPort(view: View): Closed | null {
  const sip = ofService(view, "sip").filter(({ configured }) => configured?.verdict !== "dns-fail");
  const required = view.policy.expectations.require5060 ? ofService(view, "sip-plain").find(isClosed) : undefined;
  const plain = required ? ofTarget(required) : null;
  if (view.location === "outside") return plain;
  const records = ofService(view, "sip-srv").flatMap(({ configured }) => configured ?? []);
  const published = records
    .filter(({ verdict }) => verdict === "name-found")
    .flatMap((slot) => (slot.facts.srv ?? []).filter(({ port }) => port > 0).map((server) => ({ slot, server })));
  const answers =
    published.length > 0
      ? published.map(({ slot, server }): Answer => {
          const seen = visited(slot, server);
          if (seen !== null) return seen;
          const target = sip.find(({ target }) => sameName(target.host, server.host) && target.port === server.port);
          return target && isClosed(target) ? ofTarget(target) : null;
        })
      : records.length > 0 &&
          records.every(({ verdict }) => verdict === "name-missing") &&
          ofService(view, "sip-srv").every(({ configured }) => configured !== null) &&
          view.location !== "unknown"
        ? sip.map((target): Answer => (isClosed(target) ? ofTarget(target) : null))
        : [];
  const all = answers.filter((answer) => answer !== null && answer !== "open");
  return (all.length > 0 && all.length === answers.length ? all[0] : undefined) ?? plain;
}

/** Domain 5.2. 5060 counts only where the policy requires it: closed is normal today. */
export const pattern: Pattern = {
  id: "sfb-ports-blocked",
  title: "The SIP port is closed",
  layer: "network-path",
  scope: "client",
  mechanism:
    "Lync cannot sign in at all. Without sign-in there is no Exchange prompt yet; it comes with the first sign-in that half works.",
  evidence:
    "Every published SIP port (inside, the SRV record's) times out or is refused on a direct route, while something else answers; or it accepts and TLS is cut.",
  severities: ["at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "A closed 5060: normal, unless the policy requires it.",
    "A SIP name that does not exist: not published, not closed.",
    "A machine outside, whose published port is the edge's 443.",
  ],
  whoFixes: "Network team",
  remedy: [
    {
      who: "Network team",
      what: "open TCP 5061 (the SRV record's port) from this network to the Lync pool",
      reference: "KB 2409256",
    },
  ],
  references: ["KB 2409256", "KB 2298541"],
  match(view) {
    const found = closedPort(view);
    if (!found) return null;
    const { slot, how, cut } = found;
    const where = `port ${found.port ?? "unknown"}`;
    const host = quote(found.host);
    return makeMatch({
      severity: "at-risk",
      confidence: cut ? "medium" : "high",
      explains: false,
      cause: `SIP ${where} of ${host} is ${cut ? "cut" : "closed"} (${how})`,
      sentence: `Lync cannot sign in: ${host} ${cut ? `accepts ${where} but TLS is cut` : `does not accept ${where}`} (${how}), while other servers answer. Fix in the network's firewall.`,
      evidence: [
        probeEvidence(slot, how),
        ...ofService(view, "sip-srv")
          .filter(({ configured }) => configured !== slot)
          .map(({ configured }) => probeEvidence(configured)),
      ],
    });
  },
};
