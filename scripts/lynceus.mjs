// `npm run --silent lynceus -- COMMAND …`: builds what the command line needs, and hands over to it.
import { spawn } from "node:child_process";
import path from "node:path";
import { install, requireNode, root, turbo } from "./prepare.mjs";

requireNode();
const args = process.argv.slice(2);
await install();
// Stored observations are judged by the collector's own program.
const filters = ["@lynceus/cli", ...(args[0] === "rediagnose" ? ["@lynceus/collector"] : [])];
await turbo("Preparing the commands", "build", ...filters.map((name) => `--filter=${name}`));
const child = spawn(process.execPath, [path.join(root, "apps/cli/dist/lynceus.mjs"), ...args], { stdio: "inherit" });
// Ctrl-C reaches it by itself (same terminal); a signal to this process alone is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
