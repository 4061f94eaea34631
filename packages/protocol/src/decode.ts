import type * as z from "zod";
import {
  type Observation,
  type ObservationKind,
  observationKinds,
  pacFactsSchema,
  probeFactsSchema,
  type RawObservation,
  settingsFactsSchema,
  systemFactsSchema,
  wpadFactsSchema,
} from "./facts.ts";
import { limits } from "./limits.ts";
import { type AgentMessage, agentMessageSchema, type CollectorMessage, collectorMessageSchema } from "./messages.ts";

export type DecodeErrorCode = "too-large" | "not-json" | "too-deep" | "unknown-type" | "invalid";

/** Why a message was refused: the field, the rule it broke. `type` is the message's own, where it had one. */
export interface DecodeError {
  readonly code: DecodeErrorCode;
  readonly message: string;
  readonly type: string | null;
}
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeError };

/** Depth of nesting of a JSON text, counted without parsing, so that a deep one costs nothing. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

const refuse = (code: DecodeErrorCode, message: string, type: string | null = null) =>
  ({ ok: false, error: { code, message, type } }) as const;

/** First problem of a zod error, `within` a field, as one line: `policy.targets.3.port: Invalid input: expected number`. */
export function firstIssue(error: z.ZodError, within?: string): string {
  const issue = error.issues[0];
  if (!issue) return "invalid";
  const where = [...(within ? [within] : []), ...issue.path.map(String)].join(".");
  // A path may hold keys that the peer made up; the text goes into a `reject`, which has 512 characters.
  return (where ? `${where.slice(0, 200)}: ${issue.message}` : issue.message).slice(0, 400);
}

// A first look at the text: nearly every message has none of these, and is spared the walk.
const needsScrub = /\\u|__proto__|[\uD800-\uDFFF]/;

/**
 * Replaces what PostgreSQL cannot store in text or jsonb (NUL, half surrogates) by U+FFFD, in values and keys, so that
 * one such name in a registry does not turn a machine's whole batch away; drops `__proto__` keys. Depth is bounded before.
 */
function scrub(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\0|\p{Cs}/gu, "\uFFFD");
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__proto__")
      .map(([key, item]) => [scrub(key), scrub(item)]),
  );
}

function decode<T>(text: string, schema: z.ZodType<T>, types: ReadonlySet<string>): Decoded<T> {
  if (text.length > limits.messageBytes)
    return refuse("too-large", `message of ${text.length} characters; at most ${limits.messageBytes}`);
  // The envelope adds a few levels to what a raw payload may have.
  const depth = jsonDepth(text);
  if (depth > limits.rawDepth + 4) return refuse("too-deep", `nested ${depth} deep; at most ${limits.rawDepth + 4}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse("not-json", "the message is not JSON");
  }
  if (needsScrub.test(text)) json = scrub(json);
  const type =
    typeof json === "object" && json !== null && "type" in json && typeof json.type === "string"
      ? json.type.slice(0, 64)
      : null;
  if (type !== null && !types.has(type)) return refuse("unknown-type", `unknown message type "${type}"`, type);
  const parsed = schema.safeParse(json);
  return parsed.success ? { ok: true, value: parsed.data } : refuse("invalid", firstIssue(parsed.error), type);
}

const typesOf = (schema: { options: readonly { shape: { type: { value: string } } }[] }) =>
  new Set(schema.options.map((option) => option.shape.type.value));
const agentTypes = typesOf(agentMessageSchema);
const collectorTypes = typesOf(collectorMessageSchema);

/** Decodes what an agent sent. Never throws, whatever the bytes. */
export const decodeAgentMessage = (text: string): Decoded<AgentMessage> => decode(text, agentMessageSchema, agentTypes);

/** Decodes what a collector sent. Never throws, whatever the bytes. */
export const decodeCollectorMessage = (text: string): Decoded<CollectorMessage> =>
  decode(text, collectorMessageSchema, collectorTypes);

/** An observation whose facts are understood, or the same observation raw, with why it is not. */
export type DecodedObservation =
  | { readonly known: true; readonly observation: Observation }
  | { readonly known: false; readonly observation: RawObservation; readonly why: string };

const known = new Set<string>(observationKinds);
const factsSchemas: Record<ObservationKind, z.ZodType> = {
  system: systemFactsSchema,
  settings: settingsFactsSchema,
  pac: pacFactsSchema,
  wpad: wpadFactsSchema,
  probe: probeFactsSchema,
};

/** Keeps the facts of an observation that is not understood within the bounds of raw payloads; too much of it is left out. */
function keepRaw(raw: RawObservation, why: string): DecodedObservation {
  const text = JSON.stringify(raw.facts ?? null);
  const depth = jsonDepth(text);
  if (text.length <= limits.rawChars && depth <= limits.rawDepth)
    return { known: false, observation: { ...raw, facts: raw.facts ?? null }, why };
  const size = `${text.length} characters, ${depth} deep; at most ${limits.rawChars} and ${limits.rawDepth}`;
  return { known: false, observation: { ...raw, facts: null }, why: `${why}; facts left out: ${size}` };
}

/** Second step of decoding: the facts by kind. What is not understood is kept raw, so that newer agents never jam. */
export function decodeObservation(raw: RawObservation): DecodedObservation {
  if (!known.has(raw.kind)) return keepRaw(raw, `unknown kind "${raw.kind}"`);
  // The envelope has been checked with the message; the facts are most of the work, and are checked once.
  const parsed = factsSchemas[raw.kind as ObservationKind].safeParse(raw.facts);
  if (parsed.success) return { known: true, observation: { ...raw, facts: parsed.data } as Observation };
  return keepRaw(raw, firstIssue(parsed.error, "facts"));
}
