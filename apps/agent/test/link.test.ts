import { createPublicKey, randomUUID, verify } from "node:crypto";
import { limits } from "@lynceus/protocol/limits";
import type { CollectorMessage } from "@lynceus/protocol/messages";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseCollectorUrl } from "../src/collector-url.ts";
import { ephemeralKey } from "../src/identity.ts";
import { connector } from "../src/link/connect.ts";
import { EnrolmentRefused, enrol } from "../src/link/enrol.ts";
import { createLink, type Link, type LinkOptions, type LinkState } from "../src/link/link.ts";
import { memoryOutbox } from "../src/outbox/memory-outbox.ts";
import type { Outbox } from "../src/outbox/outbox.ts";
import { testClock } from "./support/clock.ts";
import { channel, type Peer, type ScriptedCollector, scriptedCollector } from "./support/collector.ts";
import { confirmation, observation } from "./support/items.ts";

const machine = { agentVersion: "0.1.0", os: "linux", hostname: "ws-1" } as const;
const machineId = "11111111-1111-4111-8111-111111111111";
const policy: Policy = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 7);

function connectTo(collector: ScriptedCollector, clock = testClock()) {
  return connector({
    url: parseCollectorUrl(collector.url),
    pin: null,
    systemTrust: () => {
      throw new Error("no TLS on this link");
    },
    routeFor: async () => [],
    clock,
    userAgent: "test",
  });
}

async function setUp(more: Partial<LinkOptions> = {}) {
  const collector = await scriptedCollector();
  const clock = testClock();
  const outbox: Outbox = memoryOutbox({ clock, newId: randomUUID });
  const states = channel<LinkState>();
  const key = ephemeralKey();
  const link: Link = createLink({
    connect: connectTo(collector, clock),
    machineId,
    key,
    machine,
    bootId: randomUUID(),
    outbox,
    clock,
    random: () => 0.5,
    policyVersion: () => 0,
    heartbeatSeconds: () => 30,
    resources: () => ({ rssBytes: 1, cpuMs: 2, uptimeSeconds: 3 }),
    onChange: (state) => states.push(state),
    ...more,
  });
  onTestFinished(async () => {
    void link.stop("stop");
    await collector.close();
  });
  /** The next state of this phase. */
  const phase = async (wanted: LinkState["phase"]): Promise<LinkState> => {
    for (;;) {
      const state = await states.next();
      if (state.phase === wanted) return state;
    }
  };
  /** Connects and reads the first heartbeat. */
  const welcomed = async (ackedSeq = 0): Promise<Peer> => {
    const peer = await collector.connection();
    await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq, now: 1 });
    await peer.next("heartbeat");
    return peer;
  };
  return { collector, clock, outbox, link, key, phase, welcomed };
}

const ack = (outbox: Outbox, seq: number): CollectorMessage => ({ v: 1, type: "ack", epoch: outbox.epoch(), seq });
const beatBack: CollectorMessage = { v: 1, type: "heartbeat-ack", now: 1, policyVersion: 0 };

