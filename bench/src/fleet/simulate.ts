import type { Policy } from "@lynceus/protocol/policy";
import { type Fault, type FaultStep, faultAt } from "./faults.ts";
import { type Identity, newIdentity } from "./identity.ts";
import { makeMachine, observe, type Site } from "./machine.ts";
import { seeded } from "./random.ts";
import { type Collector, openSession, type Session } from "./session.ts";

export interface FleetOptions {
  readonly machines: number;
  readonly seed: number;
  /** Steps that are added while it runs hold from then on. */
  readonly steps: readonly FaultStep[];
  /** Machine n is at site n modulo their number; the simulated company's when absent. */
  readonly sites?: readonly Site[];
  readonly collector: Collector;
  /** Seconds between two cycles; null = the policy's. */
  readonly cycleSeconds: number | null;
  /** Identities of an earlier run. */
  readonly identities: readonly Identity[];
  /** Connections that may be under way at once. */
  readonly opening: number;
  readonly onAck?: (milliseconds: number) => void;
  readonly log: (line: string) => void;
}

export interface Fleet {
  readonly identities: readonly Identity[];
  readonly connected: number;
  /** Connections that ended without our doing, by what was said of it. */
  readonly lost: ReadonlyMap<string, number>;
  readonly reported: number;
  readonly acked: number;
  /** Every machine looks anew at a moment of its own within these seconds, as agents do when their network changes. */
  check(withinSeconds: number): void;
  stop(): Promise<void>;
}

/** Runs a fleet of simulated machines over the real protocol until stopped. Seeded: the same options make the same fleet. */
export function simulate(options: FleetOptions): Fleet {
  const { machines: count, collector } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let connected = 0;
  const lost = new Map<string, number>();
  let reported = 0;
  let acked = 0;
  let stopping = false;
  let opening = 0;
  const waiting: (() => void)[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const later = (run: () => void, ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!stopping) run();
    }, ms);
    timers.add(timer);
  };
  const opened = () => {
    opening -= 1;
    waiting.shift()?.();
  };
  const identities = Array.from({ length: count }, (_, i) => options.identities[i] ?? newIdentity());
  const sessions = new Map<number, Session>();
  const checks: ((withinMs: number) => void)[] = [];
  let policy: Policy | null = null;

  const member = (index: number) => {
    const random = seeded(options.seed * 1_000_003 + index);
    const machine = makeMachine(index, count, random, options.sites);
    const identity = identities[index] as Identity;
    let failures = 0;
    let offUntil = 0;
    let look = () => {};
    checks[index] = (withinMs) => later(() => look(), random() * withinMs);
    const connect = () => {
      if (stopping) return;
      if (opening >= options.opening) {
        waiting.push(connect);
        return;
      }
      opening += 1;
      let ready = false;
      let cycling = false;
      const see = (session: Session) => {
        if (sessions.get(index) !== session || !policy) return;
        const fault: Fault = faultAt(options.steps, machine.position, machine.site.name, seconds());
        if (fault === "signed-off") {
          session.report(observe(machine, policy, "none"), Date.now());
          session.goodbye(Date.now());
          offUntil = Date.now() + 3_600_000;
          later(() => session.close(), 2000);
          return;
        }
        const drafts = observe(machine, policy, fault);
        reported += drafts.length;
        session.report(drafts, Date.now());
      };
      const cycle = (session: Session) => {
        see(session);
        if (sessions.get(index) !== session || !policy || offUntil > Date.now()) return;
        const period = (options.cycleSeconds ?? policy.intervals.cycleMinutes * 60) * (0.8 + 0.4 * random());
        later(() => cycle(session), period * 1000);
      };
      const beat = (session: Session) => {
        if (sessions.get(index) !== session) return;
        session.heartbeat(Date.now());
        later(() => beat(session), (policy?.intervals.heartbeatSeconds ?? 30) * 1000);
      };
      const begin = () => {
        if (cycling || !ready || !policy) return;
        cycling = true;
        look = () => see(session);
        later(() => cycle(session), random() * Math.min(10, options.cycleSeconds ?? 10) * 1000);
      };
      const session = openSession(
        machine,
        identity,
        collector,
        {
          onReady() {
            opened();
            ready = true;
            failures = 0;
            connected += 1;
            sessions.set(index, session);
            later(() => beat(session), random() * 30_000);
            begin();
          },
          onPolicy(next) {
            policy = next;
            begin();
          },
          onAck(_seq, sentAt) {
            acked += 1;
            if (sentAt !== undefined) options.onAck?.(performance.now() - sentAt);
          },
          onCommand(id) {
            if (!policy) return;
            const drafts = observe(
              machine,
              policy,
              faultAt(options.steps, machine.position, machine.site.name, seconds()),
            );
            session.progress(id, "started", 0, drafts.length);
            session.report(drafts, Date.now());
            session.progress(id, "done", drafts.length, drafts.length);
          },
          onClosed(reason) {
            if (ready) {
              connected -= 1;
              if (!stopping) lost.set(reason, (lost.get(reason) ?? 0) + 1);
            } else opened();
            sessions.delete(index);
            failures += 1;
            if (failures === 8 || reason === "bad-token") options.log(`${machine.hostname}: ${reason}`);
            // Full jitter, as the agent has it.
            const wait = Math.max(random() * Math.min(60_000, 1000 * 2 ** failures), offUntil - Date.now());
            later(connect, wait);
          },
        },
        () => performance.now(),
      );
    };
    connect();
  };
  for (let index = 0; index < count; index++) member(index);
  return {
    identities,
    get connected() {
      return connected;
    },
    get lost() {
      return lost;
    },
    get reported() {
      return reported;
    },
    get acked() {
      return acked;
    },
    check(withinSeconds) {
      for (const check of checks) check(withinSeconds * 1000);
    },
    async stop() {
      for (const session of sessions.values()) session.goodbye(Date.now());
      await new Promise((resolve) => setTimeout(resolve, 200));
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      for (const session of sessions.values()) session.close();
    },
  };
}
