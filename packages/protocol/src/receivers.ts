import * as z from "zod";
import type { NoticeKind } from "./notice.ts";
import { templateIssue } from "./notice-template.ts";

/*
 * Receivers: where notices go. A receiver is part of the alerting configuration, which is exported and shown; so no
 * secret is in it. What is secret of each type stands in `receiver-secrets.ts` and is stored apart, encrypted.
 */

export const receiverTypes = ["pagerduty", "alertmanager", "webhook", "email", "slack", "teams", "ntfy"] as const;
export const receiverTypeSchema = z.enum(receiverTypes);
export type ReceiverType = z.infer<typeof receiverTypeSchema>;

/**
 * Where a receiver's server may be: on the internet; also in private networks (10/8, 172.16/12, 192.168/16, 100.64/10,
 * fc00::/7); also on the sending machine itself. Link-local, metadata, unspecified and multicast addresses never.
 */
export const reaches = ["public", "private", "loopback"] as const;
export const reachSchema = z.enum(reaches);
export type Reach = z.infer<typeof reachSchema>;

/** The URL of a text that has one of the schemes, a host, and neither login nor fragment; or null. */
function plainUrl(text: string, schemes: readonly string[]): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const bare = url.username === "" && url.password === "" && url.hash === "" && !text.includes("#");
  return schemes.includes(url.protocol) && url.hostname !== "" && bare ? url : null;
}

const noControls = (text: string) => !/\p{Cc}/u.test(text);

/** An address of a server: http or https, no login, query or fragment in it. */
const serverUrl = (example: string) =>
  z
    .string()
    .max(2048)
    .refine((text) => plainUrl(text, ["http:", "https:"])?.search === "" && !text.includes("?") && noControls(text), {
      error: ({ input }) =>
        `"${shown(input)}" is not the address of a server: http or https, without login, query or fragment; use e.g. ${example}`,
    });

/** `{token}` stands for the secret `token`, so that an address that holds one can be shown and exported. */
export const tokenPlace = "{token}";

const webhookUrl = z
  .string()
  .max(2048)
  .refine(
    (text) => {
      const url = plainUrl(text.replaceAll(tokenPlace, "token"), ["http:", "https:"]);
      return (
        url !== null &&
        noControls(text) &&
        plainUrl(text.replaceAll(tokenPlace, "other"), ["http:", "https:"])?.host === url.host
      );
    },
    {
      error: ({ input }) =>
        `"${shown(input)}" is not the address of a webhook: http or https, no login or fragment, {token} only behind the host; use e.g. https://hooks.contoso.com/lynceus?key={token}`,
    },
  );

/** A value in an error message: the first 80 characters of a text, and of an address nothing that could be a login. */
function shown(input: unknown): string {
  if (typeof input !== "string") return typeof input;
  return input
    .replace(/\/\/[^/]*@/, "//…@")
    .replace(/\?.*$/, "?…")
    .slice(0, 80);
}

const proxyUrl = z
  .string()
  .max(2048)
  .refine((text) => plainUrl(text, ["http:"])?.pathname === "/" && !text.includes("?"), {
    error: ({ input }) =>
      `"${shown(input)}" is not the address of a proxy: http, host and port alone; use e.g. http://px1.contoso.com:8080`,
  });

const certificates = z
  .string()
  .max(64 * 1024)
  .refine((text) => /-----BEGIN CERTIFICATE-----/.test(text) && !/PRIVATE KEY/.test(text), {
    error: "not certificates in PEM; give the CA's certificate alone, beginning with -----BEGIN CERTIFICATE-----",
  });

/** How a receiver's server is reached. */
const connectionShape = {
  reach: reachSchema.default("public"),
  /** Certificates (PEM) of the authorities that are trusted beside the public ones. */
  ca: certificates.nullable().default(null),
};
export const mailConnectionSchema = z.strictObject(connectionShape);
export const connectionSchema = z.strictObject({
  ...connectionShape,
  /** The collector's way out: asked by CONNECT, without login. It may be private whatever `reach` says. */
  proxy: proxyUrl.nullable().default(null),
});
export type Connection = z.infer<typeof connectionSchema>;

const connection = connectionSchema.prefault({});

export const pagerDutySettingsSchema = z.strictObject({
  /** `https://events.eu.pagerduty.com` for accounts of its European region. */
  server: serverUrl("https://events.pagerduty.com").default("https://events.pagerduty.com"),
  connection,
});
export type PagerDutySettings = z.infer<typeof pagerDutySettingsSchema>;

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;

export const alertmanagerSettingsSchema = z.strictObject({
  /** Every instance of the cluster, without the path: each is told, as Prometheus does. */
  servers: z.array(serverUrl("http://alertmanager.contoso.com:9093")).min(1).max(8),
  /** Labels on every alert, for Alertmanager's own routes. */
  labels: z
    .record(z.string(), z.string().min(1).max(256))
    .refine(
      (labels) => Object.keys(labels).every((name) => labelName.test(name)),
      "a label's name has letters, digits and _, at most 64 and no digit first; use e.g. team",
    )
    .refine((labels) => Object.keys(labels).length <= 16, "at most 16 labels")
    .refine(
      (labels) => !["alertname", "incident", "urgency", "simulated"].some((name) => name in labels),
      "alertname, incident, urgency and simulated are set by Lynceus; choose another name, e.g. team",
    )
    .default({}),
  /** Login of a reverse proxy before Alertmanager; its secret is `password`. */
  username: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^:\p{Cc}]+$/u, "a user name has no colon")
    .nullable()
    .default(null),
  /** An alert that nobody renews ends after so many hours: more than the longest repeat interval. */
  expireHours: z.int().min(1).max(720).default(168),
  connection,
});
export type AlertmanagerSettings = z.infer<typeof alertmanagerSettingsSchema>;

