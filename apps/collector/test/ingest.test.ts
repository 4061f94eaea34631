import { randomUUID } from "node:crypto";
import type { SettingsFacts } from "@lynceus/protocol/facts";
import { hoursOf, type Timings } from "@lynceus/protocol/timings";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import {
  configurationId,
  confirmation,
  downProbe,
  ewsKey,
  ewsProbe,
  observation,
  systemFacts,
} from "./support/facts.ts";

const minute = 60_000;
let test: TestCollector;
let member: Member;
beforeEach(async () => {
  test = await startTestCollector();
  member = await test.enroll();
});
afterEach(() => test.stop());

const stored = () =>
  test.rows<{ seq: number; key: string; raw: boolean; replayed: boolean; verdict: string | null; observed_at: Date }>(
    "SELECT seq::int, key, raw, replayed, verdict, observed_at FROM observations WHERE machine_id = $1::uuid ORDER BY seq",
    member.machineId,
  );
const machine = async () =>
  (await test.rows<Record<string, unknown>>("SELECT * FROM machines WHERE id = $1::uuid", member.machineId))[0]!;
const timeline = async () =>
  (
    await test.rows<{ kind: string }>(
      "SELECT kind FROM transitions WHERE machine_id = $1::uuid ORDER BY at, id",
      member.machineId,
    )
  ).map((row) => row.kind);
const good = (seq: number, change = {}) => observation(seq, "probe", ewsKey, ewsProbe(), change);
const bad = (seq: number, change = {}) =>
  observation(seq, "probe", ewsKey, downProbe(), { digest: "00000002", ...change });

describe("acknowledgement", () => {
  it("comes after the observation is stored, with its verdict", async () => {
    const agent = await test.join(member);
    agent.report([observation(1, "system", "system", systemFacts()), good(2)]);
    await agent.untilAcked(2);
    expect(await stored()).toMatchObject([
      { seq: 1, key: "system" },
      { seq: 2, key: ewsKey, verdict: "exchange-onprem" },
    ]);
    expect(await machine()).toMatchObject({ hostname: "pc1", os_version: "12", verdict_configured: "exchange-onprem" });
  });

  it("drops what is sent again, and acknowledges it again", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    const again = await test.join(member, { epoch: agent.epoch, bootId: agent.bootId });
    expect(again.acked()).toBe(1);
    again.report([good(1), observation(2, "system", "system", systemFacts())]);
    await again.untilAcked(2);
    expect((await stored()).map((row) => row.seq)).toEqual([1, 2]);
  });

  it("counts anew in a new epoch", async () => {
    const first = await test.join(member);
    first.report([good(1)]);
    await first.untilAcked(1);
    first.close();
    const second = await test.join(member);
    expect(second.acked()).toBe(0);
    second.report([bad(1)]);
    await second.untilAcked(1);
    expect(await stored()).toHaveLength(2);
  });

  it("refuses observations out of order and of another epoch", async () => {
    const agent = await test.join(member);
    agent.report([good(2), good(1)]);
    expect((await agent.end()).reason).toBe("bad-message");
    const other = await test.join(member);
    other.epoch = randomUUID();
    other.report([good(1)]);
    expect((await other.end()).reason).toBe("bad-message");
  });
});

