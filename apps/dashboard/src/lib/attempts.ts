/**
 * Counts failed attempts per key in a sliding window and says when the next one is welcome. Bounded: the key that was
 * quiet longest is forgotten when there are too many.
 */
export interface Attempts {
  /** Milliseconds until `key` may try again; 0 when now. */
  wait(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
}

export function attempts(options: {
  now: () => number;
  /** Failures within the window after which a key must wait. */
  most: number;
  windowMs: number;
  keys?: number;
}): Attempts {
  const { now, most, windowMs, keys = 10_000 } = options;
  const failures = new Map<string, number[]>();
  const recent = (key: string) => (failures.get(key) ?? []).filter((at) => at > now() - windowMs);
  return {
    wait: (key) => {
      const times = recent(key);
      const first = times.at(-most);
      return first === undefined ? 0 : Math.max(0, first + windowMs - now());
    },
    failed: (key) => {
      const times = [...recent(key), now()].slice(-most);
      failures.delete(key);
      failures.set(key, times);
      const oldest = failures.keys().next().value;
      if (failures.size > keys && oldest !== undefined) failures.delete(oldest);
    },
    succeeded: (key) => void failures.delete(key),
  };
}
