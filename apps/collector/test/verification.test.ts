import { createCommand } from "@lynceus/db/commands";
import { listen } from "@lynceus/db/notify";
import { savePolicy } from "@lynceus/db/policies";
import {
  cancelVerification,
  createVerification,
  getVerification,
  listVerificationMachines,
} from "@lynceus/db/verifications";
import { newVerificationSchema } from "@lynceus/protocol/read-api-tools";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { machinesPerSecond } from "../src/work.ts";
import type { TestAgent } from "./support/agent.ts";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { downProbe, ewsKey, ewsProbe, observation, testPolicy } from "./support/facts.ts";

/** EWS alone decides: nothing else is reported here. */
const policy = (() => {
  const { groups, ...rest } = testPolicy(1);
  return { ...rest, groups: groups.map((group) => ({ ...group, required: group.anyOf.includes("ews") })) };
})();

let test: TestCollector;
beforeEach(async () => {
  test = await startTestCollector({ policy: false });
  await savePolicy(test.db, { body: policy, now: new Date(test.clock.now()), createdBy: "test" });
  await test.collector.policy.refresh();
});
afterEach(() => test.stop());

interface Joined {
  readonly hostname: string;
  readonly member: Member;
  readonly agent: TestAgent;
  seq: number;
}

/** A machine whose EWS is down, reported in two cycles: failing, with its finding raised. */
async function failing(hostname: string): Promise<Joined> {
  const member = await test.enroll({ hostname });
  const agent = await test.join(member);
  agent.report([observation(1, "probe", ewsKey, downProbe())]);
  await agent.untilAcked(1);
  agent.report([observation(2, "probe", ewsKey, downProbe(), { digest: "00000002" })]);
  await agent.untilAcked(2);
  return { hostname, member, agent, seq: 2 };
}

/** Answers a "check now" as an agent does: the facts, then that it is done, and up to where. */
function answer(machine: Joined, command: { id: string }, good: boolean): void {
  machine.seq++;
  const digest = good ? "0000000a" : `000000${machine.seq + 16}`;
  machine.agent.report([
    observation(machine.seq, "probe", ewsKey, good ? ewsProbe() : downProbe(), { digest, at: test.clock.now() }),
  ]);
  machine.agent.send({
    type: "command-progress",
    id: command.id,
    state: "done",
    done: 1,
    total: 1,
    reason: null,
    upTo: { epoch: machine.agent.epoch, seq: machine.seq },
  });
}

const now = () => new Date(test.clock.now());
const start = (input: object) =>
  createVerification(test.db, newVerificationSchema.parse(input), [], { actor: "ann", now: now() });

/** One second of the collector, as its timer has it. */
async function second(): Promise<void> {
  await test.clock.advance(1000);
  await test.collector.turns.work();
}