describe("the link", () => {
  it("proves its key over the collector's challenge", async () => {
    const { collector, link, key, outbox } = await setUp();
    link.start();
    const peer = await collector.connection();
    const hello = await peer.next("hello");
    const signed = Buffer.from(`lynceus-hello-v1\n${peer.nonce}\n${machineId}\n${outbox.epoch()}`);
    const publicKey = createPublicKey({ key: Buffer.from(key.publicKey, "base64"), format: "der", type: "spki" });
    expect(verify(null, signed, publicKey, Buffer.from(hello.signature, "base64"))).toBe(true);
    expect(hello).toMatchObject({ ...machine, machineId, epoch: outbox.epoch(), lastSeq: 0, policyVersion: 0 });
  });

  it("sends what waits after the welcome, and nothing before it", async () => {
    const { collector, link, outbox } = await setUp();
    outbox.append(observation("a"));
    outbox.append(confirmation("a"));
    link.start();
    const peer = await collector.connection();
    await peer.next("hello");
    expect(peer.unread()).toBe(0);
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: 1 });
    await peer.next("heartbeat");
    const sent = await peer.next("observations");
    expect(sent.items.map((item) => item.seq)).toEqual([1]);
    expect(sent.confirmations.map((item) => item.seq)).toEqual([2]);
  });

  it("forgets what is acknowledged and only that", async () => {
    const { link, outbox, welcomed } = await setUp();
    for (const key of ["a", "b", "c"]) outbox.append(observation(key));
    link.start();
    const peer = await welcomed();
    await peer.next("observations");
    peer.send(ack(outbox, 2));
    outbox.append(observation("d"));
    peer.send({ v: 1, type: "ack", epoch: randomUUID(), seq: 3 });
    await peer.settled();
    link.wake();
    await peer.next("observations");
    expect(outbox.ackedSeq()).toBe(2);
    expect(outbox.stats().items).toBe(2);
  });

  it("does not send again what the welcome says is on disk", async () => {
    const { link, outbox, welcomed } = await setUp();
    for (const key of ["a", "b", "c"]) outbox.append(observation(key));
    link.start();
    const peer = await welcomed(2);
    expect((await peer.next("observations")).items.map((item) => item.seq)).toEqual([3]);
  });

  it("sends again after a loss what was not acknowledged, with the same numbers", async () => {
    const { link, outbox, welcomed, clock, phase } = await setUp();
    outbox.append(observation("a"));
    link.start();
    const first = await welcomed();
    const before = await first.next("observations");
    first.socket.terminate();
    await phase("waiting");
    await clock.advance(1000);
    const second = await welcomed();
    const again = await second.next("observations");
    expect(again.items.map((item) => [item.seq, item.key])).toEqual(before.items.map((item) => [item.seq, item.key]));
    expect(again.items[0]?.at).toBe(before.items[0]?.at);
  });

  it("keeps at most two unacknowledged messages with observations in flight, of at most 500 entries each", async () => {
    const clock = testClock();
    const big = memoryOutbox({ clock, newId: randomUUID, maxItems: 5000 });
    const { link, welcomed } = await setUp({ outbox: big });
    for (let n = 0; n < 1200; n++) big.append(observation("a"));
    link.start();
    const peer = await welcomed();
    expect((await peer.next("observations")).items).toHaveLength(500);
    expect((await peer.next("observations")).items).toHaveLength(500);
    link.wake();
    link.progress(machineId, "started", 0, 0);
    // Nothing lies between the second batch and what was said after it.
    await peer.next("command-progress");
    peer.send(ack(big, 500));
    expect((await peer.next("observations")).items.map((item) => item.seq).at(-1)).toBe(1200);
  });

  it("sends observations at once while confirmations wait for the collector's next write", async () => {
    const { link, outbox, welcomed } = await setUp();
    link.start();
    const peer = await welcomed();
    for (let n = 0; n < 5; n++) {
      outbox.append(confirmation("a"));
      link.wake();
      expect((await peer.next("observations")).confirmations).toHaveLength(1);
    }
    outbox.append(observation("b"));
    link.wake();
    expect((await peer.next("observations")).items.map((item) => item.key)).toEqual(["b"]);
  });

  it("keeps at most 32 unacknowledged messages of any kind in flight", async () => {
    const { link, outbox, welcomed } = await setUp();
    link.start();
    const peer = await welcomed();
    for (let n = 0; n < 40; n++) {
      outbox.append(confirmation("a"));
      link.wake();
    }
    for (let n = 0; n < 32; n++) await peer.next("observations");
    link.progress(machineId, "started", 0, 0);
    await peer.next("command-progress");
    peer.send(ack(outbox, 32));
    expect((await peer.next("observations")).confirmations.map((item) => item.seq)).toEqual([
      33, 34, 35, 36, 37, 38, 39, 40,
    ]);
  });

  it("starts a new epoch when the collector knows later numbers than this outbox", async () => {
    const { collector, link, outbox, clock, phase } = await setUp();
    outbox.append(observation("a"));
    const before = outbox.epoch();
    link.start();
    const peer = await collector.connection();
    await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq: 99, now: 1 });
    await phase("waiting");
    await clock.advance(0);
    const again = await collector.connection();
    const hello = await again.next("hello");
    expect(hello.epoch).not.toBe(before);
    expect(hello.lastSeq).toBe(1);
  });

  it("says so when the collector has lost what it had acknowledged", async () => {
    let forgot = 0;
    const { link, outbox, welcomed, clock, phase } = await setUp({ onCollectorForgot: () => forgot++ });
    outbox.append(observation("a"));
    link.start();
    const peer = await welcomed();
    await peer.next("observations");
    peer.send(ack(outbox, 1));
    peer.send({ v: 1, type: "reject", reason: "shutting-down", message: "", retryAfterSeconds: null });
    await phase("waiting");
    await clock.advance(1000);
    await welcomed(0);
    expect(forgot).toBe(1);
  });

  it("knows the collector's clock by the answer to a heartbeat, for as long as that says something", async () => {
    let answered = 0;
    const { link, welcomed, clock } = await setUp({ heartbeatSeconds: () => 3600, onAnswered: () => answered++ });
    link.start();
    const peer = await welcomed();
    expect(link.collectorSkewMs()).toBeNull();
    expect(answered).toBe(0);
    peer.send({ v: 1, type: "heartbeat-ack", now: clock.now() + 420_000, policyVersion: 0 });
    await peer.settled();
    expect(link.collectorSkewMs()).toBe(420_000);
    expect(answered).toBe(1);
    await clock.advance(11 * 60_000);
    expect(link.collectorSkewMs()).toBeNull();
  });

  it("beats every policy.heartbeatSeconds, and reports the outbox", async () => {
    const { link, outbox, welcomed, clock } = await setUp({ heartbeatSeconds: () => 10 });
    link.start();
    const peer = await welcomed();
    for (let n = 0; n < 3; n++) {
      outbox.append(observation("a"));
      peer.send(beatBack);
      await peer.settled();
      await clock.advance(10_000);
      const beat = await peer.next("heartbeat");
      expect(beat.outbox.items).toBe(n + 1);
      expect(beat.resources).toEqual({ rssBytes: 1, cpuMs: 2, uptimeSeconds: 3 });
    }
  });

  it("cuts a connection on which a heartbeat stays unanswered, and connects again", async () => {
    const { link, welcomed, clock, phase } = await setUp({ heartbeatSeconds: () => 3600 });
    link.start();
    const peer = await welcomed();
    await clock.advance(30_000);
    await peer.closed;
    expect((await phase("waiting")).lastError).toMatch(/heartbeat/);
    await clock.advance(1000);
    await welcomed();
  });

  it("beats faster after a connection that was cut while it was idle", async () => {
    const { link, welcomed, clock, phase } = await setUp({ heartbeatSeconds: () => 300 });
    link.start();
    const peer = await welcomed();
    peer.send(beatBack);
    await peer.settled();
    await clock.advance(60_000);
    // A proxy with a patience of a minute.
    peer.socket.terminate();
    await phase("waiting");
    await clock.advance(1000);
    const again = await welcomed();
    again.send(beatBack);
    await again.settled();
    await clock.advance(36_000);
    await again.next("heartbeat");
  });

  it("waits as long as a reject asks, and a little more", async () => {
    const { link, welcomed, phase } = await setUp();
    link.start();
    const peer = await welcomed();
    peer.send({ v: 1, type: "reject", reason: "overloaded", message: "later", retryAfterSeconds: 120 });
    const state = await phase("waiting");
    expect(state.rejected).toBe("overloaded");
    expect(state.retryInMs).toBeGreaterThanOrEqual(120_000);
    expect(state.retryInMs).toBeLessThanOrEqual(144_000);
  });

  it.each(["revoked", "unknown-machine", "bad-signature"] as const)(
    "asks again only rarely after %s",
    async (reason) => {
      const { collector, link, phase } = await setUp();
      link.start();
      const peer = await collector.connection();
      await peer.next("hello");
      peer.send({ v: 1, type: "reject", reason, message: "no", retryAfterSeconds: null });
      const state = await phase("waiting");
      expect(state).toMatchObject({ rejected: reason });
      expect(state.retryInMs).toBeGreaterThanOrEqual(600_000);
    },
  );

  it("does not fight with another process that has its key", async () => {
    const { link, welcomed, phase } = await setUp();
    link.start();
    const peer = await welcomed();
    peer.send({ v: 1, type: "reject", reason: "replaced", message: "connected again", retryAfterSeconds: null });
    expect((await phase("waiting")).retryInMs).toBeGreaterThanOrEqual(60_000);
  });

  it("waits as long as a refused upgrade asks", async () => {
    const { collector, link, phase } = await setUp();
    collector.turnAway = { status: 503, retryAfter: "20" };
    link.start();
    const state = await phase("waiting");
    expect(state.retryInMs).toBeGreaterThanOrEqual(20_000);
    expect(state.lastError).toMatch(/503/);
  });

  it("takes a policy, and passes over targets of kinds it does not know", async () => {
    const policies = channel<{ policy: Policy; ignored: readonly string[] }>();
    const { link, welcomed } = await setUp({
      onPolicy: (received, ignored) => policies.push({ policy: received, ignored }),
    });
    link.start();
    const peer = await welcomed();
    peer.send({ v: 1, type: "policy", policy });
    expect(await policies.next()).toEqual({ policy, ignored: [] });
    const strange = { ...policy.targets[0], id: "quic-1", kind: "quic" };
    const newer = {
      ...policy,
      version: 8,
      targets: [...policy.targets, strange],
      groups: [...policy.groups, { id: "quic", title: "QUIC", required: false, anyOf: ["quic-1"] }],
    };
    peer.sendText(JSON.stringify({ v: 1, type: "policy", policy: newer }));
    const { policy: kept, ignored } = await policies.next();
    expect(ignored).toEqual(["quic-1"]);
    expect(kept.targets).toEqual(policy.targets);
    expect(kept.groups).toEqual(policy.groups);
  });

  it("refuses a policy that is broken, and stays connected", async () => {
    const warnings = channel<string>();
    const { link, welcomed } = await setUp({ log: (level, message) => level === "warn" && warnings.push(message) });
    link.start();
    const peer = await welcomed();
    peer.sendText(JSON.stringify({ v: 1, type: "policy", policy: { ...policy, intervals: null } }));
    expect(await warnings.next()).toMatch(/policy/);
    expect(peer.socket.readyState).toBe(peer.socket.OPEN);
  });

  it("passes over messages of a type that it does not know", async () => {
    const commands = channel<string>();
    const { link, welcomed } = await setUp({ onCommand: (id) => commands.push(id) });
    link.start();
    const peer = await welcomed();
    peer.sendText('{"v":1,"type":"lottery"}');
    const id = randomUUID();
    peer.send({ v: 1, type: "command", id, command: "check-now" });
    expect(await commands.next()).toBe(id);
    link.progress(id, "progress", 1, 9);
    expect(await peer.next("command-progress")).toMatchObject({
      id,
      state: "progress",
      done: 1,
      total: 9,
      reason: null,
    });
  });

  it.each([
    ["text that is no JSON", (peer: Peer) => peer.sendText("{")],
    ["a deep nesting", (peer: Peer) => peer.sendText("[".repeat(100_000))],
    ["binary data", (peer: Peer) => peer.socket.send(Buffer.from([1, 2, 3]))],
    ["a message that is too large", (peer: Peer) => peer.sendText(`"${"x".repeat(limits.messageBytes)}"`)],
    [
      "a second challenge",
      (peer: Peer) => peer.send({ v: 1, type: "challenge", nonce: "", now: 1, collectorVersion: "" }),
    ],
    ["a second welcome", (peer: Peer) => peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: 1 })],
  ])("cuts a collector that sends %s", async (_name, attack) => {
    const { link, welcomed, phase } = await setUp();
    link.start();
    const peer = await welcomed();
    attack(peer);
    await peer.closed;
    expect((await phase("waiting")).lastError).not.toBeNull();
  });

  it("cuts a collector that acknowledges what was never sent", async () => {
    const { link, outbox, welcomed } = await setUp();
    outbox.append(observation("a"));
    link.start();
    const peer = await welcomed();
    await peer.next("observations");
    outbox.append(observation("b"));
    peer.send(ack(outbox, 2));
    await peer.closed;
    expect(outbox.stats().items).toBe(2);
  });

  it("gives up a collector that does not finish the handshake", async () => {
    const { collector, link, clock, phase } = await setUp();
    link.start();
    const peer = await collector.connection();
    await peer.next("hello");
    await clock.advance(15_000);
    await peer.closed;
    expect((await phase("waiting")).lastError).toMatch(/handshake/);
  });

  it("says goodbye when the machine goes to sleep, stays away, and is back as soon as it wakes up", async () => {
    const { collector, clock, link, phase, welcomed } = await setUp();
    link.start();
    const peer = await welcomed();
    link.suspend();
    expect((await peer.next("goodbye")).reason).toBe("suspend");
    await peer.closed;
    expect((await phase("waiting")).retryInMs).toBe(120_000);
    await clock.advance(60_000);
    expect(collector.count()).toBe(1);
    link.resume();
    await welcomed();
    expect(collector.count()).toBe(2);
  });

  it("says goodbye when it is stopped, and does not come back", async () => {
    const { collector, link, welcomed, clock } = await setUp();
    link.start();
    const peer = await welcomed();
    const stopped = link.stop("shutdown");
    expect((await peer.next("goodbye")).reason).toBe("shutdown");
    expect(await peer.closed).toBe(1000);
    await stopped;
    await clock.advance(3_600_000);
    expect(collector.count()).toBe(1);
    expect(link.state().phase).toBe("stopped");
  });

  it("stops while it waits for the next attempt", async () => {
    const { collector, link, clock, phase } = await setUp();
    collector.turnAway = { status: 503, retryAfter: null };
    link.start();
    await phase("waiting");
    await link.stop("stop");
    collector.turnAway = null;
    await clock.advance(3_600_000);
    expect(collector.count()).toBe(0);
  });
});

