// `npm run accuracy [-- --check]`: how often the diagnosis is right, printed and written to docs/accuracy.md.
import { spawn } from "node:child_process";
import path from "node:path";
import { bin, install, requireNode, root } from "./prepare.mjs";

requireNode();
await install();
const child = spawn(bin("tsx"), [path.join(root, "packages/diagnosis/accuracy/main.ts"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
