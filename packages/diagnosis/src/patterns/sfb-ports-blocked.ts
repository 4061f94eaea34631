import { hostOf, makeMatch, type Pattern, portOf, probeEvidence } from "../pattern.ts";
import { tcpVerdicts } from "../verdicts.ts";
import { ofService, type Sighting, type View } from "../view.ts";

const closed = ({ state, configured }: Sighting) =>
  state === "bad" &&
  configured !== null &&
  configured.facts.route.kind === "direct" &&
  tcpVerdicts.has(configured.verdict);

/**
 * The published ports, when all of them are closed. Inside that is the SRV record's port alone (5.0 rule 11); a record
 * that leads to a server which is not probed leaves it open. Outside, 443 of the edge is not probed: cannot tell.
 */
function closedPort(view: View): Sighting | null {
  const sip = ofService(view, "sip").filter(({ configured }) => configured?.verdict !== "dns-fail");
  const plain = view.policy.expectations.require5060 ? ofService(view, "sip-plain").find(closed) : undefined;
  if (view.location === "outside") return plain ?? null;
  const records = ofService(view, "sip-srv");
  const found = records.flatMap(({ configured }) =>
    configured?.verdict === "name-found" ? (configured.facts.srv ?? []) : [],
  );
  const missing = records.length > 0 && records.every(({ configured }) => configured?.verdict === "name-missing");
  const published =
    found.length > 0
      ? found.map(({ host, port }) =>
          sip.find(
            ({ target }) => target.host.toLowerCase() === host.toLowerCase().replace(/\.$/, "") && target.port === port,
          ),
        )
      : missing && view.location !== "unknown"
        ? sip
        : [];
  const blocked = published.length > 0 && published.every((sighting) => sighting !== undefined && closed(sighting));
  return (blocked ? published[0] : undefined) ?? plain ?? null;
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
    "Every published SIP port (inside, the SRV record's) times out or is refused on a direct route, while something else answers.",
  severities: ["at-risk"],
  confidences: ["high"],
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
    const sighting = closedPort(view);
    const slot = sighting?.configured;
    if (!slot) return null;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `SIP port ${portOf(slot) ?? "unknown"} of ${hostOf(slot)} is closed (${slot.verdict})`,
      sentence: `Lync cannot sign in: ${hostOf(slot)} does not accept port ${portOf(slot) ?? "unknown"} (${slot.verdict}), while other servers answer. Fix in the network's firewall.`,
      evidence: [probeEvidence(slot), ...ofService(view, "sip-srv").map(({ configured }) => probeEvidence(configured))],
    });
  },
};