export const webhookSettingsSchema = z.strictObject({
  url: webhookUrl,
  method: z.enum(["POST", "PUT"]).default("POST"),
  /** The body, any JSON, with `{{incident.title}}` and the like in its strings (`notice-template.ts`); null sends the whole notice. */
  template: z
    .json()
    .superRefine((template, context) => {
      const issue = templateIssue(template);
      if (issue) context.addIssue({ code: "custom", message: issue.message, path: [...issue.path] });
    })
    .nullable()
    .default(null),
  connection,
});
export type WebhookSettings = z.infer<typeof webhookSettingsSchema>;

/** One mail address, without a name: what stands in MAIL FROM and RCPT TO. ASCII, so that every server takes it. */
export const mailAddressSchema = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/,
    "not a mail address; use e.g. oncall@contoso.com",
  );

export const emailSettingsSchema = z
  .strictObject({
    host: z
      .string()
      .max(255)
      .regex(/^[A-Za-z0-9._:-]+$/, "a host name or address alone; use e.g. smtp.contoso.com"),
    port: z.int().min(1).max(65_535).default(587),
    /** `starttls`: begins in the clear, and nothing is sent before TLS is on. `none`: a relay inside that has no TLS. */
    security: z.enum(["tls", "starttls", "none"]).default("starttls"),
    /** Null: the relay takes mail without a login. Its secret is `password`. */
    username: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^\p{Cc}]+$/u, "no control characters")
      .nullable()
      .default(null),
    from: mailAddressSchema,
    /** May be empty where a person's own address is given at each delivery. */
    to: z.array(mailAddressSchema).max(50).default([]),
    connection: mailConnectionSchema.prefault({}),
  })
  .refine(({ security, username }) => security !== "none" || username === null, {
    path: ["security"],
    message: 'a login is never sent without TLS; use "starttls" or "tls", or leave username out',
  })
  .refine(({ security, connection: { reach } }) => security !== "none" || reach !== "public", {
    path: ["security"],
    message: 'mail without TLS is refused on the internet; use "starttls", or set connection.reach to "private"',
  });
export type EmailSettings = z.infer<typeof emailSettingsSchema>;

export const slackSettingsSchema = z.strictObject({
  /** Who is called out when something of high urgency opens, grows or is escalated. */
  mention: z.enum(["none", "here", "channel"]).default("none"),
  connection,
});
export type SlackSettings = z.infer<typeof slackSettingsSchema>;

export const teamsSettingsSchema = z.strictObject({ connection });
export type TeamsSettings = z.infer<typeof teamsSettingsSchema>;

export const ntfySettingsSchema = z.strictObject({
  server: serverUrl("https://ntfy.contoso.com").default("https://ntfy.sh"),
  connection,
});
export type NtfySettings = z.infer<typeof ntfySettingsSchema>;

/** Whether an IANA zone is known to this runtime. */
function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Whether a type of receiver has a form for a kind of notice: Alertmanager knows no event that does not end. */
export const carriesKind = (type: ReceiverType, kind: NoticeKind): boolean =>
  !(type === "alertmanager" && kind === "change");

/** Notices an hour above which one digest says the rest; a machine takes more than a person. */
export const defaultCapPerHour: Readonly<Record<ReceiverType, number>> = {
  pagerduty: 20,
  alertmanager: 600,
  webhook: 600,
  email: 30,
  slack: 30,
  teams: 30,
  ntfy: 20,
};

const receiverOf = <Type extends ReceiverType, Settings extends z.ZodType>(type: Type, settings: Settings) =>
  z.strictObject({
    type: z.literal(type),
    /** Stable: routes, secrets and delivered notices refer to it. */
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens; use e.g. proxy-team-mail"),
    name: z.string().trim().min(1).max(128).refine(noControls, "no control characters; use e.g. Proxy team"),
    /** Zone of the times in its messages; the message names it. */
    zone: z.string().max(64).refine(isZone, "not a time zone; use e.g. Europe/Berlin").default("UTC"),
    capPerHour: z.int().min(1).max(10_000).default(defaultCapPerHour[type]),
    settings,
  });

/** One receiver. Unknown keys are errors, so that a misspelt one is noticed. */
export const receiverSchema = z
  .discriminatedUnion("type", [
    receiverOf("pagerduty", pagerDutySettingsSchema.prefault({})),
    receiverOf("alertmanager", alertmanagerSettingsSchema),
    receiverOf("webhook", webhookSettingsSchema),
    receiverOf("email", emailSettingsSchema),
    receiverOf("slack", slackSettingsSchema.prefault({})),
    receiverOf("teams", teamsSettingsSchema.prefault({})),
    receiverOf("ntfy", ntfySettingsSchema.prefault({})),
  ])
  .superRefine((receiver, context) => {
    if (receiver.settings.connection.reach !== "public") return;
    for (const [path, address] of clearAddresses(receiver))
      context.addIssue({
        code: "custom",
        path: ["settings", ...path],
        message: `"${shown(address)}" is not encrypted, which is refused on the internet; use https, or set connection.reach to "private"`,
      });
  });
export type Receiver = z.infer<typeof receiverSchema>;

/** The addresses of a receiver that are plain http, each with its path. */
function clearAddresses({ type, settings }: Receiver): [path: (string | number)[], address: string][] {
  const all: [(string | number)[], string][] =
    type === "pagerduty" || type === "ntfy"
      ? [[["server"], settings.server]]
      : type === "alertmanager"
        ? settings.servers.map((address, index) => [["servers", index], address])
        : type === "webhook"
          ? [[["url"], settings.url]]
          : [];
  return all.filter(([, address]) => /^http:/i.test(address));
}
