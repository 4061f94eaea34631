// `npm run verify`: exactly what CI runs, in order, stopping at the first failure. `--without NAME` leaves a step out,
// `--only NAME` runs one.
import { spawn } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";
import { bin, fail, install, prepareAll, requireNode, root } from "./prepare.mjs";

const node = (...args) => [process.execPath, args];
const steps = {
  format: ["format", bin("biome"), ["format", "."]],
  lint: ["lint and import rule (sources)", bin("biome"), ["lint", "--error-on-warnings", "."]],
  boundaries: ["import rule (packages)", bin("turbo"), ["boundaries"]],
  types: ["types", bin("turbo"), ["run", "typecheck", "--ui=stream"]],
  migrations: ["schema and migrations agree", ...node(path.join(root, "packages/db/scripts/check-migrations.mjs"))],
  compose: ["docker-compose.yml", ...node(path.join(root, "scripts/check-compose.mjs"))],
  api: ["the API's document", ...node(path.join(root, "packages/client/scripts/lint.mjs"))],
  docs: ["links of the documentation", ...node(path.join(root, "scripts/docs.mjs"), "--check")],
  tests: ["unit and integration tests", ...node(path.join(root, "scripts/test.mjs"))],
  accuracy: ["accuracy, and docs/accuracy.md", ...node(path.join(root, "scripts/accuracy.mjs"), "--check")],
  lab: ["end-to-end tests in the lab", bin("vitest"), ["run", "--root", path.join(root, "lab")]],
  windows: [
    "Windows programs under Wine",
    bin("vitest"),
    ["run", "--root", path.join(root, "lab"), "--config", "vitest.windows.config.ts"],
  ],
  receivers: [
    "receivers against Alertmanager and Chromium",
    bin("vitest"),
    ["run", "--root", path.join(root, "packages/notify"), "--config", "vitest.e2e.config.ts"],
  ],
  deploy: ["what stands around the product", bin("vitest"), ["run", "--root", path.join(root, "deploy")]],
  grafana: ["Grafana data source", ...node(path.join(root, "scripts/grafana.mjs"), "--check")],
  browser: [
    "browser tests",
    bin("vitest"),
    ["run", "--root", path.join(root, "apps/dashboard"), "--config", "vitest.e2e.config.ts"],
  ],
};

const { values } = parseArgs({
  options: { without: { type: "string", multiple: true }, only: { type: "string", multiple: true } },
});
for (const name of [...(values.without ?? []), ...(values.only ?? [])]) {
  if (!(name in steps)) fail(`step "${name}" does not exist; use one of ${Object.keys(steps).join(", ")}`);
}

requireNode();
await install();
await prepareAll();
const results = [];
for (const [name, [title, command, args]] of Object.entries(steps)) {
  if (values.without?.includes(name) || (values.only && !values.only.includes(name))) continue;
  process.stdout.write(`\n== ${title}\n`);
  const started = Date.now();
  const code = await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1" },
    });
    child.on("error", () => resolve(127));
    child.on("close", (status) => resolve(status ?? 1));
  });
  results.push(`${name} ${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (code !== 0)
    fail(`${title} failed (exit ${code}); passed before it: ${results.slice(0, -1).join(", ") || "nothing"}`, 1);
}
process.stdout.write(`\nverified: ${results.join(", ")}\n`);
