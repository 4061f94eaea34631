import { answer } from "@lynceus/client/client";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { commaList, duration, id, wholeNumber } from "../parse.ts";
import { type Column, type Format, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";

const listTokens = async (cli: Cli) => (await answer(connect(cli).GET("/api/v1/enrollment-tokens"))).items;
type Token = Awaited<ReturnType<typeof listTokens>>[number];

function stateOf(token: Token, now: number): string {
  if (token.revokedAt !== null) return "revoked";
  if (Date.parse(token.expiresAt) <= now) return "expired";
  return token.uses >= token.maxUses ? "used up" : "in force";
}

const tokenColumns = (cli: Cli, time: ReturnType<typeof timeText>): Column<Token>[] => [
  { name: "id", of: (token) => token.id },
  { name: "state", of: (token) => stateOf(token, cli.now()) },
  { name: "uses", of: (token) => `${token.uses}/${token.maxUses}` },
  { name: "expires", of: (token) => time(token.expiresAt) },
  { name: "site", of: (token) => token.site ?? "" },
  { name: "tags", of: (token) => token.tags.join(" ") },
  { name: "approval", of: (token) => (token.needsApproval ? "needed" : "") },
  { name: "by", of: (token) => token.createdBy },
  { name: "label", of: (token) => token.label },
];

interface CreateOptions {
  label: string;
  site?: string;
  tag?: string[];
  machines: number;
  expires: string;
  approval?: boolean;
  json?: boolean;
}

const createCommand = (cli: Cli) =>
  new Command("create")
    .summary("make a token; it is printed once")
    .description("Makes an enrolment token. Its text is the only thing that is written to standard output.")
    .option("--label <text>", "what it is for", "")
    .option("--site <site>", "site of the machines that enrol with it")
    .option("--tag <tags>", "tags that they get, e.g. vip,laptop", commaList)
    .option(
      "--machines <number>",
      "how many may enrol with it",
      (text) => wholeNumber(text, "--machines", 1, 1_000_000),
      1,
    )
    .option("--expires <duration>", "how long it holds, at most 52w", "1d")
    .option("--approval", "each machine waits until an admin lets it in")
    .option("--json", "for a program")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus tokens create --label Intune --machines 5000 --expires 2w > token.txt\n  lynceus tokens create --site Bern --tag laptop --approval",
    )
    .action(async (options: CreateOptions) => {
      const { label, site = null, tag: tags = [], machines: maxUses, approval = false } = options;
      const expiresInMinutes = Math.round(duration(options.expires, "--expires", "1d") / 60_000);
      const made = await answer(
        connect(cli).POST("/api/v1/enrollment-tokens", {
          body: { label, site, tags, maxUses, expiresInMinutes, needsApproval: approval },
        }),
      );
      if (options.json) return printJson(cli, made);
      say(cli, `token ${made.id}, until ${timeText(cli, "table")(made.expiresAt)}; it is shown this once`);
      await write(cli, `${made.token}\n`);
    });

const listCommand = (cli: Cli) =>
  new Command("list")
    .summary("enrolment tokens, without their texts")
    .description("Lists enrolment tokens, newest first. Their texts are kept nowhere.")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  lynceus tokens list -o csv")
    .action(async (options: { output: Format }) =>
      printRows(cli, await listTokens(cli), {
        format: options.output,
        columns: tokenColumns(cli, timeText(cli, options.output)),
        empty: "there is no enrolment token; lynceus tokens create makes one",
      }),
    );

const revokeCommand = (cli: Cli) =>
  new Command("revoke")
    .summary("nobody enrols with it any more")
    .description("Revokes an enrolment token. Machines that enrolled with it stay.")
    .argument("<id>", "as lynceus tokens list has it", (text) => id(text, "token"))
    .addHelpText("after", "\nExample:\n  lynceus tokens revoke 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10")
    .action(async (token: string) => {
      await answer(connect(cli).DELETE("/api/v1/enrollment-tokens/{id}", { params: { path: { id: token } } }));
      say(cli, "revoked");
    });

export const tokensCommand = (cli: Cli) =>
  new Command("tokens")
    .summary("enrolment tokens: create, list, revoke")
    .description("Enrolment tokens: what an agent is let in with, once.")
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(revokeCommand(cli));
