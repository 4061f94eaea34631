import type { RingEntry } from "@lynceus/protocol/state";
import { factEvidence, hostOf, makeMatch, type Pattern, quote } from "../pattern.ts";
import { isBad, isOk, type Judged } from "../verdicts.ts";
import { mayPassSilently } from "../view.ts";

/** How often neighbours differ, unknown verdicts left out. */
function turns(entries: readonly RingEntry[], target: Judged): number {
  const judged = entries.filter(({ verdict }) => isOk(verdict, target) || isBad(verdict, target));
  return judged.filter((entry, index) => {
    const before = judged[index - 1];
    return before !== undefined && isOk(before.verdict, target) !== isOk(entry.verdict, target);
  }).length;
}

/** The back end that all bad entries share and no good one, or null (5.0 rule 11). */
function sharedPeer(entries: readonly RingEntry[], target: Judged): string | null {
  const of = (good: boolean) =>
    new Set(entries.filter(({ verdict }) => isOk(verdict, target) === good).map(({ peer }) => peer));
  const bad = of(false);
  const [only] = bad;
  return bad.size === 1 && only && !of(true).has(only) ? only : null;
}

/** Domain 5.4b, from the ring of the configured route at the present location. */
export const pattern: Pattern = {
  id: "ews-intermittent",
  title: "EWS comes and goes",
  layer: "server",
  scope: "client",
  mechanism:
    "Some requests reach Exchange and some do not: free/busy has gaps, and a login that falls into one prompts.",
  evidence:
    "The verdict of EWS changed between good and bad at least four times in the last ten probes of the configured route.",
  severities: ["will-prompt"],
  confidences: ["medium"],
  notThis: [
    "One outage: good, bad, good again are two changes.",
    "A laptop that changes networks: each location is judged by itself.",
  ],
  whoFixes: "Exchange team, proxy team or network team, by what the bad probes share",
  remedy: [
    {
      who: "Exchange team",
      what: "take the back end that the bad probes share out of the pool, if they share one",
      reference: null,
    },
    { who: "Network team", what: "check the Wi-Fi and the proxy's load, if they share none", reference: null },
  ],
  references: ["KB 2298541"],
  match(view) {
    const slot = view.ews?.configured;
    if (!view.ews || !slot) return null;
    // A 407 that may pass silently is no badness (rule 1).
    if (slot.verdict === "proxy-auth-required" && mayPassSilently(slot.facts)) return null;
    const { target } = view.ews;
    const entries = slot.ring.filter(
      ({ location, verdict }) => location === view.location && verdict !== "proxy-auth-required",
    );
    const changes = turns(entries, target);
    if (changes < 4) return null;
    const good = entries.filter(({ verdict }) => isOk(verdict, target)).length;
    const peer = sharedPeer(entries, target);
    return makeMatch({
      severity: "will-prompt",
      confidence: "medium",
      explains: view.ews.state === "bad",
      cause: `EWS at ${hostOf(slot)} comes and goes (${good} of ${entries.length} probes good)`,
      sentence: `Credential prompts expected now and then: EWS at ${hostOf(slot)} changed ${changes} times in ${entries.length} probes.${peer ? ` All bad ones came from ${quote(peer)}.` : " The bad ones share no back end that the good ones lack."} Fix on the balancer, the proxy or the network.`,
      evidence: [
        factEvidence(
          `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
          `${changes} changes in ${entries.length} probes: ${entries.map(({ verdict }) => verdict).join(", ")}`,
          String(changes),
          slot.at,
        ),
        peer ? factEvidence("peer", `Back end of all bad probes: ${quote(peer)}`, peer, slot.at) : null,
      ],
    });
  },
};
