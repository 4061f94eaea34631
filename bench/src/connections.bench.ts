// Memory of the collector per idle agent connection beside a bare `ws` server, and the time until the whole fleet is back
// after a restart. The clients live in this process, which may open some 20,000 files.
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import { fixed, machineLine, residentBytes, table } from "./figures.ts";
import { type Identity, newIdentity, signText } from "./fleet/identity.ts";
import { install, root, startChild, stopChild } from "./installation.ts";

const { values } = parseArgs({ options: { connections: { type: "string", default: "19000" } } });
const count = Number(values.connections);
const opening = 400;
/** After a burst the heap of both holds garbage until it is collected at leisure: what counts is what stays. */
const settling = 15_000;

/** A source address of its own a run, so that sockets in TIME_WAIT do not slow the next one. */
let run = 0;
const source = (i: number) => `127.${10 + run}.${i % 200}.${1 + (i % 250)}`;

async function pool(total: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: opening }, async () => {
      while (next < total) await work(next++);
    }),
  );
}

const idle = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function bare(): Promise<{ before: number; after: number; seconds: number }> {
  run += 1;
  const port = 17_480;
  const { child } = await startChild(
    process.execPath,
    ["--import", "tsx", `${root}/bench/src/bare-server.ts`, String(port)],
    process.env,
    /listening/,
  );
  await idle(2000);
  const before = residentBytes(child.pid ?? 0);
  const sockets: WebSocket[] = [];
  const began = performance.now();
  await pool(count, async (i) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false, localAddress: source(i) });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    sockets.push(socket);
  });
  const seconds = (performance.now() - began) / 1000;
  await idle(settling);
  const after = residentBytes(child.pid ?? 0);
  for (const socket of sockets) socket.terminate();
  await stopChild(child);
  return { before, after, seconds };
}

const installation = await install();
const machineIds: string[] = [];
const identities: Identity[] = [];
for (let i = 0; i < count; i++) {
  identities.push(newIdentity());
  machineIds.push(randomUUID());
}
// Enrolled beforehand: what is measured is the connections, not the enrolment.
for (let from = 0; from < count; from += 2000) {
  await installation.db.prisma.machine.createMany({
    data: machineIds.slice(from, from + 2000).map((id, k) => ({
      id,
      hostname: `BENCH-${from + k}`,
      publicKey: Buffer.from(identities[from + k]?.publicKey ?? "", "base64"),
      simulated: true,
    })),
  });
}

/** Connects and says hello; resolves at the welcome. Comes back by itself, with full jitter, until told to stop. */
function agent(i: number, url: string, onWelcome: (socket: WebSocket) => void, onGone: () => void): void {
  const identity = identities[i] as Identity;
  const socket = new WebSocket(`${url}/agent/v1`, {
    perMessageDeflate: false,
    localAddress: source(i),
    handshakeTimeout: 30_000,
  });
  let welcome = false;
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString()) as { type: string; nonce: string };
    if (message.type === "challenge") {
      socket.send(
        JSON.stringify({
          v: 1,
          type: "hello",
          agentVersion: "bench",
          os: "windows",
          hostname: `BENCH-${i}`,
          machineId: machineIds[i],
          epoch: identity.epoch,
          lastSeq: 0,
          policyVersion: 1,
          bootId: identity.epoch,
          signature: signText(identity, "lynceus-hello-v1", message.nonce, machineIds[i] ?? "", identity.epoch),
        }),
      );
    } else if (message.type === "welcome") {
      welcome = true;
      onWelcome(socket);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    if (!welcome || !stopping) onGone();
  });
}

let stopping = false;
const port = 17_490;
let collector = await installation.startCollector(port);
await idle(3000);
const before = residentBytes(collector.pid);
run += 1;
const open = new Map<number, WebSocket>();
let pending = 0;
const backlog: number[] = Array.from({ length: count }, (_, i) => i);
let allBack: (() => void) | null = null;
const attempts = new Map<number, number>();
const pump = () => {
  while (pending < opening && backlog.length > 0) {
    const i = backlog.shift() as number;
    pending += 1;
    let settled = false;
    const settle = () => {
      if (settled) return;
      settled = true;
      pending -= 1;
    };
    agent(
      i,
      collector.url,
      (socket) => {
        settle();
        open.set(i, socket);
        attempts.delete(i);
        if (open.size === count) allBack?.();
        pump();
      },
      () => {
        settle();
        open.delete(i);
        if (stopping) return;
        const failures = (attempts.get(i) ?? 0) + 1;
        attempts.set(i, failures);
        setTimeout(
          () => {
            backlog.push(i);
            pump();
          },
          Math.random() * Math.min(60_000, 1000 * 2 ** failures),
        );
        pump();
      },
    );
  }
};
const everyone = () =>
  new Promise<void>((resolve) => {
    allBack = resolve;
  });
let back = everyone();
const began = performance.now();
pump();
await back;
const firstSeconds = (performance.now() - began) / 1000;
await idle(settling);
const after = residentBytes(collector.pid);

// A restart: every agent has to notice, wait its share of the jitter and prove itself again.
await collector.stop();
run += 1;
back = everyone();
const restarted = performance.now();
collector = await installation.startCollector(port);
await back;
const backSeconds = (performance.now() - restarted) / 1000;
stopping = true;
for (const socket of open.values()) socket.terminate();
await installation.stop();

const base = await bare();
const perBare = (base.after - base.before) / count;
const perAgent = (after - before) / count;
process.stdout.write(`${machineLine()}; ${fixed(count)} connections over plain loopback\n\n`);
process.stdout.write(
  `${table(
    ["connections", "KB each (RSS growth)", "RSS with all, MB", "all connected in s"],
    [
      ["bare ws server", fixed(perBare / 1024, 2), fixed(base.after / 1048576), fixed(base.seconds, 1)],
      ["collector", fixed(perAgent / 1024, 2), fixed(after / 1048576), fixed(firstSeconds, 1)],
    ],
  )}\n\n`,
);
process.stdout.write(
  `ratio collector / bare: ${fixed(perAgent / perBare, 2)}; all back ${fixed(backSeconds, 1)} s after the restart (full jitter up to 60 s)\n`,
);
process.exit(0);
