import type { CanaryAnswer, CanaryRoute } from "@lynceus/protocol/canary";
import { decodeObservation } from "@lynceus/protocol/decode";
import type { ObservationKind, ProbeFacts, RawObservation, SettingsFacts, SystemFacts } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { CanaryRequest } from "./canary.ts";
import type { Clock, Random } from "./clock.ts";
import { withCollectorClock } from "./clock-skew.ts";
import { factsDigest, phaseTimings } from "./digest.ts";
import { looksFailed } from "./failed-probe.ts";
import { type KnownFacts, knownFacts } from "./known-facts.ts";
import type { GoodbyeReason, Link, LinkState } from "./link/link.ts";
import type { LogLevel } from "./log.ts";
import type { DroppedEntry, Outbox } from "./outbox/outbox.ts";
import type { Change, MachineWatch, Watched } from "./platform/watch.ts";
import { type CycleReason, createSchedule } from "./schedule.ts";

/** Facts as a cycle hands them over; number, time and digest are the runtime's. */
export interface Draft {
  readonly kind: ObservationKind;
  readonly key: string;
  readonly location: Location;
  readonly facts: unknown;
}

export interface CycleRequest {
  readonly policy: Policy;
  /** Ids of the targets to probe now. */
  readonly targets: readonly string[];
  /** Whether the facts about the machine, its settings and scripts belong to it. */
  readonly whole: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export interface RuntimeOptions {
  readonly observe: (request: CycleRequest) => AsyncIterable<Draft>;
  readonly readSettings: () => Promise<SettingsFacts>;
  readonly canary: (request: CanaryRequest) => Promise<CanaryAnswer[]>;
  /** Changes when an address, a gateway, a resolver or a watched settings file does. Cheap: asked every few seconds. */
  readonly networkFingerprint: () => string;
  /** Tells as soon as the settings or the network may have changed. Absent: both are only read in their turn. */
  readonly watch?: (handlers: MachineWatch) => Watched;
  readonly outbox: Outbox;
  readonly link: Pick<Link, "start" | "stop" | "wake" | "progress" | "answerCanary" | "state"> &
    Partial<Pick<Link, "collectorSkewMs">>;
  readonly clock: Clock;
  readonly random: Random;
  /** The policy of the last session. */
  readonly policy: Policy | null;
  readonly log: (level: LogLevel, message: string, detail?: Record<string, unknown>) => void;
  /** For now there is nothing to do; `worked` says whether there was. */
  readonly onRest?: (worked: boolean) => void;
  /** Something that `status` shows has changed. */
  readonly onStatus: (lastCycle: LastCycle | null) => void;
}

export interface LastCycle {
  readonly at: number;
  readonly reason: CycleReason;
  readonly probes: number;
}

export interface Runtime {
  start(): void;
  /** A policy was received and passed the fence. */
  setPolicy(policy: Policy): void;
  /** An admin asked for a probe now; progress goes back over the link. */
  checkNow(commandId: string): void;
  /** An admin asked what proposed routes would give; the answer goes back over the link and changes nothing here. */
  canary(commandId: string, routes: readonly CanaryRoute[]): void;
  /** The outbox gave up entries: their facts are to be sent anew. */
  dropped(entries: readonly DroppedEntry[]): void;
  /** The collector lost what it had: everything is to be sent in full. */
  forgetAll(): void;
  linkChanged(state: LinkState): void;
  /** No cycle begins until it is false again: the agent took more of the processor than it may. */
  hold(hold: boolean): void;
  /** Whether a cycle runs. */
  busy(): boolean;
  /** Lets a running cycle end at once, says goodbye. */
  stop(reason: GoodbyeReason): Promise<void>;
}

/** How often the network is looked at where nobody tells of its changes. */
const watchEveryMs = 5_000;
/** Where somebody does, each look is only for a suspend that went by, and each costs the machine a little. */
const watchedEveryMs = 60_000;
/** The clock that runs on in a suspend may drift from the one that stops, and is read in whole seconds or coarser. */
const suspendMs = 10_000;
/** Facts of one moment travel in one message. */
const gatherMs = 200;
/** A change in the settings comes as several, one a value; and a program that writes them without end must not wear us out. */
const changeGatherMs = 250;
const changeEveryMs = 1_000;
/** Commands that may wait for the next cycle. */
const maxCommands = 16;

/** Observes when it is time, keeps what changed, and has the link send it. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { outbox, link, clock, random, log } = options;
  const schedule = createSchedule(random);
  const known: KnownFacts = knownFacts();
  let policy = options.policy;
  let location: Location = "unknown";
  let lastCycle: LastCycle | null = null;
  let fingerprint: string | null = null;
  let lastWatch = Number.NEGATIVE_INFINITY;
  /** How much longer the machine is up than it ran. */
  let asleepMs: number | null = null;
  let settingsDigest: string | null = null;
  let commands: string[] = [];
  /** Commands that the running cycle answers. */
  let answering: readonly string[] = [];
  let asked: { readonly id: string; readonly routes: readonly CanaryRoute[] } | null = null;
  let running: Promise<void> | null = null;
  let stopping = false;
  let paused = false;
  let held = false;
  let cancelTick = () => {};
  let cancelSend: (() => void) | null = null;
  let cancelChange: (() => void) | null = null;
  let lastChange = Number.NEGATIVE_INFINITY;
  let networkNoted = false;
  let watched: Watched | null = null;
  const abort = new AbortController();

