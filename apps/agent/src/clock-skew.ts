import type { ProbeFacts } from "@lynceus/protocol/facts";

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
