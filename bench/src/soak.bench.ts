// The packaged agent for half an hour with its collector away and the network flapping: memory and disk have to stay flat,
// and all that was kept has to arrive when the collector is back.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { buildPolicy } from "@lynceus/protocol/presets";
import { WebSocketServer } from "ws";
import { fixed, loadAverage, machineLine, residentBytes, table } from "./figures.ts";
import { packagedAgent, stopChild } from "./installation.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, executable: { type: "string" } },
});
const minutes = Number(values.minutes);
const idle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-soak-"));
const executable = values.executable ?? packagedAgent(directory);
const home = path.join(directory, "data");
const settings = path.join(directory, "settings.json");
mkdirSync(home);

const web = createServer((_request, response) => response.end("Microsoft Connect Test"));
await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
const port = (web.address() as { port: number }).port;
const preset = buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: ["example.org"] }, 1);
const policy = {
  ...preset,
  intervals: { cycleMinutes: 1, settingsMinutes: 1, heartbeatSeconds: 5 },
  targets: [
    { ...preset.targets[0], id: "control", service: "control", kind: "http", host: "127.0.0.1", port, path: "/" },
    ...preset.targets.slice(1),
  ],
};

/** Takes what the agent says and acknowledges it, as a collector does; `away` closes the door. */
const received = { observations: 0, confirmations: 0, lastSeq: 0 };
/** When the agent last came, and the last number that it had given by then. */
const promised = { at: 0, seq: 0 };
let server: WebSocketServer | null = null;
let bound = 0;
async function open(): Promise<void> {
  const opened = new WebSocketServer({ port: bound, host: "127.0.0.1" });
  await new Promise((resolve) => opened.once("listening", resolve));
  bound = (opened.address() as { port: number }).port;
  opened.on("connection", (socket) => {
    const say = (message: object) => socket.send(JSON.stringify({ v: 1, ...message }));
    say({ type: "challenge", nonce: "bm9uY2U=", now: Date.now(), collectorVersion: "soak" });
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      if (message.type === "enroll")
        say({ type: "enrolled", machineId: "22222222-2222-4222-8222-222222222222", approved: true });
      if (message.type === "hello") {
        Object.assign(promised, { at: Date.now(), seq: message.lastSeq });
        say({ type: "welcome", ackedSeq: received.lastSeq, now: Date.now() });
        say({ type: "policy", policy });
      }
      if (message.type === "heartbeat")
        say({ type: "heartbeat-ack", now: Date.now(), policyVersion: message.policyVersion });
      if (message.type === "observations") {
        received.observations += message.items.length;
        received.confirmations += message.confirmations.length;
        for (const { seq } of [...message.items, ...message.confirmations])
          received.lastSeq = Math.max(received.lastSeq, seq);
        say({ type: "ack", epoch: message.epoch, seq: received.lastSeq });
      }
    });
  });
  server = opened;
}
function leave(): void {
  for (const client of server?.clients ?? []) client.terminate();
  server?.close();
  server = null;
}

/** The proxy settings are another proxy each time, which is a change of the network to the agent. */
let flaps = 0;
function flap(): void {
  flaps++;
  const settingsNow = { AutoDetect: 0, ProxyEnable: flaps % 2, ProxyServer: `127.0.0.1:${9 + (flaps % 5)}` };
  writeFileSync(settings, JSON.stringify(settingsNow));
}

const bytesOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce(
    (sum, entry) =>
      sum +
      (entry.isDirectory()
        ? bytesOf(path.join(folder, entry.name))
        : (statSync(path.join(folder, entry.name), { throwIfNoEntry: false })?.size ?? 0)),
    0,
  );

flap();
await open();
const token = `lyn1.${Buffer.from(JSON.stringify({ u: `ws://127.0.0.1:${bound}`, s: "soak", p: null })).toString("base64url")}`;
const agent = spawn(
  executable,
  [
    "run",
    "--data-dir",
    home,
    "--token",
    token,
    "--proxy-settings",
    settings,
    "--allowed-suffixes",
    "127.0.0.1,example.org",
    "--allowed-ports",
    `443,${port}`,
  ],
  { stdio: "ignore" },
);
const pid = agent.pid ?? 0;
const handles = () => readdirSync(`/proc/${pid}/fd`).length;
const threads = () => readdirSync(`/proc/${pid}/task`).length;
await idle(60_000);
leave();
const rows: string[][] = [];
const began = Date.now();
for (let tick = 1; Date.now() - began < (minutes - 2) * 60_000; tick++) {
  await idle(15_000);
  flap();
  // Each third time the collector is there for a moment and gone again before much can be said.
  if (tick % 3 === 0) {
    await open();
    await idle(300);
    leave();
  }
  if (tick % 8 === 1) {
    const minute = fixed((Date.now() - began) / 60_000, 0);
    rows.push([
      minute,
      fixed(residentBytes(pid) / 1048576, 1),
      fixed(bytesOf(home) / 1024, 0),
      String(handles()),
      String(threads()),
    ]);
    process.stdout.write(`${rows.at(-1)?.join("  ")}\n`);
  }
}
/** What the agent says of itself; its exit code only says whether it is connected. */
function outbox(): { readonly items: number } {
  const { stdout } = spawnSync(executable, ["status", "--json", "--data-dir", home], { encoding: "utf8" });
  return (JSON.parse(stdout) as { status: { outbox: { items: number } } }).status.outbox;
}
const kept = outbox();
const returned = Date.now();
await open();
const isWhole = () => promised.at >= returned && received.lastSeq >= promised.seq;
// It comes back when its back-off has passed, which has grown to some minutes by now.
while (!isWhole() && Date.now() - returned < 15 * 60_000) await idle(1000);
const arrived = isWhole()
  ? `all of it arrived ${fixed((Date.now() - returned) / 1000)} s after the return`
  : "NOT all of it arrived";
await stopChild(agent);
leave();
web.close();
rmSync(directory, { recursive: true, force: true });
process.stdout.write(`\n${machineLine()}; ${loadAverage()}; ${flaps} changes of the settings\n\n`);
process.stdout.write(`${table(["minute", "RSS MB", "data directory KB", "open files", "threads"], rows)}\n\n`);
process.stdout.write(
  `received ${JSON.stringify(received)}; before the return the outbox held ${JSON.stringify(kept)}: ${arrived}\n`,
);
process.exit(isWhole() ? 0 : 1);
