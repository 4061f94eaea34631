import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Command } from "commander";
import type { Cli } from "../cli.ts";
import { dataDirectory, withDatabase } from "../database-place.ts";
import { type ExitCode, Problem } from "../problem.ts";

/** Takes `--data-dir` out of what is passed on. */
function split(args: readonly string[]): { dataDir: string | undefined; rest: string[] } {
  const at = args.findIndex((arg) => arg === "--data-dir" || arg.startsWith("--data-dir="));
  if (at < 0) return { dataDir: undefined, rest: [...args] };
  const inline = args[at]?.startsWith("--data-dir=");
  return {
    dataDir: inline ? args[at]?.slice("--data-dir=".length) : args[at + 1],
    rest: args.filter((_arg, index) => index !== at && (inline || index !== at + 1)),
  };
}

/** The collector's own program does it: it has the patterns. Output and exit code are its own. */
function run(cli: Cli, args: readonly string[], url: string | null): Promise<number> {
  const child = spawn(process.execPath, [cli.places.collector, "rediagnose", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cli.env, ...(url !== null && { DATABASE_URL: url }) } as NodeJS.ProcessEnv,
  });
  child.stdout.pipe(cli.stdout, { end: false });
  child.stderr.pipe(cli.stderr, { end: false });
  const stop = () => child.kill("SIGINT");
  cli.interrupted.addEventListener("abort", stop, { once: true });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      cli.interrupted.removeEventListener("abort", stop);
      resolve(code ?? 1);
    });
  });
}

export const rediagnoseCommand = (cli: Cli) =>
  new Command("rediagnose")
    .summary("run today's patterns over stored observations")
    .description(
      "Runs today's patterns over stored observations and shows what would differ; goes to the database itself.",
    )
    // Its options are the collector's: lynceus rediagnose --help has them.
    .argument("[options...]", "--from 7d --dry-run; lynceus rediagnose --help")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[]) => {
      if (!existsSync(cli.places.collector))
        throw new Problem(
          `the collector's program is not there: "${cli.places.collector}"; in its container use node dist/main.js rediagnose --from 7d --dry-run`,
        );
      const { dataDir, rest } = split(args);
      const code = rest.includes("--help")
        ? await run(cli, rest, null)
        : await withDatabase(cli, dataDirectory(cli, dataDir), (url) => run(cli, rest, url));
      if (code !== 0) throw new Problem("", Math.min(code, 2) as ExitCode);
    });
