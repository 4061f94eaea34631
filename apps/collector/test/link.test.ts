import { randomBytes } from "node:crypto";
import { approveMachines, revokeMachine } from "@lynceus/db/machines-admin";
import { changeRollout, currentPolicy, savePolicy } from "@lynceus/db/policies";
import type { Rollout } from "@lynceus/protocol/rollout";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newKey } from "./support/agent.ts";
import { startTestCollector, type TestCollector, unknownId } from "./support/collector.ts";
import { testPolicy } from "./support/facts.ts";

let test: TestCollector;
beforeEach(async () => {
  test = await startTestCollector();
});
afterEach(() => test.stop());

describe("enrolment", () => {
  it("gives a machine to a key that proves itself, with the token's site and tags", async () => {
    const { machineId } = await test.enroll({ hostname: "pc7" }, { site: "Graz", tags: ["pilot"] });
    const [row] = await test.rows("SELECT hostname, site, tags, approved FROM machines WHERE id = $1::uuid", machineId);
    expect(row).toEqual({ hostname: "pc7", site: "Graz", tags: ["pilot"], approved: true });
  });

  it("leaves a machine unapproved where the token asks for an admin's word", async () => {
    const agent = test.connect();
    const answer = await agent.enroll(newKey(), await test.token({ needsApproval: true }));
    expect(answer.approved).toBe(false);
    expect(await approveMachines(test.db, [answer.machineId], { actor: "test", now: new Date() })).toBe(1);
  });

  it("lets the enrolled key say hello on the same connection", async () => {
    const key = newKey();
    const agent = test.connect();
    const { machineId } = await agent.enroll(key, await test.token());
    expect((await agent.hello(key, machineId)).ackedSeq).toBe(0);
  });

  it.each([
    ["an unknown token", async () => "nonsense", "bad-token"],
    [
      "a token that is over",
      (t: TestCollector) => t.token({ expiresAt: new Date(t.clock.now() - 1) }),
      "token-expired",
    ],
    ["a token without a use left", (t: TestCollector) => t.token({ maxUses: 0 }), "token-used-up"],
  ])("refuses %s with its reason", async (_what, token, reason) => {
    const agent = test.connect();
    const enrolled = agent.enroll(newKey(), await token(test));
    await expect(enrolled).rejects.toThrow(reason);
    expect((await agent.next("reject")).reason).toBe(reason);
  });

  it("refuses a signature of another key", async () => {
    const agent = test.connect();
    const token = await test.token();
    await expect(agent.enroll(newKey(), token, { publicKey: newKey().publicKey })).rejects.toThrow("bad-signature");
  });
});

describe("hello", () => {
  it("is refused for a machine nobody knows", async () => {
    const agent = test.connect();
    await expect(agent.hello(newKey(), unknownId())).rejects.toThrow("unknown-machine");
  });

  it("is refused with another machine's key", async () => {
    const { machineId } = await test.enroll();
    const agent = test.connect();
    await expect(agent.hello(newKey(), machineId)).rejects.toThrow("bad-signature");
  });

  it("is refused when its signature is of another connection's challenge", async () => {
    const { key, machineId } = await test.enroll();
    const first = test.connect();
    await first.hello(key, machineId);
    const second = test.connect();
    await second.next("challenge");
    // The same bytes again: what an eavesdropper would have.
    second.heard[0] = first.heard[0]!;
    await expect(second.hello(key, machineId)).rejects.toThrow("bad-signature");
  });

  it("notes which collector holds the connection, and forgets it with the connection", async () => {
    const member = await test.enroll();
    const agent = await test.join(member);
    await test.collector.directory.flushConnections();
    const [row] = await test.rows("SELECT connected_to FROM machines WHERE id = $1::uuid", member.machineId);
    expect(row).toEqual({ connected_to: "c1" });
    agent.close();
    await test.collector.stop();
    const [after] = await test.rows("SELECT connected_to FROM machines WHERE id = $1::uuid", member.machineId);
    expect(after).toEqual({ connected_to: null });
  });

  it("cuts a revoked machine at once and refuses it afterwards", async () => {
    const member = await test.enroll();
    const agent = await test.join(member);
    await revokeMachine(test.db, member.machineId, { actor: "test", now: new Date(test.clock.now()) });
    expect((await agent.end()).reason).toBe("revoked");
    await expect(test.join(member)).rejects.toThrow("revoked");
  });
});

describe("one machine, one connection", () => {
  it("replaces the older connection of the same process", async () => {
    const member = await test.enroll();
    const first = await test.join(member);
    const second = await test.join(member, { bootId: first.bootId });
    expect((await first.end()).reason).toBe("replaced");
    second.heartbeat();
    await second.next("heartbeat-ack");
  });

  it("notices a clone when the older connection answers, and shows it", async () => {
    const member = await test.enroll();
    const first = await test.join(member);
    const second = await test.join(member);
    expect((await first.end()).reason).toBe("replaced");
    second.heartbeat();
    await second.next("heartbeat-ack");
    const cloned = () => test.rows("SELECT id::text FROM machines WHERE cloned_at IS NOT NULL");
    await expect.poll(cloned).toEqual([{ id: member.machineId }]);
    const rows = await test.rows("SELECT kind FROM transitions WHERE machine_id = $1::uuid", member.machineId);
    expect(rows).toContainEqual({ kind: "clone" });
  });

  it("sees no clone in an older connection that is dead", async () => {
    const member = await test.enroll();
    const dead = test.connect(test.collector, { autoPong: false });
    await dead.hello(member.key, member.machineId);
    await test.join(member);
    await test.clock.advance(10_000);
    test.collector.connections.sweep(1);
    expect((await dead.end()).reason).toBe("replaced");
    await test.collector.ingest.idle();
    expect(await test.rows("SELECT kind FROM transitions WHERE kind = 'clone'")).toEqual([]);
  });
});