describe("enrolment", () => {
  const secret = "s3cret";

  it("sends the token with a signature over the challenge, and takes the id it is given", async () => {
    const collector = await scriptedCollector();
    onTestFinished(collector.close);
    const key = ephemeralKey();
    const clock = testClock();
    const enrolled = enrol({ connect: connectTo(collector), key, secret, machine, simulated: false, clock });
    const peer = await collector.connection();
    const message = await peer.next("enroll");
    const publicKey = createPublicKey({ key: Buffer.from(message.publicKey, "base64"), format: "der", type: "spki" });
    const signed = Buffer.from(`lynceus-enroll-v1\n${peer.nonce}\n${message.publicKey}`);
    expect(verify(null, signed, publicKey, Buffer.from(message.signature, "base64"))).toBe(true);
    expect(message).toMatchObject({ ...machine, token: secret, simulated: false });
    peer.send({ v: 1, type: "enrolled", machineId, approved: false });
    expect(await enrolled).toEqual({ machineId, approved: false });
    await peer.closed;
  });

  it("says why it was refused, and whether asking again may help", async () => {
    const collector = await scriptedCollector();
    onTestFinished(collector.close);
    for (const [reason, mayPass] of [
      ["token-expired", false],
      ["bad-token", false],
      ["overloaded", true],
    ] as const) {
      const clock = testClock();
      const refused = enrol({
        connect: connectTo(collector),
        key: ephemeralKey(),
        secret,
        machine,
        simulated: false,
        clock,
      });
      const peer = await collector.connection();
      await peer.next("enroll");
      peer.send({ v: 1, type: "reject", reason, message: "no", retryAfterSeconds: 5 });
      const error = await refused.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(EnrolmentRefused);
      expect(error).toMatchObject({ reason, mayPass, retryAfterSeconds: 5 });
    }
  });

  it("does not wait for ever", async () => {
    const collector = await scriptedCollector();
    onTestFinished(collector.close);
    const clock = testClock();
    const refused = enrol({
      connect: connectTo(collector),
      key: ephemeralKey(),
      secret,
      machine,
      simulated: false,
      clock,
    });
    const peer = await collector.connection();
    await peer.next("enroll");
    const failed = expect(refused).rejects.toThrow(/within 30 s/);
    await clock.advance(30_000);
    await failed;
  });
});
