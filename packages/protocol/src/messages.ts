import * as z from "zod";
import { canaryAnswerSchema, canaryRouteSchema } from "./canary.ts";
import { confirmationSchema, instantSchema, rawObservationSchema } from "./facts.ts";
import { limits } from "./limits.ts";
import { policySchema } from "./policy.ts";

/*
 * The wire. One JSON object per WebSocket text message. Order of a session:
 *   collector → challenge;  agent → enroll (once in its life) or hello;  collector → enrolled | welcome;
 *   then observations and heartbeats up, acks, policies and commands down; goodbye before the agent leaves.
 * `v` is the protocol's major version; a new optional field needs no new one.
 */
export const protocolVersion = 1;

const v = z.literal(protocolVersion);
const text = (max: number) => z.string().max(max);
const base64 = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/);
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A machine's id is the collector's, made at enrolment. */
export const machineIdSchema = z.uuid();
/** One life of an outbox; a re-made outbox starts a new epoch at seq 1. */
const epoch = z.uuid();

export const challengeSchema = z.looseObject({
  v,
  type: z.literal("challenge"),
  nonce: base64(128),
  /** The collector's clock, for the skew of domain 6.3. */
  now: instantSchema,
  collectorVersion: text(64),
});

const identity = {
  agentVersion: text(64),
  os: z.enum(["windows", "macos", "linux", "other"]),
  hostname: text(limits.nameChars),
};

/** Signed bytes: UTF-8 of `lynceus-enroll-v1\n<nonce>\n<publicKey>`. */
export const enrollSchema = z.looseObject({
  v,
  type: z.literal("enroll"),
  ...identity,
  token: text(512),
  /** Ed25519, SPKI DER, base64. */
  publicKey: base64(256),
  signature: base64(256),
  simulated: z.boolean(),
  /** What the installer said of this machine, where the token says nothing. */
  site: text(64).optional(),
  tags: z.array(text(64)).max(32).optional(),
});
export const enrolledSchema = z.looseObject({
  v,
  type: z.literal("enrolled"),
  machineId: machineIdSchema,
  /** False until an admin approves, where the token asks for it (rule 17). */
  approved: z.boolean(),
});

/** Signed bytes: UTF-8 of `lynceus-hello-v1\n<nonce>\n<machineId>\n<epoch>`. */
export const helloSchema = z.looseObject({
  v,
  type: z.literal("hello"),
  ...identity,
  machineId: machineIdSchema,
  signature: base64(256),
  epoch,
  /** Highest seq ever made in this epoch; 0 = none yet. */
  lastSeq: seq,
  policyVersion: z.number().int().min(0),
  /** Random per process: two of them at once with one key is a clone (rule 17). */
  bootId: z.uuid(),
  /** What this agent understands beyond the first version: it is asked for nothing else. */
  capabilities: z.array(text(32)).max(limits.capabilities).optional(),
});
export const welcomeSchema = z.looseObject({
  v,
  type: z.literal("welcome"),
  /** Highest seq of this epoch that is on disk: the agent forgets up to it. */
  ackedSeq: seq,
  now: instantSchema,
});

export const policyMessageSchema = z.looseObject({ v, type: z.literal("policy"), policy: policySchema });

export const observationsSchema = z.looseObject({
  v,
  type: z.literal("observations"),
  epoch,
  /** In order of seq. Decoded in two steps: the envelope here, the facts by kind, so that an unknown kind never jams. */
  items: z.array(rawObservationSchema).max(limits.observationsPerMessage),
  confirmations: z.array(confirmationSchema).max(limits.observationsPerMessage),
});

export const heartbeatSchema = z.looseObject({
  v,
  type: z.literal("heartbeat"),
  at: instantSchema,
  policyVersion: z.number().int().min(0),
  outbox: z.looseObject({ items: seq, bytes: seq, droppedConfirmations: seq, droppedObservations: seq }),
  resources: z.looseObject({
    rssBytes: seq,
    cpuMs: z.number().min(0).max(1e15),
    uptimeSeconds: z.number().min(0).max(1e12),
    /** What the agent holds itself to: its priority (19 = lowest), and the memory above which it starts anew. */
    niceness: z.number().int().min(-20).max(19).optional(),
    maxRssBytes: seq.optional(),
    /** Share of one core, averaged over minutes, above which its probes wait. */
    maxProcessorPercent: z.number().min(0).max(100_000).optional(),
    /** How often it had to hold itself back since it was installed. */
    limitActs: z.looseObject({ processor: seq, memory: seq }).optional(),
  }),
});

export const goodbyeSchema = z.looseObject({
  v,
  type: z.literal("goodbye"),
  at: instantSchema,
  reason: z.enum(["suspend", "shutdown", "stop", "upgrade"]),
});

/** Everything of this epoch up to `seq` is on disk. */
export const ackSchema = z.looseObject({ v, type: z.literal("ack"), epoch, seq });

/** Also the answer to a heartbeat, so that idle links carry traffic both ways. */
export const heartbeatAckSchema = z.looseObject({
  v,
  type: z.literal("heartbeat-ack"),
  now: instantSchema,
  policyVersion: z.number().int().min(0),
});

/** The only thing a collector may ask for. It carries no code, no path and no target outside the policy. */
export const commandSchema = z.looseObject({
  v,
  type: z.literal("command"),
  id: z.uuid(),
  command: z.enum(["check-now"]),
});
/** Probe proposed routes, and say what was seen; only to agents with the capability `canary` (canary.ts). */
export const canarySchema = z.looseObject({
  v,
  type: z.literal("canary"),
  id: z.uuid(),
  routes: z.array(canaryRouteSchema).min(1).max(limits.canaryRoutes),
});
/** The answer, beside the progress of the same id. */
export const canaryResultSchema = z.looseObject({
  v,
  type: z.literal("canary-result"),
  id: z.uuid(),
  answers: z.array(canaryAnswerSchema).max(limits.canaryRoutes),
});

/** Progress of a command: `started`, then one `progress` a probe, then `done` or `refused`. */
export const commandProgressSchema = z.looseObject({
  v,
  type: z.literal("command-progress"),
  id: z.uuid(),
  state: z.enum(["started", "progress", "done", "refused"]),
  done: z.number().int().min(0).max(100_000),
  total: z.number().int().min(0).max(100_000),
  reason: text(512).nullable(),
  /** With `done`: the outbox once all that the command saw was in it. */
  upTo: z.looseObject({ epoch, seq }).optional(),
});

/** Why the collector closes, just before it does; `retryAfterSeconds` spreads the reconnects. */
export const rejectSchema = z.looseObject({
  v,
  type: z.literal("reject"),
  reason: z.enum([
    "bad-message",
    "bad-signature",
    "unknown-machine",
    "revoked",
    "bad-token",
    "token-expired",
    "token-used-up",
    "too-slow",
    "too-many",
    "overloaded",
    "replaced",
    "version",
    "shutting-down",
  ]),
  message: text(512),
  retryAfterSeconds: z.number().min(0).max(86_400).nullable(),
});

export const agentMessageSchema = z.discriminatedUnion("type", [
  enrollSchema,
  helloSchema,
  observationsSchema,
  heartbeatSchema,
  goodbyeSchema,
  commandProgressSchema,
  canaryResultSchema,
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;

export const collectorMessageSchema = z.discriminatedUnion("type", [
  challengeSchema,
  enrolledSchema,
  welcomeSchema,
  policyMessageSchema,
  ackSchema,
  heartbeatAckSchema,
  commandSchema,
  canarySchema,
  rejectSchema,
]);
export type CollectorMessage = z.infer<typeof collectorMessageSchema>;
