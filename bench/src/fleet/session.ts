import { randomUUID } from "node:crypto";
import { decodeCollectorMessage } from "@lynceus/protocol/decode";
import type { Policy } from "@lynceus/protocol/policy";
import WebSocket from "ws";
import { type Identity, signText } from "./identity.ts";
import { type Draft, digestOf, type SimulatedMachine, timingsOf } from "./machine.ts";

/** How sessions reach the collector. Certificates are checked against the pin of the token. */
export interface Collector {
  readonly url: string;
  readonly secret: string;
  readonly open: (url: string) => WebSocket;
}

export interface SessionEvents {
  /** The collector's policy; called again whenever it changes. */
  readonly onPolicy: (policy: Policy) => void;
  readonly onReady: () => void;
  readonly onAck?: (seq: number, sentAt: number | undefined) => void;
  readonly onCommand?: (id: string) => void;
  readonly onClosed: (reason: string) => void;
}

/** One simulated machine's connection: the real protocol, without an outbox on disk. */
export interface Session {
  /** Sends what changed as observations and what did not as confirmations. */
  report(drafts: readonly Draft[], now: number): void;
  heartbeat(now: number): void;
  progress(id: string, state: "started" | "done", done: number, total: number): void;
  goodbye(now: number): void;
  close(): void;
  readonly lastSeq: number;
  readonly unacked: number;
}

const bootId = randomUUID();

export function openSession(
  machine: SimulatedMachine,
  identity: Identity,
  collector: Collector,
  events: SessionEvents,
  monotonic: () => number,
): Session {
  const socket = collector.open(collector.url);
  const digests = new Map<string, string>();
  /** Sequence → monotonic time of sending, for the time to the acknowledgement. */
  const sent = new Map<number, number>();
  identity.epoch = randomUUID();
  let seq = 0;
  let nonce = "";
  let policyVersion = 0;
  let reason = "closed";
  const send = (message: object) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ v: 1, ...message }));
  };
  const about = { agentVersion: machine.agentVersion, os: "windows", hostname: machine.hostname } as const;
  const hello = () =>
    send({
      type: "hello",
      ...about,
      machineId: identity.machineId,
      epoch: identity.epoch,
      lastSeq: seq,
      policyVersion,
      bootId,
      signature: signText(identity, "lynceus-hello-v1", nonce, identity.machineId ?? "", identity.epoch),
    });
  socket.on("message", (data) => {
    const decoded = decodeCollectorMessage(data.toString());
    if (!decoded.ok) return;
    const message = decoded.value;
    switch (message.type) {
      case "challenge":
        nonce = message.nonce;
        if (identity.machineId) hello();
        else {
          send({
            type: "enroll",
            ...about,
            token: collector.secret,
            publicKey: identity.publicKey,
            simulated: true,
            signature: signText(identity, "lynceus-enroll-v1", nonce, identity.publicKey),
          });
        }
        break;
      case "enrolled":
        identity.machineId = message.machineId;
        hello();
        break;
      case "welcome":
        events.onReady();
        break;
      case "policy":
        policyVersion = message.policy.version;
        events.onPolicy(message.policy);
        break;
      case "ack":
        events.onAck?.(message.seq, sent.get(message.seq));
        for (const one of sent.keys()) {
          if (one > message.seq) break;
          sent.delete(one);
        }
        break;
      case "command":
        events.onCommand?.(message.id);
        break;
      case "reject":
        reason = message.reason;
        break;
      default:
    }
  });
  socket.on("error", (error) => {
    reason = error.message;
  });
  socket.on("close", () => events.onClosed(reason));
  return {
    report(drafts, now) {
      const items: object[] = [];
      const confirmations: object[] = [];
      for (const draft of drafts) {
        const digest = digestOf(draft);
        seq += 1;
        const common = { seq, key: draft.key, digest, at: now, ageMs: 0, location: draft.location };
        if (digests.get(draft.key) === digest) confirmations.push({ ...common, timings: timingsOf(draft) });
        else items.push({ ...common, kind: draft.kind, facts: draft.facts });
        digests.set(draft.key, digest);
        sent.set(seq, monotonic());
      }
      send({ type: "observations", epoch: identity.epoch, items, confirmations });
    },
    heartbeat: (now) =>
      send({
        type: "heartbeat",
        at: now,
        policyVersion,
        outbox: { items: sent.size, bytes: 0, droppedConfirmations: 0, droppedObservations: 0 },
        resources: { rssBytes: 0, cpuMs: 0, uptimeSeconds: 0 },
      }),
    progress(id, state, done, total) {
      // Up to where its outbox stands: whoever waits for what the check saw need not guess.
      const upTo = state === "done" ? { upTo: { epoch: identity.epoch, seq } } : {};
      send({ type: "command-progress", id, state, done, total, reason: null, ...upTo });
    },
    goodbye: (now) => send({ type: "goodbye", at: now, reason: "suspend" }),
    close: () => socket.close(),
    get lastSeq() {
      return seq;
    },
    get unacked() {
      return sent.size;
    },
  };
}
