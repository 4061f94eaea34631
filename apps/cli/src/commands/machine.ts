import { answer, type LynceusClient, type Schemas } from "@lynceus/client/client";
import { safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { findMachine } from "../machine-name.ts";
import { exitCodes, Problem } from "../problem.ts";
import { fieldLines, printJson } from "../rows.ts";
import { connect } from "../session.ts";
import { ago, timeText } from "../times.ts";
import { pollUntil } from "../wait.ts";

type Machine = Pick<
  Schemas["Machine"],
  | "hostname"
  | "id"
  | "status"
  | "atRisk"
  | "since"
  | "site"
  | "tags"
  | "os"
  | "osVersion"
  | "agentVersion"
  | "lastSeenAt"
  | "connected"
  | "approved"
  | "revokedAt"
>;

function header(cli: Cli, machine: Machine): string[] {
  const time = timeText(cli, "table");
  return fieldLines(
    (
      [
        ["machine", `${machine.hostname}  ${machine.id}`],
        [
          "status",
          `${machine.atRisk ? "at risk" : machine.status}${machine.since ? `, since ${time(machine.since)}` : ""}`,
        ],
        ["site", machine.site ?? "none"],
        ["tags", machine.tags.join(" ") || "none"],
        ["system", `${machine.os} ${machine.osVersion}, agent ${machine.agentVersion}`],
        [
          "seen",
          `${machine.lastSeenAt ? ago(cli, machine.lastSeenAt) : "never"}, ${machine.connected ? "connected" : "not connected"}`,
        ],
        ...(machine.approved
          ? []
          : [["approval", "waits for an admin: it takes no part in findings of the fleet"] as const]),
        ...(machine.revokedAt ? [["revoked", time(machine.revokedAt)] as const] : []),
      ] as [string, string][]
    ).map(([name, value]) => [name, safeText(value)] as const),
  );
}

export const machineCommand = (cli: Cli) =>
  new Command("machine")
    .summary("show one machine: what fails, the evidence, and what fixes it")
    .description("Shows one machine: verdict, evidence, the counterfactual route, and what fixes it.")
    .argument("<name>", "its name or its id")
    .option("--json", "all facts, for a program")
    .option("--ticket", "the text for a ticket alone, in Markdown")
    .addHelpText("after", "\nExamples:\n  lynceus machine LT-0412\n  lynceus machine LT-0412 --ticket | clip")
    .action(async (name: string, options: { json?: boolean; ticket?: boolean }) => {
      const client = connect(cli);
      const { id } = await findMachine(client, name);
      const params = { params: { path: { id } } };
      if (options.json) return printJson(cli, await answer(client.GET("/api/v1/machines/{id}", params)));
      const ticket = await answer(client.GET("/api/v1/machines/{id}/ticket", params));
      if (options.ticket) return write(cli, `${ticket.markdown.trimEnd()}\n`);
      const machine = await answer(client.GET("/api/v1/machines/{id}", params));
      await write(cli, `${header(cli, machine).join("\n")}\n\n${ticket.text.trimEnd()}\n`);
    });

const over = new Set(["done", "refused", "expired"]);

function waitForCheck(cli: Cli, client: LynceusClient, id: string) {
  return pollUntil(
    cli,
    () => answer(client.GET("/api/v1/commands/{id}", { params: { path: { id } } })),
    ({ state }) => over.has(state),
  );
}

export const checkCommand = (cli: Cli) =>
  new Command("check")
    .summary("ask a machine to probe now, and wait for it")
    .description("Asks a machine to probe all its targets now, and waits until it did.")
    .argument("<name>", "its name or its id")
    .option("--no-wait", "ask, and wait for nothing")
    .addHelpText("after", "\nExample:\n  lynceus check LT-0412 && lynceus machine LT-0412")
    .action(async (name: string, options: { wait: boolean }) => {
      const client = connect(cli);
      const { id, hostname } = await findMachine(client, name);
      const asked = await answer(client.POST("/api/v1/machines/{id}/check-now", { params: { path: { id } } }));
      if (!options.wait) return say(cli, `${safeText(hostname)} is asked to probe: command ${asked.id}`);
      const { state, done, reason } = await waitForCheck(cli, client, asked.id);
      if (state !== "done")
        throw new Problem(
          `${safeText(hostname)} did not probe: ${reason ?? (state === "expired" ? "it did not answer in time" : state)}`,
          state === "expired" ? exitCodes.unreachable : exitCodes.failed,
        );
      say(cli, `${safeText(hostname)} probed ${done} targets`);
    });
