import type { RingEntry } from "@lynceus/protocol/state";
import { factEvidence, hostOf, makeMatch, type Pattern } from "../pattern.ts";
import { isOk } from "../verdicts.ts";

/** Domain 5.4b: time to the first header of the answer. */
const slowMs = 2000;
/** Above this, connecting itself is slow: then the network is, not EWS. */
const fastMs = 500;

const late = ({ phases: [, tcp, connect, tls, http] }: RingEntry) =>
  http !== null && http > slowMs && [tcp, connect, tls].every((ms) => ms === null || ms <= fastMs);

/**
 * Domain 5.4b. The machine's own 7-day median is not in its state; the absolute limit stands alone.
 */
export const pattern: Pattern = {
  id: "ews-slow",
  title: "EWS answers late",
  layer: "server",
  scope: "client",
  mechanism: "Lync waits for EWS with a limit of its own. Answers that come late today may not come in time tomorrow.",
  evidence:
    "In 3 of the last 5 probes, Exchange answered well but its first header took more than 2 s, with TCP and TLS fast.",
  severities: ["at-risk"],
  confidences: ["medium"],
  notThis: ["A slow network: there, all phases are slow.", "One late answer: three of five are needed."],
  whoFixes: "Exchange team",
  remedy: [
    { who: "Exchange team", what: "check the server's load and its back end", reference: null },
    { who: "Proxy team", what: "check the proxy's queue, where direct is fast", reference: null },
  ],
  references: ["KB 2298541"],
  match(view) {
    const slot = view.ews?.configured;
    if (!view.ews || !slot) return null;
    const { target } = view.ews;
    const entries = slot.ring.filter(({ location }) => location === view.location).slice(-5);
    const slow = entries.filter((entry) => isOk(entry.verdict, target) && late(entry));
    if (slow.length < 3) return null;
    const worst = Math.max(...slow.map(({ phases }) => phases[4] ?? 0));
    const seconds = (worst / 1000).toFixed(1);
    return makeMatch({
      severity: "at-risk",
      confidence: "medium",
      explains: false,
      cause: `EWS at ${hostOf(slot)} answers late (${seconds} s)`,
      sentence: `EWS at ${hostOf(slot)} answers late: ${slow.length} of the last ${entries.length} probes took more than 2 s, the longest ${seconds} s, with a fast connection. Fix on Exchange or the proxy's queue.`,
      evidence: [
        factEvidence(
          `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
          `Time to the first header: ${entries.map(({ phases }) => (phases[4] === null ? "none" : `${(phases[4] / 1000).toFixed(1)} s`)).join(", ")}`,
          `${Math.round(worst)} ms`,
          slot.at,
        ),
      ],
    });
  },
};
