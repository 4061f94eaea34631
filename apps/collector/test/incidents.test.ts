import { alertingVersion, saveAlerting } from "@lynceus/db/alerting";
import {
  acknowledgeIncident,
  closeIncident,
  IncidentActError,
  noteIncident,
  releaseIncident,
} from "@lynceus/db/incident-acts";
import { getIncident, listIncidentEvents, listIncidentMembers, listIncidents } from "@lynceus/db/incidents";
import { retireMachine, revokeMachine } from "@lynceus/db/machines-admin";
import { listNotices } from "@lynceus/db/notices";
import { wholeFleet } from "@lynceus/db/scope";
import { createSilence, endSilence } from "@lynceus/db/silences";
import { alertingConfigSchema } from "@lynceus/protocol/alerting";
import { incidentEventSchema, incidentMemberSchema, incidentSchema } from "@lynceus/protocol/read-api-incidents";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";
import { downProbe, ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";
import { configure, machineTable, type WebhookServer, webhook, webhookServer } from "./support/incidents.ts";

const second = 1000;
const minute = 60_000;
let system: TestCollector;
let hook: WebhookServer;
let machines: ReturnType<typeof machineTable>;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  system = await startTestCollector();
  hook = await webhookServer();
  opened.push(hook);
  machines = machineTable(system.db, system.clock.now);
  await configure(system.db, system.keys, {
    receivers: [webhook("ops", hook.url)],
    routes: [{ id: "all", name: "Everything", receivers: ["ops"] }],
  });
});
afterEach(async () => {
  await system.stop();
  for (const one of opened.splice(0)) await one.close();
});

/** Time passes; a turn each two seconds, and what may be sent is sent. */
async function pass(ms: number, step = 2 * second): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await system.clock.advance(Math.min(step, left));
    await system.collector.turns.incidents();
    await system.collector.turns.deliveries();
  }
}
const turn = () => pass(2 * second);
const fleet = () => wholeFleet(system.db);
const by = () => ({ actor: "M. Huber", now: new Date(system.clock.now()) });
const texts = async (number: number) =>
  (await listIncidentEvents(fleet(), number)).items.map(({ text }) => text).reverse();

