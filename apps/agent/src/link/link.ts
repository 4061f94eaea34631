import type { CanaryAnswer, CanaryRoute } from "@lynceus/protocol/canary";
import { decodeCollectorMessage } from "@lynceus/protocol/decode";
import { limits } from "@lynceus/protocol/limits";
import { type AgentMessage, type CollectorMessage, protocolVersion } from "@lynceus/protocol/messages";
import type { Policy } from "@lynceus/protocol/policy";
import type { RawData, WebSocket } from "ws";
import type { Clock, Random } from "../clock.ts";
import { answeredSkew } from "../clock-skew.ts";
import type { MachineKey } from "../identity.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { lenientPolicy } from "../policy.ts";
import { type BackOffOptions, backOffMs } from "./back-off.ts";
import { type Connect, TurnedAway } from "./connect.ts";

type Message<T extends CollectorMessage["type"]> = Extract<CollectorMessage, { type: T }>;
export type RejectReason = Message<"reject">["reason"];
type CommandProgress = Extract<AgentMessage, { type: "command-progress" }>;
export type GoodbyeReason = Extract<AgentMessage, { type: "goodbye" }>["reason"];

export interface MachineDescription {
  readonly agentVersion: string;
  readonly os: "windows" | "macos" | "linux" | "other";
  readonly hostname: string;
}

export interface LinkOptions {
  readonly connect: Connect;
  readonly machineId: string;
  readonly key: MachineKey;
  readonly machine: MachineDescription;
  /** Random per process (domain 5.0 rule 17). */
  readonly bootId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  /** Version of the policy in force; 0 = none. */
  readonly policyVersion: () => number;
  readonly heartbeatSeconds: () => number;
  readonly resources: () => Extract<AgentMessage, { type: "heartbeat" }>["resources"];
  readonly onPolicy?: (policy: Policy, ignored: readonly string[]) => void;
  readonly onCommand?: (id: string) => void;
  /** Proposed routes to probe. Absent: the collector is told that this agent cannot. */
  readonly onCanary?: (id: string, routes: readonly CanaryRoute[]) => void;
  /** The collector knows less than it acknowledged once: everything has to be sent in full again. */
  readonly onCollectorForgot?: () => void;
  readonly onChange?: (state: LinkState) => void;
  /** The collector answered a heartbeat: until the next one there may be nothing to do. */
  readonly onAnswered?: () => void;
  readonly log?: (level: "info" | "warn", message: string, detail?: Record<string, unknown>) => void;
  readonly backOff?: BackOffOptions;
  /** Messages with observations that may wait for their acknowledgement. */
  readonly window?: number;
}

export interface LinkState {
  readonly phase: "stopped" | "connecting" | "connected" | "waiting";
  /** Wall clock of the last change of phase. */
  readonly since: number;
  readonly via: string | null;
  /** Why the last connection ended or failed. */
  readonly lastError: string | null;
  readonly rejected: RejectReason | null;
  /** Milliseconds until the next attempt, where it waits. */
  readonly retryInMs: number | null;
}

export interface Link {
  start(): void;
  /** The outbox has something new. */
  wake(): void;
  /** Tells the progress of a command; lost where nobody listens, because it is stale a moment later. */
  progress(id: string, state: CommandProgress["state"], done: number, total: number, reason?: string): void;
  /** What a canary saw; lost where nobody listens. */
  answerCanary(id: string, answers: readonly CanaryAnswer[]): void;
  state(): LinkState;
  /** The collector's clock minus ours, by its last answer to a heartbeat; null where there was none lately. */
  collectorSkewMs(): number | null;
  /** The machine goes to sleep: says so at once and stays away until `resume`. */
  suspend(): void;
  /** The machine is awake again. */
  resume(): void;
  /** Says goodbye where it can, closes, and never connects again. */
  stop(reason: GoodbyeReason): Promise<void>;
}

