// `npm run package:grafana`: installs what the Grafana data source needs, in its own folder, and builds it into
// dist/grafana/lynceus-fleet-datasource, as Grafana takes it. `--check` is CI's step: types, unit tests, the
// build, and the built module in Chromium with Grafana's packages against a real collector.
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { bin, fail, grafanaFolder, install, installGrafana, prepareTests, requireNode, root } from "./prepare.mjs";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

async function run(what, command, args) {
  process.stdout.write(`-- ${what}\n`);
  const code = await new Promise((resolve) => {
    const child = spawn(command, args, { cwd: grafanaFolder, stdio: "inherit" });
    child.on("error", () => resolve(127));
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) fail(`Grafana data source: ${what} failed (exit ${code})`, 1);
}

const own = (...names) => path.join(grafanaFolder, "node_modules", ...names);

requireNode();
await install();
await installGrafana();
if (values.check) {
  await run("types", process.execPath, [own("typescript/bin/tsc"), "-p", "."]);
  await run("unit tests", process.execPath, [own("jest/bin/jest.js"), "--ci"]);
}
await run("build", process.execPath, ["scripts/build.mjs"]);
if (values.check) {
  await prepareTests();
  await run("module in Chromium", bin("vitest"), ["run", "--root", "e2e"]);
} else {
  const target = path.join(root, "dist/grafana/lynceus-fleet-datasource");
  rmSync(target, { recursive: true, force: true });
  cpSync(path.join(grafanaFolder, "dist"), target, { recursive: true });
  process.stdout.write(`${path.relative(process.cwd(), target)}: copy it into the folder "plugins" of Grafana\n`);
}
