import * as z from "zod";
import { seriesLimits } from "./counts.ts";
import { isoTimeSchema } from "./read-api.ts";
import { countQuerySchema } from "./series.ts";

/*
 * The live feed of `/api/v1/live`: one WebSocket, JSON text messages, an API token in the upgrade's Authorization header.
 * A client asks for counts and gets them again when they changed, or once a minute; and is told, without content, that
 * something changed. Both come at most once an interval, however much happens.
 */

/** Bounds of one client. */
export const liveLimits = { messageBytes: 16 * 1024, subscriptions: 32, idChars: 64 } as const;

const id = z.string().min(1).max(liveLimits.idChars);

export const liveRequestSchema = z.discriminatedUnion("type", [
  /** A subscription of the same id is replaced. */
  z.object({ type: z.literal("subscribe"), id, counts: countQuerySchema }),
  z.object({ type: z.literal("unsubscribe"), id }),
]);
export type LiveRequest = z.input<typeof liveRequestSchema>;

const valueSchema = z.object({ labels: z.record(z.string(), z.string()), value: z.number() });

export const liveMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    version: z.string(),
    at: isoTimeSchema,
    /** The least time between two messages of a kind, and the most between two counts of a subscription. */
    intervalSeconds: z.number(),
    heartbeatSeconds: z.number(),
  }),
  z.object({
    type: z.literal("counts"),
    id,
    at: isoTimeSchema,
    series: z.array(valueSchema).max(seriesLimits.series),
    left: z.number().int(),
  }),
  z.object({ type: z.literal("changed"), at: isoTimeSchema }),
  /** What the client sent cannot be done; `id` where it is known. The connection stays. */
  z.object({ type: z.literal("error"), id: z.string().nullable(), code: z.string(), message: z.string() }),
]);
export type LiveMessage = z.infer<typeof liveMessageSchema>;

/** Why the collector ends a connection: close codes are API. */
export const liveCloseCodes = {
  /** It stops; come back. */
  restarting: 1012,
  /** The token was revoked or has expired. */
  unauthorized: 4401,
  /** It read too slowly. */
  slow: 4408,
  /** It sent more messages than anybody needs. */
  flooding: 4429,
} as const;
