// The packaged Linux agent at rest, connected by TLS to a real collector, between two cycles. In the same run beside it:
// Debian's zabbix-agent2 and prometheus-node-exporter. Then the time from its start to its first heartbeat.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { parseArgs } from "node:util";
import { savePolicy } from "@lynceus/db/policies";
import { WebSocketServer } from "ws";
import { cpuNanoseconds, fixed, loadAverage, machineLine, median, residentBytes, table } from "./figures.ts";
import { install, packagedAgent, stopChild } from "./installation.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "120" }, executable: { type: "string" } },
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
const port = 17_470;
const collector = await installation.startCollector(port, { tls: true });
const { authority } = collector;
if (!authority) throw new Error("the collector has no authority");
const home = path.join(directory, "agent");
mkdirSync(home);
const token = await installation.token(collector.url, 1, authority.pin);

// Targets that answer, so that nothing is tried again while the agent is to be at rest: the collector stands for Exchange.
const web = createServer((_request, response) => response.end("Microsoft Connect Test"));
await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
const controlPort = (web.address() as { port: number }).port;
const { policy } = installation;
await savePolicy(installation.db, {
  body: {
    ...policy,
    targets: policy.targets.flatMap((target) => {
      if (target.kind === "https") return [{ ...target, host: "127.0.0.1", port, path: "/healthz" }];
      return target.kind === "http" ? [{ ...target, host: "127.0.0.1", port: controlPort, path: "/" }] : [];
    }),
  },
  now: new Date(),
  createdBy: "bench",
});

// As after the machine's start: what was just written lies in the page cache in larger pieces than what was read to run.
execFileSync("sync");
for (const file of [executable, zabbix, exporter])
  execFileSync("dd", [`of=${file}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);

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
const fence = ["--allowed-suffixes", "127.0.0.1", "--allowed-ports", `${port},${controlPort}`];
const children: Record<string, ChildProcess> = {
  "zabbix-agent2": spawn(zabbix, ["-f", "-c", zabbixConfig], quietly),
  "prometheus-node-exporter": spawn(exporter, ["--web.listen-address=127.0.0.1:17472"], quietly),
  agent: spawn(executable, ["run", "--token", token, "--data-dir", home, ...fence], {
    ...quietly,
    env: { PATH: process.env.PATH, SSL_CERT_FILE: authority.file },
  }),
};

const kilobytesOf = (pid: number, file: string, field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1]);
const count = (pid: number, what: "fd" | "task") => readdirSync(`/proc/${pid}/${what}`).length;

// The first cycle is over by then, and what it needed is given back.
await idle(45_000);
const watched = Object.entries(children).map(([name, child]) => {
  const pid = child.pid ?? 0;
  return {
    name,
    pid,
    cpu: cpuNanoseconds(pid),
    rss: [] as number[],
    own: [] as number[],
    pss: [] as number[],
    handles: [] as number[],
    threads: [] as number[],
  };
});
for (let n = 0; n < seconds; n++) {
  await idle(1000);
  for (const one of watched) {
    one.rss.push(residentBytes(one.pid));
    one.own.push(kilobytesOf(one.pid, "status", "RssAnon") * 1024);
    if (n % 10 === 0) one.pss.push(kilobytesOf(one.pid, "smaps_rollup", "Pss") * 1024);
    one.handles.push(count(one.pid, "fd"));
    one.threads.push(count(one.pid, "task"));
  }
}
const range = (samples: readonly number[]) => {
  const [least, most] = [Math.min(...samples), Math.max(...samples)];
  return least === most ? String(least) : `${least} to ${most}`;
};
const megabytes = (samples: readonly number[]) => fixed(median(samples) / 1048576, 1);
const rows = watched.map(({ name, pid, cpu, rss, own, pss, handles, threads }) => [
  name,
  megabytes(rss),
  `${fixed(Math.min(...rss) / 1048576, 1)} to ${fixed(Math.max(...rss) / 1048576, 1)}`,
  megabytes(own),
  megabytes(pss),
  `${fixed((cpuNanoseconds(pid) - cpu) / seconds / 1e7, 4)} %`,
  range(threads),
  range(handles),
]);
for (const child of Object.values(children)) await stopChild(child);
web.close();
const load = loadAverage();

/** Milliseconds from the start of the enrolled agent to its first heartbeat, as a collector hears it, by clock and of the processor. */
async function untilHeartbeat(round: number): Promise<{ readonly ms: number; readonly cpuMs: number }> {
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
  const cpuMs = cpuNanoseconds(child.pid ?? 0) / 1e6;
  await stopChild(child);
  server.close();
  return { ms, cpuMs };
}
const starts: Awaited<ReturnType<typeof untilHeartbeat>>[] = [];
for (let round = 0; round < 7; round++) starts.push(await untilHeartbeat(round));

await installation.stop();
process.stdout.write(`${machineLine()}; ${load}; at rest for ${seconds} s after the first cycle\n\n`);
const head = ["program", "RSS MB (median)", "RSS MB (range)", "of it its own", "PSS MB", "CPU of one core"];
process.stdout.write(`${table([...head, "threads", "open files"], rows)}\n\n`);
const times = starts.map(({ ms }) => ms);
process.stdout.write(
  `start to first heartbeat: ${fixed(median(times))} ms (median of ${times.length}, ${fixed(Math.min(...times))} to ${fixed(Math.max(...times))}; ${fixed(median(starts.map(({ cpuMs }) => cpuMs)))} ms of the processor); ${loadAverage()}\n`,
);
