import { answer, type Schemas } from "@lynceus/client/client";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { firstRows, limitOption, rowLimit } from "../listing.ts";
import { duration, id, incidentNumber, moment } from "../parse.ts";
import { usageProblem } from "../problem.ts";
import { type Column, type Format, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";

type Silence = Schemas["Silence"];

const silenceColumns = (time: ReturnType<typeof timeText>): Column<Silence>[] => [
  { name: "id", of: (silence) => silence.id },
  { name: "state", of: (silence) => silence.state },
  { name: "starts", of: (silence) => time(silence.startsAt) },
  { name: "ends", of: (silence) => time(silence.endsAt) },
  { name: "author", of: (silence) => silence.author },
  { name: "match", of: (silence) => silence.match },
  { name: "comment", of: (silence) => silence.comment },
];

interface AddOptions {
  for?: string;
  until?: string;
  from?: string;
  incident?: number;
  comment: string;
  dryRun?: boolean;
  json?: boolean;
}

function endOf(options: AddOptions, startsAt: string): string {
  if ((options.for === undefined) === (options.until === undefined))
    throw usageProblem("a silence needs its end: either --for 2h, or --until 2026-11-24T18:00Z");
  return options.until === undefined
    ? new Date(Date.parse(startsAt) + duration(options.for ?? "", "--for")).toISOString()
    : moment(options.until, "--until", Date.parse(startsAt), 1);
}

const addCommand = (cli: Cli) =>
  new Command("add")
    .summary("tell nobody of machines that match")
    .description("Makes a silence: nobody is told of the machines that it matches, until it ends.")
    .argument("[filter...]", "which machines: site:Bern pattern:proxy-auth-required")
    .option("--for <duration>", "how long, e.g. 90m, 2h, 3d")
    .option("--until <time>", "or when it ends, e.g. 2026-11-24T18:00Z")
    .option("--from <time>", "when it begins, e.g. 2026-11-24T16:00Z; now, when absent")
    .option("--incident <number>", "instead of a filter: the machines of this incident", incidentNumber)
    .option("--comment <text>", "why", "")
    .option("--dry-run", "say what it would match now, and make nothing")
    .option("--json", "for a program")
    .addHelpText(
      "after",
      '\nExamples:\n  lynceus silence add site:Bern --for 2h --comment "proxy upgrade"\n  lynceus silence add --incident 1182 --for 1d\n  lynceus silence add "route:px1* -tag:vip" --for 2h --dry-run',
    )
    .action(async (filter: string[], options: AddOptions) => {
      const match = filter.join(" ");
      const { incident, comment } = options;
      if ((match === "") === (incident === undefined))
        throw usageProblem("a silence needs either a filter, e.g. site:Bern, or --incident 1182");
      const startsAt = options.from === undefined ? null : moment(options.from, "--from", cli.now(), 1);
      const endsAt = endOf(options, startsAt ?? new Date(cli.now()).toISOString());
      const client = connect(cli);
      const found = await answer(
        client.POST("/api/v1/silences/preview", { body: { match: match || `incident:${incident}` } }),
      );
      const reach = `${formatCount(found.machines)} machines, of which ${formatCount(found.failing)} fail${found.incidents
        .map((one) => `; incident ${one.number}: ${formatCount(one.machines)} of ${formatCount(one.of)}`)
        .join("")}`;
      if (options.dryRun)
        return options.json ? printJson(cli, found) : write(cli, `It would match ${safeText(reach, 2_000)}\n`);
      const body = { comment, endsAt, ...(startsAt && { startsAt }) };
      const silence = await answer(
        incident === undefined
          ? client.POST("/api/v1/silences", { body: { ...body, match } })
          : client.POST("/api/v1/incidents/{number}/silence", { params: { path: { number: incident } }, body }),
      );
      if (options.json) return printJson(cli, silence);
      say(cli, `silenced until ${timeText(cli, "table")(silence.endsAt)}: ${safeText(reach, 2_000)}`);
      await write(cli, `${silence.id}\n`);
    });

const listCommand = (cli: Cli) =>
  new Command("list")
    .summary("silences in force and to come")
    .description("Lists silences, the one that ends last first.")
    .option("--all", "also those that ended")
    .addOption(formatOption())
    .addOption(limitOption())
    .addHelpText("after", "\nExample:\n  lynceus silence list --all -o csv")
    .action(async (options: { all?: boolean; output: Format; limit?: number }) => {
      const client = connect(cli);
      const { rows, total } = firstRows<Silence>(
        (query) =>
          client.GET("/api/v1/silences", {
            params: { query: { ...query, ...(options.all && { over: "true" as const }) } },
          }),
        rowLimit(options.limit, options.output),
      );
      await printRows(cli, rows, {
        format: options.output,
        columns: silenceColumns(timeText(cli, options.output)),
        empty: "no silence is in force",
        total,
      });
    });

const endCommand = (cli: Cli) =>
  new Command("end")
    .summary("end a silence before its time")
    .description("Ends a silence before its time.")
    .argument("<id>", "as lynceus silence list has it", (text) => id(text, "silence"))
    .addHelpText("after", "\nExample:\n  lynceus silence end 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10")
    .action(async (silence: string) => {
      await answer(connect(cli).DELETE("/api/v1/silences/{id}", { params: { path: { id: silence } } }));
      say(cli, "ended");
    });

export const silenceCommand = (cli: Cli) =>
  new Command("silence")
    .summary("silences: add, list, end")
    .description("Silences: nobody is told of the machines that one matches.")
    .addCommand(addCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(endCommand(cli));
