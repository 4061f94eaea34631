import * as z from "zod";
import type { Receiver, ReceiverType } from "./receivers.ts";

/*
 * What is secret of each type of receiver: stored encrypted, apart from the configuration; never shown, logged or
 * exported. No message here holds a value.
 */

export interface SecretInfo {
  /** As the vendor calls it. */
  readonly title: string;
  readonly required: boolean;
  /** The rule with an example, shown when a value breaks it. */
  readonly rule: string;
  readonly schema: z.ZodType<string>;
}

const line = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[^\p{Cc}]+$/u);
/** What may stand in a header. */
const token = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[\x21-\x7e]+$/);
const httpsUrl = z
  .string()
  .max(4096)
  .refine((text) => /^https:\/\/[^/?#@\s]+\//i.test(text) && URL.canParse(text) && !/[\s#]/.test(text));

export const receiverSecrets = {
  pagerduty: {
    routingKey: {
      title: "Integration key",
      required: true,
      rule: "32 letters and digits, from the service's Events API v2 integration",
      schema: z.string().regex(/^[A-Za-z0-9]{32}$/),
    },
    /** Makes `POST /api/v1/hooks/pagerduty` believe what PagerDuty says of acknowledgements. */
    webhookSecret: {
      title: "Webhook signing secret",
      required: false,
      rule: "as PagerDuty shows it once when a webhook subscription is made",
      schema: token(16, 256),
    },
  },
  alertmanager: {
    password: { title: "Password", required: false, rule: "at most 256 characters on one line", schema: line(1, 256) },
    bearerToken: {
      title: "Bearer token",
      required: false,
      rule: "printable ASCII without spaces, at most 4,096 characters",
      schema: token(1, 4096),
    },
  },
  webhook: {
    signingSecret: {
      title: "Signing secret",
      required: true,
      rule: "whsec_ followed by 24 to 64 bytes in base64, such as the output of: echo whsec_$(openssl rand -base64 32)",
      schema: z
        .string()
        .regex(/^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?$/),
    },
    /** Stands where the address says `{token}`. */
    token: {
      title: "Token in the address",
      required: false,
      rule: "letters, digits and . _ ~ -, at most 512 characters",
      schema: z.string().regex(/^[A-Za-z0-9._~-]{1,512}$/),
    },
    authorization: {
      title: "Authorization header",
      required: false,
      rule: "the header's whole value, such as Bearer eyJhbGciOi…",
      schema: z
        .string()
        .max(4096)
        .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/),
    },
  },
  email: {
    password: { title: "Password", required: false, rule: "at most 256 characters on one line", schema: line(1, 256) },
  },
  slack: {
    url: {
      title: "Webhook URL",
      required: true,
      rule: "the whole address, such as https://hooks.slack.com/services/T…/B…/…",
      schema: httpsUrl,
    },
  },
  teams: {
    url: {
      title: "Workflow URL",
      required: true,
      rule: "the whole address that the workflow shows, beginning with https://",
      schema: httpsUrl,
    },
  },
  ntfy: {
    /** On a server without access control whoever knows the topic reads it. */
    topic: {
      title: "Topic",
      required: true,
      rule: "letters, digits, _ and -, at most 64",
      schema: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    },
    token: { title: "Access token", required: false, rule: "such as tk_…", schema: token(1, 256) },
  },
} as const satisfies Record<ReceiverType, Record<string, SecretInfo>>;

/** The secrets of one type by name; those that are not required may be missing. */
export type SecretsOf<Type extends ReceiverType> = {
  readonly [Name in keyof (typeof receiverSecrets)[Type]]?: string;
};

/** What is known of a type's secrets, whatever the type. */
export const secretsOfType = (type: ReceiverType): Readonly<Record<string, SecretInfo>> => receiverSecrets[type];

export interface SecretIssue {
  readonly name: string;
  readonly message: string;
}

/**
 * What is wrong with a receiver's secrets: unknown names, missing ones, values that break their rule. Values never
 * stand in a message.
 * @example secretIssues(slack, {}) // [{ name: "url", message: "Webhook URL is missing: the whole address, such as …" }]
 */
export function secretIssues(receiver: Receiver, given: Readonly<Record<string, string | undefined>>): SecretIssue[] {
  const known = secretsOfType(receiver.type);
  const issues: SecretIssue[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => ({
      name,
      message: `a receiver of type ${receiver.type} has no secret of this name; it has ${Object.keys(known).join(", ")}`,
    }));
  const required = new Set(Object.keys(known).filter((name) => known[name]?.required));
  const { settings, type } = receiver;
  if ((type === "email" || type === "alertmanager") && settings.username !== null) required.add("password");
  if (type === "webhook" && settings.url.includes("{token}")) required.add("token");
  for (const [name, { title, rule, schema }] of Object.entries(known)) {
    const value = given[name];
    if (value === undefined) {
      if (required.has(name)) issues.push({ name, message: `${title} is missing: ${rule}` });
    } else if (!schema.safeParse(value).success) issues.push({ name, message: `${title} is not right: ${rule}` });
  }
  return issues;
}
