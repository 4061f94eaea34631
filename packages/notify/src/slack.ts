import type { Notice } from "@lynceus/protocol/notice";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { SlackSettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import { cut, headlineOf, type Message, toMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/*
 * Slack, incoming webhooks with Block Kit. Whatever a machine said stands in `plain_text` or in text elements of a
 * `rich_text` block: neither is parsed, so that nothing in it can become a mention, a link or markup.
 */

/** Slack's limits (docs.slack.dev, "Block Kit"), and our own total below the undocumented one of some 13,000 characters. */
export const slackLimits = { header: 150, text: 3000, blocks: 50, linkUrl: 3000, total: 10_000 } as const;

type RichElement =
  | { readonly type: "text"; readonly text: string; readonly style?: { readonly bold?: true; readonly code?: true } }
  | { readonly type: "link"; readonly url: string; readonly text: string };

export type SlackBlock =
  | {
      readonly type: "header";
      readonly text: { readonly type: "plain_text"; readonly text: string; readonly emoji: false };
    }
  | {
      readonly type: "rich_text";
      readonly elements: readonly { readonly type: "rich_text_section"; readonly elements: readonly RichElement[] }[];
    }
  | { readonly type: "section"; readonly text: { readonly type: "mrkdwn"; readonly text: "<!here>" | "<!channel>" } };

export interface SlackMessage {
  /** Of the notification; the blocks are what is seen in the channel. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** Slack's three characters of control; without them no mention and no link can be made. */
const escapeSlack = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const plain = (text: string): RichElement => ({ type: "text", text });
const bold = (text: string): RichElement => ({ type: "text", text, style: { bold: true } });
const code = (text: string): RichElement => ({ type: "text", text, style: { code: true } });
const linkTo = (url: string, text: string): RichElement[] =>
  url.length > slackLimits.linkUrl ? [] : [{ type: "link", url, text }];

const paragraph = (...elements: RichElement[]): SlackBlock => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements }],
});

/** Each part at most so long that all of them fit: 12 lines of 600 characters and 12 incidents of 200. */
const maxLine = 600;
const maxOthers = 12;

function bodyOf(message: Message): SlackBlock[] {
  const lines = message.lines
    .slice(0, 12)
    .flatMap(({ label, text, mono }, index): RichElement[] => [
      bold(`${index === 0 ? "" : "\n"}${label}  `),
      mono ? code(cut(text, maxLine)) : plain(cut(text, maxLine)),
    ]);
  const others = message.others.flatMap(({ text, url }, index): RichElement[] => [
    ...(index === 0 ? [] : [plain("\n")]),
    ...linkTo(url, cut(text, 200)),
  ]);
  const links = [...(message.acknowledge ? [message.acknowledge] : []), ...message.links].flatMap(({ text, url }) => [
    ...linkTo(url, text),
    plain("   "),
  ]);
  const more = message.omitted > 0 ? [plain(`\nand ${message.omitted} more`)] : [];
  return [
    ...(message.sentence === "" ? [] : [paragraph(plain(cut(message.sentence, maxLine)))]),
    ...(lines.length > 0 ? [paragraph(...lines)] : []),
    ...(others.length > 0 ? [paragraph(...others, ...more)] : []),
    paragraph(...links, plain(cut(message.reason, 300))),
  ];
}

/** Kinds that call people out, where the receiver wishes it. */
const loud: ReadonlySet<Notice["kind"]> = new Set(["opened", "grew", "escalated", "undelivered"]);

/** The message of a notice. */
export function toSlackMessage(notice: Notice, settings: SlackSettings, zone: string): SlackMessage {
  const message = toMessage(notice, { zone, maxOthers });
  const title = headlineOf(message);
  const call = settings.mention !== "none" && message.tone === "wake" && loud.has(notice.kind);
  return {
    text: escapeSlack(cut(title, 500)),
    blocks: [
      { type: "header", text: { type: "plain_text", text: cut(title, slackLimits.header), emoji: false } },
      ...(title.length > slackLimits.header ? [paragraph(plain(cut(title, maxLine)))] : []),
      ...bodyOf(message),
      ...(call
        ? [
            {
              type: "section" as const,
              text: { type: "mrkdwn" as const, text: `<!${settings.mention as "here" | "channel"}>` as const },
            },
          ]
        : []),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Sends a notice to a Slack channel. Never rejects. */
export const sendSlack = (
  notice: Notice,
  settings: SlackSettings,
  secrets: SecretsOf<"slack">,
  zone: string,
  context: DeliveryContext,
): Promise<Outcome> =>
  sendHttp(
    { url: secrets.url ?? "", body: JSON.stringify(toSlackMessage(notice, settings, zone)) },
    settings.connection,
    context,
  );
