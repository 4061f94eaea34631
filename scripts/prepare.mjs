// Set-up that every command shares: a supported Node, the locked dependencies, generated code and built apps.
// Plain JavaScript on Node's own modules, since it runs before anything is installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** One line on stderr and a non-zero exit: for what the user can put right. */
export function fail(message, code = 2) {
  process.stderr.write(`lynceus: ${message}\n`);
  process.exit(code);
}

export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old; install Node 20.19 or newer, e.g. 22 LTS`);
  }
}

/** Runs a command with its output kept back, and shows it only when the command fails. */
export async function quietly(label, command, args, options = {}) {
  const started = Date.now();
  const line = (text) => process.stderr.write(text);
  line(`  ${label} …`);
  const ticker = process.stderr.isTTY
    ? setInterval(() => line(`\r  ${label} … ${Math.round((Date.now() - started) / 1000)} s`), 1000)
    : setInterval(() => line("."), 5000);
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], ...options });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => {
    child.on("error", (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(127);
    });
    child.on("close", (status, signal) => resolve(status ?? `signal ${signal}`));
  });
  clearInterval(ticker);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  line(`${process.stderr.isTTY ? `\r  ${label} …` : ""} ${code === 0 ? "done" : "failed"}, ${seconds} s\n`);
  if (code !== 0) {
    process.stderr.write(Buffer.concat(output));
    fail(`${label} failed (exit ${code}); the output stands above`, 1);
  }
}

const bin = (name) => path.join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

export { bin };

/** Installs what a lock file names into its folder, once for each state of it. */
async function installLocked(label, folder) {
  const stamp = path.join(folder, "node_modules", ".lynceus-lock");
  const wanted = createHash("sha256")
    .update(readFileSync(path.join(folder, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  await quietly(label, command, [...prefix, "ci", "--no-audit", "--no-fund"], { cwd: folder });
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

export const install = () => installLocked("Installing dependencies", root);

export const grafanaFolder = path.join(root, "apps", "grafana-datasource");

/** The Grafana data source's own dependencies: more than all others together, and nobody else needs them. */
export const installGrafana = () => installLocked("Installing Grafana's packages", grafanaFolder);

const turboEnv = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

/** Runs turbo tasks; what did not change since last time comes from its cache. */
export async function turbo(label, ...args) {
  await quietly(label, bin("turbo"), ["run", ...args, "--ui=stream", "--no-daemon"], { env: turboEnv });
}

/** Everything that `npm run up` and the browser tests need. */
export async function prepareAll() {
  requireNode();
  await install();
  await turbo("Building agent, collector and dashboard", "build");
}

/** What the unit and integration tests need: everything but the dashboard's production build. */
export async function prepareTests() {
  requireNode();
  await install();
  await turbo("Generating code, building agent and collector", "generate", "build", "--filter=!@lynceus/dashboard");
}