describe("unchanged facts", () => {
  it("cost no row and are acknowledged once they are on disk", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([], [confirmation(2, ewsKey)]);
    await test.collector.ingest.idle();
    await expect.poll(() => test.collector.ingest.memory.dirty().length).toBe(1);
    expect(agent.acked()).toBe(1);
    await test.clock.advance(minute);
    test.collector.ingest.flushDue();
    await agent.untilAcked(2);
    expect(await stored()).toHaveLength(1);
    const [row] = await test.rows<{ ring: number }>(
      `SELECT jsonb_array_length(state->'facts'->'probes'->$2->'ring') AS ring FROM machine_states WHERE machine_id = $1::uuid`,
      member.machineId,
      ewsKey.slice("probe:".length),
    );
    expect(row?.ring).toBe(2);
  });

  it("are written early when the agent waits for more than one answer", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([], [confirmation(2, ewsKey)]);
    agent.report([], [confirmation(3, ewsKey)]);
    await expect.poll(() => test.collector.ingest.memory.get(member.machineId)?.unwritten).toBe(2);
    test.collector.ingest.flushDue();
    await agent.untilAcked(3);
  });

  it("are on disk after the connection ended", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([], [confirmation(2, ewsKey)]);
    await expect.poll(() => test.collector.ingest.memory.dirty().length).toBe(1);
    agent.close();
    const seq = () =>
      test.rows("SELECT last_seq::int AS seq FROM machine_states WHERE machine_id = $1::uuid", member.machineId);
    await expect.poll(seq).toEqual([{ seq: 2 }]);
  });

  it("cost no row when an agent sends them in full after its restart", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([good(2)]);
    await expect.poll(() => test.collector.ingest.memory.get(member.machineId)?.lastSeq).toBe(2);
    expect(await stored()).toHaveLength(1);
  });

  it("leave how long the probes took in each hour in one row a day, failures told from answers", async () => {
    const agent = await test.join(member);
    await test.clock.advance(60 * minute - (test.clock.now() % (60 * minute)));
    const began = test.clock.now();
    let seq = 0;
    const cycle = async (what: () => void) => {
      what();
      await agent.untilAcked(seq);
    };
    await cycle(() => agent.report([good(++seq)]));
    await cycle(() => agent.report([bad(++seq)]));
    await test.clock.advance(70 * minute);
    await cycle(() => agent.report([bad(++seq)]));
    await test.clock.advance(120 * minute);
    await cycle(() => agent.report([good(++seq)]));
    await test.clock.advance(22 * 60 * minute);
    await cycle(() => agent.report([good(++seq)]));
    const rows = await test.rows<{ facts: Timings }>(
      "SELECT facts FROM observations WHERE machine_id = $1::uuid AND key = 'timings' ORDER BY observed_at",
      member.machineId,
    );
    const told = rows.map(({ facts }) =>
      hoursOf(facts, ewsKey.slice("probe:".length)).map(({ at, ms, ok }) => [(at - began) / minute, ms, ok]),
    );
    expect(told).toEqual([
      [
        [30, 36, true],
        [90, 36, false],
        [210, 36, true],
      ],
    ]);
  });

  it("write one checkpoint row a day", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    await test.clock.advance(25 * 60 * minute);
    agent.report([bad(2)]);
    await agent.untilAcked(2);
    agent.report([good(3)]);
    await agent.untilAcked(3);
    expect((await stored()).map((row) => row.key)).toEqual(["timings", "checkpoint", ewsKey, ewsKey, ewsKey]);
  });
});

