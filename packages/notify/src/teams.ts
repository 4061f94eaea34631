import type { Notice } from "@lynceus/protocol/notice";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { TeamsSettings } from "@lynceus/protocol/receivers";
import { type DeliveryContext, sendHttp } from "./http.ts";
import { cut, headlineOf, type Message, toMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

/*
 * Microsoft Teams: the webhook trigger of Workflows, with one Adaptive Card. Text stands in `TextRun` alone, which knows
 * no Markdown, so that nothing in it can become a link or markup.
 */

/** Teams drops a message of more than 28 KB; the card may hold so many bytes below it. */
export const teamsLimits = { bytes: 28 * 1024, ours: 24 * 1024 } as const;

/** Buttons that Teams shows. */
const maxActions = 6;

interface TextRun {
  readonly type: "TextRun";
  readonly text: string;
  readonly size?: "Small" | "Large";
  readonly weight?: "Bolder";
  readonly color?: "Attention";
  readonly isSubtle?: true;
  readonly fontType?: "Monospace";
}
interface OpenUrl {
  readonly type: "Action.OpenUrl";
  readonly title: string;
  readonly url: string;
  readonly style?: "positive";
}
interface RichTextBlock {
  readonly type: "RichTextBlock";
  readonly spacing: "None" | "Small" | "Medium" | "Large";
  readonly inlines: readonly TextRun[];
}
export interface TeamsMessage {
  readonly type: "message";
  readonly summary: string;
  readonly attachments: readonly [
    {
      readonly contentType: "application/vnd.microsoft.card.adaptive";
      readonly contentUrl: null;
      readonly content: {
        readonly $schema: "http://adaptivecards.io/schemas/adaptive-card.json";
        readonly type: "AdaptiveCard";
        readonly version: "1.4";
        readonly fallbackText: string;
        readonly msteams: { readonly width: "Full" };
        readonly body: readonly RichTextBlock[];
        readonly actions: readonly OpenUrl[];
      };
    },
  ];
}

// `{{DATE(…)}}` is replaced by cards wherever it stands.
const inert = (text: string): string => text.replace(/\{\{/g, "{ {");

const run = (text: string, look: Omit<TextRun, "type" | "text"> = {}): TextRun => ({
  type: "TextRun",
  text: inert(text),
  ...look,
});
const block = (spacing: RichTextBlock["spacing"], ...inlines: TextRun[]): RichTextBlock => ({
  type: "RichTextBlock",
  spacing,
  inlines,
});

function card(message: Message, maxLine: number): TeamsMessage {
  const title = headlineOf(message);
  const others = message.others.map(({ text }) => block("Small", run(cut(text, maxLine))));
  return {
    type: "message",
    summary: cut(title, 200),
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          fallbackText: cut(title, 200),
          msteams: { width: "Full" },
          body: [
            block("None", run(cut(message.reason, maxLine), { size: "Small", isSubtle: true })),
            block(
              "Small",
              run(cut(title, maxLine), {
                size: "Large",
                weight: "Bolder",
                ...(message.tone === "wake" ? { color: "Attention" as const } : {}),
              }),
            ),
            ...(message.sentence === "" ? [] : [block("Small", run(cut(message.sentence, maxLine)))]),
            ...message.lines.flatMap(({ label, text, mono }) => [
              block("Medium", run(label, { size: "Small", isSubtle: true })),
              block("None", run(cut(text, maxLine), mono ? { fontType: "Monospace" } : {})),
            ]),
            ...others,
            ...(message.omitted > 0 ? [block("Small", run(`and ${message.omitted} more`))] : []),
          ],
          actions: [
            ...(message.acknowledge
              ? [
                  {
                    type: "Action.OpenUrl" as const,
                    title: message.acknowledge.text,
                    url: message.acknowledge.url,
                    style: "positive" as const,
                  },
                ]
              : []),
            ...[...message.links, ...message.others.map(({ button, url }) => ({ text: button, url }))].map(
              ({ text, url }) => ({ type: "Action.OpenUrl" as const, title: cut(text, 60), url }),
            ),
          ].slice(0, maxActions),
        },
      },
    ],
  };
}

/** The card of a notice, shortened until it fits. */
export function toTeamsMessage(notice: Notice, zone: string): TeamsMessage {
  const message = toMessage(notice, { zone, maxOthers: 15 });
  let made = card(message, 1000);
  for (let max = 500; Buffer.byteLength(JSON.stringify(made)) > teamsLimits.ours && max > 15; max = Math.floor(max / 2))
    made = card(message, max);
  return made;
}

/** Sends a notice to a Teams channel or chat by its workflow, which takes it (202) and posts it later. Never rejects. */
export const sendTeams = (
  notice: Notice,
  settings: TeamsSettings,
  secrets: SecretsOf<"teams">,
  zone: string,
  context: DeliveryContext,
): Promise<Outcome> =>
  sendHttp(
    { url: secrets.url ?? "", body: JSON.stringify(toTeamsMessage(notice, zone)) },
    settings.connection,
    context,
  );
