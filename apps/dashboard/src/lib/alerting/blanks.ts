import { defaultCapPerHour, type ReceiverType } from "@lynceus/protocol/receivers";
import type { ListKind } from "./pieces.ts";

/* What the form of a new piece begins with: what most need, and nothing that would have to be taken away. */

const connection = { reach: "public", ca: null, proxy: null };

const settingsOf: Readonly<Record<ReceiverType, Record<string, unknown>>> = {
  pagerduty: { server: "https://events.pagerduty.com", connection },
  alertmanager: {
    servers: [],
    labels: {},
    username: null,
    expireHours: 168,
    connection: { ...connection, reach: "private" },
  },
  webhook: { url: "", method: "POST", template: null, connection },
  email: {
    host: "",
    port: 587,
    security: "starttls",
    username: null,
    from: "",
    to: [],
    connection: { reach: "private", ca: null },
  },
  slack: { mention: "none", connection },
  teams: { connection },
  ntfy: { server: "https://ntfy.sh", connection },
};

/** `zone` is the viewer's; `now` decides the first days of shifts and windows. */
export function blankOf(
  kind: ListKind,
  context: { readonly type: ReceiverType; readonly zone: string; readonly now: number },
): Record<string, unknown> {
  const { type, zone, now } = context;
  const today = new Date(now).toISOString().slice(0, 10);
  switch (kind) {
    case "receivers":
      return { type, id: "", name: "", zone, capPerHour: defaultCapPerHour[type], settings: settingsOf[type] };
    case "people":
      return { id: "", name: "", email: null, receivers: [] };
    case "schedules":
      return {
        id: "",
        name: "",
        zone,
        layers: [{ people: [], start: `${today}T09:00`, turn: { every: 1, unit: "week" }, hours: [] }],
        overrides: [],
      };
    case "escalations":
      return { id: "", name: "", steps: [{ targets: [], minutes: 15 }], repeat: 1 };
    case "routes":
      return {
        id: "",
        name: "",
        match: "",
        receivers: [],
        escalation: null,
        continue: false,
        groupBy: "cause",
        groupWaitSeconds: 8,
        groupIntervalMinutes: 5,
        repeatHours: 4,
        sendAcknowledged: true,
        sendResolved: true,
        quietHours: null,
      };
    case "inhibitions":
      return { id: "", name: "", source: "", target: "", same: ["location"] };
  }
}
