import * as z from "zod";

/*
 * What each vendor documents of what it takes: fields, their types, their limits. Written from the public documentation
 * named beside each, apart from the builders, so that a builder and its contract do not share a mistake.
 */

const url = z.string().regex(/^https?:\/\/\S+$/);
const bytesAtMost = (max: number) => (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= max;
const utf8AtMost = (max: number) =>
  z.string().refine((text) => Buffer.byteLength(text) <= max, `more than ${max} bytes`);

/** developer.pagerduty.com: "Send an Alert Event", "Send a Change Event", "API Limits". */
const pagerDutyLinks = z.array(z.strictObject({ href: url, text: z.string().optional() }));
const pagerDutyDetails = z.record(z.string(), z.unknown());
export const pagerDutyAlert = z
  .strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(["trigger", "acknowledge", "resolve"]),
    dedup_key: z.string().min(1).max(255),
    client: z.string().optional(),
    client_url: url.optional(),
    links: pagerDutyLinks.optional(),
    payload: z
      .strictObject({
        summary: z.string().min(1).max(1024),
        source: z.string().min(1),
        severity: z.enum(["critical", "error", "warning", "info"]),
        timestamp: z.iso.datetime({ offset: true }),
        component: z.string().optional(),
        group: z.string().optional(),
        class: z.string().optional(),
        custom_details: pagerDutyDetails.optional(),
      })
      .optional(),
  })
  .refine(({ event_action, payload }) => event_action !== "trigger" || payload !== undefined, "a trigger has a payload")
  .refine(bytesAtMost(512 * 1024), "more than 512 KB");
export const pagerDutyChange = z
  .strictObject({
    routing_key: z.string().length(32),
    links: pagerDutyLinks,
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().optional(),
      timestamp: z.iso.datetime({ offset: true }),
      custom_details: pagerDutyDetails.optional(),
    }),
  })
  .refine(bytesAtMost(512 * 1024), "more than 512 KB");

/** prometheus/alertmanager, api/v2/openapi.yaml: `postableAlerts`; the data model's rule for label names. */
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
export const alertmanagerAlerts = z.array(
  z
    .strictObject({
      labels: z.record(labelName, z.string().min(1)).refine((labels) => "alertname" in labels),
      annotations: z.record(labelName, z.string()),
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
      generatorURL: url.optional(),
    })
    .refine(({ startsAt, endsAt }) => startsAt <= endsAt, "ends before it starts"),
);

/** docs.slack.dev: "Blocks", "Rich text", "Sending messages using incoming webhooks". */
const slackText = z.strictObject({
  type: z.literal("text"),
  text: z.string().min(1),
  style: z.strictObject({ bold: z.literal(true).optional(), code: z.literal(true).optional() }).optional(),
});
const slackLink = z.strictObject({ type: z.literal("link"), url: url.max(3000), text: z.string().min(1) });
const slackBlock = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("header"),
    text: z.strictObject({
      type: z.literal("plain_text"),
      text: z.string().min(1).max(150),
      emoji: z.literal(false),
    }),
  }),
  z.strictObject({
    type: z.literal("rich_text"),
    elements: z.tuple([
      z.strictObject({
        type: z.literal("rich_text_section"),
        elements: z.array(z.union([slackText, slackLink])).min(1),
      }),
    ]),
  }),
  z.strictObject({
    type: z.literal("section"),
    text: z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(3000) }),
  }),
]);
export const slackMessage = z
  .strictObject({
    text: z.string().min(1).max(40_000),
    blocks: z.array(slackBlock).min(1).max(50),
    unfurl_links: z.literal(false),
    unfurl_media: z.literal(false),
  })
  // github.com/slackapi/bolt-js/issues/2509: all blocks together, not documented.
  .refine(({ blocks }) => JSON.stringify(blocks).length < 13_000, "msg_blocks_too_long");

/** adaptivecards.io, schema 1.4; learn.microsoft.com on Workflows: `attachments`, 28 KB; six actions are shown. */
const teamsRun = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string().min(1),
  size: z.enum(["Small", "Default", "Medium", "Large", "ExtraLarge"]).optional(),
  weight: z.enum(["Lighter", "Default", "Bolder"]).optional(),
  color: z.enum(["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]).optional(),
  isSubtle: z.boolean().optional(),
  fontType: z.enum(["Default", "Monospace"]).optional(),
});
export const teamsMessage = z
  .strictObject({
    type: z.literal("message"),
    summary: z.string().min(1),
    attachments: z.tuple([
      z.strictObject({
        contentType: z.literal("application/vnd.microsoft.card.adaptive"),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
          type: z.literal("AdaptiveCard"),
          version: z.literal("1.4"),
          fallbackText: z.string(),
          msteams: z.strictObject({ width: z.literal("Full") }),
          body: z
            .array(
              z.strictObject({
                type: z.literal("RichTextBlock"),
                spacing: z.enum(["None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"]),
                inlines: z.array(teamsRun).min(1),
              }),
            )
            .min(1),
          actions: z
            .array(
              z.strictObject({
                type: z.literal("Action.OpenUrl"),
                title: z.string().min(1),
                url,
                style: z.enum(["default", "positive", "destructive"]).optional(),
              }),
            )
            .max(6),
        }),
      }),
    ]),
  })
  .refine(bytesAtMost(28 * 1024), "more than 28 KB");

/** docs.ntfy.sh: "Publish as JSON", "Limitations". */
export const ntfyMessage = z.strictObject({
  topic: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  title: utf8AtMost(1024).min(1),
  message: utf8AtMost(4096).min(1),
  priority: z.int().min(1).max(5),
  click: url.optional(),
  actions: z
    .array(z.strictObject({ action: z.literal("view"), label: z.string().min(1), url }))
    .max(3)
    .optional(),
});
