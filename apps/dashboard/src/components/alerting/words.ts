import type { AlertingConfig, EscalationTarget, Hours, Layer, Route } from "@lynceus/protocol/alerting";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { NoticeRow } from "@lynceus/protocol/read-api-incidents";
import type { Receiver, ReceiverType } from "@lynceus/protocol/receivers";

/* What the pages say of the alerting configuration. */

export const typeNames: Readonly<Record<ReceiverType, string>> = {
  pagerduty: "PagerDuty",
  alertmanager: "Alertmanager",
  webhook: "Webhook",
  email: "E-mail",
  slack: "Slack",
  teams: "Microsoft Teams",
  ntfy: "ntfy",
};

/** What each type is for (docs/receivers.md). */
export const typeTexts: Readonly<Record<ReceiverType, string>> = {
  pagerduty: "pages people, with acknowledgement in both directions",
  alertmanager: "for who routes with Prometheus Alertmanager",
  webhook: "anything that takes JSON, signed",
  email: "people, by SMTP",
  slack: "a channel",
  teams: "a channel or chat",
  ntfy: "push to phones, on ntfy.sh or a server of yours",
};

/** Where a receiver's server is, without anything secret. */
export function placeText({ type, settings }: Receiver): string {
  switch (type) {
    case "pagerduty":
    case "ntfy":
      return hostOf(settings.server);
    case "alertmanager":
      return settings.servers.map(hostOf).join(", ");
    case "webhook":
      return hostOf(settings.url.replaceAll("{token}", "token"));
    case "email":
      return `${settings.host}, to ${settings.to.length === 0 ? "the person who is told" : settings.to.join(", ")}`;
    case "slack":
    case "teams":
      return "its address is a secret";
  }
}
const hostOf = (address: string) => (URL.canParse(address) ? new URL(address).host : address);

const nameIn = (list: readonly { readonly id: string; readonly name: string }[], id: string) =>
  list.find((one) => one.id === id)?.name ?? id;

export function targetText(target: EscalationTarget, config: AlertingConfig): string {
  if ("person" in target) return nameIn(config.people, target.person);
  if ("schedule" in target) return `on call: ${nameIn(config.schedules, target.schedule)}`;
  return nameIn(config.receivers, target.receiver);
}

/** Who a route tells: "Proxy team", "escalation Exchange on call". */
export function toldBy(route: Route, config: AlertingConfig): string[] {
  return [
    ...route.receivers.map((id) => nameIn(config.receivers, id)),
    ...(route.escalation === null ? [] : [`escalation ${nameIn(config.escalations, route.escalation)}`]),
  ];
}

const dayNames: Readonly<Record<Hours["days"][number], string>> = {
  mon: "Mon",
  tue: "Tue",
  wed: "Wed",
  thu: "Thu",
  fri: "Fri",
  sat: "Sat",
  sun: "Sun",
};
const daysText = (days: Hours["days"]) => (days.length === 7 ? "daily" : days.map((day) => dayNames[day]).join(", "));

/** When a route tells: "after 8 s; again each 4 h; quiet 22:00 to 07:00 Europe/Berlin". */
export function timesText(route: Route): string {
  const { groupBy, groupWaitSeconds, repeatHours, quietHours, sendResolved } = route;
  return [
    `after ${groupWaitSeconds} s`,
    ...(groupBy === "cause" ? [] : [groupBy === "route" ? "all together" : `together by ${groupBy}`]),
    repeatHours === 0 ? "never again" : `again each ${repeatHours} h`,
    ...(sendResolved ? [] : ["not of the end"]),
    ...(quietHours === null
      ? []
      : [`low urgency not ${quietHours.from} to ${quietHours.to} ${quietHours.zone}, ${daysText(quietHours.days)}`]),
  ].join("; ");
}

/** "M. Huber, L. Tan, each week from 2026-11-13 00:00". */
export function layerText({ people, start, turn }: Layer, config: AlertingConfig): string {
  const names = people.map((id) => safeText(nameIn(config.people, id), 60)).join(", ");
  const each = turn.every === 1 ? `each ${turn.unit}` : `each ${turn.every} ${turn.unit}s`;
  return `${names}; ${each} from ${start.replace("T", " ")}`;
}

/** What became of a notice, with what the receiver answered. */
export function noticeOutcome(
  notice: Pick<NoticeRow, "state" | "attempts" | "detail" | "createdAt">,
  now: number,
): { tone: "ok" | "bad" | "stale" | "plain"; text: string } {
  const { state, attempts, detail, createdAt } = notice;
  const why = detail === null ? "" : `: ${safeText(detail, 300)}`;
  const tries = `${formatCount(attempts)} ${attempts === 1 ? "try" : "tries"}`;
  switch (state) {
    case "sent":
      return { tone: "ok", text: `Delivered${attempts > 1 ? `, after ${tries}` : ""}${why}` };
    case "failed":
      return { tone: "stale", text: `Not delivered yet, ${tries}${why}` };
    case "dead":
      return { tone: "bad", text: `Given up after ${tries}${why}` };
    default:
      return now - Date.parse(createdAt) > 30_000
        ? { tone: "stale", text: "Nobody has sent it yet: does a collector run?" }
        : { tone: "plain", text: "On its way" };
  }
}

/** Which version it is, in words. */
export const versionText = (version: number): string =>
  version === 0 ? "the settings of a new installation" : `version ${version}`;