  /** @param whole whether it belongs to a cycle, and not to a re-probe; settings read in between count with it. */
  function record(draft: Draft, whole = true): void {
    const at = clock.now();
    const digest = factsDigest(draft.kind, draft.facts);
    const { kind, key, facts } = draft;
    const mark = whole ? {} : ({ partial: true } as const);
    location = draft.location;
    if (kind === "settings") noteSettings(digest);
    if (known.holds(key, digest, location, clock.uptime())) {
      const timings = kind === "probe" ? phaseTimings(facts as ProbeFacts) : null;
      outbox.append({ type: "confirmation", at, key, location, digest, timings, ...mark });
    } else {
      const raw: RawObservation = { seq: 1, at, ageMs: 0, kind, key, location, digest, facts, ...mark };
      const decoded = decodeObservation(raw);
      // Facts that break the wire's own limits would be refused again at each attempt.
      if (!decoded.known) {
        log("error", "an observation breaks the wire's rules", { key, why: decoded.why });
        return;
      }
      const seq = outbox.append({ type: "observation", at, kind, key, location, digest, facts, ...mark });
      if (seq !== null) known.remember(key, digest, location, seq, clock.uptime());
    }
    cancelSend ??= clock.setTimer(() => {
      cancelSend = null;
      link.wake();
    }, gatherMs);
  }

  /** The system's facts with the one clock that only the link hears. */
  const withCollector = (draft: Draft): Draft =>
    draft.kind === "system"
      ? { ...draft, facts: withCollectorClock(draft.facts as SystemFacts, link.collectorSkewMs?.() ?? null) }
      : draft;

  /** A change of the proxy settings asks for an extra cycle. */
  function noteSettings(digest: string): void {
    if (settingsDigest !== null && settingsDigest !== digest) schedule.networkChanged(clock.uptime());
    settingsDigest = digest;
  }

  async function readSettings(): Promise<void> {
    const facts = await options.readSettings();
    const before = settingsDigest;
    const digest = factsDigest("settings", facts);
    noteSettings(digest);
    // Unchanged settings are confirmed by the next cycle; in between they are nobody's news.
    if (before !== digest) record({ kind: "settings", key: "settings", location, facts });
  }

  async function cycle(reason: CycleReason, targets: readonly string[], whole: boolean): Promise<void> {
    if (policy === null) return;
    if (reason === "check-now") {
      answering = commands;
      commands = [];
    }
    let done = 0;
    let total = targets.length;
    const tell = (state: "started" | "progress" | "done" | "refused", why?: string) => {
      for (const id of answering) link.progress(id, state, Math.min(done, 100_000), Math.min(total, 100_000), why);
    };
    tell("started");
    const onProgress = (nowDone: number, nowTotal: number) => {
      done = nowDone;
      total = Math.max(nowTotal, nowDone);
      tell("progress");
    };
    let probes = 0;
    try {
      const request = { policy, targets, whole, signal: abort.signal, onProgress };
      for await (const draft of options.observe(request)) {
        // What waited for its host's share is late, but of the cycle.
        record(withCollector(draft), whole || reason === "spread");
        if (draft.kind !== "probe") continue;
        probes++;
        const facts = draft.facts as ProbeFacts;
        if (facts.via === "configured") schedule.probed(facts.target, looksFailed(facts), clock.uptime());
      }
      if (whole) {
        lastCycle = { at: clock.now(), reason, probes };
        log("info", "cycle", { reason, probes, waiting: outbox.stats().items });
      }
      link.wake();
      tell("done");
    } catch (error) {
      if (abort.signal.aborted) return tell("refused", "the agent stops");
      tell("refused", "the agent could not probe; its log says why");
      throw error;
    } finally {
      answering = [];
      outbox.sync();
      options.onStatus(lastCycle);
    }
  }

  async function canary(id: string, routes: readonly CanaryRoute[]): Promise<void> {
    if (policy === null) return;
    let done = 0;
    const tell = (state: "started" | "progress" | "done" | "refused", why?: string) =>
      link.progress(id, state, done, routes.length, why);
    tell("started");
    const onProgress = (now: number) => {
      done = now;
      tell("progress");
    };
    try {
      const answers = await options.canary({ policy, routes, signal: abort.signal, onProgress });
      link.answerCanary(id, answers);
      tell("done");
      log("info", "canary", { routes: routes.length, refused: answers.filter(({ refused }) => refused).length });
    } catch (error) {
      if (abort.signal.aborted) return tell("refused", "the agent stops");
      tell("refused", "the agent could not probe; its log says why");
      throw error;
    } finally {
      asked = null;
    }
  }

