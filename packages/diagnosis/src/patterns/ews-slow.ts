import type { RingEntry } from "@lynceus/protocol/state";
import { medianLatency } from "../latency.ts";
import { factEvidence, hostOf, makeMatch, type Pattern } from "../pattern.ts";
import { isOk } from "../verdicts.ts";

/** Domain 5.4b: time to the first header of the answer. */
const slowMs = 2000;
/** Above this, connecting itself is slow: then the network is, not EWS. */
const fastMs = 500;

/** How many times the machine's own median. */
const usualTimes = 3;

const late = ({ phases: [, tcp, connect, tls, http] }: RingEntry, limit: number) =>
  http !== null && http > limit && [tcp, connect, tls].every((ms) => ms === null || ms <= fastMs);
const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Domain 5.4b. Where the machine's own median of seven days is known, it is the measure; the absolute limit always. */
export const pattern: Pattern = {
  id: "ews-slow",
  title: "EWS answers late",
  layer: "server",
  scope: "client",
  mechanism: "Lync waits for EWS with a limit of its own. Answers that come late today may not come in time tomorrow.",
  evidence:
    "In 3 of the last 5 probes, Exchange answered well but its first header took more than 2 s, and more than 3 times the machine's own median of seven days where that is known, with TCP and TLS fast.",
  severities: ["at-risk"],
  confidences: ["medium"],
  notThis: [
    "A slow network: there, all phases are slow.",
    "One late answer: three of five are needed.",
    "A machine far away whose answers always take so long: its own median says so.",
  ],
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
    const median = medianLatency(slot.latency, view.now);
    const limit = Math.max(slowMs, usualTimes * (median ?? 0));
    const slow = entries.filter((entry) => isOk(entry.verdict, target) && late(entry, limit));
    if (slow.length < 3) return null;
    const worst = Math.max(...slow.map(({ phases }) => phases[4] ?? 0));
    const usual = median === null ? "" : ` (usually ${inSeconds(median)})`;
    return makeMatch({
      severity: "at-risk",
      confidence: "medium",
      explains: false,
      cause: `EWS at ${hostOf(slot)} answers late (${inSeconds(worst)})`,
      sentence: `EWS at ${hostOf(slot)} answers late: ${slow.length} of the last ${entries.length} probes took more than ${inSeconds(limit)}, the longest ${inSeconds(worst)}${usual}, with a fast connection. Fix on Exchange or the proxy's queue.`,
      evidence: [
        factEvidence(
          `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
          `Time to the first header: ${entries.map(({ phases }) => (phases[4] === null ? "none" : inSeconds(phases[4]))).join(", ")}`,
          `${Math.round(worst)} ms`,
          slot.at,
        ),
        median === null
          ? null
          : factEvidence(
              `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
              `This machine's own median of seven days: ${inSeconds(median)}`,
              `${Math.round(median)} ms`,
              slot.at,
            ),
      ],
    });
  },
};
