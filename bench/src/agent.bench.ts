// The built agent at rest: connected to a real collector, probing nothing between two cycles. Beside it a bare Node process
// with one WebSocket and a heartbeat.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { cpuSeconds, fixed, machineLine, median, residentBytes, table } from "./figures.ts";
import { install, root, stopChild } from "./installation.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "90" } } });
const seconds = Number(values.seconds);
const idle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const installation = await install();
const collector = await installation.startCollector(17_470);
const home = path.join(installation.directory, "agent");
mkdirSync(home);
const agent = spawn(
  process.execPath,
  [
    path.join(root, "apps/agent/dist/main.js"),
    "run",
    "--token",
    await installation.token(collector.url, 1),
    "--data-dir",
    home,
    "--allowed-suffixes",
    "example.org",
    "--allowed-ports",
    "443",
  ],
  { stdio: "ignore" },
);
const bare = spawn(
  process.execPath,
  [
    "--input-type=module",
    "-e",
    `import WebSocket from "ws"; const s = new WebSocket("${collector.url}/agent/v1", {perMessageDeflate:false}); s.on("error",()=>{}); setInterval(()=>{}, 30000);`,
  ],
  { stdio: "ignore", cwd: path.join(root, "bench") },
);

// The first cycle, of names that do not exist here, is over by then.
await idle(45_000);
const pids = { agent: agent.pid ?? 0, bare: bare.pid ?? 0 };
const cpuBefore = { agent: cpuSeconds(pids.agent), bare: cpuSeconds(pids.bare) };
const samples = { agent: [] as number[], bare: [] as number[] };
for (let i = 0; i < seconds; i += 5) {
  await idle(5000);
  for (const name of ["agent", "bare"] as const) samples[name].push(residentBytes(pids[name]));
}
const cpu = (name: "agent" | "bare") => ((cpuSeconds(pids[name]) - cpuBefore[name]) / seconds) * 100;
const rows = (["bare", "agent"] as const).map((name) => [
  name === "bare" ? "bare Node with one WebSocket" : "agent",
  fixed(median(samples[name]) / 1048576, 1),
  `${fixed(cpu(name), 2)} %`,
]);
await stopChild(agent);
await stopChild(bare);
await installation.stop();
process.stdout.write(`${machineLine()}; idle for ${seconds} s after the first cycle\n\n`);
process.stdout.write(`${table(["agent", "RSS MB (median)", "CPU of one core"], rows)}\n`);
