import { backEndName, exchangeAddress } from "../back-end.ts";
import { isCounted } from "../fleet-verdicts.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import { badEws } from "../view.ts";

/**
 * Domain 5.5 and 5.0 rule 11: the failing machines share one Exchange server, by the name that it gives or gave last,
 * else by its address, while other servers answer. One address for all is the balancer's own, and compares nothing.
 */
export const pattern: Pattern = {
  id: "fleet-ews-degraded",
  title: "One Exchange server behind the balancer is bad",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "A balancer sends a part of the clients to an Exchange server whose web services fail. Those prompt, and others do not; a restart of Lync seems to help when the balancer chooses another server.",
  evidence:
    "At least three machines fail, at least 80 % of those whose server is known share one server, and at least 40 points fewer fail at the others.",
  severities: ["will-prompt"],
  confidences: ["high", "medium"],
  notThis: [
    "fleet-ews-down: every server fails, so nothing is left to compare.",
    "ews-service-down: the same on one machine, without peers at other servers.",
    "One address for all machines: the balancer's, which says nothing about the servers behind it.",
    "fleet-shared-proxy: the failing machines share a proxy and reach several servers.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    { who: "Exchange team", what: "take this server out of the balancer's pool", reference: null },
    {
      who: "Exchange team",
      what: "check its EWS application pool and Managed Availability, and let the balancer ask /ews/healthcheck.htm",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (!ews || !isCounted(ews.configured.verdict)) return null;
    const { backEnds, addresses } = view.fleet.shared;
    const [name, address] = [backEndName(ews.configured), exchangeAddress(ews.configured)];
    const byName = name === null ? undefined : backEnds.get(name);
    const fault = byName ?? (address === null ? undefined : addresses.get(address));
    if (!fault) return null;
    const server = quote((byName ? name : address) ?? "", 64);
    const { bad, judged, othersBad, othersJudged, verdict } = fault;
    const counts = `${bad} of ${judged} at ${server}, ${othersBad} of ${othersJudged} at other servers`;
    const named = ews.configured.facts.http?.headers["x-feserver"] === name;
    return makeMatch({
      severity: "will-prompt",
      confidence: bad >= 0.9 * judged ? "high" : "medium",
      explains: true,
      cause: `Exchange server ${server} fails`,
      sentence: `Credential prompts expected: ${bad} of ${judged} machines that the balancer sends to ${server} fail at ${hostOf(ews.configured)}, and ${othersBad} of ${othersJudged} at other servers. Take ${server} out of the pool; nothing is wrong on this machine.`,
      evidence: [
        factEvidence("fleet", `EWS is bad for ${counts}`, counts, view.now),
        factEvidence("fleet", `Most of them see: ${verdictTexts[verdict]}`, verdict, view.now),
        byName && !named
          ? factEvidence(
              "ews",
              `The server that answered last was ${server}; the failing answer names none`,
              name,
              null,
            )
          : null,
        probeEvidence(ews.configured),
        ews.direct === ews.configured ? null : probeEvidence(ews.direct),
      ],
    });
  },
};