describe("verifying a fix", () => {
  it("asks the cohort at the rate of the fleet's budget, and counts it down as machines answer", async () => {
    const machines = await Promise.all(["pc1", "pc2", "pc3"].map(failing));
    const other = await test.enroll({ hostname: "healthy" });
    const healthy = await test.join(other);
    healthy.report([observation(1, "probe", ewsKey, ewsProbe())]);
    await healthy.untilAcked(1);
    await test.collector.directory.flushConnections();

    const perSecond = machinesPerSecond(policy, 7.5);
    expect(perSecond).toBeLessThanOrEqual(7.5 / 2);
    const { id, machines: size, remaining } = await start({ pattern: "ews-service-down" });
    expect({ size, remaining }).toEqual({ size: 3, remaining: 3 });

    const seen: number[] = [];
    const heard: string[] = [];
    const listener = listen(test.url, ({ channel }) => heard.push(channel), { channels: ["lynceus"] });
    await listener.ready;
    const answered = new Set<string>();
    let asked = 0;
    for (let round = 0; round < 60; round++) {
      await second();
      const before = asked;
      for (const machine of machines) {
        const command = machine.agent.heard.find((message) => message.type === "command");
        if (command?.type !== "command" || answered.has(machine.hostname)) continue;
        asked++;
        answered.add(machine.hostname);
        answer(machine, command, machine.hostname !== "pc3");
        await machine.agent.untilAcked(machine.seq);
      }
      expect(asked - before).toBeLessThanOrEqual(Math.max(1, Math.ceil(perSecond)));
      await test.collector.commands.idle();
      await test.collector.ingest.idle();
      const state = await getVerification(test.db, id);
      if (seen.at(-1) !== state?.remaining) seen.push(state?.remaining ?? -1);
      if (state?.state === "done") break;
    }
    expect(await getVerification(test.db, id)).toMatchObject({
      state: "done",
      remaining: 1,
      counts: { fixed: 2, still: 1, waiting: 0, asked: 0 },
      machinesPerSecond: perSecond,
    });
    expect(seen[0]).toBe(3);
    expect(seen.at(-1)).toBe(1);
    expect(heard.length).toBeGreaterThan(0);
    const { items } = await listVerificationMachines(test.db, id);
    expect(items.map(({ hostname, state, status }) => [hostname, state, status])).toEqual([
      ["pc3", "still", "failing"],
      ["pc1", "fixed", "healthy"],
      ["pc2", "fixed", "healthy"],
    ]);
    expect(healthy.heard.some(({ type }) => type === "command")).toBe(false);
    await listener.close();
  });

  it("goes on in another collector when the one that began it ends", async () => {
    const machine = await failing("pc1");
    await test.collector.directory.flushConnections();
    const { id } = await start({ pattern: "ews-service-down" });
    await second();
    const first = await machine.agent.next("command");
    machine.agent.close();
    await test.collector.stop();

    const next = await test.startAnother("c2");
    const agent = await test.join(machine.member, { epoch: machine.agent.epoch }, next);
    await next.directory.flushConnections();
    const again = { ...machine, agent };
    // The command outlived the collector: the answer to it counts wherever it comes.
    answer(again, first, true);
    await agent.untilAcked(again.seq);
    await next.commands.idle();
    await next.ingest.idle();
    await test.clock.advance(1000);
    await next.turns.work();
    expect(await getVerification(test.db, id)).toMatchObject({ state: "done", remaining: 0, counts: { fixed: 1 } });
  });

  it("asks again who did not answer, and gives up those who stay away", async () => {
    const machine = await failing("pc1");
    await failing("pc2").then(({ agent }) => agent.close());
    await test.collector.directory.flushConnections();
    const { id } = await start({ pattern: "ews-service-down" });
    await expect.poll(() => test.collector.connections.open.size).toBe(1);
    await test.collector.directory.flushConnections();
    await second();
    await machine.agent.next("command");
    expect((await getVerification(test.db, id))?.counts).toMatchObject({ asked: 1, waiting: 1 });
    await test.clock.advance(6 * 60_000);
    await test.collector.turns.sweep();
    // Expired, it waits for another turn.
    await second();
    await second();
    await second();
    expect(machine.agent.heard.filter(({ type }) => type === "command")).toHaveLength(2);
    await test.clock.advance(30 * 60_000);
    await second();
    expect(await getVerification(test.db, id)).toMatchObject({
      state: "done",
      remaining: 2,
      counts: { unreachable: 2 },
    });
  });

  it("asks nobody more once it is cancelled, and is done at once for nobody", async () => {
    const machine = await failing("pc1");
    await test.collector.directory.flushConnections();
    const { id } = await start({ pattern: "ews-service-down" });
    expect(await cancelVerification(test.db, id, { actor: "ann", now: now() })).toBe(true);
    expect(await cancelVerification(test.db, id, { actor: "ann", now: now() })).toBe(false);
    await second();
    expect(machine.agent.heard.some(({ type }) => type === "command")).toBe(false);
    expect(await start({ pattern: "captive-portal" })).toMatchObject({ state: "done", machines: 0 });
    expect(newVerificationSchema.safeParse({}).success).toBe(false);
  });

  it("keeps a check that somebody asks for by hand apart from it", async () => {
    const machine = await failing("pc1");
    await test.collector.directory.flushConnections();
    await createCommand(test.db, { machineId: machine.member.machineId, createdBy: "ann", now: now() });
    await start({ pattern: "ews-service-down" });
    await second();
    await machine.agent.until(
      () => machine.agent.heard.filter(({ type }) => type === "command").length === 2,
      "two commands",
    );
  });
});
