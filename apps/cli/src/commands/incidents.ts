import { answer, type Schemas } from "@lynceus/client/client";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Command, Option } from "commander";
import { type Cli, write } from "../cli.ts";
import { firstRows, limitOption, rowLimit } from "../listing.ts";
import { incidentNumber, moment } from "../parse.ts";
import { type Column, type Format, fieldLines, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";

type Incident = Schemas["Incident"];
type Time = ReturnType<typeof timeText>;

const siteText = (incident: Incident) =>
  incident.sites.map(({ site, machines }) => `${site ?? "no site"} ${formatCount(machines)}`).join(", ");

const incidentColumns = (time: Time): Column<Incident>[] => [
  { name: "number", of: (incident) => String(incident.number) },
  { name: "state", of: (incident) => incident.state },
  { name: "urgency", of: (incident) => incident.urgency },
  { name: "failing", of: (incident) => String(incident.failing) },
  { name: "silent", of: (incident) => String(incident.silent) },
  { name: "opened", of: (incident) => time(incident.openedAt) },
  { name: "ended", of: (incident) => time(incident.endedAt) },
  { name: "acknowledged", of: (incident) => incident.acknowledged?.by ?? "" },
  { name: "title", of: (incident) => incident.title },
];

export const incidentsCommand = (cli: Cli) =>
  new Command("incidents")
    .summary("list incidents: one cause each, however many machines")
    .description("Lists incidents that are open, the one that opened last first.")
    .argument("[filter...]", "with a machine that fits, as of lynceus machines: tag:vip route:px1*")
    .option("--all", "also those that are over")
    .option("--since <time>", "open then or later, e.g. 7d; with those that are over")
    .addOption(
      new Option("--state <state>", "in this state").choices([
        "open",
        "acknowledged",
        "flapping",
        "resolved",
        "merged",
      ]),
    )
    .addOption(new Option("--urgency <urgency>", "as loud as this").choices(["high", "low"]))
    .option("--site <site>", "with a machine of this site")
    .addOption(formatOption())
    .addOption(limitOption())
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus incidents\n  lynceus incidents --since 7d -o csv\n  lynceus incidents --site Bern tag:vip",
    )
    .action(
      async (
        filter: string[],
        options: {
          all?: boolean;
          since?: string;
          state?: Schemas["IncidentStateInput"];
          urgency?: "high" | "low";
          site?: string;
          output: Format;
          limit?: number;
        },
      ) => {
        const client = connect(cli);
        const q = filter.join(" ");
        const { state, urgency, site } = options;
        const since = options.since === undefined ? null : moment(options.since, "--since", cli.now(), -1);
        const onlyOpen = !options.all && since === null && state === undefined;
        const { rows, total } = firstRows<Incident>(
          (query) =>
            client.GET("/api/v1/incidents", {
              params: {
                query: {
                  ...query,
                  ...(onlyOpen && { open: "true" as const }),
                  ...(since && { since }),
                  ...(state && { state }),
                  ...(urgency && { urgency }),
                  ...(site && { site }),
                  ...(q && { q }),
                },
              },
            }),
          rowLimit(options.limit, options.output),
        );
        const columns = incidentColumns(timeText(cli, options.output));
        await printRows(cli, rows, {
          format: options.output,
          columns: onlyOpen && options.output === "table" ? columns.filter(({ name }) => name !== "ended") : columns,
          empty: onlyOpen ? "no incident is open" : "there is no such incident",
          total,
        });
      },
    );

/** What somebody who is woken reads first. */
function lines(incident: Incident, time: Time): string[] {
  const { ended, acknowledged, splitFrom } = incident;
  const fields: (readonly [string, string | null])[] = [
    ["incident", `${incident.number}  ${incident.title}`],
    ["state", `${incident.state}, ${incident.urgency} urgency, ${incident.confidence} confidence`],
    ["machines", `${formatCount(incident.failing)} failing, ${formatCount(incident.silent)} silent`],
    ["sites", siteText(incident) || "none"],
    ["because", incident.explanation],
    ["evidence", incident.evidence],
    ["since", time(incident.since)],
    ["opened", time(incident.openedAt)],
    ["split from", splitFrom === null ? null : String(splitFrom)],
    ["acknowledged", acknowledged && `by ${acknowledged.by}, ${time(acknowledged.at)}`],
    [
      "ended",
      ended &&
        `${time(incident.endedAt)}, ${ended.how}${ended.by ? ` by ${ended.by}` : ""}${ended.into ? ` into ${ended.into}` : ""}${ended.note ? `: ${ended.note}` : ""}`,
    ],
  ];
  return fieldLines(fields.flatMap(([name, value]) => (value ? [[name, safeText(value)] as const] : [])));
}

export const incidentCommand = (cli: Cli) =>
  new Command("incident")
    .summary("show one incident with its timeline")
    .description("Shows one incident: its machines, why, and what became of it.")
    .argument("<number>", "e.g. 1182", incidentNumber)
    .option("--json", "for a program")
    .option("--members", "its machines, and nothing else")
    .addOption(formatOption())
    .addOption(limitOption())
    .addHelpText("after", "\nExamples:\n  lynceus incident 1182\n  lynceus incident 1182 --members -o csv")
    .action(async (number: number, options: { json?: boolean; members?: boolean; output: Format; limit?: number }) => {
      const client = connect(cli);
      const path = { number };
      const time = timeText(cli, options.members ? options.output : "table");
      if (options.members) {
        const { rows, total } = firstRows<Schemas["IncidentMember"]>(
          (query) => client.GET("/api/v1/incidents/{number}/members", { params: { path, query } }),
          rowLimit(options.limit, options.output),
        );
        return printRows(cli, rows, {
          format: options.output,
          columns: [
            { name: "name", of: (row) => row.hostname },
            { name: "state", of: (row) => row.state },
            { name: "site", of: (row) => row.site ?? "" },
            { name: "joined", of: (row) => time(row.joinedAt) },
            { name: "left", of: (row) => time(row.leftAt) },
            { name: "id", of: (row) => row.id },
          ],
          empty: "it has no machines",
          total,
        });
      }
      const incident = await answer(client.GET("/api/v1/incidents/{number}", { params: { path } }));
      const events = await answer(
        client.GET("/api/v1/incidents/{number}/events", { params: { path, query: { limit: 20 } } }),
      );
      if (options.json) return printJson(cli, { ...incident, events: events.items });
      const story = events.items.map(
        ({ at, text, actor }) => `  ${time(at)}  ${safeText(text)}${actor ? ` (${safeText(actor)})` : ""}`,
      );
      const older = events.total - events.items.length;
      await write(
        cli,
        `${[...lines(incident, time), "", ...story, ...(older > 0 ? [`  and ${formatCount(older)} earlier`] : [])].join("\n")}\n`,
      );
    });
