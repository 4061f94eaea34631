// `npm run build`: the dashboards, then the module, as Grafana's scaffold builds it.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (args, env = {}) => {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
};
run(["--import", "tsx", "scripts/dashboards.ts"]);
// The scaffold's configuration is TypeScript, which webpack's loader takes as CommonJS on Node 20.
run(
  [
    path.join(root, "node_modules/webpack/bin/webpack.js"),
    "-c",
    "./.config/webpack/webpack.config.ts",
    "--env",
    process.argv.includes("--development") ? "development" : "production",
    ...(process.argv.includes("--watch") ? ["--watch"] : []),
  ],
  { TS_NODE_COMPILER_OPTIONS: '{"module":"commonjs","moduleResolution":"node10"}' },
);