/** From the upgrade to `welcome`. */
const handshakeMs = 15_000;
/** A connection that lasted this long was a good one: the back-off starts anew. */
const steadyMs = 60_000;
/** A clock is set now and then: what the collector said of it longer ago is not repeated. */
const skewLifetimeMs = 10 * 60_000;
/** How long a heartbeat may stay unanswered. */
const heartbeatAnswerMs = 30_000;
/** Whatever cuts idle connections, we do not beat faster than this. */
const fastestHeartbeatMs = 5_000;
/** Bytes of one message of observations: half of the limit leaves room for the envelope and for escapes. */
const batchBytes = limits.messageBytes / 2;
const closeMs = 2_000;
/** A suspend that did not come, or an awakening that nobody told of, must not keep us away. */
const suspendedRetryMs = 120_000;
/**
 * Unacknowledged messages of any kind. Those with confirmations alone do not count in the window, because a collector
 * acknowledges them only when it next writes, perhaps a minute later; this bounds what they hold of its memory.
 */
const maxInFlight = 32;
/** Rejects that only an admin can lift: asked again, but rarely. */
const lasting = new Set<RejectReason>(["revoked", "unknown-machine", "bad-signature", "version"]);
const lastingRetrySeconds = 600;
/** Another process has our key: fighting over the connection would help neither. */
const replacedRetrySeconds = 60;

