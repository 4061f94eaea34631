import type { Notice } from "@lynceus/protocol/notice";
import {
  alertmanagerSettingsSchema,
  emailSettingsSchema,
  slackSettingsSchema,
  webhookSettingsSchema,
} from "@lynceus/protocol/receivers";
import fc from "fast-check";
import { createTransport } from "nodemailer";
import { describe, expect, test } from "vitest";
import { toAlertmanagerAlerts } from "../src/alertmanager.ts";
import { toMail } from "../src/email.ts";
import { toNtfyMessage } from "../src/ntfy.ts";
import { toPagerDutyEvent } from "../src/pagerduty.ts";
import { toSlackMessage } from "../src/slack.ts";
import { toTeamsMessage } from "../src/teams.ts";
import { toWebhookRequest } from "../src/webhook.ts";
import {
  alertmanagerAlerts,
  ntfyMessage,
  pagerDutyAlert,
  pagerDutyChange,
  slackMessage,
  teamsMessage,
} from "./support/contracts.ts";
import { hostileNotice } from "./support/hostile.ts";
import { secrets } from "./support/receivers.ts";

/*
 * Whatever a machine, a site's name or a proxy's answer says: each vendor's documented form and limits hold, and the text is
 * shown as text. What the formats make of it on screen is looked at in e2e/.
 */

const zone = "Europe/Berlin";
const always = (check: (notice: Notice) => void | Promise<void>, numRuns = 100) =>
  fc.assert(
    fc.asyncProperty(hostileNotice, async (notice) => check(notice)),
    { numRuns },
  );

/** Every string of a value that stands under one of these keys. */
function* stringsAt(value: unknown, keys: ReadonlySet<string>, key = ""): Generator<string> {
  if (typeof value === "string") {
    if (keys.has(key)) yield value;
  } else if (Array.isArray(value)) for (const item of value) yield* stringsAt(item, keys, key);
  else if (value !== null && typeof value === "object")
    for (const [name, item] of Object.entries(value)) yield* stringsAt(item, keys, name);
}
const invisible = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe("hostile text in every field", () => {
  test("keeps PagerDuty's form", () =>
    always((notice) => {
      const { path, body } = toPagerDutyEvent(notice, secrets.pagerduty.routingKey, zone);
      expect(path).toBe(notice.kind === "change" ? "/v2/change/enqueue" : "/v2/enqueue");
      (notice.kind === "change" ? pagerDutyChange : pagerDutyAlert).parse(body);
      expect(JSON.stringify(body.payload ?? {})).not.toMatch(/\\u202e|\\u0000|\\ud800(?!\\ud)/i);
    }));

  test("keeps Alertmanager's form, and what an alert is known by", () =>
    always((notice) => {
      const settings = alertmanagerSettingsSchema.parse({ servers: ["https://am.contoso.com"], labels: { team: "x" } });
      const alerts = alertmanagerAlerts.parse(toAlertmanagerAlerts(notice, settings, zone));
      for (const { labels } of alerts)
        for (const name of Object.keys(labels))
          expect(["team", "alertname", "incident", "urgency", "simulated", "notice"]).toContain(name);
      const identities = alerts.map(({ labels }) => JSON.stringify(labels));
      const numbers = notice.kind === "digest" ? notice.incidents.map(({ number }) => number) : [0];
      if (new Set(numbers).size === numbers.length) expect(new Set(identities).size).toBe(identities.length);
    }));

  test("keeps Slack's form, and is parsed nowhere", () =>
    always((notice) => {
      const message = toSlackMessage(notice, slackSettingsSchema.parse({ mention: "channel" }), zone);
      slackMessage.parse(message);
      expect(message.text).not.toMatch(/[<>]|&(?!(?:amp|lt|gt);)/);
      for (const block of message.blocks) if (block.type === "section") expect(block.text.text).toBe("<!channel>");
      for (const said of stringsAt(message, new Set(["text"]))) expect(said).not.toMatch(invisible);
    }));

  test("keeps Teams' form and size, and is parsed nowhere", () =>
    always((notice) => {
      const message = toTeamsMessage(notice, zone);
      teamsMessage.parse(message);
      for (const said of stringsAt(message, new Set(["text"]))) {
        expect(said).not.toContain("{{");
        expect(said).not.toMatch(invisible);
      }
    }));

  test("keeps ntfy's form and size", () =>
    always((notice) => {
      const message = toNtfyMessage(notice, secrets.ntfy.topic, zone);
      ntfyMessage.parse(message);
      expect(message.title).not.toMatch(/[\r\n]/);
      expect(message.message).not.toMatch(invisible);
    }));

  test("is in a webhook's JSON what it was", () =>
    always((notice) => {
      const settings = webhookSettingsSchema.parse({ url: "https://hooks.contoso.com/" });
      const { body, headers } = toWebhookRequest(notice, settings, secrets.webhook, 0);
      expect(JSON.parse(body)).toEqual(notice);
      for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]+$/);
    }));

  test("adds no header, part or recipient to a mail, and no element to its HTML", async () => {
    const settings = emailSettingsSchema.parse({
      host: "smtp.contoso.com",
      from: "l@contoso.com",
      to: ["o@contoso.com"],
    });
    const compose = createTransport({ streamTransport: true, buffer: true });
    const allowed = new Set(
      "auto-submitted content-type date from importance in-reply-to message-id mime-version priority references subject to x-auto-response-suppress x-lynceus-incident x-lynceus-kind x-msmail-priority x-priority".split(
        " ",
      ),
    );
    await always(async (notice) => {
      const mail = toMail(notice, settings, { zone });
      const { message, envelope } = await compose.sendMail(mail);
      expect(envelope).toEqual({ from: "l@contoso.com", to: ["o@contoso.com"] });
      const [head = ""] = String(message).split("\r\n\r\n", 1);
      const names = head.split(/\r\n(?![ \t])/).map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
      expect(names.filter((name) => !allowed.has(name))).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
      for (const line of head.split("\r\n")) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
      expect(tagsOf(String(mail.html))).toEqual([]);
      expect(String(mail.text)).not.toMatch(invisible);
    }, 50);
  });
});

/** Elements and attributes of a mail that its template does not make. */
function tagsOf(html: string): string[] {
  const known =
    /^(?:!doctype html|html lang="en"|\/?head|meta [a-z-]+="[\w-]+"(?: content="[\w\s,.=-]+")?|\/?title|\/?style|body class="canvas" style="[^"<>]*"|div(?: class="line")? style="[^"<>]*"|p(?: class="ink[23]")? style="[^"<>]*"|h1 class="(?:wake|ink)" style="[^"<>]*"|span class="ink3" style="[^"<>]*"|bdi(?: class="ink" style="[^"<>]*")?|a href="https?:\/\/lynceus\.contoso\.com\/[^"<>]*" class="(?:filled|accent)" style="[^"<>]*"|\/(?:html|body|div|p|h1|span|bdi|a))$/;
  return [...html.matchAll(/<([^>]*)>/g)].map(([, tag = ""]) => tag).filter((tag) => !known.test(tag));
}
