import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";
import { observation } from "./support/facts.ts";

let test: TestCollector;
afterEach(() => test.stop());

describe("bounds", () => {
  it("takes no more handshakes at once than allowed, and says when to come back", async () => {
    test = await startTestCollector({ config: { maxHandshakes: 1 } });
    const first = test.connect();
    await first.next("challenge");
    const second = test.connect();
    const status = await new Promise((resolve) =>
      second.socket.on("unexpected-response", (_request, response) =>
        resolve([response.statusCode, Number(response.headers["retry-after"]) > 0]),
      ),
    );
    expect(status).toEqual([503, true]);
    first.close();
  });

  it("turns agents away when more waits than may, and takes them again afterwards", async () => {
    test = await startTestCollector({ config: { queueHardItems: 50, queueSoftItems: 10, batchDelay: 100_000 } });
    const [first, second] = [await test.enroll(), await test.enroll()];
    const full = await test.join(first);
    const items = Array.from({ length: 55 }, (_, i) => observation(i + 1, "future", `k${i}`, {}));
    full.report(items);
    await expect.poll(() => test.collector.ingest.queue.items).toBe(55);
    // Who was connected before is not read any more.
    const agent = await test.join(second);
    agent.report(items);
    expect((await agent.end()).code).toBe(1013);
    const rejected = await agent.next("reject");
    expect(rejected.reason).toBe("overloaded");
    expect(rejected.retryAfterSeconds).toBeGreaterThan(0);
    await test.collector.ingest.idle();
    await full.untilAcked(55);
    const again = await test.join(second, { epoch: agent.epoch });
    expect(again.acked()).toBe(0);
    again.report(items);
    await expect.poll(() => test.collector.ingest.queue.items).toBe(55);
    await test.collector.ingest.idle();
    await again.untilAcked(55);
  });

  it("stops reading a socket while its share of the queue is full", async () => {
    test = await startTestCollector({ config: { queueSoftItems: 10, batchDelay: 100_000 } });
    const agent = await test.join(await test.enroll());
    agent.report(Array.from({ length: 20 }, (_, i) => observation(i + 1, "future", `k${i}`, {})));
    await expect.poll(() => test.collector.ingest.queue.stoppedSockets).toBe(1);
    agent.heartbeat();
    await test.collector.ingest.idle();
    expect(test.collector.ingest.queue.stoppedSockets).toBe(0);
    await agent.next("heartbeat-ack");
  });

  it("lets a whole fleet wait that reports at once, and turns nobody away", async () => {
    const machines = 20;
    test = await startTestCollector({
      config: { queueSoftItems: 20, queueHardItems: 100, batchDelay: 100_000 },
    });
    const agents = await Promise.all(Array.from({ length: machines }, async () => test.join(await test.enroll())));
    const items = Array.from({ length: 10 }, (_, i) => observation(i + 1, "future", `k${i}`, {}));
    for (const agent of agents) agent.report(items);
    // Three reports are above the soft bound. The others stay where they are, also of those who never had a word.
    await expect.poll(() => test.collector.ingest.queue.stoppedSockets).toBe(machines);
    expect(test.collector.ingest.queue.items).toBeLessThanOrEqual(100);
    await expect
      .poll(
        async () => {
          await test.collector.ingest.idle();
          return agents.filter((agent) => agent.acked() === 10).length;
        },
        { timeout: 50_000, interval: 5 },
      )
      .toBe(machines);
    expect(test.collector.ingest.queue.stoppedSockets).toBe(0);
    expect(agents.flatMap(({ heard }) => heard).filter(({ type }) => type === "reject")).toEqual([]);
  });

  it("stops reading a flood until the bucket has filled", async () => {
    test = await startTestCollector({ config: { unitsBurst: 20, unitsPerSecond: 10 } });
    const agent = await test.join(await test.enroll());
    for (let i = 0; i < 30; i++) agent.heartbeat();
    await expect
      .poll(() => [...test.collector.connections.open.values()].filter((socket) => socket.isPaused).length)
      .toBe(1);
    await test.clock.advance(10_000);
    test.collector.connections.sweep(1);
    await agent.until(() => agent.heard.filter((message) => message.type === "heartbeat-ack").length === 30, "30 acks");
  });

  it("cuts an agent that does not read", async () => {
    test = await startTestCollector({ config: { maxBufferedBytes: 10_000, unitsBurst: 10_000_000 } });
    const member = await test.enroll();
    const agent = await test.join(member);
    agent.socket.pause();
    const served = [...test.collector.connections.open.values()][0]!;
    const gone = new Promise((resolve) => served.once("close", resolve));
    const flood = () => {
      for (let i = 0; i < 500 && agent.socket.readyState === agent.socket.OPEN; i++) agent.heartbeat();
      if (served.readyState === served.OPEN) setImmediate(flood);
    };
    flood();
    await gone;
    expect(test.collector.connections.open.size).toBe(0);
  });

  it("stops although somebody is connected who asks nothing", async () => {
    test = await startTestCollector();
    const other = await test.startAnother("c2");
    const idle = connect(Number(new URL(other.url).port), "127.0.0.1");
    const ended = once(idle, "close");
    await once(idle, "connect");
    await other.stop();
    await ended;
  });
});
