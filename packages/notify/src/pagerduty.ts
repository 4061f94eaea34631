import type { Notice } from "@lynceus/protocol/notice";
import { safeText } from "@lynceus/protocol/present";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { PagerDutySettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import { cut, headlineOf, type Message, toMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/*
 * PagerDuty, Events API v2 (developer.pagerduty.com, "Events API v2"). One incident of ours is one of theirs: they share
 * the notice's thread as `dedup_key`, so that a growing or repeated incident is never a second page.
 */

/** Characters of a summary, and of a deduplication key. */
export const pagerDutyLimits = { summary: 1024, dedupKey: 255, bytes: 512 * 1024 } as const;

interface PagerDutyLink {
  readonly href: string;
  readonly text: string;
}

export interface PagerDutyAlert {
  readonly routing_key: string;
  readonly dedup_key: string;
  readonly event_action: "trigger" | "acknowledge" | "resolve";
  readonly client?: string;
  readonly client_url?: string;
  readonly links?: readonly PagerDutyLink[];
  readonly payload?: {
    readonly summary: string;
    readonly source: string;
    readonly severity: "critical" | "error" | "warning" | "info";
    readonly timestamp: string;
    readonly group?: string;
    readonly class?: string;
    readonly custom_details: Readonly<Record<string, string>>;
  };
}

export interface PagerDutyChange {
  readonly routing_key: string;
  readonly links: readonly PagerDutyLink[];
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly timestamp: string;
    readonly custom_details: Readonly<Record<string, string>>;
  };
}

export type PagerDutyRequest =
  | { readonly path: "/v2/enqueue"; readonly body: PagerDutyAlert }
  | { readonly path: "/v2/change/enqueue"; readonly body: PagerDutyChange };

const actionOf = ({ kind }: Notice): PagerDutyAlert["event_action"] =>
  kind === "resolved" ? "resolve" : kind === "acknowledged" ? "acknowledge" : "trigger";

/** PagerDuty decides by it whether it rings; its words, not ours. */
const severities = { wake: "critical", notice: "warning", calm: "info" } as const;

const detailsOf = (message: Message): Record<string, string> =>
  Object.fromEntries(
    [
      ["Why now", message.reason],
      ["Cause", message.sentence],
      ...message.lines.map(({ label, text }) => [label, text]),
      ...message.others.map(({ text, url }, index) => [`Incident ${index + 1}`, `${text} ${url}`]),
      ...(message.omitted > 0 ? [["More", String(message.omitted)]] : []),
    ].filter(([, text]) => text !== ""),
  );

/** The event of a notice. `acknowledge` and `resolve` hold nothing but the key, as PagerDuty documents them. */
export function toPagerDutyEvent(notice: Notice, routingKey: string, zone: string): PagerDutyRequest {
  const message = toMessage(notice, { zone });
  const links = message.links.map(({ text, url }) => ({ href: url, text }));
  const summary = cut(headlineOf(message), pagerDutyLimits.summary);
  const details = detailsOf(message);
  if (notice.kind === "change")
    return {
      path: "/v2/change/enqueue",
      body: {
        routing_key: routingKey,
        links,
        payload: { summary, source: "Lynceus", timestamp: notice.change?.at ?? notice.at, custom_details: details },
      },
    };
  const action = actionOf(notice);
  const key = {
    routing_key: routingKey,
    dedup_key: cut(notice.thread, pagerDutyLimits.dedupKey),
    event_action: action,
  };
  if (action !== "trigger") return { path: "/v2/enqueue", body: key };
  const { incident } = notice;
  return {
    path: "/v2/enqueue",
    body: {
      ...key,
      client: "Lynceus",
      ...(links[0] ? { client_url: links[0].href } : {}),
      links,
      payload: {
        summary,
        source: "Lynceus",
        severity: severities[message.tone],
        timestamp: notice.at,
        ...(incident?.sites[0] ? { group: safeText(incident.sites[0].site) } : {}),
        ...(incident?.pattern ? { class: incident.pattern } : {}),
        custom_details: details,
      },
    },
  };
}

/** Sends a notice to PagerDuty, which takes it (202) and works on it later. Never rejects. */
export function sendPagerDuty(
  notice: Notice,
  settings: PagerDutySettings,
  secrets: SecretsOf<"pagerduty">,
  zone: string,
  context: DeliveryContext,
): Promise<Outcome> {
  const { path, body } = toPagerDutyEvent(notice, secrets.routingKey ?? "", zone);
  const url = `${settings.server.replace(/\/+$/, "")}${path}`;
  return sendHttp({ url, body: JSON.stringify(body) }, settings.connection, context);
}