describe("what is not understood", () => {
  it("is kept raw and acknowledged: kinds of a newer agent, and shapes that are wrong", async () => {
    const agent = await test.join(member);
    agent.report([observation(1, "kerberos", "kerberos", { spn: "x" }), observation(2, "probe", ewsKey, { via: 7 })]);
    await agent.untilAcked(2);
    expect(await stored()).toMatchObject([
      { seq: 1, raw: true },
      { seq: 2, raw: true },
    ]);
  });

  it("holds NUL and lone surrogates without harm", async () => {
    const agent = await test.join(member);
    agent.socket.send(
      JSON.stringify({
        v: 1,
        type: "observations",
        epoch: agent.epoch,
        items: [observation(1, "future", "k", { text: "a\u0000b\ud800c" })],
        confirmations: [],
      }),
    );
    await agent.untilAcked(1);
    const [row] = await test.rows<{ facts: { text: string } }>("SELECT facts FROM observations");
    expect(row?.facts.text).toBe("a\ufffdb\ufffdc");
  });

  it("is quarantined when the database refuses it, and everything around it is stored", async () => {
    await test.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.key LIKE 'poison%' THEN RAISE EXCEPTION 'no % here', NEW.key; END IF; RETURN NEW; END $$`);
    await test.rows("CREATE TRIGGER refuse BEFORE INSERT ON observations FOR EACH ROW EXECUTE FUNCTION refuse()");
    const neighbour = await test.enroll({ hostname: "pc2" });
    const [agent, other] = [await test.join(member), await test.join(neighbour)];
    const items = Array.from({ length: 20 }, (_, i) =>
      observation(i + 1, "future", i === 6 || i === 13 ? `poison${i}` : `k${i}`, { i }),
    );
    agent.report(items);
    other.report(items.filter((item) => !item.key.startsWith("poison")));
    await agent.untilAcked(20);
    await other.untilAcked(20);
    expect((await stored()).map((row) => row.seq)).toEqual(
      items.map((item) => item.seq).filter((seq) => seq !== 7 && seq !== 14),
    );
    const [count] = await test.rows(
      "SELECT count(*)::int AS n FROM observations WHERE machine_id = $1::uuid",
      neighbour.machineId,
    );
    expect(count).toEqual({ n: 18 });
    const quarantine = await test.rows<{ reason: string; payload: string }>(
      "SELECT reason, payload FROM quarantine ORDER BY reason",
    );
    expect(quarantine.map((row) => JSON.parse(Buffer.from(row.payload, "base64").toString()).seq).sort()).toEqual([
      14, 7,
    ]);
    expect(quarantine[0]?.reason).toContain("no poison13 here");
  });
});

describe("diagnosis", () => {
  it("raises a finding after two bad cycles and clears it after three good ones", async () => {
    const agent = await test.join(member);
    let seq = 0;
    const cycle = async (make: typeof good) => {
      await test.clock.advance(15 * minute);
      agent.report([make(++seq)]);
      await test.collector.ingest.idle();
      await expect.poll(() => test.collector.ingest.memory.get(member.machineId)?.lastSeq).toBe(seq);
    };
    await cycle(good);
    await cycle(good);
    await cycle(bad);
    expect(await test.rows("SELECT pattern FROM findings")).toEqual([]);
    await cycle(bad);
    await cycle(bad);
    const raised = await test.rows<{ pattern: string; cleared_at: Date | null }>(
      "SELECT pattern, cleared_at FROM findings",
    );
    expect(raised.length).toBeGreaterThan(0);
    expect(raised.every((row) => row.cleared_at === null)).toBe(true);
    expect((await machine()).primary_pattern).not.toBeNull();
    for (let i = 0; i < 4; i++) await cycle(good);
    const cleared = await test.rows<{ cleared_at: Date | null }>("SELECT cleared_at FROM findings");
    expect(cleared.every((row) => row.cleared_at !== null)).toBe(true);
    expect(await timeline()).toEqual(expect.arrayContaining(["verdict", "finding-raised", "finding-cleared"]));
  });

  it("counts the first cycle of settings that are new, and several configurations as one", async () => {
    const agent = await test.join(member);
    const badOf = (configuration: string, seq: number) => {
      const facts = { ...downProbe(), configuration };
      return observation(seq, "probe", `probe:${configuration}:${facts.target}:configured`, facts);
    };
    const settingsOf = (...ids: string[]): SettingsFacts => ({
      users: ids.map((id) => ({ id: `user-${id}`, configuration: id, blob: null, legacy: null, mismatch: false })),
      configurations: ids.map((id) => ({
        id,
        users: 1,
        probed: true,
        settings: {
          autoDetect: false,
          pacUrl: null,
          server: null,
          bypass: "",
          source: "wininet-blob",
          dialect: "windows",
        },
      })),
      nobodySignedIn: false,
      winhttp64: null,
      winhttp32: null,
      policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
      sources: [],
    });
    const told = async (seq: number) => {
      await test.collector.ingest.idle();
      await expect.poll(() => test.collector.ingest.memory.get(member.machineId)?.lastSeq).toBe(seq);
    };
    const raised = () => test.rows("SELECT pattern FROM findings");
    agent.report([observation(1, "settings", "settings", settingsOf(configurationId)), good(2)]);
    await told(2);
    await test.clock.advance(15 * minute);
    agent.report([
      observation(3, "settings", "settings", settingsOf("c-new", "c-two"), { digest: "00000003" }),
      badOf("c-new", 4),
    ]);
    await told(4);
    agent.report([badOf("c-two", 5)]);
    await told(5);
    expect(await raised()).toEqual([]);
    await test.clock.advance(15 * minute);
    agent.report([badOf("c-new", 6)]);
    await told(6);
    expect(await raised()).not.toEqual([]);
  });

  it("counts no cycle for a re-probe of a failed target, sent in full or confirmed", async () => {
    const agent = await test.join(member);
    const raised = () => test.rows("SELECT pattern FROM findings");
    const told = async (seq: number) => {
      await test.collector.ingest.idle();
      await expect.poll(() => test.collector.ingest.memory.get(member.machineId)?.lastSeq).toBe(seq);
    };
    agent.report([good(1)]);
    await told(1);
    await test.clock.advance(15 * minute);
    agent.report([bad(2)]);
    await told(2);
    await test.clock.advance(minute);
    agent.report([], [confirmation(3, ewsKey, { digest: "00000002", partial: true })]);
    await told(3);
    await test.clock.advance(minute);
    agent.report([bad(4, { digest: "00000004", partial: true })]);
    await told(4);
    expect((await machine()).status).toBe("failing");
    expect(await raised()).toEqual([]);
    await test.clock.advance(15 * minute);
    agent.report([], [confirmation(5, ewsKey, { digest: "00000004" })]);
    await told(5);
    expect(await raised()).not.toEqual([]);
  });

  it("moves a machine to the site of its subnet where nothing tells its location", async () => {
    await test.rows("INSERT INTO site_subnets VALUES ('10.4.0.0/16', 'Graz')");
    await test.collector.turns.minute();
    const agent = await test.join(member);
    agent.report([observation(1, "system", "system", systemFacts())]);
    await agent.untilAcked(1);
    await expect.poll(async () => (await machine()).site).toBe("Graz");
  });

  it("corrects times by age, so that a wrong clock is no late message", async () => {
    const agent = await test.join(member);
    agent.report([good(1, { at: 5, ageMs: 30_000 })]);
    await agent.untilAcked(1);
    const [row] = await stored();
    expect(row?.observed_at.getTime()).toBe(test.clock.now() - 30_000);
    expect(row?.replayed).toBe(false);
  });

  it("completes history with late data and leaves the present state as it is", async () => {
    const first = await test.join(member);
    first.report([good(1), good(2, { digest: "00000003" })]);
    await first.untilAcked(2);
    const before = await machine();
    first.close();
    // A re-made outbox delivers what is older than what is known.
    const second = await test.join(member);
    second.report([bad(1, { ageMs: 3 * 3600_000 })]);
    await second.untilAcked(1);
    const after = await machine();
    expect(after.verdict_configured).toBe(before.verdict_configured);
    expect(after.status).toBe(before.status);
    expect((await stored()).filter((row) => row.replayed)).toHaveLength(1);
    expect(await test.rows("SELECT pattern FROM findings")).toEqual([]);
  });
});

describe("coming and going", () => {
  it("signs off by a goodbye and returns by the next report", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    agent.send({ type: "goodbye", at: 1, reason: "suspend" });
    await test.collector.ingest.idle();
    await expect.poll(async () => (await machine()).status).toBe("signed-off");
    expect((await machine()).signed_off_at).not.toBeNull();
    agent.close();
    const again = await test.join(member, { epoch: agent.epoch });
    again.report([bad(2)]);
    await again.untilAcked(2);
    expect((await machine()).status).not.toBe("signed-off");
    expect(await timeline()).toEqual(expect.arrayContaining(["goodbye", "returned"]));
  });

  it("is stale after three intervals in which a collector listened, and returns", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.close();
    await test.collector.turns.sweep();
    for (let i = 0; i < 44; i++) {
      await test.clock.advance(minute);
      expect((await test.collector.turns.sweep()).stale).toEqual([]);
    }
    await test.clock.advance(2 * minute);
    expect((await test.collector.turns.sweep()).stale).toEqual([member.machineId]);
    expect((await machine()).status).toBe("stale");
    const again = await test.join(member, { epoch: agent.epoch });
    again.report([bad(2)]);
    await again.untilAcked(2);
    expect((await machine()).status).not.toBe("stale");
    expect(await timeline()).toEqual(expect.arrayContaining(["stale", "returned"]));
  });

  it("is not stale for the time in which no collector ran", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.close();
    await test.collector.turns.sweep();
    await test.clock.advance(8 * 3600_000);
    expect((await test.collector.turns.sweep()).stale).toEqual([]);
  });

  it("stays alive by heartbeats alone", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    await test.collector.turns.sweep();
    for (let i = 0; i < 60; i++) {
      await test.clock.advance(minute);
      const from = agent.heard.length;
      agent.heartbeat();
      await agent.next("heartbeat-ack", from);
      if (i % 20 === 19) await test.collector.turns.seen();
      expect((await test.collector.turns.sweep()).stale).toEqual([]);
    }
  });

  it("shows what an outbox dropped", async () => {
    const agent = await test.join(member);
    agent.heartbeat({ outbox: { items: 0, bytes: 0, droppedConfirmations: 0, droppedObservations: 4 } });
    await expect.poll(timeline).toContain("outbox-dropped");
  });

  it("closes with `replaced` what another collector has moved on", async () => {
    const other = await test.startAnother("c2");
    const here = await test.join(member);
    here.report([good(1)]);
    await here.untilAcked(1);
    const there = await test.join(member, { epoch: here.epoch }, other);
    there.report([bad(2)]);
    await there.untilAcked(2);
    here.report([bad(2)]);
    expect((await here.end()).reason).toBe("replaced");
    expect(await stored()).toHaveLength(2);
  });
});

describe("the state row", () => {
  const row = async () =>
    (
      await test.rows<{ state_seq: number; last_seq: number; digest: string; ring: number }>(
        `SELECT state_seq::int, last_seq::int, state #>> ARRAY['facts', 'probes', $2, 'digest'] AS digest,
           jsonb_array_length(state #> ARRAY['facts', 'probes', $2, 'ring']) AS ring
         FROM machine_states WHERE machine_id = $1::uuid`,
        member.machineId,
        ewsKey.slice("probe:".length),
      )
    )[0];
  const measured = (seq: number) => good(seq, { digest: `0000000${seq}` });

  it("trails for a moment behind measurements, and is whole again by itself", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([measured(2), measured(3)]);
    await agent.untilAcked(3);
    expect(await row()).toMatchObject({ state_seq: 1, last_seq: 3, ring: 1 });
    await test.clock.advance(6_000);
    test.collector.ingest.flushDue();
    await test.collector.ingest.idle();
    expect(await row()).toEqual({ state_seq: 3, last_seq: 3, digest: "00000003", ring: 3 });
  });

  it("is caught up from the observations by a collector that goes on after a crash", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([measured(2), measured(3)]);
    await agent.untilAcked(3);
    // Nothing of the first collector's memory reaches the second one.
    const second = await test.startAnother("c2");
    const again = await test.join(member, { epoch: agent.epoch }, second);
    expect(again.acked()).toBe(3);
    again.report([measured(4)]);
    await again.untilAcked(4);
    expect(await row()).toEqual({ state_seq: 4, last_seq: 4, digest: "00000004", ring: 4 });
  });

  it("never trails behind what the timeline tells", async () => {
    const agent = await test.join(member);
    agent.report([good(1)]);
    await agent.untilAcked(1);
    agent.report([bad(2)]);
    await agent.untilAcked(2);
    expect(await row()).toMatchObject({ state_seq: 2, last_seq: 2 });
  });
});
