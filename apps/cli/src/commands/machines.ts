import { answer, type Schemas } from "@lynceus/client/client";
import { formatCount } from "@lynceus/protocol/present";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { firstRows, limitOption, rowLimit } from "../listing.ts";
import { commaList } from "../parse.ts";
import { type Column, chooseColumns, type Format, fieldLines, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";

type Row = Schemas["MachineRow"];

const statusText = (row: Row) => (row.atRisk ? "at-risk" : row.status);

const machineColumns = (time: (iso: string | null | undefined) => string): Column<Row>[] => [
  { name: "name", of: (row) => row.hostname },
  { name: "status", of: statusText },
  { name: "since", of: (row) => time(row.since) },
  { name: "cause", of: (row) => row.primary?.cause ?? "" },
  { name: "pattern", of: (row) => row.primary?.pattern ?? "" },
  { name: "confidence", of: (row) => row.primary?.confidence ?? "" },
  { name: "site", of: (row) => row.site ?? "" },
  { name: "location", of: (row) => row.location },
  { name: "route", of: (row) => row.route ?? "" },
  { name: "verdict", of: (row) => row.verdictConfigured ?? "" },
  { name: "direct", of: (row) => row.verdictDirect ?? "" },
  { name: "seen", of: (row) => time(row.lastSeenAt) },
  { name: "os", of: (row) => `${row.os} ${row.osVersion}`.trim() },
  { name: "agent", of: (row) => row.agentVersion },
  { name: "tags", of: (row) => row.tags.join(" ") },
  { name: "id", of: (row) => row.id },
];
const usualColumns = ["name", "status", "since", "site", "route", "seen", "cause"];

export const machinesCommand = (cli: Cli) =>
  new Command("machines")
    .summary("list machines by filter")
    .description(
      "Lists machines. Terms of the filter are those of the dashboard: all of them hold, a comma joins the values of one, a minus negates it.",
    )
    .argument("[filter...]", "e.g. status:failing site:Bern route:px1* -tag:vip since>2h")
    .addOption(formatOption())
    .option("--columns <names>", "columns of the table or the CSV, e.g. name,status,cause", commaList)
    .option("--sort <order>", "name, status, since, seen, …; a leading minus turns it round", "name")
    .addOption(limitOption())
    .addHelpText(
      "after",
      `
Columns: ${machineColumns(() => "")
        .map(({ name }) => name)
        .join(", ")}

Examples:
  lynceus machines status:failing
  lynceus machines pattern:proxy-auth-required site:Bern,Graz --sort=-since
  lynceus machines "status:failing -tag:vip" -o csv > failing.csv
  lynceus machines agent:0.1.* -o json | jq -r '.[].hostname'`,
    )
    .action(async (filter: string[], options: { output: Format; columns?: string[]; sort: string; limit?: number }) => {
      const columns = chooseColumns(machineColumns(timeText(cli, options.output)), options.columns ?? usualColumns);
      const client = connect(cli);
      const q = filter.join(" ");
      const { rows, total } = firstRows<Row>(
        (query) =>
          client.GET("/api/v1/machines", {
            params: { query: { ...query, sort: options.sort, ...(q && { q }) } },
          }),
        rowLimit(options.limit, options.output),
      );
      await printRows(cli, rows, {
        format: options.output,
        columns,
        empty: q ? `no machine matches ${q}` : "no machine has enrolled yet; lynceus tokens create makes a token",
        total,
      });
    });

export const countsCommand = (cli: Cli) =>
  new Command("counts")
    .summary("how many machines are in each state")
    .description("Counts machines: healthy, failing, stale, cannot tell; signed-off ones are in none of the four.")
    .argument("[filter...]", "as of lynceus machines")
    .option("--json", "for a program")
    .addHelpText("after", "\nExamples:\n  lynceus counts\n  lynceus counts site:Bern --json")
    .action(async (filter: string[], options: { json?: boolean }) => {
      const q = filter.join(" ");
      const counts = await answer(connect(cli).GET("/api/v1/counts", { params: { query: q ? { q } : {} } }));
      if (options.json) return printJson(cli, counts);
      const lines = fieldLines([
        ["failing", formatCount(counts.failing)],
        ["healthy", `${formatCount(counts.healthy)}, of them at risk ${formatCount(counts.atRisk)}`],
        ["stale", formatCount(counts.stale)],
        ["cannot tell", formatCount(counts.cannotTell)],
        ["signed off", formatCount(counts.signedOff)],
      ]);
      await write(cli, `${lines.join("\n")}\n`);
      if (q) say(cli, `of machines that match ${q}`);
    });
