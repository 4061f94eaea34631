import type { Notice } from "@lynceus/protocol/notice";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { NtfySettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import { cutBytes, headlineOf, type Message, toMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/*
 * ntfy, published as JSON (docs.ntfy.sh, "Publishing"). Plain text: the Markdown switch stays off. The title is the
 * headline; the text begins with what a lock screen has room for.
 */

/** Bytes of UTF-8; a longer message would arrive as an attached file. */
export const ntfyLimits = { message: 4096, title: 1024 } as const;

interface NtfyAction {
  readonly action: "view";
  readonly label: string;
  readonly url: string;
}
export interface NtfyMessage {
  readonly topic: string;
  readonly title: string;
  readonly message: string;
  /** 5 rings through, 3 is usual, 2 makes no sound. */
  readonly priority: 2 | 3 | 4 | 5;
  readonly click?: string;
  /** At most three. */
  readonly actions?: readonly NtfyAction[];
}

function priorityOf({ kind }: Notice, { tone }: Message): NtfyMessage["priority"] {
  if (tone !== "wake") return tone === "notice" ? 3 : kind === "test" ? 3 : 2;
  return kind === "grew" || kind === "reminder" ? 4 : 5;
}

/** The message of a notice to one topic. */
export function toNtfyMessage(notice: Notice, topic: string, zone: string): NtfyMessage {
  const message = toMessage(notice, { zone, maxOthers: 15 });
  const text = [
    message.sentence,
    ...message.lines.map(({ label, text: said }) => `${label}: ${said}`),
    ...message.others.map(({ text: said }) => said),
    ...(message.omitted > 0 ? [`and ${message.omitted} more`] : []),
    message.reason,
  ].filter((line) => line !== "");
  const links = [...(message.acknowledge ? [message.acknowledge] : []), ...message.links];
  const click = links[0]?.url;
  return {
    topic,
    title: cutBytes(headlineOf(message), ntfyLimits.title),
    // Empty would become the word "triggered".
    message: cutBytes(text.join("\n"), ntfyLimits.message) || headlineOf(message).slice(0, 100),
    priority: priorityOf(notice, message),
    ...(click === undefined
      ? {}
      : { click, actions: links.slice(0, 3).map(({ text: label, url }) => ({ action: "view" as const, label, url })) }),
  };
}

/** Sends a notice to an ntfy topic. Never rejects. */
export const sendNtfy = (
  notice: Notice,
  settings: NtfySettings,
  secrets: SecretsOf<"ntfy">,
  zone: string,
  context: DeliveryContext,
): Promise<Outcome> =>
  sendHttp(
    {
      url: `${settings.server.replace(/\/+$/, "")}/`,
      headers: secrets.token === undefined ? {} : { authorization: `Bearer ${secrets.token}` },
      body: JSON.stringify(toNtfyMessage(notice, secrets.topic ?? "", zone)),
    },
    settings.connection,
    context,
  );