describe("incidents in the database", () => {
  it("open with their members, are told once, and end: each with its timeline", async () => {
    const ids = await machines.add(12);
    await machines.fail(ids.slice(0, 8));
    await turn();
    const [incident] = (await listIncidents(fleet())).items;
    expect(incidentSchema.parse(incident)).toMatchObject({
      number: 1,
      state: "open",
      title: "px1:8080 does not answer (refused)",
      failing: 8,
      urgency: "high",
      sites: [{ site: "Singapore", machines: 8, of: 12 }],
    });
    const members = await listIncidentMembers(fleet(), 1);
    expect(members.total).toBe(8);
    expect(incidentMemberSchema.parse(members.items[0])).toMatchObject({ state: "failing", leftAt: null });
    await pass(10 * second);
    expect(hook.taken).toEqual(["opened 1"]);
    expect(hook.got[0]?.notice).toMatchObject({
      headline: "8 machines: px1:8080 does not answer (refused)",
      incident: {
        whoFixes: expect.any(String),
        firstStep: expect.stringContaining(":"),
        url: "http://localhost:3000/incidents/1",
      },
    });
    await machines.heal(ids.slice(0, 5));
    await turn();
    expect((await listIncidentMembers(fleet(), 1, { state: "verified" })).total).toBe(5);
    expect(await getIncident(fleet(), 1)).toMatchObject({ failing: 3, peak: 8 });
    await machines.heal(ids);
    await pass(6 * minute, 30 * second);
    expect(hook.taken).toEqual(["opened 1", "resolved 1"]);
    expect(await getIncident(fleet(), 1)).toMatchObject({ state: "resolved", failing: 0, ended: { how: "resolved" } });
    const events = await listIncidentEvents(fleet(), 1);
    for (const event of events.items) expect(incidentEventSchema.safeParse(event).error).toBeUndefined();
    expect(await texts(1)).toEqual([
      "Opened with 8 machines at 1 site: as many machines of one cause fail as make an incident",
      "Page to ops: it opened",
      "No member fails",
      "Resolved: no member failed for the hold time",
      "End to ops: no member fails any more",
    ]);
    expect(events.items.find(({ kind }) => kind === "told")?.notice).toMatchObject({ state: "sent", attempts: 1 });
  });

  it("are the same after the collector was restarted in the middle: nobody is told again", async () => {
    const ids = await machines.add(12);
    await machines.fail(ids.slice(0, 8));
    await pass(12 * second);
    expect(hook.taken).toEqual(["opened 1"]);
    const other = await system.startAnother("c2");
    await system.collector.stop();
    await machines.fail(ids.slice(8));
    await system.clock.advance(2 * second);
    await other.turns.incidents();
    await other.turns.deliveries();
    expect(other.incidents.leading).toBe(true);
    expect((await listIncidents(fleet())).items).toMatchObject([{ number: 1, failing: 12 }]);
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("take in a machine whose report came to another collector, and let go one that is revoked or retired", async () => {
    const ids = await machines.add(4);
    await machines.fail(ids.slice(0, 3));
    await turn();
    await machines.fail(ids);
    await turn();
    expect(await getIncident(fleet(), 1)).toMatchObject({ failing: 4 });
    await revokeMachine(fleet(), ids[0] ?? "", by());
    await retireMachine(fleet(), ids[1] ?? "", by());
    await expect
      .poll(async () => {
        await turn();
        return (await getIncident(fleet(), 1))?.failing;
      })
      .toBe(2);
  });

  it("are opened by real reports of real agents, with evidence from a finding", async () => {
    const members = [];
    for (let index = 0; index < 2; index++) {
      const member = await system.enroll({ hostname: `PC-${index}` });
      members.push({ member, agent: await system.join(member) });
    }
    for (let cycle = 0; cycle < 3; cycle++)
      for (const [index, { agent }] of members.entries()) {
        const seq = cycle * 2 + 1;
        agent.report([
          observation(seq, "system", "system", systemFacts({ hostname: `PC-${index}` }), { digest: `0000000${cycle}` }),
          observation(seq + 1, "probe", ewsKey, cycle === 0 ? ewsProbe() : downProbe({ totalMs: cycle }), {
            digest: `0000001${cycle}`,
          }),
        ]);
        await agent.untilAcked(seq + 1);
        await system.clock.advance(minute);
      }
    await turn();
    const [incident] = (await listIncidents(fleet())).items;
    expect(incident).toMatchObject({ pattern: "ews-service-down", failing: 2 });
    expect(incident?.evidence).toMatch(/EWS mail\.example\.org/);
  });

  it("do not page what was reported before an outage of ours, until it is heard of again", async () => {
    const ids = await machines.add(6);
    await machines.fail(ids);
    await system.clock.advance(3 * 60 * minute);
    await pass(minute);
    expect(hook.taken).toEqual([]);
    expect(await getIncident(fleet(), 1)).toMatchObject({ state: "open", urgency: "low" });
    expect((await texts(1)).some((text) => text.startsWith("Not told: late data"))).toBe(true);
    await machines.fail(ids);
    await pass(20 * second);
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("of machines that wait for approval, or use one key twice, do not open", async () => {
    const ids = await machines.add(6);
    await system.rows("UPDATE machines SET approved = FALSE WHERE id = ANY ($1::uuid[])", ids.slice(0, 3));
    await system.rows("UPDATE machines SET cloned_at = now() WHERE id = ANY ($1::uuid[])", ids.slice(3));
    await machines.fail(ids);
    await pass(minute);
    expect((await listIncidents(fleet())).items).toEqual([]);
  });
});

describe("people and incidents", () => {
  const open = async () => {
    const ids = await machines.add(8);
    await machines.fail(ids);
    await pass(12 * second);
    return ids;
  };

  it("acknowledge, once: who comes second finds it taken", async () => {
    await open();
    expect(await acknowledgeIncident(fleet(), 1, { ...by(), via: "dashboard" })).toBe(true);
    expect(await acknowledgeIncident(fleet(), 1, { actor: "L. Tan", now: by().now, via: "api" })).toBe(true);
    await turn();
    expect(await getIncident(fleet(), 1)).toMatchObject({
      state: "acknowledged",
      acknowledged: { by: "M. Huber", via: "dashboard" },
    });
    expect(hook.taken).toEqual(["opened 1", "acknowledged 1"]);
    expect((await system.rows("SELECT action FROM audit WHERE action LIKE 'incident.%'")).length).toBe(1);
  });

  it("release, and close with a reason while machines fail", async () => {
    const ids = await open();
    await acknowledgeIncident(fleet(), 1, { ...by(), via: "dashboard" });
    await turn();
    expect(await releaseIncident(fleet(), 1, by())).toBe(true);
    await turn();
    expect(await getIncident(fleet(), 1)).toMatchObject({ state: "open", acknowledged: null });
    await expect(closeIncident(fleet(), 1, { ...by(), note: " " })).rejects.toThrow(IncidentActError);
    await expect(closeIncident(fleet(), 1, { ...by(), note: " " })).rejects.toThrow(
      /8 of its machines fail; say in note why/,
    );
    expect(await closeIncident(fleet(), 1, { ...by(), note: "known" })).toBe(true);
    await pass(10 * minute, 30 * second);
    expect(await getIncident(fleet(), 1)).toMatchObject({
      state: "resolved",
      ended: { how: "closed", by: "M. Huber", note: "known" },
    });
    expect((await listIncidents(fleet())).items).toHaveLength(1);
    expect(hook.taken).toEqual(["opened 1", "acknowledged 1", "reminder 1", "resolved 1"]);
    await expect(acknowledgeIncident(fleet(), 1, { ...by(), via: "api" })).rejects.toThrow(/incident 1 is over/);
    // Others of the same cause open it again.
    await machines.fail(await machines.add(2));
    await turn();
    expect(await getIncident(fleet(), 1)).toMatchObject({ state: "open", failing: ids.length + 2 });
  });

  it("note what is to be remembered, and act on none that does not exist", async () => {
    await open();
    await noteIncident(fleet(), 1, { ...by(), text: "login exempt on px1" });
    expect((await texts(1)).at(-1)).toBe("login exempt on px1");
    for (const number of [2, 0, -1, 1.5, Number.NaN, 2 ** 40])
      expect(await acknowledgeIncident(fleet(), number, { ...by(), via: "api" })).toBe(false);
  });

  it("silence machines by the same language as the machines table", async () => {
    const endsAt = new Date(system.clock.now() + 60 * minute).toISOString();
    const { id } = await createSilence(fleet(), { match: "route:px1", comment: "replaced", endsAt }, by());
    await machines.fail(await machines.add(8));
    await pass(minute);
    expect(hook.taken).toEqual([]);
    expect((await texts(1)).at(-1)).toBe("Not told: silenced by M. Huber: replaced");
    expect(await endSilence(fleet(), id, by())).toBe(true);
    await pass(12 * second);
    expect(hook.got.map(({ notice }) => notice.reason)).toEqual(["still failing after a silence"]);
  });
});

describe("one of all collectors decides", () => {
  it("and the other takes over when the lease runs out, with nothing told twice", async () => {
    const other = await system.startAnother("c2");
    const ids = await machines.add(8);
    await machines.fail(ids);
    await system.clock.advance(2 * second);
    await Promise.all([system.collector.turns.incidents(), other.turns.incidents()]);
    expect([system.collector.incidents.leading, other.incidents.leading].sort()).toEqual([false, true]);
    const [leader, follower] = system.collector.incidents.leading
      ? [system.collector, other]
      : [other, system.collector];
    for (let index = 0; index < 6; index++) {
      await system.clock.advance(2 * second);
      await Promise.all([leader.turns.incidents(), follower.turns.incidents()]);
      await Promise.all([leader.turns.deliveries(), follower.turns.deliveries()]);
    }
    expect(hook.taken).toEqual(["opened 1"]);
    await system.rows("UPDATE settings SET value = jsonb_set(value, '{until}', '0') WHERE key = 'lease-incidents'");
    await follower.turns.incidents();
    expect(follower.incidents.leading).toBe(true);
    await machines.heal(ids);
    await system.clock.advance(2 * second);
    await Promise.all([leader.turns.incidents(), follower.turns.incidents()]);
    await system.clock.advance(6 * minute);
    await Promise.all([leader.turns.incidents(), follower.turns.incidents()]);
    await Promise.all([leader.turns.deliveries(), follower.turns.deliveries()]);
    expect(hook.taken).toEqual(["opened 1", "resolved 1"]);
  });

  it("and what it decided is not stored once the lease is another's, however far it came", async () => {
    let stolen = false;
    await system.stop();
    system = await startTestCollector({
      onStep: async (step) => {
        if (step !== "begun" || stolen) return;
        stolen = true;
        await system.rows(
          "UPDATE settings SET value = jsonb_build_object('holder', 'c9', 'until', extract(epoch FROM now()) + 60) WHERE key = 'lease-incidents'",
        );
      },
    });
    machines = machineTable(system.db, system.clock.now);
    await machines.fail(await machines.add(8));
    await system.clock.advance(2 * second);
    await system.collector.turns.incidents();
    expect(stolen).toBe(true);
    expect((await listIncidents(fleet())).items).toEqual([]);
  });
});

describe("delivery", () => {
  const open = async () => {
    await machines.fail(await machines.add(8));
    await pass(12 * second);
  };
  const noticesNow = async () => (await listNotices(system.db)).items.reverse();

  it("tries again with growing pauses while the receiver fails, and delivers once with one key", async () => {
    hook.state.status = 503;
    await open();
    expect(await noticesNow()).toMatchObject([
      { state: "failed", attempts: 2, detail: expect.stringContaining("HTTP 503") },
    ]);
    await pass(20 * minute, 10 * second);
    const tries = hook.got.filter(({ notice }) => notice.kind === "opened").length;
    expect(tries).toBeGreaterThan(6);
    expect(tries).toBeLessThan(15);
    hook.state.status = 200;
    await pass(11 * minute, 10 * second);
    expect(hook.taken).toEqual(["opened 1"]);
    expect(new Set(hook.got.map(({ key }) => key)).size).toBe(1);
    expect(await noticesNow()).toMatchObject([{ state: "sent" }]);
  });

  it("waits as long as the receiver asks for", async () => {
    hook.state.status = 429;
    hook.state.headers = { "retry-after": "90" };
    await open();
    expect(hook.got).toHaveLength(1);
    hook.state.status = 200;
    await pass(76 * second);
    expect(hook.got).toHaveLength(1);
    await pass(16 * second);
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("keeps the order of what one receiver hears of one incident", async () => {
    const ids = await machines.add(8);
    await machines.fail(ids);
    hook.state.status = 500;
    await pass(12 * second);
    await acknowledgeIncident(fleet(), 1, { ...by(), via: "dashboard" });
    await turn();
    await machines.heal(ids);
    await pass(6 * minute, 10 * second);
    expect(hook.taken).toEqual([]);
    hook.state.status = 200;
    await pass(11 * minute, 10 * second);
    expect(hook.taken).toEqual(["opened 1", "acknowledged 1", "resolved 1"]);
  });

  it("of what is refused for good is a dead letter, of which another receiver hears", async () => {
    const second_ = await webhookServer();
    opened.push(second_);
    await configure(system.db, system.keys, {
      receivers: [webhook("ops", hook.url), webhook("spare", second_.url)],
      routes: [{ id: "all", name: "Everything", receivers: ["ops"] }],
      settings: { fallback: ["spare"] },
    });
    hook.state.status = 404;
    await open();
    expect(hook.got).toHaveLength(1);
    await pass(4 * second);
    expect(second_.got.map(({ notice }) => [notice.kind, notice.headline, notice.reason])).toEqual([
      [
        "undelivered",
        "Not delivered to ops: 8 machines: px1:8080 does not answer (refused)",
        "ops could not be reached: HTTP 404: not now",
      ],
    ]);
    expect((await listNotices(system.db, { state: "dead" })).items).toMatchObject([
      { receiver: "ops", detail: "HTTP 404: not now" },
    ]);
  });

  it("that does not get through for two minutes, and is urgent, is told elsewhere while it is tried on", async () => {
    const spare = await webhookServer();
    opened.push(spare);
    await configure(system.db, system.keys, {
      receivers: [webhook("ops", hook.url), webhook("spare", spare.url)],
      routes: [{ id: "all", name: "Everything", receivers: ["ops"] }],
    });
    hook.state.status = 503;
    await open();
    await pass(4 * minute, 5 * second);
    expect(spare.got.map(({ notice }) => notice.kind)).toEqual(["undelivered"]);
    hook.state.status = 200;
    await pass(11 * minute, 10 * second);
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("is taken up by another collector when the one that was sending is gone", async () => {
    await machines.fail(await machines.add(8));
    await turn();
    await system.clock.advance(10 * second);
    await system.collector.turns.incidents();
    // Killed in the middle: the row says that it is being sent.
    await system.rows(
      "UPDATE notices SET state = 'sending', claim = gen_random_uuid(), claimed_by = 'gone', due_at = $1::timestamptz",
      new Date(system.clock.now() + 45 * second),
    );
    await pass(40 * second);
    expect(hook.got).toHaveLength(0);
    await pass(10 * second);
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("by a collector that comes back under its name goes on at once", async () => {
    await machines.fail(await machines.add(8));
    await turn();
    await system.clock.advance(10 * second);
    await system.collector.turns.incidents();
    await system.rows(
      "UPDATE notices SET state = 'sending', claim = gen_random_uuid(), claimed_by = 'c2', due_at = $1::timestamptz",
      new Date(system.clock.now() + 45 * second),
    );
    const back = await system.startAnother("c2");
    await back.turns.deliveries();
    expect(hook.taken).toEqual(["opened 1"]);
  });

  it("of secrets that cannot be opened says so, and sends nothing", async () => {
    await system.rows("UPDATE receiver_secrets SET sealed = 's1.00000000.' || repeat('A', 60)");
    await open();
    expect(hook.got).toEqual([]);
    expect(await noticesNow()).toMatchObject([
      { state: "dead", detail: expect.stringContaining("LYNCEUS_SECRET_KEY") },
    ]);
  });

  it("goes to a receiver as it is configured then, and to none that is gone", async () => {
    hook.state.status = 503;
    await open();
    const config = alertingConfigSchema.parse({});
    await saveAlerting(system.db, { config, baseVersion: await alertingVersion(system.db) }, by());
    await pass(minute);
    expect(await noticesNow()).toMatchObject([{ state: "dead", detail: 'there is no receiver "ops" any more' }]);
  });
});

describe("what is told beside incidents", () => {
  it("is a heartbeat after good turns, once a minute, to an address that nobody sees", async () => {
    const beats = await webhookServer();
    opened.push(beats);
    await configure(
      system.db,
      system.keys,
      { settings: { heartbeat: { connection: { reach: "loopback" } } } },
      { "-heartbeat": { url: `${beats.url}?ping=secret-of-the-switch` } },
    );
    await pass(10 * second);
    expect(beats.asked).toEqual(["GET /hook?ping=secret-of-the-switch"]);
    await pass(2 * minute, 10 * second);
    expect(beats.asked).toHaveLength(3);
    // No turn, no beat: that is what it is for.
    await system.rows("ALTER TABLE incidents RENAME TO gone");
    await pass(3 * minute, 10 * second);
    expect(beats.asked).toHaveLength(3);
    await system.rows("ALTER TABLE gone RENAME TO incidents");
    await pass(minute, 10 * second);
    expect(beats.asked.length).toBeGreaterThan(3);
  });

  it("is a change that many machines took, once to each who wishes it", async () => {
    await configure(system.db, system.keys, {
      receivers: [webhook("ops", hook.url)],
      settings: { changeReceivers: ["ops"], changeMachines: 20 },
    });
    const change = (machines: number, kind: string) =>
      system.rows(
        `INSERT INTO fleet_changes (id, change_key, simulated, kind, text, first_at, last_at, machines)
         VALUES (gen_random_uuid(), $1, FALSE, $2, 'Script content 9f3c1e → 41ab07', $3, $3, $4)`,
        `${kind}-${machines}`,
        kind,
        new Date(system.clock.now()),
        machines,
      );
    await change(400, "script");
    await change(19, "script");
    await change(400, "agent");
    await pass(2 * minute, 10 * second);
    expect(hook.got.map(({ notice }) => [notice.kind, notice.headline])).toEqual([
      ["change", "400 machines: Script content 9f3c1e → 41ab07"],
    ]);
  });
});
