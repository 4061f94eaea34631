import type { Policy, Target } from "@lynceus/protocol/policy";
import type { Random } from "./clock.ts";

/*
 * When to probe what (domain 6.2, 5.0 rule 15). Pure: it is told the time and answers what is due. Times are
 * milliseconds of any clock that does not go back.
 */

export type CycleReason = "start" | "interval" | "network" | "check-now" | "failed" | "spread";

export type Due =
  | { readonly type: "settings" }
  /** `whole`: the facts about machine, settings and PAC belong to it, not only these targets. */
  | {
      readonly type: "probe";
      readonly reason: CycleReason;
      readonly targets: readonly string[];
      readonly whole: boolean;
    };

export interface Schedule {
  /** Takes a policy into use; the first one makes a cycle due at once, a changed one within a minute. */
  setPolicy(policy: Policy, now: number): void;
  /** Network or proxy settings changed: an extra cycle 5–60 s later, at most one a minute. */
  networkChanged(now: number): void;
  /** An admin waits: every target at once, whatever its share of the budget. */
  checkNow(now: number): void;
  /** What is due now; it counts as begun. Null: nothing. */
  take(now: number): Due | null;
  /** What a probe of the configured route came to: a target that has just failed is tried again twice. */
  probed(target: string, failed: boolean, now: number): void;
  /** When `take` should be asked next. */
  nextAt(): number;
}

const jitter = 0.2;
/** Sampled targets are probed in one cycle of so many (rule 15), and in the first one. */
const sampleEvery = 4;
/**
 * Up to this share the fleet's budget does not bind: it is only one machine's own restraint, and the first picture of
 * a machine may be whole at once. A larger fleet's machines start as spread as they go on.
 */
const burstShareSeconds = 60;
const extraDelay = [5_000, 60_000] as const;
const extraEveryMs = 60_000;
/** First and second re-probe of a target that failed: 60 s and 120 s at least, spread within five minutes (rule 15). */
const retryDelays = [
  [60_000, 120_000],
  [120_000, 300_000],
] as const;

const never = Number.POSITIVE_INFINITY;

