import { type Notice, type NoticeIncident, urgencies } from "@lynceus/protocol/notice";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { AlertmanagerSettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import { headlineOf, type Message, toMessage } from "./message.ts";
import { delivered, type Outcome, rejected, retry } from "./outcome.ts";

/*
 * Prometheus Alertmanager, API v2. Labels make an alert's identity there, so none of them changes in an incident's life
 * but `urgency`, by which Alertmanager's own routes decide who is woken: the alert of the other urgency is ended in the
 * same request. Everything that moves stands in annotations.
 */

export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

const hourMs = 3_600_000;
/** Of what is no incident: long enough to be grouped and told, and over by itself. */
const passingMs = { undelivered: hourMs, test: 5 * 60_000 } as const;

const iso = (at: number): string => new Date(at).toISOString();

const annotationName = (label: string): string => label.toLowerCase().replace(/[^a-z0-9]+/g, "_");

const annotationsOf = (message: Message): Record<string, string> =>
  Object.fromEntries(
    [
      ["summary", headlineOf(message)],
      ["description", message.sentence],
      ["reason", message.reason],
      ...message.lines.map(({ label, text }) => [annotationName(label), text]),
      ["dashboard", message.links[0]?.url ?? ""],
      // Prometheus drops empty annotations as well.
    ].filter(([, text]) => text !== ""),
  );

function ofIncident(
  notice: Notice,
  incident: NoticeIncident,
  settings: AlertmanagerSettings,
  zone: string,
): AlertmanagerAlert[] {
  const now = Date.parse(notice.at);
  const one: Notice = { ...notice, kind: notice.kind === "digest" ? "opened" : notice.kind, incident, incidents: [] };
  const message = toMessage(
    { ...one, headline: notice.kind === "digest" ? incident.title : notice.headline },
    { zone },
  );
  const over = notice.kind === "resolved" || incident.state === "resolved" || incident.state === "merged";
  const annotations = annotationsOf(message);
  const page = message.links[0]?.url;
  const since = Math.min(Date.parse(incident.since), now);
  return urgencies.map((urgency) => {
    const firing = !over && urgency === incident.urgency;
    return {
      labels: {
        ...settings.labels,
        alertname: "CredentialPromptsExpected",
        incident: String(incident.number),
        urgency,
        simulated: String(incident.simulated),
      },
      annotations,
      startsAt: iso(since),
      endsAt: iso(firing ? now + settings.expireHours * hourMs : now),
      ...(page === undefined ? {} : { generatorURL: page }),
    };
  });
}

/** The alerts of a notice; none for a change, which Alertmanager has no form for. */
export function toAlertmanagerAlerts(
  notice: Notice,
  settings: AlertmanagerSettings,
  zone: string,
): AlertmanagerAlert[] {
  if (notice.kind === "change") return [];
  const incidents = notice.kind === "digest" ? notice.incidents : notice.incident === null ? [] : [notice.incident];
  if (incidents.length > 0) return incidents.flatMap((incident) => ofIncident(notice, incident, settings, zone));
  const now = Date.parse(notice.at);
  const test = notice.kind === "test";
  return [
    {
      labels: {
        ...settings.labels,
        alertname: test ? "LynceusTest" : "LynceusNoticeUndelivered",
        urgency: test ? "low" : "high",
        notice: notice.thread,
      },
      annotations: annotationsOf(toMessage(notice, { zone })),
      startsAt: iso(now),
      endsAt: iso(now + (test ? passingMs.test : passingMs.undelivered)),
    },
  ];
}

function authorization({ username }: AlertmanagerSettings, secrets: SecretsOf<"alertmanager">): Record<string, string> {
  if (username !== null)
    return { authorization: `Basic ${Buffer.from(`${username}:${secrets.password ?? ""}`).toString("base64")}` };
  return secrets.bearerToken === undefined ? {} : { authorization: `Bearer ${secrets.bearerToken}` };
}

/**
 * Tells every instance of the cluster, as Prometheus does: an instance that did not hear of an alert would not page when
 * the others are cut off. It is delivered when one took it, since that one pages. Never rejects.
 */
export async function sendAlertmanager(
  notice: Notice,
  settings: AlertmanagerSettings,
  secrets: SecretsOf<"alertmanager">,
  zone: string,
  context: DeliveryContext,
): Promise<Outcome> {
  const alerts = toAlertmanagerAlerts(notice, settings, zone);
  if (alerts.length === 0) return rejected("Alertmanager has no form for this kind of notice");
  const message = { headers: authorization(settings, secrets), body: JSON.stringify(alerts) };
  const outcomes = await Promise.all(
    settings.servers.map((server) =>
      sendHttp({ ...message, url: `${server.replace(/\/+$/, "")}/api/v2/alerts` }, settings.connection, context),
    ),
  );
  return together(settings.servers, outcomes);
}

/** One outcome of several instances: the best, with what went wrong elsewhere. */
function together(servers: readonly string[], outcomes: readonly Outcome[]): Outcome {
  const took = outcomes.filter(({ outcome }) => outcome === "delivered").length;
  const wrong = outcomes.flatMap((outcome, index) =>
    outcome.outcome === "delivered" ? [] : [`${new URL(servers[index] ?? "").host}: ${outcome.reason}`],
  );
  const text = wrong.join("; ").slice(0, 400);
  if (took > 0) return delivered(`${took} of ${servers.length} took it${text === "" ? "" : `; ${text}`}`);
  const waits = outcomes.flatMap((outcome) => (outcome.outcome === "retry" ? [outcome.afterMs ?? 0] : []));
  if (waits.length === 0) return rejected(text);
  const after = Math.min(...waits);
  return retry(text, after > 0 ? after : null);
}