/** Keeps one authenticated connection to the collector, sends what the outbox holds, and comes back after each loss. */
export function createLink(options: LinkOptions): Link {
  const { clock, random, outbox, log = () => {}, onChange = () => {}, window = 2 } = options;
  let state: LinkState = {
    phase: "stopped",
    since: clock.now(),
    via: null,
    lastError: null,
    rejected: null,
    retryInMs: null,
  };
  let attempt = 0;
  let stopping = false;
  let suspended = false;
  let session: Session | null = null;
  let cancelRetry = () => {};
  /** Learnt bound: something on the way cuts connections that are idle for longer. */
  let idleBoundMs = Number.POSITIVE_INFINITY;
  let collectorSkew: { readonly ms: number; readonly at: number } | null = null;

  interface Session {
    readonly socket: WebSocket;
    send(message: AgentMessage): void;
    pump(): void;
    welcomed: boolean;
    ended: Promise<void>;
  }

  function change(next: Partial<LinkState>): void {
    state = { ...state, ...next, since: next.phase && next.phase !== state.phase ? clock.now() : state.since };
    onChange(state);
  }

  async function open(): Promise<void> {
    if (stopping) return;
    suspended = false;
    change({ phase: "connecting", retryInMs: null });
    try {
      const { socket, via } = await options.connect();
      if (stopping) return socket.terminate();
      serve(socket, via);
    } catch (error) {
      retry((error as Error).message, error instanceof TurnedAway ? error.retryAfterSeconds : null);
    }
  }

  function retry(why: string, retryAfterSeconds: number | null, atOnce = false): void {
    if (stopping) return;
    const wait = suspended
      ? suspendedRetryMs
      : atOnce
        ? 0
        : backOffMs(attempt++, random, retryAfterSeconds, options.backOff);
    log("warn", "not connected", { why, retryInMs: Math.round(wait) });
    cancelRetry = clock.setTimer(() => void open(), wait);
    change({ phase: "waiting", via: null, lastError: why, retryInMs: wait });
  }

  function serve(socket: WebSocket, via: string): void {
    const openedAt = clock.monotonic();
    let lastTraffic = openedAt;
    let sentSeq = 0;
    /** Unacknowledged messages, by their last seq. */
    let inFlight: { readonly seq: number; readonly observes: boolean }[] = [];
    let challenged = false;
    let reject: Message<"reject"> | null = null;
    let why: string | null = null;
    let reconnectAtOnce = false;
    let resolveEnded = () => {};
    let cancelBeat = () => {};
    let cancelAnswer = () => {};
    let askedAt = openedAt;
    const cancelHandshake = clock.setTimer(() => cut("the collector did not finish the handshake"), handshakeMs);

    const self: Session = {
      socket,
      welcomed: false,
      ended: new Promise((resolve) => {
        resolveEnded = resolve;
      }),
      send(message) {
        lastTraffic = clock.monotonic();
        socket.send(JSON.stringify(message));
      },
      pump,
    };
    session = self;

    function cut(reason: string): void {
      why ??= reason;
      socket.terminate();
    }

    function pump(): void {
      while (
        self.welcomed &&
        socket.readyState === socket.OPEN &&
        inFlight.length < maxInFlight &&
        inFlight.filter(({ observes }) => observes).length < window &&
        socket.bufferedAmount < limits.messageBytes
      ) {
        const batch = outbox.read(sentSeq, { items: limits.observationsPerMessage, bytes: batchBytes });
        if (!batch) return;
        // What the collector has seen must be on our disk, or its number could be given twice.
        outbox.sync();
        const { items, confirmations } = batch;
        self.send({ v: protocolVersion, type: "observations", epoch: outbox.epoch(), items, confirmations });
        sentSeq = batch.lastSeq;
        inFlight.push({ seq: sentSeq, observes: items.length > 0 });
      }
    }

    function beat(): void {
      const { items, bytes, droppedConfirmations, droppedObservations } = outbox.stats();
      self.send({
        v: protocolVersion,
        type: "heartbeat",
        at: clock.now(),
        policyVersion: options.policyVersion(),
        outbox: { items, bytes, droppedConfirmations, droppedObservations },
        resources: options.resources(),
      });
      const every = Math.min(Math.max(1000, options.heartbeatSeconds() * 1000), idleBoundMs);
      // The first answer that is missing ends the connection: TCP alone may not notice for a quarter of an hour.
      cancelAnswer();
      askedAt = clock.monotonic();
      cancelAnswer = clock.setTimer(
        () => cut("the collector did not answer a heartbeat"),
        Math.min(Math.max(every, fastestHeartbeatMs), heartbeatAnswerMs),
      );
      // A tenth earlier at most, so that a fleet that connected at once does not beat in step.
      cancelBeat = clock.setTimer(beat, every * (1 - random() * 0.1));
    }

    const handlers: { [T in CollectorMessage["type"]]: (message: Message<T>) => void } = {
      challenge(message) {
        if (challenged) return cut("the collector sent a second challenge");
        challenged = true;
        const epoch = outbox.epoch();
        self.send({
          v: protocolVersion,
          type: "hello",
          ...options.machine,
          machineId: options.machineId,
          signature: options.key.sign(`lynceus-hello-v1\n${message.nonce}\n${options.machineId}\n${epoch}`),
          epoch,
          lastSeq: outbox.lastSeq(),
          policyVersion: options.policyVersion(),
          bootId: options.bootId,
          ...(options.onCanary ? { capabilities: ["canary"] } : {}),
        });
      },
      enrolled() {},
      welcome(message) {
        if (!challenged || self.welcomed) return cut("the collector sent a welcome out of turn");
        if (message.ackedSeq > outbox.lastSeq()) {
          // Our disk is older than what the collector heard: numbers would be given twice and taken for resends.
          log("warn", "the collector knows later entries than this outbox; a new epoch begins", {
            ackedSeq: message.ackedSeq,
            lastSeq: outbox.lastSeq(),
          });
          outbox.renew();
          reconnectAtOnce = true;
          return cut("a new outbox epoch begins");
        }
        if (message.ackedSeq < outbox.ackedSeq()) options.onCollectorForgot?.();
        outbox.ack(message.ackedSeq);
        sentSeq = outbox.ackedSeq();
        self.welcomed = true;
        cancelHandshake();
        change({ phase: "connected", via, lastError: null, rejected: null, retryInMs: null });
        log("info", "connected", { via, waiting: outbox.stats().items });
        beat();
        pump();
      },
      policy(message) {
        options.onPolicy?.(message.policy, []);
      },
      ack(message) {
        if (message.epoch !== outbox.epoch()) return;
        if (message.seq > sentSeq) return cut("the collector acknowledged what was never sent");
        outbox.ack(message.seq);
        inFlight = inFlight.filter(({ seq }) => seq > message.seq);
        pump();
      },
      "heartbeat-ack"(message) {
        cancelAnswer();
        const at = clock.monotonic();
        const ms = answeredSkew(message.now, clock.now(), at - askedAt);
        if (ms !== null) collectorSkew = { ms, at };
        options.onAnswered?.();
      },
      command(message) {
        if (self.welcomed) options.onCommand?.(message.id);
      },
      canary(message) {
        if (self.welcomed) options.onCanary?.(message.id, message.routes);
      },
      reject(message) {
        reject = message;
        why = `the collector refused: ${message.reason}, ${message.message}`;
        socket.close(1000);
      },
    };

    function receive(text: string): void {
      const decoded = decodeCollectorMessage(text);
      if (decoded.ok) {
        const { value } = decoded;
        (handlers[value.type] as (message: CollectorMessage) => void)(value);
        return;
      }
      const { code, type, message } = decoded.error;
      if (code === "invalid" && type === "policy") {
        const lenient = lenientPolicy(JSON.parse(text));
        if (lenient.ok) options.onPolicy?.(lenient.policy, lenient.ignored);
        else log("warn", "a policy was refused", { why: lenient.error });
      } else if (code === "invalid" && type === "canary") {
        // Of a newer collector: a way that we do not know is not probed.
        log("warn", "a canary was refused", { why: message });
      } else if (code === "unknown-type") {
        // A newer collector may say more than we know.
        log("info", "a message of an unknown type was passed over", { type });
      } else {
        cut(`the collector's message could not be read: ${message}`);
      }
    }

    socket.on("message", (data: RawData, isBinary: boolean) => {
      lastTraffic = clock.monotonic();
      if (isBinary) return cut("the collector sent binary data");
      receive(data.toString());
    });
    socket.on("close", (code: number) => {
      cancelHandshake();
      cancelBeat();
      cancelAnswer();
      session = null;
      resolveEnded();
      const now = clock.monotonic();
      const idle = now - lastTraffic;
      const silent = code === 1006 && why === null && self.welcomed && idle >= 1000;
      // Cut in silence while idle: a proxy or firewall on the way has less patience than our heartbeat.
      if (silent) idleBoundMs = Math.max(fastestHeartbeatMs, Math.min(idleBoundMs, idle * 0.6));
      if (self.welcomed && now - openedAt >= steadyMs) attempt = 0;
      change({ rejected: reject?.reason ?? null });
      const asked = reject === null ? null : retryAfter(reject);
      retry(why ?? `the connection was closed (${code})`, asked, reconnectAtOnce);
    });
    socket.resume();
  }

  function retryAfter(reject: Message<"reject">): number | null {
    const least = lasting.has(reject.reason)
      ? lastingRetrySeconds
      : reject.reason === "replaced"
        ? replacedRetrySeconds
        : null;
    if (least === null) return reject.retryAfterSeconds;
    return Math.max(least, reject.retryAfterSeconds ?? 0);
  }

  return {
    start() {
      if (state.phase === "stopped" && !stopping) void open();
    },
    wake() {
      session?.pump();
    },
    progress(id, progressState, done, total, reason) {
      if (!session?.welcomed) return;
      session.send({
        v: protocolVersion,
        type: "command-progress",
        id,
        state: progressState,
        done,
        total,
        reason: reason?.slice(0, 512) ?? null,
        ...(progressState === "done" ? { upTo: { epoch: outbox.epoch(), seq: outbox.lastSeq() } } : {}),
      });
    },
    answerCanary(id, answers) {
      if (session?.welcomed) session.send({ v: protocolVersion, type: "canary-result", id, answers: [...answers] });
    },
    suspend() {
      if (stopping || suspended) return;
      suspended = true;
      const last = session;
      if (!last) return;
      // Both are handed to the system before this returns: there may be no later.
      if (last.welcomed) last.send({ v: protocolVersion, type: "goodbye", at: clock.now(), reason: "suspend" });
      last.socket.close(1000);
    },
    resume() {
      if (stopping || !suspended) return;
      suspended = false;
      attempt = 0;
      // What was open before the sleep is dead or closing.
      if (session) return session.socket.terminate();
      cancelRetry();
      void open();
    },
    state: () => state,
    collectorSkewMs: () =>
      collectorSkew && clock.monotonic() - collectorSkew.at <= skewLifetimeMs ? collectorSkew.ms : null,
    async stop(reason) {
      if (stopping) return;
      stopping = true;
      cancelRetry();
      const last = session;
      if (last) {
        if (last.welcomed) last.send({ v: protocolVersion, type: "goodbye", at: clock.now(), reason });
        const cancel = clock.setTimer(() => last.socket.terminate(), closeMs);
        last.socket.close(1000);
        await last.ended;
        cancel();
      }
      change({ phase: "stopped", via: null, retryInMs: null });
    },
  };
}
