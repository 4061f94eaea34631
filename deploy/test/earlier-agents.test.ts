import { generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createToken } from "@lynceus/db/enrollment";
import { savePolicy } from "@lynceus/db/policies";
import { wholeFleet } from "@lynceus/db/scope";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { builtAgent, lifeOf, until } from "./support/agent-life.ts";
import { startAgentRelay } from "./support/agent-relay.ts";
import { type RunningCollector, startBuiltCollector } from "./support/collector.ts";
import { keptNames, readSession, unpackAgent } from "./support/kept-agents.ts";
import { startNetwork } from "./support/network.ts";

/* Agents of earlier states of this repository (deploy/earlier-agents) with the collector of this one. */

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-earlier-"));
let collector: RunningCollector;
let network: Awaited<ReturnType<typeof startNetwork>>;

beforeAll(async () => {
  network = await startNetwork();
  collector = await startBuiltCollector(["--plain"]);
  await savePolicy(collector.db, { body: network.policy(1), now: new Date(), createdBy: "test" });
});
afterAll(async () => {
  await collector?.stop();
  await network?.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Message = Record<string, unknown> & { type: string };
interface Item {
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
}
const itemsOf = (message: Message) => message.items as Item[];
const quarantined = () => collector.db.prisma.quarantine.count();

it("two earlier agents are kept", () => {
  expect(keptNames().length).toBeGreaterThanOrEqual(2);
});

describe.each(keptNames())("the agent of %s", (name) => {
  it("enrols, reports and checks; today's takes its place and delivers what it could not; and it comes back", async () => {
    const folder = path.join(directory, name);
    mkdirSync(folder);
    const earlier = unpackAgent(name, folder);
    const dataDir = path.join(folder, "data");
    const relay = await startAgentRelay(`ws://127.0.0.1:${collector.port}`);
    onTestFinished(relay.close);
    const life = lifeOf(collector, { hostname: name });
    const start = async (program: string, first = false) => {
      const running = await life.start(
        program,
        dataDir,
        network.environment,
        first ? { url: relay.url, options: network.options } : undefined,
      );
      // A test that failed leaves none behind.
      onTestFinished(() => running.stop("SIGKILL"));
      return running;
    };
    network.become("up");
    const first = await start(earlier, true);
    const { id } = await life.untilMachine("a healthy machine", ({ status }) => status === "healthy");
    await (await life.check()).done();

    // What it sees from here on never arrives, and then it is ended by force.
    relay.holdBack(({ type }) => type === "observations");
    network.become("stopped");
    await life.check();
    const heldBack = () => relay.heldBack.flatMap((text) => itemsOf(JSON.parse(text) as Message));
    await until(
      "a message that is kept back",
      async () => heldBack(),
      (items) => items.some(({ key }) => key.startsWith("probe:") && key.endsWith(":ews:configured")),
    );
    await first.stop("SIGKILL");
    await life.untilMachine("the end of its connection", ({ connected }) => !connected);
    const lost = heldBack().map(({ seq }) => seq);
    relay.holdBack(() => false);

    const second = await start(builtAgent);
    const stored = await until("what was kept back", life.observations, (rows) =>
      lost.every((seq) => rows.some((row) => row.seq === seq)),
    );
    expect(stored.filter(({ raw }) => raw)).toEqual([]);
    await life.untilMachine("a failing machine", ({ status }) => status === "failing");
    await second.stop();
    await life.untilMachine("a goodbye", ({ status }) => status === "signed-off");

    // Rolled back: the same machine again.
    network.become("up");
    const third = await start(earlier);
    await life.untilMachine("a healthy machine again", ({ status }) => status === "healthy");
    await third.stop();
    await life.untilMachine("its goodbye", ({ status }) => status === "signed-off");
    expect((await life.machines()).map((machine) => machine.id)).toEqual([id]);
    expect(relay.heard.filter(({ text }) => (JSON.parse(text) as Message).type === "reject")).toEqual([]);
    expect(await quarantined()).toBe(0);
  });

  it("said what is still understood, word for word", async () => {
    const session = readSession(name);
    const said = session.filter(({ from }) => from === "agent").map(({ text }) => JSON.parse(text) as Message);
    const { secret } = await createToken(wholeFleet(collector.db), {
      maxUses: 1,
      expiresAt: new Date(Date.now() + 3_600_000),
      createdBy: "test",
    });
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const signed = (text: string) => sign(null, Buffer.from(text), privateKey).toString("base64");
    let machineId = "";
    let line: Awaited<ReturnType<typeof open>> | null = null;
    onTestFinished(() => line?.socket.terminate());
    for (const [index, message] of said.entries()) {
      // What proves who one is was good once; all else is sent as it was.
      if (message.type === "enroll") {
        line = await open();
        const signature = signed(`lynceus-enroll-v1\n${line.nonce}\n${spki}`);
        line.send({ ...message, token: secret, publicKey: spki, signature });
        machineId = (await line.heard("enrolled")).machineId as string;
        line.socket.close();
      } else if (message.type === "hello") {
        line = await open();
        const signature = signed(`lynceus-hello-v1\n${line.nonce}\n${machineId}\n${message.epoch}`);
        line.send({ ...message, machineId, signature });
        await line.heard("welcome");
      } else {
        if (message.type === "goodbye") {
          const last = Math.max(
            ...said.slice(0, index).flatMap((one) => (one.items ? itemsOf(one) : []).map(({ seq }) => seq)),
          );
          await line?.heard("ack", ({ seq }) => (seq as number) >= last);
        }
        line?.send(message);
      }
    }
    const life = lifeOf(collector, { id: machineId });
    await life.untilMachine("the goodbye", ({ status }) => status === "signed-off");
    const items = said.flatMap((message) => (message.type === "observations" ? itemsOf(message) : []));
    const stored = await life.observations();
    expect(stored.map(({ seq, kind, key }) => ({ seq, kind, key }))).toEqual(
      items.map(({ seq, kind, key }) => ({ seq, kind, key })),
    );
    expect(stored.filter(({ raw, kind, verdict }) => raw || (kind === "probe" && verdict === null))).toEqual([]);
    // Exchange as it was at first, and at the end.
    const ews = stored.filter(({ key }) => key.endsWith(":ews:configured")).map(({ verdict }) => verdict);
    expect([ews[0], ews.at(-1)]).toEqual(["exchange-onprem", "exchange-down"]);
    expect(line?.refused).toEqual([]);
    expect(await quarantined()).toBe(0);
  });
});

/** A connection of an agent; resolves when the collector has sent its challenge. */
async function open() {
  const socket = new WebSocket(`ws://127.0.0.1:${collector.port}/agent/v1`, { perMessageDeflate: false });
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  const refused: Message[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Message;
    messages.push(message);
    if (message.type === "reject") refused.push(message);
    for (const look of [...waiting]) look();
  });
  let ended = false;
  socket
    .on("error", () => {})
    .on("close", () => {
      ended = true;
      for (const look of [...waiting]) look();
    });
  const heard = (type: string, wanted: (message: Message) => boolean = () => true): Promise<Message> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = messages.find((message) => message.type === type && wanted(message));
        if (!found && !ended) return;
        waiting.delete(look);
        if (found) resolve(found);
        else reject(new Error(`closed before ${type}: ${JSON.stringify(messages.at(-1))}`));
      };
      waiting.add(look);
      look();
    });
  const { nonce } = await heard("challenge");
  return {
    socket,
    nonce: nonce as string,
    heard,
    refused,
    send: (message: Message) => socket.send(JSON.stringify(message)),
  };
}
