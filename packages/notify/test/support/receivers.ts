import { type Receiver, type ReceiverType, receiverSchema } from "@lynceus/protocol/receivers";

/** Secrets of every type, such that each can be found again wherever it may turn up. */
export const secrets = {
  pagerduty: { routingKey: "r0utingkeyr0utingkeyr0utingkey01", webhookSecret: "pagerduty-webhook-hunter2" },
  alertmanager: { password: "alertmanager-hunter2", bearerToken: "bearer-hunter2-token" },
  webhook: {
    signingSecret: "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==",
    token: "token-hunter2",
    authorization: "Bearer authorization-hunter2",
  },
  email: { password: "smtp-hunter2" },
  slack: { url: "" },
  teams: { url: "" },
  ntfy: { topic: "topic-hunter2", token: "tk_hunter2hunter2" },
} as const;

/** Paths of secret addresses, to be put behind a test server's origin. */
export const secretPaths = {
  slack: "/services/T00000000/B00000000/hunter2hunter2hunter2",
  teams:
    "/workflows/0123456789abcdef/triggers/manual/paths/invoke?api-version=2016-06-01&sig=hunter2-signature-hunter2",
} as const;

const settingsOf = (origin: string): Record<ReceiverType, object> => ({
  pagerduty: { server: origin },
  alertmanager: { servers: [origin], labels: { team: "messaging" } },
  webhook: { url: `${origin}/in?key={token}` },
  email: { host: "127.0.0.1", security: "none", from: "lynceus@contoso.com", to: ["oncall@contoso.com"] },
  slack: { mention: "here" },
  teams: {},
  ntfy: { server: origin },
});

export interface At {
  /** `https://127.0.0.1:port` of a test's server. */
  readonly origin: string;
  /** Certificate of the authority that signed the server's. */
  readonly ca: string | null;
}

/** A receiver of a type whose server is a test's. */
export const receiverAt = (type: ReceiverType, { origin, ca }: At, settings: object = {}): Receiver =>
  receiverSchema.parse({
    type,
    id: `${type}-on-call`,
    name: `On call by ${type}`,
    zone: "Europe/Berlin",
    settings: { ...settingsOf(origin)[type], connection: { reach: "loopback", ca }, ...settings },
  });

/** The secrets of a receiver whose server is a test's. */
export const secretsAt = (type: ReceiverType, { origin }: At): Record<string, string> =>
  type === "slack" || type === "teams" ? { url: `${origin}${secretPaths[type]}` } : { ...secrets[type] };
