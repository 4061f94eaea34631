// `npm run screenshots [-- NAME… | --docs]`: pictures of every page and state of the dashboard, to be looked at.
import { spawn } from "node:child_process";
import path from "node:path";
import { bin, prepareAll, root } from "./prepare.mjs";

await prepareAll();
const main = path.join(root, "apps/dashboard/e2e/screenshots/main.ts");
const child = spawn(bin("tsx"), [main, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
