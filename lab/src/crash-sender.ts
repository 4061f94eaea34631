import { randomUUID } from "node:crypto";
import { fsyncSync, openSync, writeSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Clock } from "@lynceus/agent/clock";
import { factsDigest } from "@lynceus/agent/digest";
import { ensureKey, loadMachineId, saveMachineId } from "@lynceus/agent/identity";
import { connector } from "@lynceus/agent/link/connect";
import { enrol } from "@lynceus/agent/link/enrol";
import { createLink } from "@lynceus/agent/link/link";
import { openDiskOutbox } from "@lynceus/agent/outbox/disk-outbox";
import type { Outbox, OutboxItem } from "@lynceus/agent/outbox/outbox";

/*
 * The agent's own outbox and link, fed as fast as the disk takes it instead of by probes, until it is killed. What it
 * has promised to deliver stands in `promised-RUN`, one id a line, each written after the outbox has synced its entry.
 * Stdout says `PROMISED ACKED` (entries of this run, highest acknowledged seq) whenever one of them grows. On SIGTERM
 * it makes nothing more, and prints the outbox's figures once that is empty.
 */
const { values } = parseArgs({
  options: {
    directory: { type: "string", default: "" },
    url: { type: "string", default: "" },
    secret: { type: "string", default: "" },
    /** Which start of this program it is: part of every id, so that no two runs make the same one. */
    run: { type: "string", default: "0" },
  },
});
const { directory, run } = values;

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => Math.round(uptime() * 1000),
  // The program is killed; the machine under it goes on.
  boot: "one",
  setTimer(fn, ms) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
const connect = connector({
  url: new URL("/agent/v1", values.url),
  pin: null,
  systemTrust: () => {
    throw new Error(`${values.url} is plain text and needs no trust`);
  },
  routeFor: async () => [{ kind: "direct" }],
  clock,
  userAgent: "lynceus-crash-sender",
});
const machine = { agentVersion: "0.0.0", os: "linux", hostname: "crash-sender" } as const;
const key = ensureKey(directory);
let machineId = loadMachineId(directory);
if (machineId === null) {
  ({ machineId } = await enrol({ connect, key, secret: values.secret, machine, simulated: false, clock }));
  saveMachineId(directory, machineId);
}

const fail = (what: string): never => {
  process.stderr.write(`crash-sender, run ${run}: ${what}\n`);
  process.exit(1);
};
const disk = openDiskOutbox({
  directory: join(directory, "outbox"),
  clock,
  newId: randomUUID,
  // A record that was being written when the last run was killed is cut off, and was not promised.
  onDamage: (what) => process.stderr.write(`crash-sender, run ${run}: ${what}\n`),
});
let promised = 0;
const tell = () => process.stdout.write(`${promised} ${disk.ackedSeq()}\n`);
let acknowledged = () => {};
const outbox: Outbox = {
  ...disk,
  ack(seq) {
    disk.ack(seq);
    tell();
    acknowledged();
  },
};
const link = createLink({
  connect,
  machineId,
  key,
  machine,
  bootId: randomUUID(),
  outbox,
  clock,
  random: Math.random,
  policyVersion: () => 0,
  heartbeatSeconds: () => 1,
  resources: () => ({ rssBytes: 0, cpuMs: 0, uptimeSeconds: 0 }),
  onCollectorForgot: () => fail("the collector knows less than it acknowledged"),
  // The agent's own waits of minutes would only make the test long.
  backOff: { floorMs: 10, baseMs: 50, capMs: 200 },
});
link.start();

const ledger = openSync(join(directory, `promised-${run}`), "ax");
let made = 0;
let latest: OutboxItem | null = null;

/** Facts that are never those of the time before: each is a row of its own, and a change of the machine's state. */
function observation(id: string): OutboxItem {
  const at = Date.now();
  const slot = made % 5;
  if (slot === 0) {
    const facts = { id, tried: true, dhcp252Url: null, dnsHost: null, addresses: [], fetch: "none" };
    const digest = factsDigest("wpad", facts);
    return { type: "observation", at, kind: "wpad", key: "wpad", location: "inside", digest, facts };
  }
  const facts = {
    id,
    configuration: `c${slot}`,
    origin: "pac",
    url: "http://scripts.contoso.test/proxy.pac",
    scheme: "http",
    fetch: "http-404",
    authSchemes: [],
    sha256: null,
    bytes: made,
    contentType: null,
    bodyIsHtml: false,
    evalOk: null,
    evalError: null,
    urlFormsDiffer: [],
    myIpAddress: null,
    capitalHostLiterals: false,
    ms: 1,
  };
  const digest = factsDigest("pac", facts);
  return { type: "observation", at, kind: "pac", key: `pac:c${slot}`, location: "inside", digest, facts };
}

/** Hands some observations to the outbox, and promises them once they are durable there. */
function produce(): void {
  const ids: string[] = [];
  // A word that something still holds takes a number too, and leaves no row.
  if (latest?.type === "observation" && made % 3 === 0) {
    const { at, key: held, location, digest } = latest;
    outbox.append({ type: "confirmation", at, key: held, location, digest, timings: null });
  }
  for (let rest = 1 + (made % 4); rest > 0; rest--) {
    const id = `${run}-${++made}`;
    latest = observation(id);
    if (outbox.append(latest) === null) fail(`${id} was not kept`);
    ids.push(id);
  }
  outbox.sync();
  writeSync(ledger, ids.map((id) => `${id}\n`).join(""));
  fsyncSync(ledger);
  promised += ids.length;
  tell();
  link.wake();
}

let producing = true;
process.once("SIGTERM", () => {
  producing = false;
});
/** More than that waits: the collector or its database is down, or slower than we are. */
const enough = 1500;
while (producing) {
  if (outbox.stats().items < enough) produce();
  // Sockets and timers have their turn.
  await nextTurn();
}
// The last entry is an observation: confirmations alone are acknowledged much later.
produce();
await new Promise<void>((resolve) => {
  acknowledged = () => {
    if (outbox.stats().items === 0) resolve();
  };
  acknowledged();
});
const { droppedObservations } = outbox.stats();
await link.stop("stop");
outbox.close();
process.stdout.write(`${JSON.stringify({ epoch: outbox.epoch(), lastSeq: outbox.lastSeq(), droppedObservations })}\n`);
