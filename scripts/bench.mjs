// `npm run bench -- NAME [options]`: one benchmark of bench/, with its baseline measured in the same run.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { bin, fail, prepareAll, root } from "./prepare.mjs";

const [name, ...rest] = process.argv.slice(2);
const names = readdirSync(path.join(root, "bench/src"))
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(".bench.ts", ""));
if (!name || !names.includes(name))
  fail(`benchmark "${name ?? ""}" does not exist; use one of ${names.join(", ")}, e.g. npm run bench -- ingest`);
await prepareAll();
const child = spawn(bin("tsx"), [path.join(root, "bench/src", `${name}.bench.ts`), ...rest], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