describe("policy", () => {
  it("is pushed at the welcome where the agent has another version", async () => {
    const agent = await test.join(await test.enroll());
    expect((await agent.next("policy")).policy.version).toBe(1);
  });

  it("is not pushed to an agent that has it", async () => {
    const agent = await test.join(await test.enroll(), { policyVersion: 1 });
    agent.heartbeat({ policyVersion: 1 });
    expect((await agent.next("heartbeat-ack")).policyVersion).toBe(1);
    expect(agent.heard.some((message) => message.type === "policy")).toBe(false);
  });

  it("reaches connected agents when an admin saves a new one", async () => {
    const agent = await test.join(await test.enroll(), { policyVersion: 1 });
    await savePolicy(test.db, { body: testPolicy(1), now: new Date(test.clock.now()), createdBy: "test" });
    expect((await agent.next("policy")).policy.version).toBe(2);
  });

  describe("that is rolled out in part", () => {
    const nobody = { percent: 0, sites: [], tags: [], machines: [] };
    const save = (rollout: Rollout) =>
      savePolicy(test.db, { body: testPolicy(1), now: new Date(test.clock.now()), createdBy: "test", rollout });
    const change = (version: number, to: Rollout | "whole" | "stop") =>
      changeRollout(test.db, { version, to, actor: "test", now: new Date(test.clock.now()) });

    it("reaches the machines that take part, then those who come to it, and leaves all when it is stopped", async () => {
      const inForce = (await currentPolicy(test.db))?.version ?? 0;
      const [tried, vip, other] = [await test.enroll(), await test.enroll({}, { tags: ["vip"] }), await test.enroll()];
      const [first, second, third] = [
        await test.join(tried, { policyVersion: inForce }),
        await test.join(vip, { policyVersion: inForce }),
        await test.join(other, { policyVersion: inForce }),
      ];
      const { version } = await save({ ...nobody, machines: [tried.machineId] });
      expect((await first.next("policy")).policy.version).toBe(version);

      await change(version, { ...nobody, machines: [tried.machineId], tags: ["vip"] });
      expect((await second.next("policy")).policy.version).toBe(version);
      second.heartbeat({ policyVersion: version });
      expect((await second.next("heartbeat-ack")).policyVersion).toBe(version);

      // One that was away is told at its welcome.
      first.close();
      await first.end();
      const again = await test.join(tried, { policyVersion: inForce });
      expect((await again.next("policy")).policy.version).toBe(version);

      await change(version, "stop");
      const back = await second.until(
        () => second.heard.filter((message) => message.type === "policy")[1],
        "the policy that is in force",
      );
      expect(back).toMatchObject({ policy: { version: inForce } });
      expect(third.heard.some((message) => message.type === "policy")).toBe(false);
    });

    it("becomes everybody's", async () => {
      const inForce = (await currentPolicy(test.db))?.version ?? 0;
      const agent = await test.join(await test.enroll(), { policyVersion: inForce });
      const { version } = await save(nobody);
      await change(version, "whole");
      expect((await agent.next("policy")).policy.version).toBe(version);
    });
  });
});

describe("hostile and slow clients", () => {
  it.each([
    ["bytes that are no JSON", "{"],
    ["an unknown type", JSON.stringify({ v: 1, type: "shell" })],
    [
      "observations before hello",
      JSON.stringify({ v: 1, type: "observations", epoch: unknownId(), items: [], confirmations: [] }),
    ],
    ["nesting", `${"[".repeat(1000)}${"]".repeat(1000)}`],
  ])("says why and hangs up on %s", async (_what, text) => {
    const agent = test.connect();
    await agent.next("challenge");
    agent.socket.send(text);
    expect((await agent.end()).code).toBe(1008);
    expect((await agent.next("reject")).reason).toBe("bad-message");
  });

  it("says `version` to another major version", async () => {
    const agent = test.connect();
    await agent.next("challenge");
    agent.send({ v: 2, type: "goodbye", at: 1, reason: "stop" });
    await agent.end();
    expect((await agent.next("reject")).reason).toBe("version");
  });

  it("closes binary messages and messages above the limit", async () => {
    const binary = test.connect();
    await binary.next("challenge");
    binary.socket.send(randomBytes(64));
    expect((await binary.end()).code).toBe(1008);
    const large = test.connect();
    await large.next("challenge");
    large.socket.send("x".repeat(2 * 1024 * 1024));
    expect((await large.end()).code).toBe(1009);
  });

  it("survives random bytes in every phase", async () => {
    const member = await test.enroll();
    for (let round = 0; round < 40; round++) {
      const agent = round % 2 === 0 ? test.connect() : await test.join(member);
      await agent.next("challenge");
      agent.socket.send(randomBytes(1 + ((round * 37) % 400)).toString("latin1"));
      expect((await agent.end()).code).toBe(1008);
    }
    const agent = await test.join(member);
    agent.heartbeat();
    await agent.next("heartbeat-ack");
  });

  it("knows one path only", async () => {
    const agent = test.connect(test.collector, { path: "/agent/v2" });
    expect((await agent.end()).code).toBe(1006);
  });

  it("ends a handshake that takes too long", async () => {
    const agent = test.connect();
    await agent.next("challenge");
    await test.clock.advance(20_000);
    test.collector.connections.sweep(1);
    await agent.end();
    expect((await agent.next("reject")).reason).toBe("too-slow");
  });

  it("drops a link that is silent for three heartbeats", async () => {
    const agent = await test.join(await test.enroll());
    await test.clock.advance(3 * 3600_000);
    test.collector.connections.sweep(5);
    expect((await agent.end()).code).toBe(1006);
  });
});
