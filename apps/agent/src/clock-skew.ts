import type { ProbeFacts, SystemFacts } from "@lynceus/protocol/facts";

/** One target's clock against ours, in milliseconds; theirs minus ours. */
export interface SkewSample {
  readonly host: string;
  readonly skewMs: number;
}

const maxRoundTripMs = 2_000;
/** A Date header has whole seconds, and the end of a probe is not quite the moment of its answer. */
const resolutionMs = 5_000;

/**
 * What a finished probe tells of the clocks (domain 6.3). Null when its answer is no good witness: slow, out of a cache,
 * or not trusted.
 * @param now our wall clock right after the probe.
 */
export function skewSample(probe: ProbeFacts, now: number): SkewSample | null {
  const { http, endpoint } = probe;
  if (!http || http.untrusted || http.headers.age !== undefined || http.ms >= maxRoundTripMs) return null;
  const date = Date.parse(http.headers.date ?? "");
  if (!Number.isFinite(date)) return null;
  return { host: endpoint.host, skewMs: date + 500 - (now - http.ms / 2) };
}

/** The skew that two different hosts agree on, to five seconds; null when they do not or there are not two. */
export function clockSkew(samples: readonly SkewSample[]): number | null {
  const byHost = new Map(samples.map((sample) => [sample.host, sample.skewMs]));
  const [a, b] = byHost.values();
  if (a === undefined || b === undefined || Math.abs(a - b) > 2 * resolutionMs) return null;
  // `|| 0`: no negative zero on the wire.
  return Math.round((a + b) / 2 / resolutionMs) * resolutionMs || 0;
}

type ClockSources = NonNullable<SystemFacts["clockSources"]>;

/** With the collector's, as many as the wire takes. */
const maxTargets = 15;
const second = 1000;

/** What each host's Date header says by itself, to the second: which of two that disagree is off, others judge. */
export const clockSources = (samples: readonly SkewSample[]): ClockSources =>
  [...new Map(samples.map((sample) => [sample.host, sample.skewMs]))]
    .slice(0, maxTargets)
    .map(([host, skewMs]) => ({ source: "target", host, skewMs: Math.round(skewMs / second) * second || 0 }));

/** The facts with the collector's clock among the sources; null = it was not heard lately. */
export function withCollectorClock(facts: SystemFacts, skewMs: number | null): SystemFacts {
  if (skewMs === null) return facts;
  const collector = { source: "collector" as const, host: null, skewMs: Math.round(skewMs / second) * second || 0 };
  return { ...facts, clockSources: [collector, ...(facts.clockSources ?? [])] };
}

/**
 * The collector's clock minus ours by one question and its answer; null where the answer took too long to tell.
 * @param theirs the collector's clock in its answer. @param now our wall clock when it came. @param roundTripMs monotonic.
 */
export const answeredSkew = (theirs: number, now: number, roundTripMs: number): number | null =>
  roundTripMs >= 0 && roundTripMs < maxRoundTripMs ? theirs - (now - roundTripMs / 2) : null;
