import path from "node:path";
import { answer, type LynceusClient, type Schemas } from "@lynceus/client/client";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { readInput } from "../files.ts";
import { firstRows, limitOption, rowLimit } from "../listing.ts";
import { findMachine } from "../machine-name.ts";
import { commaList, id } from "../parse.ts";
import { Problem, usageProblem } from "../problem.ts";
import { type Format, fieldLines, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";
import { pollUntil } from "../wait.ts";

type Canary = Schemas["Canary"];

const over = new Set<Canary["state"]>(["done", "failed", "cancelled"]);

/** Worst first, as somebody reads it who is about to roll something out. */
const effects = [
  ["breaks", "would break"],
  ["cannot-tell", "cannot tell"],
  ["stays-bad", "would stay bad"],
  ["repairs", "would be repaired"],
  ["moves", "would take another route that works"],
  ["same", "would stay as they are"],
] as const;

const summary = (canary: Canary) =>
  fieldLines([
    ["canary", safeText(`${canary.id}  ${canary.title}`)],
    ["state", safeText(canary.reason === null ? canary.state : `${canary.state}: ${canary.reason}`, 1_000)],
    ["machines", `${formatCount(canary.evaluated)} of ${formatCount(canary.machines)} evaluated`],
    ...effects.flatMap(([effect, words]) => {
      const count = canary.effects[effect] ?? 0;
      return count === 0 ? [] : [[words, formatCount(count)] as const];
    }),
    ...(canary.probes.asked === 0
      ? []
      : [
          [
            "probes",
            `${canary.probes.answered} of ${canary.probes.asked} answered, ${canary.probes.missing} missing`,
          ] as const,
        ]),
  ]);

/** @throws Problem when machines would break, so that a script stops before a roll-out */
async function show(cli: Cli, canary: Canary, json: boolean): Promise<void> {
  await (json ? printJson(cli, canary) : write(cli, `${summary(canary).join("\n")}\n`));
  const breaks = canary.effects.breaks ?? 0;
  if (breaks > 0)
    throw new Problem(
      `${formatCount(breaks)} machines would break; lynceus canary machines ${canary.id} --effect breaks lists them`,
    );
  if (canary.state === "failed" || canary.state === "cancelled") throw new Problem(`the canary ${canary.state}`);
}

const waitFor = (cli: Cli, client: LynceusClient, canary: string) =>
  pollUntil(
    cli,
    () => answer(client.GET("/api/v1/canaries/{id}", { params: { path: { id: canary } } })),
    ({ state }) => over.has(state),
  );

interface RunOptions {
  title?: string;
  autoDetect?: boolean;
  pac?: string;
  proxy?: string;
  bypass: string;
  direct?: boolean;
  site?: string;
  probe?: string[];
  wait: boolean;
  json?: boolean;
}

const isUrl = (text: string) => /^https?:\/\//i.test(text);

async function proposalOf(cli: Cli, options: RunOptions): Promise<Schemas["NewCanaryInput"]["proposal"]> {
  const { autoDetect = false, pac, proxy: server = null, bypass, direct = false } = options;
  const named = autoDetect || pac !== undefined || server !== null;
  if (named === direct)
    throw usageProblem(
      "a proposal is missing; use one or more of --auto-detect, --pac proxy.pac, --proxy px2.example.org:8080, or --direct",
    );
  return {
    autoDetect,
    server,
    bypass,
    pac:
      pac === undefined
        ? null
        : isUrl(pac)
          ? { from: "url", url: pac }
          : { from: "text", text: await readInput(cli, pac) },
  };
}

const runCommand = (cli: Cli) =>
  new Command("run")
    .summary("judge proposed proxy settings, and wait")
    .description(
      "Judges proposed proxy settings for the machines before anything is rolled out. Exit code 1 when a machine would break.",
    )
    .argument("[filter...]", "which machines, as of lynceus machines; all, when absent")
    .option("--pac <file|url>", "proxy script: a file, or an http address that the collector fetches")
    .option("--proxy <host:port>", "manual proxy, e.g. px2.example.org:8080")
    .option("--bypass <list>", "its bypass list, e.g. *.example.org;<local>", "")
    .option("--auto-detect", "automatic detection (WPAD)")
    .option("--direct", "no proxy at all")
    .option("--title <text>", "what it is called; otherwise what is proposed")
    .option("--site <site>", "machines of this site")
    .option("--probe <names>", "machines that are to probe the routes they would get, e.g. LT-0412,LT-0413", commaList)
    .option("--no-wait", "ask, and print the id")
    .option("--json", "for a program")
    .addHelpText(
      "after",
      '\nExamples:\n  lynceus canary run --pac new.pac site:Bern\n  lynceus canary run --proxy px2.example.org:8080 --bypass "*.example.org" --probe LT-0412',
    )
    .action(async (filter: string[], options: RunOptions) => {
      const proposal = await proposalOf(cli, options);
      const client = connect(cli);
      const probe: string[] = [];
      for (const name of options.probe ?? []) probe.push((await findMachine(client, name)).id);
      const title =
        options.title ??
        (options.pac
          ? path.basename(options.pac)
          : (options.proxy ?? (options.direct ? "no proxy" : "automatic detection")));
      const asked = await answer(
        client.POST("/api/v1/canaries", {
          body: { title, proposal, q: filter.join(" "), site: options.site ?? null, probe },
        }),
      );
      if (!options.wait) return options.json ? printJson(cli, asked) : write(cli, `${asked.id}\n`);
      say(cli, `canary ${asked.id}`);
      await show(cli, await waitFor(cli, client, asked.id), options.json ?? false);
    });

const showCommand = (cli: Cli) =>
  new Command("show")
    .summary("how far one is, and what it found")
    .description("Shows a canary. Exit code 1 when a machine would break.")
    .argument("<id>", "as lynceus canary list has it", (text) => id(text, "canary"))
    .option("--wait", "until it is over")
    .option("--json", "for a program")
    .addHelpText("after", "\nExample:\n  lynceus canary show 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10 --wait")
    .action(async (canary: string, options: { wait?: boolean; json?: boolean }) => {
      const client = connect(cli);
      const found = options.wait
        ? await waitFor(cli, client, canary)
        : await answer(client.GET("/api/v1/canaries/{id}", { params: { path: { id: canary } } }));
      await show(cli, found, options.json ?? false);
    });

const machinesCommand = (cli: Cli) =>
  new Command("machines")
    .summary("its machines, those that would break first")
    .description("Lists the machines of a canary and what would become of each.")
    .argument("<id>", "as lynceus canary list has it", (text) => id(text, "canary"))
    .option("--effect <effect>", effects.map(([effect]) => effect).join(", "))
    .addOption(formatOption())
    .addOption(limitOption())
    .addHelpText(
      "after",
      "\nExample:\n  lynceus canary machines 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10 --effect breaks -o csv",
    )
    .action(async (canary: string, options: { effect?: string; output: Format; limit?: number }) => {
      const effect = effects.find(([name]) => name === options.effect)?.[0];
      if (options.effect !== undefined && !effect)
        throw usageProblem(`--effect "${options.effect}" is none of ${effects.map(([name]) => name).join(", ")}`);
      const client = connect(cli);
      const { rows, total } = firstRows<Schemas["CanaryMachine"]>(
        (query) =>
          client.GET("/api/v1/canaries/{id}/machines", {
            params: { path: { id: canary }, query: { ...query, ...(effect && { effect }) } },
          }),
        rowLimit(options.limit, options.output),
      );
      await printRows(cli, rows, {
        format: options.output,
        columns: [
          { name: "name", of: (row) => row.hostname },
          { name: "effect", of: (row) => row.effect },
          { name: "site", of: (row) => row.site ?? "" },
          { name: "targets", of: (row) => row.targets.map(({ host }) => host).join(" ") },
          { name: "probe", of: (row) => row.probe.reason ?? row.probe.state },
          { name: "id", of: (row) => row.machineId },
        ],
        empty: "there is no such machine",
        total,
      });
    });

const listCommand = (cli: Cli) =>
  new Command("list")
    .summary("canaries, newest first")
    .description("Lists the newest canaries.")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  lynceus canary list")
    .action(async (options: { output: Format }) => {
      const time = timeText(cli, options.output);
      const { items } = await answer(connect(cli).GET("/api/v1/canaries", { params: { query: { limit: 100 } } }));
      await printRows(cli, items, {
        format: options.output,
        columns: [
          { name: "id", of: (canary) => canary.id },
          { name: "state", of: (canary) => canary.state },
          { name: "breaks", of: (canary) => String(canary.effects.breaks ?? 0) },
          { name: "repairs", of: (canary) => String(canary.effects.repairs ?? 0) },
          { name: "machines", of: (canary) => String(canary.machines ?? "") },
          { name: "made", of: (canary) => time(canary.createdAt) },
          { name: "by", of: (canary) => canary.createdBy },
          { name: "title", of: (canary) => canary.title },
        ],
        empty: "there is no canary yet",
      });
    });

const cancelCommand = (cli: Cli) =>
  new Command("cancel")
    .summary("end one early")
    .description("Ends a canary early: no machine more is asked.")
    .argument("<id>", "as lynceus canary list has it", (text) => id(text, "canary"))
    .addHelpText("after", "\nExample:\n  lynceus canary cancel 0f8b3c1e-8a53-4f3b-9d5e-2f6f3c1b7a10")
    .action(async (canary: string) => {
      await answer(connect(cli).POST("/api/v1/canaries/{id}/cancel", { params: { path: { id: canary } } }));
      say(cli, "cancelled");
    });

export const canaryCommand = (cli: Cli) =>
  new Command("canary")
    .summary("proposed proxy settings: what would they break")
    .description("Canaries: what proposed proxy settings would do to the fleet, before they are rolled out.")
    .addCommand(runCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(machinesCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(cancelCommand(cli));
