// `npm run seed -- [options]`: a simulated fleet with its history in an empty database. `--help` lists the options.
import { spawn } from "node:child_process";
import path from "node:path";
import { bin, prepareTests, root } from "./prepare.mjs";

await prepareTests();
const child = spawn(bin("tsx"), [path.join(root, "bench/src/seed/main.ts"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
