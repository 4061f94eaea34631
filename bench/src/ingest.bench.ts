// Acknowledged observations per second through the built collector and the embedded PostgreSQL, beside the bare pipe
// (bare-pipe.ts) on the same machine, database and messages, in turn, several rounds. Each is driven twice: as fast as
// it acknowledges, for the throughput and the processor time of an observation; and at a moderate fixed rate, for the
// time from send to acknowledgement, which under saturation tells only how long the window is.
import { parseArgs } from "node:util";
import WebSocket from "ws";
import {
  cpuSeconds,
  fixed,
  loadAverage,
  machineLine,
  median,
  parentOf,
  percentile,
  reapedCpuSeconds,
  table,
} from "./figures.ts";
import { collectorOf } from "./fleet/collector.ts";
import { newIdentity, signText } from "./fleet/identity.ts";
import { type Draft, digestOf, makeMachine, observe } from "./fleet/machine.ts";
import { seeded } from "./fleet/random.ts";
import { install, root, startChild, stopChild } from "./installation.ts";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "100" },
    seconds: { type: "string", default: "8" },
    rounds: { type: "string", default: "3" },
    /** Observations a connection may have unacknowledged. */
    window: { type: "string", default: "100" },
    /** Observations a message. */
    batch: { type: "string", default: "10" },
    /** Observations per second of the second drive. */
    rate: { type: "string", default: "1000" },
  },
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const window = Number(values.window);
const perMessage = Number(values.batch);
const rate = Number(values.rate);

interface Sender {
  readonly socket: WebSocket;
  readonly epoch: string;
  seq: number;
  acked: number;
}
interface Result {
  readonly perSecond: number;
  /** Milliseconds from send to acknowledgement at the fixed rate. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of processor time for one observation, at full speed. */
  readonly server: number;
  readonly postgres: number;
  readonly sender: number;
}

/** Observations as the agent sends them, one probe each, every one different from the last: each is a row. */
function messagesOf(index: number, policy: Parameters<typeof observe>[1]) {
  const machine = makeMachine(index, connections, seeded(index));
  const drafts = observe(machine, policy, "none").filter((draft) => draft.kind === "probe");
  return (sender: Sender): string => {
    const items = Array.from({ length: perMessage }, () => {
      sender.seq += 1;
      const draft = drafts[sender.seq % drafts.length] as Draft;
      const facts = { ...(draft.facts as object), totalMs: sender.seq % 500 };
      const digest = digestOf({ ...draft, facts: { ...facts, seq: sender.seq } });
      return {
        seq: sender.seq,
        kind: draft.kind,
        key: draft.key,
        digest,
        at: Date.now(),
        ageMs: 0,
        location: draft.location,
        facts,
      };
    });
    return JSON.stringify({ v: 1, type: "observations", epoch: sender.epoch, items, confirmations: [] });
  };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Drives the senders for a while and measures the part after `warmUp`. `pace` null: as much as the window allows. */
async function drive(
  senders: readonly Sender[],
  make: readonly ((sender: Sender) => string)[],
  pace: number | null,
  cpu: () => Promise<readonly number[]>,
): Promise<{ acked: number; elapsed: number; latencies: number[]; cpu: number[] }> {
  const latencies: number[] = [];
  let counting = false;
  let running = true;
  let acked = 0;
  const sentAt = senders.map(() => new Map<number, number>());
  const send = (i: number) => {
    const sender = senders[i] as Sender;
    const text = make[i]?.(sender) ?? "";
    sentAt[i]?.set(sender.seq, performance.now());
    sender.socket.send(text);
  };
  const room = ({ seq, acked }: Sender) => seq - acked + perMessage <= window;
  const fill = (i: number) => {
    while (room(senders[i] as Sender)) send(i);
  };
  for (const [i, sender] of senders.entries()) {
    sender.socket.on("message", (data) => {
      const message = JSON.parse(data.toString()) as { type: string; seq: number };
      if (message.type !== "ack") return;
      if (counting) acked += message.seq - sender.acked;
      sender.acked = message.seq;
      for (const [seq, at] of sentAt[i] ?? []) {
        if (seq > message.seq) break;
        if (counting) latencies.push(performance.now() - at);
        sentAt[i]?.delete(seq);
      }
      if (running && pace === null) fill(i);
    });
    if (pace === null) fill(i);
  }
  let sent = 0;
  const start = performance.now();
  const timer =
    pace === null
      ? undefined
      : setInterval(() => {
          for (; sent < ((performance.now() - start) / 1000) * (pace / perMessage); sent++) send(sent % senders.length);
        }, 5);
  await wait(2000);
  const before = await cpu();
  counting = true;
  const began = performance.now();
  await wait(seconds * 1000);
  counting = false;
  const elapsed = (performance.now() - began) / 1000;
  const after = await cpu();
  running = false;
  clearInterval(timer);
  // What is under way is settled before the next drive.
  const deadline = performance.now() + 20_000;
  while (senders.some(({ seq, acked }) => acked < seq) && performance.now() < deadline) await wait(20);
  for (const { socket } of senders) socket.removeAllListeners("message");
  return { acked, elapsed, latencies, cpu: after.map((value, i) => value - (before[i] ?? 0)) };
}

/** Processor seconds so far: the server, PostgreSQL with all its processes, this process. */
const cpuOf = (pid: number) => async () => {
  const { rows } = await installation.db.pool.query<{ pid: number }>("SELECT pid FROM pg_stat_activity");
  const backend = rows[0]?.pid ?? 0;
  // The postmaster holds what its processes that are gone have used.
  const postgres = rows.reduce((sum, row) => sum + cpuSeconds(row.pid), reapedCpuSeconds(parentOf(backend)));
  const { user, system } = process.cpuUsage();
  return [cpuSeconds(pid), postgres, (user + system) / 1e6];
};

async function load(senders: readonly Sender[], pid: number): Promise<Result> {
  const make = makers();
  const paced = await drive(senders, make, rate, cpuOf(pid));
  const full = await drive(senders, make, null, cpuOf(pid));
  const [server = 0, postgres = 0, sender = 0] = full.cpu.map((value) => (value / full.acked) * 1e6);
  return {
    perSecond: full.acked / full.elapsed,
    p50: percentile(paced.latencies, 0.5),
    p99: percentile(paced.latencies, 0.99),
    server,
    postgres,
    sender,
  };
}

const installation = await install();
const identities = Array.from({ length: connections }, newIdentity);
const makers = () => identities.map((_, i) => messagesOf(i, installation.policy));

async function throughBarePipe(port: number): Promise<Result> {
  const { child } = await startChild(
    process.execPath,
    ["--import", "tsx", `${root}/bench/src/bare-pipe.ts`, String(port), installation.databaseUrl],
    process.env,
    /listening/,
  );
  const senders = await Promise.all(
    identities.map(async ({ epoch }): Promise<Sender> => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      return { socket, epoch, seq: 0, acked: 0 };
    }),
  );
  const result = await load(senders, child.pid ?? 0);
  for (const { socket } of senders) socket.terminate();
  await stopChild(child);
  return result;
}

