/**
 * Slows a key down after failures: each further one doubles the wait, up to the longest. It never locks: whoever may
 * not be kept out waits a minute at most. Bounded: the key that was quiet longest is forgotten when there are too many.
 */
export interface BackOff {
  /** Milliseconds until `key` may try again; 0 when now. */
  wait(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
}

export function backOff(options: {
  now: () => number;
  /** Failures that cost nothing: people mistype. */
  free: number;
  firstMs: number;
  longestMs: number;
  /** A key that did not fail for this long begins anew. */
  forgetMs: number;
  keys?: number;
}): BackOff {
  const { now, free, firstMs, longestMs, forgetMs, keys = 10_000 } = options;
  const failures = new Map<string, { times: number; last: number }>();
  const known = (key: string) => {
    const entry = failures.get(key);
    return entry !== undefined && now() - entry.last < forgetMs ? entry : { times: 0, last: 0 };
  };
  return {
    wait: (key) => {
      const { times, last } = known(key);
      if (times <= free) return 0;
      return Math.max(0, last + Math.min(longestMs, firstMs * 2 ** (times - free - 1)) - now());
    },
    failed: (key) => {
      const { times } = known(key);
      failures.delete(key);
      failures.set(key, { times: times + 1, last: now() });
      const oldest = failures.keys().next().value;
      if (failures.size > keys && oldest !== undefined) failures.delete(oldest);
    },
    succeeded: (key) => void failures.delete(key),
  };
}
