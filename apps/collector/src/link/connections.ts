import type { CollectorMessage } from "@lynceus/protocol/messages";
import type { CollectorConfig } from "../config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type AgentSocket, paused, type RejectReason, reject, resume, send } from "./agent-socket.ts";

export interface ConnectionsOptions {
  readonly config: CollectorConfig;
  readonly metrics: Metrics;
  /** Monotonic ms. */
  readonly monotonic: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** A key was seen alive on two machines at once. */
  readonly onClone: (machineId: string) => void;
}

/**
 * All agent connections of this process, and the one shared sweep over them: handshakes that take too long, silent
 * links, rate buckets, rivals. No connection has a timer of its own.
 */
export function createConnections({ config, metrics, monotonic, random, onClone }: ConnectionsOptions) {
  const handshakes = new Set<AgentSocket>();
  const open = new Map<string, AgentSocket>();
  /** Connections that stopped being read because they sent too much, until their bucket has filled. */
  const slowed = new Set<AgentSocket>();
  /** Older connections of a machine that came again: alive within `rivalTimeout` makes it a clone. */
  const rivals = new Map<AgentSocket, { readonly machineId: string; readonly since: number }>();
  /** Machines heard since the last flush of last-seen times. */
  const heard = new Set<string>();
  let heartbeatSeconds = 30;

  const refuse = (
    socket: AgentSocket,
    reason: RejectReason,
    message: string,
    retryAfter: number | null = null,
  ): void => {
    if (socket.session.phase === "closing") return;
    metrics.rejected.inc({ reason });
    reject(socket, reason, message, retryAfter);
  };

  const settleRival = (socket: AgentSocket) => {
    rivals.delete(socket);
    refuse(socket, "replaced", "this machine connected again");
  };

  return {
    handshakes,
    open,
    heard,

    /** Heartbeat interval of the policy in force: what a live link is measured by. */
    setHeartbeat(seconds: number): void {
      heartbeatSeconds = seconds;
    },

    /** Retry-after that spreads a herd: between the half and the whole of `seconds`. */
    jitter: (seconds: number): number => Math.ceil(seconds * (0.5 + random() / 2)),

    refuse,

    send(socket: AgentSocket, message: CollectorMessage | string): boolean {
      const before = socket.session.phase;
      const sent = send(socket, message, config.maxBufferedBytes);
      if (!sent && before !== "closing" && socket.session.phase === "closing")
        metrics.rejected.inc({ reason: "too-slow" });
      return sent;
    },

    /** Marks life of the other end. False: the connection may not speak (any more). */
    touch(socket: AgentSocket): boolean {
      const { session } = socket;
      session.heardAt = monotonic();
      const rival = rivals.get(socket);
      if (rival) {
        onClone(rival.machineId);
        settleRival(socket);
        return false;
      }
      if (session.machineId !== null && session.phase === "open") heard.add(session.machineId);
      return session.phase !== "closing";
    },

    /** Takes a message's cost from the bucket; an empty bucket stops reading until it has filled. */
    charge(socket: AgentSocket, bytes: number): void {
      const { session } = socket;
      const now = monotonic();
      session.units = Math.min(
        config.unitsBurst,
        session.units + ((now - session.unitsAt) / 1000) * config.unitsPerSecond,
      );
      session.unitsAt = now;
      session.units -= 1 + bytes / 8192;
      if (session.units >= 0) return;
      slowed.add(socket);
      if (session.pausedBy === 0) socket.pause();
      session.pausedBy |= paused.rate;
    },

    /** Makes the socket the machine's one connection. An older one is replaced, or shows that the key was cloned. */
    register(socket: AgentSocket, machineId: string) {
      handshakes.delete(socket);
      const older = open.get(machineId);
      open.set(machineId, socket);
      heard.add(machineId);
      if (!older || older === socket) return;
      if (older.session.bootId === socket.session.bootId || older.readyState !== older.OPEN)
        return refuse(older, "replaced", "this machine connected again");
      // Another process with the same key: dead and restarted, or two machines. Only an answer tells.
      rivals.set(older, { machineId, since: monotonic() });
      older.ping();
    },

    /** Forgets a socket that closed. True: it was its machine's connection. */
    remove(socket: AgentSocket): boolean {
      handshakes.delete(socket);
      slowed.delete(socket);
      rivals.delete(socket);
      const { machineId } = socket.session;
      if (machineId === null || open.get(machineId) !== socket) return false;
      open.delete(machineId);
      return true;
    },

    /** Shuts a machine out at once: revocation, retirement. */
    cut(machineId: string, reason: RejectReason, message: string): void {
      const socket = open.get(machineId);
      if (socket) refuse(socket, reason, message);
    },

    /** Everything that depends on time. Called each second; looks at all links only every fifth time. */
    sweep(tick: number): void {
      const now = monotonic();
      for (const socket of handshakes) {
        if (now - socket.session.openedAt <= config.handshakeTimeout) continue;
        // One that was refused already and does not close is not waited for.
        if (socket.session.phase === "closing") socket.terminate();
        else refuse(socket, "too-slow", `no proof of identity within ${config.handshakeTimeout / 1000} seconds`);
      }
      for (const socket of slowed) {
        const { session } = socket;
        if (session.units + ((now - session.unitsAt) / 1000) * config.unitsPerSecond < config.unitsPerSecond / 2)
          continue;
        slowed.delete(socket);
        resume(socket, paused.rate);
      }
      for (const [socket, { since }] of rivals) if (now - since > config.rivalTimeout) settleRival(socket);
      if (tick % 5 !== 0) return;
      const silence = config.heartbeatsMissed * heartbeatSeconds * 1000;
      for (const socket of open.values()) {
        // A socket that we do not read cannot be heard.
        if (socket.session.pausedBy !== 0) socket.session.heardAt = now;
        else if (now - socket.session.heardAt > silence) socket.terminate();
      }
    },
  };
}

export type Connections = ReturnType<typeof createConnections>;
