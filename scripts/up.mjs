// `npm run up`: set-up, then the supervisor that runs everything. Plain JavaScript until the dependencies are there.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fail, prepareAll, requireNode, root } from "./prepare.mjs";
import { help, parseUpOptions } from "./up-options.mjs";

requireNode();
let options;
try {
  options = parseUpOptions(process.argv.slice(2), {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    root,
    env: process.env,
  });
} catch (error) {
  fail(error.message);
}
if (options.help) {
  process.stdout.write(`${help}\n`);
  process.exit(0);
}
if (options.proxySettings !== null && !existsSync(options.proxySettings)) {
  fail(`--proxy-settings "${options.proxySettings}" does not exist; give a JSON file, e.g. {"AutoDetect":1}`);
}
await prepareAll();

const supervisor = spawn(
  process.execPath,
  ["--import", "tsx", path.join(root, "scripts/supervisor.ts"), JSON.stringify(options)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
// Ctrl-C reaches the supervisor by itself (same terminal); a signal to this process alone is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => supervisor.kill("SIGTERM"));
process.on("SIGHUP", () => supervisor.kill("SIGTERM"));
supervisor.on("close", (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
