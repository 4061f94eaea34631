import { ApiError } from "@lynceus/client/client";
import { safeText } from "@lynceus/protocol/present";
import { Command, CommanderError } from "commander";
import { type Cli, say } from "./cli.ts";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { canaryCommand } from "./commands/canary.ts";
import { exportCommand, importCommand } from "./commands/configuration.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { ackCommand, closeCommand } from "./commands/incident-acts.ts";
import { incidentCommand, incidentsCommand } from "./commands/incidents.ts";
import { loginCommand, logoutCommand, whoamiCommand } from "./commands/login.ts";
import { checkCommand, machineCommand } from "./commands/machine.ts";
import { countsCommand, machinesCommand } from "./commands/machines.ts";
import { policyCommand } from "./commands/policy.ts";
import { rediagnoseCommand } from "./commands/rediagnose.ts";
import { silenceCommand } from "./commands/silence.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { watchCommand } from "./commands/watch.ts";
import { addCompletion } from "./completion.ts";
import { type ExitCode, exitCodes, Problem } from "./problem.ts";

const groups: readonly (readonly [string, readonly ((cli: Cli) => Command)[]])[] = [
  ["Fleet:", [machinesCommand, machineCommand, checkCommand, countsCommand]],
  ["Incidents:", [incidentsCommand, incidentCommand, ackCommand, closeCommand, silenceCommand, watchCommand]],
  ["Configuration:", [policyCommand, canaryCommand, tokensCommand, exportCommand, importCommand]],
  ["Installation:", [doctorCommand, backupCommand, restoreCommand, rediagnoseCommand]],
  ["Login:", [loginCommand, logoutCommand, whoamiCommand]],
];

/** All commands. They write to `cli` alone, and throw where one would exit. */
export function createProgram(cli: Cli): Command {
  const program = new Command("lynceus")
    .description("Which machines will be prompted for Exchange credentials, why, and what fixes it.")
    .version(cli.version, "-V, --version")
    .helpOption("-h, --help", "this text; after a command, its own with examples")
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      `
Exit codes: 0 done; 1 failed, not there, or not well; 2 no such command, option or value; 3 not logged in, or not allowed;
4 nobody answers; 5 changed by somebody meanwhile.

Examples:
  lynceus login https://collector.example.org:7443
  lynceus machines status:failing site:Bern
  lynceus machine LT-0412
  lynceus ack 1182 --note "the proxy team is on it"`,
    );
  for (const [title, commands] of groups) {
    program.commandsGroup(title);
    for (const command of commands) program.addCommand(command(cli));
  }
  program.commandsGroup("Shell:");
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      // What is wrong is said once, by runProgram.
      writeErr: () => {},
      getOutHelpWidth: () => (cli.stdout.isTTY ? (cli.stdout.columns ?? 80) : 100),
      getErrHelpWidth: () => 100,
    });
    for (const one of command.commands) quiet(one);
  };
  quiet(program);
  return program;
}

function exitCodeOf(error: ApiError): ExitCode {
  const { status, code } = error;
  if (code === "bad-url") return exitCodes.usage;
  if (status === 0 || status === 502 || status === 503 || status === 504) return exitCodes.unreachable;
  if (status === 401 || status === 403) return exitCodes.access;
  if (status === 409 || status === 412) return exitCodes.conflict;
  if (status === 400 || status === 422) return exitCodes.usage;
  return exitCodes.failed;
}

/** Why it ended, in one line, and how. */
function endOf(error: unknown): { line: string; code: ExitCode } {
  if (error instanceof Problem) return { line: error.message, code: error.exitCode };
  if (error instanceof ApiError) {
    const request = error.requestId === null || error.status < 500 ? "" : ` (request ${error.requestId})`;
    return { line: `${safeText(error.message, 4_000)}${request}`, code: exitCodeOf(error) };
  }
  if (error instanceof CommanderError) {
    const line = error.message.replace(/^error: /, "").replace(/\n/g, " ");
    return {
      line: error.exitCode === 0 ? "" : `${line}; --help shows what there is`,
      code: error.exitCode === 0 ? 0 : 2,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { line: safeText(message.split("\n", 1)[0] ?? "", 2_000), code: exitCodes.failed };
}

/** Runs one command line, without the program's own name. @returns the exit code */
export async function runProgram(cli: Cli, args: readonly string[]): Promise<ExitCode> {
  const program = createProgram(cli);
  try {
    await addCompletion(cli, program, args);
    if (args.length === 0) {
      program.outputHelp();
      return exitCodes.usage;
    }
    await program.parseAsync([...args], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    const { line, code } = endOf(error);
    if (line !== "") say(cli, `lynceus: ${line}`);
    return code;
  }
}