const seqs = identities.map(() => 0);
async function throughCollector(port: number): Promise<Result> {
  const collector = await installation.startCollector(port);
  const { secret } = collectorOf(await installation.token(collector.url, connections));
  const senders = await Promise.all(
    identities.map(async (identity, i): Promise<Sender> => {
      const socket = new WebSocket(`${collector.url}/agent/v1`, { perMessageDeflate: false });
      const about = { v: 1, agentVersion: "bench", os: "windows", hostname: `BENCH-${i}` };
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        let nonce = "";
        const hello = () =>
          socket.send(
            JSON.stringify({
              ...about,
              type: "hello",
              machineId: identity.machineId,
              epoch: identity.epoch,
              lastSeq: seqs[i],
              policyVersion: 1,
              bootId: identity.epoch,
              signature: signText(identity, "lynceus-hello-v1", nonce, identity.machineId ?? "", identity.epoch),
            }),
          );
        socket.on("message", (data) => {
          const message = JSON.parse(data.toString()) as {
            type: string;
            nonce?: string;
            machineId?: string;
            reason?: string;
          };
          if (message.type === "challenge") {
            nonce = message.nonce ?? "";
            if (identity.machineId) hello();
            else
              socket.send(
                JSON.stringify({
                  ...about,
                  type: "enroll",
                  token: secret,
                  publicKey: identity.publicKey,
                  simulated: true,
                  signature: signText(identity, "lynceus-enroll-v1", nonce, identity.publicKey),
                }),
              );
          } else if (message.type === "enrolled") {
            identity.machineId = message.machineId ?? null;
            hello();
          } else if (message.type === "welcome") resolve();
          else if (message.type === "reject") reject(new Error(`the collector refused: ${message.reason}`));
        });
      });
      socket.removeAllListeners("message");
      return { socket, epoch: identity.epoch, seq: seqs[i] ?? 0, acked: seqs[i] ?? 0 };
    }),
  );
  const result = await load(senders, collector.pid);
  for (const [i, sender] of senders.entries()) {
    seqs[i] = sender.seq;
    sender.socket.terminate();
  }
  await collector.stop();
  return result;
}

const pipe: Result[] = [];
const product: Result[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  pipe.push(await throughBarePipe(17_450 + round));
  product.push(await throughCollector(17_460 + round));
  process.stderr.write(
    `round ${round + 1}: bare pipe ${fixed(pipe.at(-1)?.perSecond ?? 0)}/s, collector ${fixed(product.at(-1)?.perSecond ?? 0)}/s\n`,
  );
}
await installation.stop();
const row = (name: string, results: readonly Result[]) => [
  name,
  fixed(median(results.map((r) => r.perSecond))),
  fixed(median(results.map((r) => r.p50)), 1),
  fixed(median(results.map((r) => r.p99)), 1),
  fixed(median(results.map((r) => r.server))),
  fixed(median(results.map((r) => r.postgres))),
  fixed(median(results.map((r) => r.sender))),
];
const ratios = product.map((r, i) => r.perSecond / (pipe[i]?.perSecond ?? Number.NaN));
process.stdout.write(
  `${machineLine()}; ${loadAverage()}; ${connections} connections, ${perMessage} observations a message, median of ${values.rounds} rounds of ${seconds} s\n\n`,
);
process.stdout.write(
  `${table(["ingest", "acked observations/s", `p50 ms at ${fixed(rate)}/s`, `p99 ms at ${fixed(rate)}/s`, "server µs each", "PostgreSQL µs each", "sender µs each"], [row("bare pipe", pipe), row("collector", product)])}\n\n`,
);
process.stdout.write(
  `ratio collector / bare pipe: ${fixed(median(ratios), 2)} (${ratios.map((r) => fixed(r, 2)).join(", ")})\n`,
);
