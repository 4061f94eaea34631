/** Time as the agent's parts see it. The real one is made in `main.ts`; tests advance their own. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** Milliseconds since the machine started, counting sleep; comparable between processes of one boot. */
  uptime(): number;
  /** Names this boot of the machine, so that an uptime kept on disk is never compared with another boot's. */
  readonly boot: string;
  /** Calls `fn` once after `ms`; returns its cancellation. */
  setTimer(fn: () => void, ms: number): () => void;
}

/** A random number in [0, 1). */
export type Random = () => number;
