// `npm run --silent lynceus -- COMMAND …`: commands beside the running product. They use DATABASE_URL, or the embedded
// database of the data folder as `npm run up` does, also while that runs.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fail, install, requireNode, root, turbo } from "./prepare.mjs";

const help = `npm run --silent lynceus -- COMMAND [options]

  rediagnose   run today's patterns over stored observations and show what would differ

  --data-dir DIR   where the embedded database is, default .lynceus in the checkout
  --help           this text; after a command, its own

  DATABASE_URL     use this PostgreSQL instead of the embedded one

Example:
  npm run --silent lynceus -- rediagnose --from 7d --dry-run`;

requireNode();
const args = process.argv.slice(2);
const cwd = process.env.INIT_CWD ?? process.cwd();
let dataDir = path.join(root, ".lynceus");
const at = args.findIndex((arg) => arg === "--data-dir" || arg.startsWith("--data-dir="));
if (at >= 0) {
  const inline = args[at].startsWith("--data-dir=");
  const value = inline ? args[at].slice("--data-dir=".length) : args[at + 1];
  if (!value) fail(`--data-dir "${value ?? ""}" names no folder; use e.g. --data-dir ~/lynceus`);
  dataDir = path.resolve(cwd, value);
  args.splice(at, inline ? 1 : 2);
}
const [command] = args;
if (command === undefined || command === "--help") {
  process.stdout.write(`${help}\n`);
  process.exit(command === undefined ? 2 : 0);
}
if (command !== "rediagnose")
  fail(`"${command}" is no command; use rediagnose, e.g. lynceus rediagnose --from 7d --dry-run`);

const asksDatabase = !args.includes("--help");
const embedded = path.join(dataDir, "postgres");
if (asksDatabase && !process.env.DATABASE_URL && !existsSync(path.join(embedded, "lynceus.json")))
  fail(
    `"${dataDir}" holds no database; start it once with npm run up, name its folder, e.g. --data-dir ~/lynceus, or set DATABASE_URL`,
  );
await install();
await turbo("Preparing the commands", "generate", "--filter=@lynceus/db");
const child = spawn(
  process.execPath,
  ["--import", "tsx", path.join(root, "scripts/with-database.ts"), asksDatabase ? embedded : "", ...args],
  { cwd: root, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
