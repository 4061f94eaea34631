/** A clock that moves only when a test says so, with the timers that hang on it. */
export interface FakeClock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Monotonic milliseconds since the clock was made. */
  monotonic(): number;
  /** Calls `fn` once `ms` have been advanced; returns its cancellation. */
  setTimer(fn: () => void, ms: number): () => void;
  /** Resolves after `ms` have been advanced; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves both clocks on and fires what falls due, in order; awaits what the timers started. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an NTP step or a user does. */
  setWallClock(now: number): void;
  /** Timers that wait. */
  pending(): number;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Lets every promise that is ready run, also chains of them. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * @param start wall clock at the beginning; 2026-11-22T08:00:00Z by default.
 * @example const clock = fakeClock(); const done = clock.sleep(1000); await clock.advance(1000); await done;
 */
export function fakeClock(start: number = Date.UTC(2026, 10, 22, 8)): FakeClock {
  let elapsed = 0;
  let wall = start;
  let order = 0;
  const timers = new Set<Timer>();

  const setTimer = (fn: () => void, ms: number) => {
    const timer: Timer = { due: elapsed + Math.max(0, ms), order: order++, fn };
    timers.add(timer);
    return () => {
      timers.delete(timer);
    };
  };
  const next = (until: number) =>
    [...timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due || a.order - b.order)[0];

  return {
    now: () => wall,
    monotonic: () => elapsed,
    setTimer,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = setTimer(() => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        }, ms);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = next(until); timer; timer = next(until)) {
        timers.delete(timer);
        wall += timer.due - elapsed;
        elapsed = timer.due;
        timer.fn();
        await settle();
      }
      wall += until - elapsed;
      elapsed = until;
    },
    setWallClock(now) {
      wall = now;
    },
    pending: () => timers.size,
  };
}
