import { type DecodedObservation, decodeAgentMessage, decodeObservation } from "@lynceus/protocol/decode";
import type { AgentMessage } from "@lynceus/protocol/messages";
import type { Queue } from "../ingest/queue.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { PolicyService } from "../policy.ts";
import { type AgentSocket, pause, paused, type RejectReason, resume } from "./agent-socket.ts";
import type { Connections } from "./connections.ts";
import type { Directory } from "./directory.ts";
import { enrollSignedBy, helloSignedBy, parsePublicKey } from "./signatures.ts";

type Of<T extends AgentMessage["type"]> = Extract<AgentMessage, { type: T }>;

export interface SessionOptions {
  readonly metrics: Metrics;
  readonly connections: Connections;
  readonly queue: Queue;
  readonly directory: Directory;
  readonly policy: PolicyService;
  readonly now: () => number;
  readonly onProgress: (machineId: string, progress: Of<"command-progress">) => void;
  readonly onCanaryResult: (machineId: string, result: Of<"canary-result">) => void;
  /** A machine was welcomed: what waits for it may be sent. */
  readonly onWelcome: (machineId: string) => void;
  readonly onError: (error: unknown, machineId: string | null) => void;
}

/** What an agent may say, and when: challenge → enroll or hello → everything else (protocol `messages.ts`). */
export function createSessions(options: SessionOptions) {
  const { metrics, connections, queue, directory, policy, now } = options;
  const refuse = connections.refuse;

  /** Runs a look-up while nothing more is read from the socket. */
  async function whileBusy(socket: AgentSocket, work: () => Promise<void>): Promise<void> {
    socket.session.phase = "busy";
    pause(socket, paused.handshake);
    try {
      await work();
    } catch (error) {
      options.onError(error, socket.session.machineId);
      refuse(socket, "overloaded", "the collector cannot look this up now", connections.jitter(15));
    } finally {
      resume(socket, paused.handshake);
    }
  }

  async function enroll(socket: AgentSocket, message: Of<"enroll">): Promise<void> {
    const key = parsePublicKey(Buffer.from(message.publicKey, "base64"));
    if (!key) return refuse(socket, "bad-signature", "publicKey is not an Ed25519 key in SPKI DER, base64");
    const nonce = socket.session.nonce;
    if (nonce === null || !enrollSignedBy(key, nonce, message.publicKey, message.signature))
      return refuse(socket, "bad-signature", "the signature is not the key's over this challenge");
    const result = await directory.enroll(message);
    if (!result.ok) return refuse(socket, result.reason, result.message);
    socket.session.phase = "challenged";
    connections.send(socket, { v: 1, type: "enrolled", machineId: result.machineId, approved: result.approved });
  }

  async function hello(socket: AgentSocket, message: Of<"hello">): Promise<void> {
    const { session } = socket;
    const nonce = session.nonce;
    session.nonce = null;
    const identity = await directory.identify(message.machineId);
    if (!identity) return refuse(socket, "unknown-machine", `no machine ${message.machineId}; enrol again`);
    const key = parsePublicKey(identity.publicKey);
    if (!key || nonce === null || !helloSignedBy(key, nonce, message.machineId, message.epoch, message.signature))
      return refuse(socket, "bad-signature", "the signature is not this machine's over this challenge");
    // Only after the proof: what became of a machine is told to that machine alone.
    if (identity.revoked) return refuse(socket, "revoked", "this machine was revoked by an admin");
    if (socket.readyState !== socket.OPEN) return;
    session.machineId = message.machineId;
    session.epoch = message.epoch;
    session.bootId = message.bootId;
    session.policyVersion = message.policyVersion;
    session.canary = message.capabilities?.includes("canary") ?? false;
    session.phase = "open";
    connections.register(socket, message.machineId);
    metrics.connections.set(connections.open.size);
    directory.connected(message.machineId);
    directory.policySeen(message.machineId, message.policyVersion);
    const ackedSeq = identity.epoch === message.epoch ? identity.lastSeq : 0;
    connections.send(socket, { v: 1, type: "welcome", ackedSeq, now: now() });
    policy.pushTo(socket, message.machineId);
    options.onWelcome(message.machineId);
  }

  function observations(socket: AgentSocket, message: Of<"observations">, bytes: number) {
    const { session } = socket;
    if (message.epoch !== session.epoch)
      return refuse(socket, "bad-message", "observations of another epoch than hello's");
    let last = 0;
    for (const item of message.items) {
      if (item.seq <= last)
        return refuse(socket, "bad-message", `items: seq ${item.seq} after ${last}; they must rise`);
      last = item.seq;
    }
    const decoded: DecodedObservation[] = message.items.map(decodeObservation);
    const taken = queue.add({
      kind: "report",
      machineId: session.machineId!,
      socket,
      epoch: message.epoch,
      observations: decoded,
      confirmations: message.confirmations,
      bytes,
      receivedAt: now(),
    });
    if (!taken) refuse(socket, "overloaded", "more is waiting than can be stored now", connections.jitter(30));
  }

  const ownWork = (socket: AgentSocket, kind: "goodbye" | "dropped", extra: { reason?: string; count?: number }) =>
    queue.add({
      kind,
      machineId: socket.session.machineId!,
      socket,
      epoch: socket.session.epoch,
      observations: [],
      confirmations: [],
      bytes: 256,
      receivedAt: now(),
      ...extra,
    });

  function heartbeat(socket: AgentSocket, message: Of<"heartbeat">) {
    const { session } = socket;
    if (session.policyVersion !== message.policyVersion && session.machineId)
      directory.policySeen(session.machineId, message.policyVersion);
    session.policyVersion = message.policyVersion;
    connections.send(socket, {
      v: 1,
      type: "heartbeat-ack",
      now: now(),
      policyVersion: policy.of(session.machineId ?? "").version,
    });
    const dropped = message.outbox.droppedObservations;
    if (dropped > 0 && dropped !== session.dropped) ownWork(socket, "dropped", { count: dropped });
    session.dropped = dropped;
  }

  function opened(socket: AgentSocket, message: AgentMessage, bytes: number) {
    switch (message.type) {
      case "observations":
        return observations(socket, message, bytes);
      case "heartbeat":
        return heartbeat(socket, message);
      case "goodbye":
        ownWork(socket, "goodbye", { reason: message.reason });
        return;
      case "command-progress":
        return options.onProgress(socket.session.machineId!, message);
      case "canary-result":
        return options.onCanaryResult(socket.session.machineId!, message);
      default:
        return refuse(socket, "bad-message", `"${message.type}" after the welcome`);
    }
  }

  return {
    onMessage(socket: AgentSocket, data: Buffer, isBinary: boolean) {
      if (!connections.touch(socket)) return;
      connections.charge(socket, data.length);
      if (isBinary) return refuse(socket, "bad-message", "binary message; the wire is JSON text");
      const decoded = decodeAgentMessage(data.toString("utf8"));
      if (!decoded.ok) {
        const version = decoded.error.code === "invalid" && /^v: /.test(decoded.error.message);
        const reason: RejectReason = version ? "version" : "bad-message";
        return refuse(socket, reason, `${decoded.error.code}: ${decoded.error.message}`);
      }
      const message = decoded.value;
      metrics.messages.inc({ type: message.type });
      if (socket.session.phase === "open") return opened(socket, message, data.length);
      if (socket.session.phase !== "challenged")
        return refuse(socket, "bad-message", `"${message.type}" before the answer to the message before it`);
      if (message.type === "enroll") void whileBusy(socket, () => enroll(socket, message));
      else if (message.type === "hello") void whileBusy(socket, () => hello(socket, message));
      else refuse(socket, "bad-message", `"${message.type}" before hello`);
    },

    onClose(socket: AgentSocket) {
      const { session } = socket;
      session.phase = "closing";
      queue.forget(socket);
      if (!connections.remove(socket)) return;
      metrics.connections.set(connections.open.size);
      directory.disconnected(session.machineId!);
      queue.add({
        kind: "flush",
        machineId: session.machineId!,
        socket: null,
        epoch: null,
        observations: [],
        confirmations: [],
        bytes: 0,
        receivedAt: now(),
      });
    },
  };
}
