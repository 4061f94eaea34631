// `npm run --silent agent -- COMMAND …`: the agent's command line from a checkout. Nothing but the agent writes to stdout.
import { spawn } from "node:child_process";
import path from "node:path";
import { install, requireNode, root, turbo } from "./prepare.mjs";

requireNode();
await install();
await turbo("Building the agent", "build", "--filter=@lynceus/agent");
const child = spawn(process.execPath, [path.join(root, "apps/agent/dist/main.js"), ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
