// The packaged Linux agent at rest, connected to a real collector, between two cycles. In the same run beside it: Debian's
// zabbix-agent2 and prometheus-node-exporter. Then the time from its start to its first heartbeat.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { cpuSeconds, fixed, loadAverage, machineLine, median, residentBytes, table } from "./figures.ts";
import { install, packagedAgent, stopChild } from "./installation.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "90" }, executable: { type: "string" } },
});
const seconds = Number(values.seconds);
const idle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const zabbix = "/usr/sbin/zabbix_agent2";
const exporter = "/usr/bin/prometheus-node-exporter";
for (const program of [zabbix, exporter])
  if (!existsSync(program))
    throw new Error(`${program} is not installed; on Debian: zabbix-agent2 prometheus-node-exporter`);

const installation = await install();
const { directory } = installation;
const executable = values.executable ?? packagedAgent(directory);
const collector = await installation.startCollector(17_470);
const home = path.join(directory, "agent");
mkdirSync(home);
const token = await installation.token(collector.url, 1);
const zabbixConfig = path.join(directory, "zabbix.conf");
writeFileSync(
  zabbixConfig,
  ["Server=127.0.0.1", "ListenIP=127.0.0.1", "ListenPort=17471", "Hostname=bench", "LogType=console"]
    .concat(
      `PidFile=${directory}/zabbix.pid`,
      `ControlSocket=${directory}/zabbix.sock`,
      `PluginSocket=${directory}/plugin.sock`,
    )
    .concat("")
    .join("\n"),
);
const quietly = { stdio: "ignore" } as const;
const fence = ["--allowed-suffixes", "example.org", "--allowed-ports", "443"];
const children: Record<string, ChildProcess> = {
  "zabbix-agent2": spawn(zabbix, ["-f", "-c", zabbixConfig], quietly),
  "prometheus-node-exporter": spawn(exporter, ["--web.listen-address=127.0.0.1:17472"], quietly),
  agent: spawn(executable, ["run", "--token", token, "--data-dir", home, ...fence], quietly),
};

const proportionalBytes = (pid: number) =>
  Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? Number.NaN) * 1024;
const count = (pid: number, what: "fd" | "task") => readdirSync(`/proc/${pid}/${what}`).length;

// The first cycle, of names that do not exist here, is over by then.
await idle(45_000);
const watched = Object.entries(children).map(([name, child]) => {
  const pid = child.pid ?? 0;
  return {
    name,
    pid,
    cpu: cpuSeconds(pid),
    rss: [] as number[],
    pss: [] as number[],
    handles: [] as number[],
    threads: [] as number[],
  };
});
for (let n = 0; n < seconds; n += 5) {
  await idle(5000);
  for (const one of watched) {
    one.rss.push(residentBytes(one.pid));
    one.pss.push(proportionalBytes(one.pid));
    one.handles.push(count(one.pid, "fd"));
    one.threads.push(count(one.pid, "task"));
  }
}
const range = (samples: readonly number[]) => {
  const [least, most] = [Math.min(...samples), Math.max(...samples)];
  return least === most ? String(least) : `${least} to ${most}`;
};
const megabytes = (samples: readonly number[]) => fixed(median(samples) / 1048576, 1);
const rows = watched.map(({ name, pid, cpu, rss, pss, handles, threads }) => [
  name,
  megabytes(rss),
  `${fixed(Math.min(...rss) / 1048576, 1)} to ${fixed(Math.max(...rss) / 1048576, 1)}`,
  megabytes(pss),
  `${fixed(((cpuSeconds(pid) - cpu) / seconds) * 100, 2)} %`,
  range(threads),
  range(handles),
]);
for (const child of Object.values(children)) await stopChild(child);
const load = loadAverage();

/** Milliseconds from the start of the enrolled agent to its first heartbeat, as a collector hears it. */
async function untilHeartbeat(round: number): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
  let onHeartbeat = () => {};
  const heard = new Promise<void>((resolve) => {
    onHeartbeat = resolve;
  });
  server.on("connection", (socket) => {
    const say = (message: object) => socket.send(JSON.stringify({ v: 1, ...message }));
    say({ type: "challenge", nonce: "bm9uY2U=", now: Date.now(), collectorVersion: "bench" });
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      if (message.type === "enroll")
        say({ type: "enrolled", machineId: "22222222-2222-4222-8222-222222222222", approved: true });
      if (message.type === "hello") say({ type: "welcome", ackedSeq: message.lastSeq, now: Date.now() });
      if (message.type === "heartbeat") onHeartbeat();
    });
  });
  const data = path.join(directory, `start-${round}`);
  const secret = `lyn1.${Buffer.from(JSON.stringify({ u: url, s: "bench", p: null })).toString("base64url")}`;
  const enrolling = spawn(executable, ["enroll", "--token", secret, "--data-dir", data, ...fence], quietly);
  await new Promise((resolve) => enrolling.once("close", resolve));
  const started = performance.now();
  const child = spawn(executable, ["run", "--data-dir", data], quietly);
  await heard;
  const ms = performance.now() - started;
  await stopChild(child);
  server.close();
  return ms;
}
const starts: number[] = [];
for (let round = 0; round < 5; round++) starts.push(await untilHeartbeat(round));

await installation.stop();
process.stdout.write(`${machineLine()}; ${load}; idle for ${seconds} s after the first cycle\n\n`);
process.stdout.write(
  `${table(["program", "RSS MB (median)", "RSS MB (range)", "PSS MB", "CPU of one core", "threads", "open files"], rows)}\n\n`,
);
process.stdout.write(
  `start to first heartbeat: ${fixed(median(starts))} ms (median of ${starts.length}, ${fixed(Math.min(...starts))} to ${fixed(Math.max(...starts))})\n`,
);
