import { createHash, createHmac } from "node:crypto";
import type { Notice } from "@lynceus/protocol/notice";
import { renderTemplate } from "@lynceus/protocol/notice-template";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import { tokenPlace, type WebhookSettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, type HttpMessage, sendHttp } from "./http.ts";
import type { Outcome } from "./outcome.ts";

/*
 * A webhook, signed as standardwebhooks.com specifies it, for which libraries exist in most languages: the id stays the same
 * for each try of a notice, so that a receiver can drop what it has; the time is that of the try, so that a recorded
 * request cannot be sent again later.
 */

/** An id without the dot that separates it in what is signed. */
export const webhookId = (key: string): string =>
  /^[A-Za-z0-9_-]+$/.test(key) ? key : createHash("sha256").update(key).digest("hex");

/**
 * The signature header over exactly the bytes that are sent.
 * @param secret `whsec_` and base64
 */
export function signWebhook(secret: string, id: string, seconds: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}

/** What is sent: the template filled, or the whole notice. */
export function toWebhookRequest(
  notice: Notice,
  settings: WebhookSettings,
  secrets: SecretsOf<"webhook">,
  now: number,
): HttpMessage & { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify(settings.template === null ? notice : renderTemplate(settings.template, notice));
  const id = webhookId(notice.key);
  const seconds = Math.floor(now / 1000);
  return {
    url: settings.url.replaceAll(tokenPlace, secrets.token ?? ""),
    method: settings.method,
    headers: {
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": signWebhook(secrets.signingSecret ?? "", id, seconds, body),
      "idempotency-key": id,
      ...(secrets.authorization === undefined ? {} : { authorization: secrets.authorization }),
    },
    body,
  };
}

/** Sends a notice to a webhook. Never rejects. */
export const sendWebhook = (
  notice: Notice,
  settings: WebhookSettings,
  secrets: SecretsOf<"webhook">,
  context: DeliveryContext,
): Promise<Outcome> => sendHttp(toWebhookRequest(notice, settings, secrets, context.now), settings.connection, context);
