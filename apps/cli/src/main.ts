import path from "node:path";
import type { Cli } from "./cli.ts";
import { runProgram } from "./program.ts";

/** Kept in step with package.json by the build. */
declare const LYNCEUS_VERSION: string | undefined;

const root = path.resolve(import.meta.dirname, "../../..");
// Bundled, packages/db no longer stands where it was.
process.env.LYNCEUS_MIGRATIONS ??= path.join(root, "prisma/migrations");

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
process.once("SIGTERM", () => interrupted.abort());
// Whoever read the results has enough, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const cli: Cli = {
  version: typeof LYNCEUS_VERSION === "string" ? LYNCEUS_VERSION : "0.0.0",
  env: process.env,
  // npm runs scripts in the folder of the checkout.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  now: () => Date.now(),
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  places: {
    collector: path.join(root, "apps/collector/dist/main.js"),
    dataDirectory: path.join(root, ".lynceus"),
  },
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interrupted.signal,
};

process.exitCode = await runProgram(cli, process.argv.slice(2));
