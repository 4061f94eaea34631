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

export interface Limits {
  readonly clock: Pick<Clock, "monotonic">;
  readonly budget: Budget;
  readonly usage: () => { readonly rssBytes: number; readonly cpuMs: number };
  /** Gives back what can be given back; asked before memory condemns the process. */
  readonly release: () => void;
  /** Probes wait (true) until the average is within the budget again (false). */
  readonly onHold: (hold: boolean, processorPercent: number) => void;
  /** Nothing else helped: a new process is the cure. Called once. */
  readonly onHopeless: (what: "processor" | "memory", amount: number) => void;
}

const windowMs = 300_000;
/** Looks are about a minute apart. */
const slackMs = 60_000;

/**
 * Keeps the process within its budget. Over the share of the processor, probes wait until the average is below it
 * again; when waiting for a whole window does not help, or memory cannot be given back, the process has to start anew.
 * Node cannot bound its own heap after the start.
 * @returns what looks, to be called about each minute.
 */
export function keepLimits(options: Limits): () => void {
  const { clock, budget, usage, release, onHold, onHopeless } = options;
  let samples = [{ at: clock.monotonic(), cpuMs: usage().cpuMs }];
  let heldSince: number | null = null;
  let hopeless = false;
  const giveUp: typeof onHopeless = (what, amount) => {
    hopeless = true;
    onHopeless(what, amount);
  };

  return () => {
    if (hopeless) return;
    let { rssBytes, cpuMs } = usage();
    if (rssBytes > budget.rssBytes) {
      release();
      ({ rssBytes, cpuMs } = usage());
      if (rssBytes > budget.rssBytes) return giveUp("memory", rssBytes);
    }
    const now = clock.monotonic();
    samples = [...samples.filter(({ at }) => now - at <= windowMs), { at: now, cpuMs }];
    // A young window counts as a whole one: a start is busy and short.
    const percent = ((cpuMs - (samples[0]?.cpuMs ?? cpuMs)) / windowMs) * 100;
    if (percent <= budget.processorPercent) {
      if (heldSince !== null) onHold(false, percent);
      heldSince = null;
    } else if (heldSince === null) {
      heldSince = now;
      onHold(true, percent);
    } else if (now - heldSince > windowMs + slackMs) giveUp("processor", percent);
  };
}
