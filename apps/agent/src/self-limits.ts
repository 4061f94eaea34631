import type { Clock } from "./clock.ts";

/** Below every program that somebody waits for. */
export const niceness = 10;

/** What the agent may take of a machine that belongs to somebody else. */
export interface Budget {
  /** Share of one processor core, averaged over five minutes. */
  readonly processorPercent: number;
  /** Resident memory. */
  readonly rssBytes: number;
}

/** Several times what the agent ever needs; more is a fault. */
export const defaultBudget: Budget = { processorPercent: 10, rssBytes: 256 * 1024 * 1024 };

/** How often the agent had to hold itself back since it was installed, for its heartbeat. */
export interface LimitActs {
  readonly processor: number;
  readonly memory: number;
}

export interface LimitWatch {
  readonly clock: Pick<Clock, "setTimer" | "monotonic">;
  readonly budget: Budget;
  readonly usage: () => { readonly rssBytes: number; readonly cpuMs: number };
  /** Gives back what can be given back; asked before memory condemns the process. */
  readonly release: () => void;
  /** Probes wait (true) until the average is within the budget again (false). */
  readonly onHold: (hold: boolean, processorPercent: number) => void;
  /** Nothing else helped: a new process is the cure. Called once, and ends the watch. */
  readonly onHopeless: (what: "processor" | "memory", amount: number) => void;
}

const lookEveryMs = 30_000;
const windowMs = 300_000;

/**
 * Keeps the process within its budget. Over the share of the processor, probes wait until the average is below it
 * again; when waiting for a whole window does not help, or memory cannot be given back, the process has to start anew.
 * Node cannot bound its own heap after the start.
 * @returns what ends the watch.
 */
export function watchLimits(options: LimitWatch): () => void {
  const { clock, budget, usage, release, onHold, onHopeless } = options;
  let cancel = () => {};
  let samples = [{ at: clock.monotonic(), cpuMs: usage().cpuMs }];
  let heldSince: number | null = null;

  function look(): void {
    let { rssBytes } = usage();
    if (rssBytes > budget.rssBytes) {
      release();
      ({ rssBytes } = usage());
      if (rssBytes > budget.rssBytes) {
        onHopeless("memory", rssBytes);
        return;
      }
    }
    const now = clock.monotonic();
    const latest = { at: now, cpuMs: usage().cpuMs };
    samples = [...samples.filter(({ at }) => now - at <= windowMs), latest];
    const oldest = samples[0] ?? latest;
    // A young window counts as a whole one: a start is busy and short.
    const percent = ((latest.cpuMs - oldest.cpuMs) / windowMs) * 100;
    if (percent <= budget.processorPercent) {
      if (heldSince !== null) onHold(false, percent);
      heldSince = null;
    } else if (heldSince === null) {
      heldSince = now;
      onHold(true, percent);
    } else if (now - heldSince > windowMs + lookEveryMs) {
      onHopeless("processor", percent);
      return;
    }
    cancel = clock.setTimer(look, lookEveryMs);
  }
  look();
  return () => cancel();
}

/** How long nothing must have happened before memory is given back. */
const quietMs = 5_000;
const releaseEveryMs = 60_000;

/**
 * Gives memory back while nothing goes on: first soon after the last work, then each minute what the heartbeats touched.
 * @param busy whether a cycle runs.
 * @returns what ends it.
 */
export function releaseWhenIdle(
  clock: Pick<Clock, "setTimer">,
  busy: () => boolean,
  release: (afterWork: boolean) => void,
): () => void {
  let worked = true;
  let cancel = clock.setTimer(look, quietMs);
  function look(): void {
    if (busy()) {
      worked = true;
      cancel = clock.setTimer(look, quietMs);
      return;
    }
    release(worked);
    worked = false;
    cancel = clock.setTimer(look, releaseEveryMs);
  }
  return () => cancel();
}
