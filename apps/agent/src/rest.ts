import type { Clock } from "./clock.ts";

/** How long nothing must have happened before memory is given back. */
const quietMs = 1_000;
const stillBusyMs = 5_000;
/** At least this often, also where nothing says that something is over. */
const everyMs = 60_000;

export interface Rest {
  /**
   * Something is over now: what it touched is given back soon.
   * @param worked whether it was more than a heartbeat.
   */
  soon(worked: boolean): void;
  end(): void;
}

export interface RestOptions {
  readonly clock: Pick<Clock, "setTimer">;
  /** Whether a cycle runs. */
  readonly busy: () => boolean;
  /** Looks after the limits: before memory is given back, and while a cycle runs. */
  readonly look: () => void;
  /** Gives memory back; told whether there was work since the last time. */
  readonly release: (afterWork: boolean) => void;
}

/**
 * All that the process does for itself, gathered so that it seldom wakes: soon after each thing that was done, and each
 * minute.
 */
export function restWhenIdle({ clock, busy, look, release }: RestOptions): Rest {
  let afterWork = true;
  let isSoon = false;
  let cancel = () => {};
  function wait(ms: number): void {
    cancel();
    isSoon = ms < everyMs;
    cancel = clock.setTimer(rest, ms);
  }
  function rest(): void {
    look();
    const isBusy = busy();
    if (!isBusy) {
      release(afterWork);
      afterWork = false;
    }
    wait(isBusy ? stillBusyMs : everyMs);
  }
  wait(quietMs);
  return {
    soon(worked) {
      afterWork ||= worked;
      if (!isSoon) wait(quietMs);
    },
    end: () => cancel(),
  };
}
