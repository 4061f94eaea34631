import type { CollectorMessage } from "@lynceus/protocol/messages";
import type { WebSocket } from "ws";

/** Why a socket is not read at present; the bits add up, and reading goes on when none is left. */
export const paused = { handshake: 1, rate: 2, queue: 4 } as const;

/** `challenged`: waits for enroll or hello. `busy`: one of them is looked up. `open`: welcomed. `closing`: nothing is read any more. */
export type Phase = "challenged" | "busy" | "open" | "closing";

/**
 * All that is kept per connection, on purpose small: an idle fleet is mostly these (no timers, no closures; the state
 * of the machine is loaded when it reports).
 */
export interface Session {
  phase: Phase;
  /** Base64; null once it was used by a hello. */
  nonce: string | null;
  /** Monotonic ms. */
  openedAt: number;
  heardAt: number;
  machineId: string | null;
  epoch: string | null;
  bootId: string | null;
  policyVersion: number;
  /** Understands a canary. */
  canary: boolean;
  /** Rate bucket (`CollectorConfig.unitsBurst`). */
  units: number;
  unitsAt: number;
  pausedBy: number;
  queuedBytes: number;
  /** Observations the agent's outbox had dropped when it last said. */
  dropped: number;
}

export type AgentSocket = WebSocket & { session: Session };

export function newSession(now: number, nonce: string, units: number): Session {
  return {
    phase: "challenged",
    nonce,
    openedAt: now,
    heardAt: now,
    machineId: null,
    epoch: null,
    bootId: null,
    policyVersion: 0,
    canary: false,
    units,
    unitsAt: now,
    pausedBy: 0,
    queuedBytes: 0,
    dropped: 0,
  };
}

export function pause(socket: AgentSocket, reason: number): void {
  if (socket.session.pausedBy === 0) socket.pause();
  socket.session.pausedBy |= reason;
}

export function resume(socket: AgentSocket, reason: number): void {
  if ((socket.session.pausedBy & reason) === 0) return;
  socket.session.pausedBy &= ~reason;
  if (socket.session.pausedBy === 0) socket.resume();
}

/** Sends one message. False: the other end does not read, and the connection was cut. */
export function send(socket: AgentSocket, message: CollectorMessage | string, maxBufferedBytes: number): boolean {
  if (socket.readyState !== socket.OPEN) return false;
  if (socket.bufferedAmount > maxBufferedBytes) {
    socket.session.phase = "closing";
    socket.terminate();
    return false;
  }
  socket.send(typeof message === "string" ? message : JSON.stringify(message));
  return true;
}

export type RejectReason = Extract<CollectorMessage, { type: "reject" }>["reason"];

/** RFC 6455 close codes: 1008 for what the agent did, 1013 and 1001 for what is ours. */
const closeCode = (reason: RejectReason): number =>
  reason === "overloaded" || reason === "too-many" ? 1013 : reason === "shutting-down" ? 1001 : 1008;

/** Says why, then closes. Nothing more is read from this socket. */
export function reject(
  socket: AgentSocket,
  reason: RejectReason,
  message: string,
  retryAfterSeconds: number | null = null,
) {
  if (socket.session.phase === "closing") return;
  socket.session.phase = "closing";
  if (socket.readyState !== socket.OPEN) return socket.terminate();
  socket.send(JSON.stringify({ v: 1, type: "reject", reason, message: message.slice(0, 512), retryAfterSeconds }));
  socket.close(closeCode(reason), reason);
  // A paused socket would never see the other end's close frame.
  if (socket.session.pausedBy !== 0) {
    socket.session.pausedBy = 0;
    socket.resume();
  }
}
