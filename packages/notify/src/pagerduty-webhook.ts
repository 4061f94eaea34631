import { createHmac, timingSafeEqual } from "node:crypto";
import { safeText } from "@lynceus/protocol/present";
import * as z from "zod";

/*
 * What PagerDuty tells back: a V3 webhook (developer.pagerduty.com, "Webhooks"), one event a request. It is believed only
 * when one of its signatures holds, over the bytes as they came.
 */

/** Bytes of a body; PagerDuty drops what is larger. */
export const maxWebhookBytes = 256 * 1024;

/**
 * Whether a body was signed with one of the subscription secrets.
 * @param header `X-PagerDuty-Signature`: `v1=<hex>`, several with commas while a secret is changed
 * @param body the bytes as they came, before anything parsed them
 */
export function verifyPagerDutySignature(
  body: Uint8Array,
  header: string | undefined,
  secrets: readonly string[],
): boolean {
  const given = (header ?? "")
    .slice(0, 4096)
    .split(",")
    .map((part) => /^\s*v1=([0-9a-f]{64})\s*$/i.exec(part)?.[1])
    .flatMap((hex) => (hex === undefined ? [] : [Buffer.from(hex, "hex")]));
  return secrets
    .filter((secret) => secret !== "")
    .map((secret) => createHmac("sha256", secret).update(body).digest())
    .some((expected) => given.some((signature) => timingSafeEqual(signature, expected)));
}

const eventSchema = z.object({
  event: z.object({
    id: z.string().min(1).max(128),
    event_type: z.string().max(128),
    occurred_at: z.iso.datetime({ offset: true }),
    agent: z.object({ summary: z.string().max(256).nullish() }).nullish(),
    data: z.object({
      incident_key: z.string().max(255).nullish(),
      html_url: z.string().max(2048).nullish(),
    }),
  }),
});

export type PagerDutyEvent =
  | {
      readonly kind: "acknowledged" | "unacknowledged" | "resolved" | "reopened";
      /** The same for each try: drop what was seen. */
      readonly id: string;
      /** Milliseconds since 1970. */
      readonly at: number;
      /** The thread of our notices: their `dedup_key`. */
      readonly thread: string;
      /** Who did it, ready to show; null when PagerDuty did it by itself. */
      readonly by: string | null;
    }
  /** Something that we have no use for, such as the ping of a new subscription. */
  | { readonly kind: "other"; readonly id: string; readonly type: string };

const kinds: Readonly<Record<string, "acknowledged" | "unacknowledged" | "resolved" | "reopened">> = {
  "incident.acknowledged": "acknowledged",
  "incident.unacknowledged": "unacknowledged",
  "incident.resolved": "resolved",
  "incident.reopened": "reopened",
};

/**
 * Reads a body whose signature holds. A type that is not known is `other`, never an error, since PagerDuty adds types.
 * @returns null when it is no event of theirs
 */
export function parsePagerDutyEvent(body: Uint8Array): PagerDutyEvent | null {
  if (body.byteLength > maxWebhookBytes) return null;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return null;
  }
  const parsed = eventSchema.safeParse(json);
  if (!parsed.success) return null;
  const { id, event_type, occurred_at, agent, data } = parsed.data.event;
  const kind = Object.hasOwn(kinds, event_type) ? kinds[event_type] : undefined;
  if (kind === undefined || !data.incident_key) return { kind: "other", id: safeText(id), type: safeText(event_type) };
  return {
    kind,
    id,
    at: Date.parse(occurred_at),
    thread: data.incident_key,
    by: agent?.summary ? safeText(agent.summary, 128) : null,
  };
}
