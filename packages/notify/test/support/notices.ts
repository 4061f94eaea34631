import { readFileSync } from "node:fs";
import { type Notice, type NoticeIncident, noticeSchema } from "@lynceus/protocol/notice";

const fixture = new URL("../../../protocol/fixtures/v1/notice.json", import.meta.url);

/** The notice of the night of interface.md: px1 asks 347 machines for a login. */
export const opened: Notice = noticeSchema.parse(JSON.parse(readFileSync(fixture, "utf8")));
export const incident: NoticeIncident = opened.incident!;

export const resolved: Notice = {
  ...opened,
  kind: "resolved",
  key: "notice-7f0c-9",
  at: "2026-11-24T03:46:00Z",
  headline: "Resolved: px1.contoso.com asks for its own login",
  reason: "no machine has failed for 5 min",
  incident: {
    ...incident,
    state: "resolved",
    resolvedAt: "2026-11-24T03:41:00Z",
    acknowledgedBy: "M. Huber",
    machines: 0,
    sites: [],
  },
  acknowledgeUrl: null,
};

export const second: NoticeIncident = {
  ...incident,
  number: 1183,
  title: "mail.contoso.com does not answer on 443",
  pattern: "ews-port-blocked",
  urgency: "low",
  machines: 12,
  url: "https://lynceus.contoso.com/incidents/1183",
};

export const digest: Notice = {
  ...opened,
  kind: "digest",
  key: "notice-7f0c-2",
  thread: "digest-on-call",
  headline: "2 incidents: 359 machines in Singapore, Manila and Perth",
  reason: "more than 20 notices this hour: the rest in one message",
  incidents: [incident, second],
  acknowledgeUrl: null,
};

export const change: Notice = {
  ...opened,
  kind: "change",
  key: "notice-7f0c-3",
  thread: "change-9f3c1e-41ab07",
  headline: "347 machines: proxy script 9f3c1e → 41ab07",
  reason: "seen on 347 machines within 30 min",
  incident: null,
  change: {
    text: "Proxy script 9f3c1e → 41ab07",
    detail: "http://pac.contoso.com/proxy.pac",
    machines: 347,
    at: "2026-11-24T02:12:00Z",
    url: "https://lynceus.contoso.com/changes/77",
  },
  acknowledgeUrl: null,
};

const aboutNothing = { incident: null, incidents: [], change: null, acknowledgeUrl: null };

export const undelivered: Notice = {
  ...opened,
  ...aboutNothing,
  kind: "undelivered",
  key: "notice-7f0c-4",
  thread: "undelivered-pagerduty",
  headline: "PagerDuty was not reached: 3 notices are undelivered",
  reason: "given up after 12 tries in 6 h; last: HTTP 503",
};

export const test: Notice = {
  ...opened,
  ...aboutNothing,
  kind: "test",
  key: "notice-7f0c-5",
  thread: "test-on-call",
  headline: "Test of the receiver On call",
  reason: "sent by Ada Admin from the dashboard",
};

/** One notice of every kind. */
export const everyKind: readonly Notice[] = [
  opened,
  { ...opened, kind: "grew" },
  { ...opened, kind: "reminder" },
  { ...opened, kind: "escalated" },
  { ...opened, kind: "acknowledged", incident: { ...incident, state: "acknowledged", acknowledgedBy: "M. Huber" } },
  { ...opened, kind: "flapping", incident: { ...incident, state: "flapping" } },
  resolved,
  digest,
  change,
  undelivered,
  test,
];
