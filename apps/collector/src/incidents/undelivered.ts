import type { ClaimedNotice, NewNotice } from "@lynceus/db/notices";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { carriesKind } from "@lynceus/protocol/receivers";

/** Where a notice that tells of an undelivered one came from: the receivers that were tried, the first one first. */
const triedOf = ({ kind, thread, receiver }: Pick<ClaimedNotice, "kind" | "thread" | "receiver">): string[] =>
  kind === "undelivered" ? [...(/^undelivered:([^:]*):/.exec(thread)?.[1]?.split("+") ?? []), receiver] : [receiver];

/**
 * The notice by which another receiver hears that one cannot be reached: the next of the fallbacks, else of all receivers,
 * that was not tried. Empty where there is none left: then the dashboard alone shows the dead letter.
 */
export function undeliveredNotice(
  notice: Pick<ClaimedNotice, "key" | "kind" | "thread" | "receiver" | "incident" | "urgency" | "body">,
  detail: string,
  config: AlertingConfig,
  by: { readonly now: number },
): NewNotice[] {
  const tried = triedOf(notice);
  const order = [...config.settings.fallback, ...config.receivers.map(({ id }) => id)];
  const next = order
    .map((id) => config.receivers.find((receiver) => receiver.id === id))
    .find((receiver) => receiver && !tried.includes(receiver.id) && carriesKind(receiver.type, "undelivered"));
  if (!next) return [];
  const name = config.receivers.find(({ id }) => id === tried[0])?.name ?? tried[0] ?? "a receiver";
  const root = notice.kind === "undelivered" ? notice.thread.replace(/^undelivered:[^:]*:/, "") : notice.key;
  const headline =
    notice.kind === "undelivered" ? notice.body.headline : `Not delivered to ${name}: ${notice.body.headline}`;
  const thread = `undelivered:${tried.join("+")}:${root}`.slice(0, 200);
  const key = `${root}-undelivered-${next.id}`.slice(0, 200);
  return [
    {
      key,
      incident: notice.incident,
      receiver: next.id,
      person: null,
      kind: "undelivered",
      reason: "not-delivered",
      urgency: notice.urgency,
      thread,
      body: {
        kind: "undelivered",
        key,
        thread,
        at: new Date(by.now).toISOString(),
        headline: headline.slice(0, 110),
        reason:
          notice.kind === "undelivered" ? notice.body.reason : `${name} could not be reached: ${detail}`.slice(0, 300),
        incident: null,
        incidents: [],
        change: null,
        acknowledgeUrl: null,
      },
    },
  ];
}