  const lookEveryMs = () => (watched?.network ? watchedEveryMs : watchEveryMs);

  function watchNetwork(now: number): void {
    if (now - lastWatch < lookEveryMs()) return;
    lastWatch = now;
    const asleep = clock.uptime() - clock.monotonic();
    if (asleepMs !== null && asleep - asleepMs > suspendMs) {
      log("info", "the machine was suspended", { seconds: Math.round((asleep - asleepMs) / 1000) });
      schedule.networkChanged(now);
    }
    asleepMs = asleep;
    const current = options.networkFingerprint();
    if (fingerprint !== null && fingerprint !== current) {
      log("info", "the network or the proxy settings changed");
      schedule.networkChanged(now);
    }
    fingerprint = current;
  }

  /** Reads the settings soon after the system said that they changed, whatever else runs. */
  function noteChange(what: Change): void {
    if (stopping) return;
    if (what === "network") networkNoted = true;
    cancelChange ??= clock.setTimer(
      () => {
        cancelChange = null;
        lastChange = clock.uptime();
        const readNetwork = networkNoted;
        networkNoted = false;
        if (readNetwork) lastWatch = Number.NEGATIVE_INFINITY;
        if (!paused)
          readSettings().catch((error: Error) => log("error", "the settings cannot be read", { why: error.message }));
        tick();
      },
      Math.max(changeGatherMs, lastChange + changeEveryMs - clock.uptime()),
    );
  }

  /** What is to be done now, begun; a canary goes before, since people wait for it. */
  function nextWork(now: number): Promise<void> | null {
    if (asked) return canary(asked.id, asked.routes);
    const due = schedule.take(now);
    if (!due) return null;
    return due.type === "settings" ? readSettings() : cycle(due.reason, due.targets, due.whole);
  }

  function tick(): void {
    cancelTick();
    if (stopping) return;
    const now = clock.uptime();
    try {
      watchNetwork(now);
    } catch (error) {
      log("warn", "the network could not be watched", { why: (error as Error).message });
    }
    const work = running === null && !paused && !held ? nextWork(now) : null;
    if (work) {
      running = work
        .catch((error: Error) => {
          if (!abort.signal.aborted) log("error", "a cycle failed", { why: error.message });
        })
        .finally(() => {
          running = null;
          options.onRest?.(true);
          tick();
        });
    }
    if (!running) options.onRest?.(false);
    // While a cycle runs the network is watched on; its end ticks again.
    const look = lookEveryMs();
    const wait = running || paused || held ? look : Math.min(look, Math.max(0, schedule.nextAt() - now));
    cancelTick = clock.setTimer(tick, wait);
  }

  return {
    start() {
      if (policy !== null) schedule.setPolicy(policy, clock.uptime());
      link.start();
      watched =
        options.watch?.({ onChange: noteChange, onProblem: (why) => log("info", "not watched", { why }) }) ?? null;
      tick();
    },
    setPolicy(next) {
      policy = next;
      schedule.setPolicy(next, clock.uptime());
      tick();
    },
    checkNow(id) {
      if (policy === null) return link.progress(id, "refused", 0, 0, "this machine has no policy yet");
      if (commands.includes(id) || answering.includes(id)) return;
      if (commands.length >= maxCommands) return link.progress(id, "refused", 0, 0, "too many commands wait");
      commands.push(id);
      schedule.checkNow(clock.uptime());
      tick();
    },
    canary(id, routes) {
      if (policy === null) return link.progress(id, "refused", 0, 0, "this machine has no policy yet");
      if (asked?.id === id) return;
      if (asked) return link.progress(id, "refused", 0, 0, "another canary is under way");
      asked = { id, routes };
      tick();
    },
    dropped(entries) {
      for (const { key, seq } of entries) known.forget(key, seq);
    },
    forgetAll: () => known.forgetAll(),
    linkChanged(state) {
      // Whose key was revoked has no business with Exchange any more.
      paused = state.rejected === "revoked";
      options.onStatus(lastCycle);
    },
    hold(hold) {
      held = hold;
      tick();
    },
    busy: () => running !== null,
    async stop(reason) {
      if (stopping) return;
      stopping = true;
      watched?.end();
      cancelTick();
      cancelSend?.();
      cancelChange?.();
      abort.abort(new Error("the agent stops"));
      await running;
      link.wake();
      await link.stop(reason);
      outbox.close();
      options.onStatus(lastCycle);
    },
  };
}