export function createSchedule(random: Random): Schedule {
  let policy: Policy | null = null;
  let nextCycle = never;
  let nextSettings = never;
  let extra = never;
  let lastExtra = -never;
  let wanted = false;
  let cycles = 0;
  /** Targets of the running cycle that wait for their host's share. */
  let waiting: Target[] = [];
  let waitingReason: CycleReason = "interval";
  const lastRequest = new Map<string, number>();
  const failures = new Map<string, { tries: number; at: number }>();

  const between = ([from, to]: readonly [number, number]) => Math.round(from + random() * (to - from));
  const jittered = (minutes: number) => Math.round(minutes * 60_000 * (1 - jitter + random() * 2 * jitter));
  const readyAt = (target: Target) =>
    (lastRequest.get(target.host.toLowerCase()) ?? -never) + (policy?.minSecondsPerHost ?? 0) * 1000;
  const spaced = () => (policy?.minSecondsPerHost ?? 0) > 0;

  /** The waiting targets that may go now: with a budget, one of each host. */
  function release(now: number): Target[] {
    const hosts = new Set<string>();
    const released: Target[] = [];
    waiting = waiting.filter((target) => {
      const host = target.host.toLowerCase();
      if (spaced() && (hosts.has(host) || readyAt(target) > now)) return true;
      hosts.add(host);
      released.push(target);
      return false;
    });
    for (const host of hosts) lastRequest.set(host, now);
    return released;
  }

  const targetOf = (id: string) => policy?.targets.find((target) => target.id === id);

  /** A re-probe waits for its host's share too. */
  function retryAt(id: string, planned: number): number {
    const target = targetOf(id);
    return target ? Math.max(planned, readyAt(target)) : planned;
  }

  function cycle(reason: CycleReason, now: number): Due {
    const all = policy?.targets ?? [];
    const sampled = reason !== "interval" || cycles % sampleEvery === 0;
    if (reason === "interval" || reason === "start") cycles++;
    nextCycle = now + jittered(policy?.intervals.cycleMinutes ?? 15);
    nextSettings = now + (policy?.intervals.settingsMinutes ?? 5) * 60_000;
    const chosen = all.filter((target) => sampled || target.cadence === "cycle");
    // What everything else is judged by goes first, where one host has several targets.
    waiting = [...chosen].sort((a, b) => Number(a.cadence === "sampled") - Number(b.cadence === "sampled"));
    waitingReason = reason;
    if (reason === "check-now" || (reason === "start" && (policy?.minSecondsPerHost ?? 0) <= burstShareSeconds)) {
      for (const target of waiting) lastRequest.set(target.host.toLowerCase(), now);
      const targets = waiting.map((target) => target.id);
      waiting = [];
      return { type: "probe", reason, targets, whole: true };
    }
    return { type: "probe", reason, targets: release(now).map((target) => target.id), whole: true };
  }

  return {
    setPolicy(next, now) {
      const first = policy === null;
      policy = next;
      const ids = new Set(next.targets.map((target) => target.id));
      for (const id of failures.keys()) if (!ids.has(id)) failures.delete(id);
      const hosts = new Set(next.targets.map((target) => target.host.toLowerCase()));
      for (const host of lastRequest.keys()) if (!hosts.has(host)) lastRequest.delete(host);
      waiting = waiting.filter((target) => ids.has(target.id));
      // A changed policy reaches the whole fleet at once: its first use is spread.
      nextCycle = first ? now : Math.min(nextCycle, now + between(extraDelay));
      nextSettings = Math.min(nextSettings, now + next.intervals.settingsMinutes * 60_000);
    },
    networkChanged(now) {
      if (policy === null || extra !== never) return;
      extra = Math.max(now + between(extraDelay), lastExtra + extraEveryMs);
    },
    checkNow() {
      wanted = true;
    },
    take(now) {
      if (policy === null) return null;
      if (wanted) {
        wanted = false;
        return cycle("check-now", now);
      }
      if (extra <= now) {
        extra = never;
        lastExtra = now;
        return cycle("network", now);
      }
      if (nextCycle <= now) return cycle(cycles === 0 ? "start" : "interval", now);
      const again = [...failures].filter(([id, failure]) => retryAt(id, failure.at) <= now).map(([id]) => id);
      for (const id of again) {
        const failure = failures.get(id);
        const target = targetOf(id);
        if (failure) failure.at = never;
        if (target && !waiting.includes(target)) {
          if (waiting.length === 0) waitingReason = "failed";
          waiting.unshift(target);
        }
      }
      const released = release(now);
      if (released.length > 0) {
        const reason = waitingReason === "failed" || again.length > 0 ? "failed" : "spread";
        return { type: "probe", reason, targets: released.map((target) => target.id), whole: false };
      }
      if (nextSettings <= now) {
        nextSettings = now + policy.intervals.settingsMinutes * 60_000;
        return { type: "settings" };
      }
      return null;
    },
    probed(id, failed, now) {
      if (!failed) return void failures.delete(id);
      const failure = failures.get(id) ?? { tries: 0, at: never };
      const delay = retryDelays[failure.tries];
      // A try that is planned already stays where it is; after the second the normal cycle goes on.
      if (delay && failure.at === never) {
        failure.at = now + between(delay);
        failure.tries++;
      }
      failures.set(id, failure);
    },
    nextAt() {
      if (policy === null) return never;
      if (wanted) return -never;
      const spread = waiting.length === 0 ? never : Math.min(...waiting.map(readyAt));
      const again = Math.min(never, ...[...failures].map(([id, failure]) => retryAt(id, failure.at)));
      return Math.min(nextCycle, nextSettings, extra, spread, again);
    },
  };
}
