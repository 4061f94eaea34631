import { causesOfMachine, getCause, listCauseMembers, listCauses, readAttributions } from "@lynceus/db/causes";
import { fleetGroups } from "@lynceus/db/fleet";
import { changesBefore, listChangeMachines, listFleetChanges } from "@lynceus/db/fleet-changes";
import { revokeMachine } from "@lynceus/db/machines-admin";
import { savePolicy } from "@lynceus/db/policies";
import type { PacFacts, RawObservation, SettingsFacts } from "@lynceus/protocol/facts";
import { attributionSchema, causeMemberSchema, causeSchema, fleetChangeSchema } from "@lynceus/protocol/read-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestAgent } from "./support/agent.ts";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { configurationId, downProbe, ewsKey, ewsProbe, observation, systemFacts, testPolicy } from "./support/facts.ts";

let system: TestCollector;
beforeEach(async () => {
  system = await startTestCollector();
});
afterEach(() => system.stop());

const minute = 60_000;
const oldScript = "9f3c1e00".repeat(8);
const newScript = "41ab0700".repeat(8);

const settings: SettingsFacts = {
  users: [{ id: "u1", configuration: configurationId, blob: null, legacy: null, mismatch: false }],
  configurations: [
    {
      id: configurationId,
      users: 1,
      probed: true,
      settings: {
        autoDetect: false,
        pacUrl: "http://pac.example.org/proxy.pac",
        server: null,
        bypass: "",
        source: "wininet-blob",
        dialect: "windows",
      },
    },
  ],
  nobodySignedIn: false,
  winhttp64: null,
  winhttp32: null,
  policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
  sources: [],
};

const script = (sha256: string): PacFacts => ({
  configuration: configurationId,
  origin: "pac",
  url: "http://pac.example.org/proxy.pac",
  scheme: "http",
  fetch: "ok",
  authSchemes: [],
  sha256,
  bytes: 800,
  contentType: null,
  bodyIsHtml: false,
  evalOk: true,
  evalError: null,
  urlFormsDiffer: [],
  myIpAddress: null,
  capitalHostLiterals: false,
  ms: 3,
});

const autodiscover = ewsProbe({
  target: "autodiscover-example.org",
  endpoint: {
    service: "autodiscover",
    kind: "https",
    host: "autodiscover.example.org",
    port: 443,
    path: "/autodiscover/autodiscover.xml",
  },
});

interface Machine extends Member {
  agent: TestAgent;
  seq: number;
}

let digest = 0x10;
const nextDigest = () => (digest++).toString(16).padStart(8, "0");

async function report(machine: Machine, parts: readonly [string, string, unknown][]): Promise<void> {
  const items: RawObservation[] = parts.map(([kind, key, facts]) =>
    observation(++machine.seq, kind, key, facts, { digest: nextDigest() }),
  );
  machine.agent.report(items);
  await machine.agent.untilAcked(machine.seq);
}

async function machines(count: number, change: { simulated?: boolean } = {}): Promise<Machine[]> {
  const list: Machine[] = [];
  for (let n = 0; n < count; n++) {
    const hostname = `pc${n + 1}`;
    const member = await system.enroll({ hostname, simulated: change.simulated ?? false });
    const machine = { ...member, agent: await system.join(member, { hostname }), seq: 0 };
    await report(machine, [
      ["system", "system", systemFacts({ hostname, simulated: change.simulated ?? false, resolvers: ["10.4.0.53"] })],
      ["settings", "settings", settings],
      ["pac", `pac:${configurationId}`, script(oldScript)],
      ["probe", `probe:${configurationId}:${autodiscover.target}:configured`, autodiscover],
      ["probe", ewsKey, ewsProbe()],
    ]);
    list.push(machine);
  }
  return list;
}

/** The script changes on a machine, which fails from then on. */
const breakIt = (machine: Machine) =>
  report(machine, [
    ["pac", `pac:${configurationId}`, script(newScript)],
    ["probe", ewsKey, downProbe()],
  ]);

describe("attribution by the collector", () => {
  it("takes a script for new only where a machine changed to it, not because its machines are new to us", async () => {
    const [first] = await machines(3);
    const news = async () => {
      const now = new Date(system.clock.now());
      const groups = await fleetGroups(system.db, { now, freshSince: new Date(now.getTime() - 10 * minute) });
      return Object.fromEntries(groups.map(({ pacHash, pacNew }) => [pacHash, pacNew]));
    };
    await system.collector.turns.attribution();
    expect(await news()).toEqual({ [oldScript]: false });
    await breakIt(first!);
    await system.collector.turns.attribution();
    expect(await news()).toEqual({ [oldScript]: false, [newScript]: true });
  });

  it("names what the failing machines share, with the change before it, and clears it with its history", async () => {
    const fleet = await machines(24);
    await system.collector.turns.attribution();
    expect((await listCauses(system.db)).items).toEqual([]);

    await system.clock.advance(20 * minute);
    const failing = fleet.slice(0, 9);
    for (const machine of failing) await breakIt(machine);
    // One more fails, with the old script; one has the new script and is healthy.
    await report(fleet[9]!, [["probe", ewsKey, downProbe()]]);
    await report(fleet[10]!, [["pac", `pac:${configurationId}`, script(newScript)]]);
    await system.collector.turns.attribution();

    const { items, total } = await listCauses(system.db, { open: true });
    expect(total).toBe(1);
    const cause = causeSchema.parse(items[0]);
    expect(cause).toMatchObject({
      key: "pac-hash",
      value: newScript,
      text: "Proxy script 41ab07 explains 9 of the 10 failing machines",
      explains: 9,
      of: 10,
      failingWith: 9,
      failingWithout: 1,
      healthyWith: 1,
      healthyWithout: 13,
      simulated: false,
      clearedAt: null,
      change: { text: "Script content 9f3c1e → 41ab07", by: "value", seenOn: 9 },
      counterExamples: { failing: [{ id: fleet[9]!.machineId, hostname: "pc10" }], healthy: [{ hostname: "pc11" }] },
    });
    expect(await getCause(system.db, cause.id)).toEqual(cause);

    const members = await listCauseMembers(system.db, cause.id, { limit: 5 });
    expect(members.total).toBe(9);
    const rest = await listCauseMembers(system.db, cause.id, { limit: 5, cursor: members.nextCursor });
    expect([...members.items, ...rest.items].map((item) => causeMemberSchema.parse(item).id).sort()).toEqual(
      failing.map(({ machineId }) => machineId).sort(),
    );
    expect((await causesOfMachine(system.db, failing[0]!.machineId)).map(({ id }) => id)).toEqual([cause.id]);
    expect(await causesOfMachine(system.db, fleet[9]!.machineId)).toEqual([]);

    const [said, ...others] = await readAttributions(system.db);
    expect(others).toEqual([]);
    expect(attributionSchema.parse(said)).toMatchObject({
      failing: 10,
      healthy: 14,
      noCause: null,
      unexplained: 1,
      unexplainedSample: [{ hostname: "pc10" }],
    });

    // Most are repaired: the cause goes on while it holds, and is cleared when nothing fails.
    await system.clock.advance(5 * minute);
    for (const machine of fleet.slice(0, 10)) await report(machine, [["probe", ewsKey, ewsProbe()]]);
    await system.collector.turns.attribution();
    expect((await listCauses(system.db, { open: true })).items).toEqual([]);
    const cleared = await getCause(system.db, cause.id);
    expect(cleared?.clearedAt).not.toBeNull();
    expect((await listCauseMembers(system.db, cause.id)).total).toBe(9);
    expect(await readAttributions(system.db)).toEqual([]);
  });

  it("joins the same change on many machines as one event, with its first and last time", async () => {
    const fleet = await machines(3);
    const start = system.clock.now();
    for (const machine of fleet) {
      await system.clock.advance(minute);
      await breakIt(machine);
    }
    await system.collector.turns.attribution();
    const changes = await listFleetChanges(system.db);
    const event = fleetChangeSchema.parse(changes.items[0]);
    expect(changes.total).toBe(1);
    expect(event).toMatchObject({
      kind: "script",
      text: "Script content 9f3c1e → 41ab07",
      machines: 3,
      firstAt: new Date(start + minute).toISOString(),
      lastAt: new Date(start + 3 * minute).toISOString(),
      sample: [{ hostname: "pc1" }, { hostname: "pc2" }, { hostname: "pc3" }],
    });
    const page = await listChangeMachines(system.db, event.id, { limit: 2 });
    expect(page.items.map(({ hostname }) => hostname)).toEqual(["pc1", "pc2"]);
    expect((await listChangeMachines(system.db, event.id, { cursor: page.nextCursor })).items).toMatchObject([
      { hostname: "pc3", status: "failing" },
    ]);

    // Taken back and taken again the same day, it is the same event and the machine counts once.
    await report(fleet[0]!, [["pac", `pac:${configurationId}`, script(oldScript)]]);
    await report(fleet[0]!, [["pac", `pac:${configurationId}`, script(newScript)]]);
    await system.collector.turns.attribution();
    const again = await listFleetChanges(system.db, { kinds: ["script"] });
    expect(again.items.map(({ text, machines }) => [text, machines]).sort()).toEqual([
      ["Script content 41ab07 → 9f3c1e", 1],
      ["Script content 9f3c1e → 41ab07", 3],
    ]);

    // Two days later it is news.
    await system.clock.advance(48 * 60 * minute);
    await report(fleet[1]!, [["pac", `pac:${configurationId}`, script(oldScript)]]);
    await report(fleet[1]!, [["pac", `pac:${configurationId}`, script(newScript)]]);
    await system.collector.turns.attribution();
    const later = await listFleetChanges(system.db, { since: new Date(system.clock.now() - minute) });
    expect(later.items.map(({ text, machines }) => [text, machines]).sort()).toEqual([
      ["Script content 41ab07 → 9f3c1e", 1],
      ["Script content 9f3c1e → 41ab07", 1],
    ]);
  });

  it("puts the change nearest before a failure beside it", async () => {
    const [machine] = await machines(1);
    await report(machine!, [["pac", `pac:${configurationId}`, script(newScript)]]);
    await system.clock.advance(10 * minute);
    await report(machine!, [["probe", ewsKey, downProbe()]]);
    const failedAt = new Date(system.clock.now());
    expect(await changesBefore(system.db, machine!.machineId, failedAt)).toMatchObject([
      { kind: "script", text: "Script content 9f3c1e → 41ab07" },
    ]);
    await system.clock.advance(25 * 60 * minute);
    expect(await changesBefore(system.db, machine!.machineId, new Date(system.clock.now()))).toEqual([]);
  });

  it("says nothing of real machines by simulated ones", async () => {
    const real = await machines(16);
    const simulated = await machines(16, { simulated: true });
    for (const machine of [...real.slice(0, 8), ...simulated.slice(0, 9)]) await breakIt(machine);
    await system.collector.turns.attribution();
    const causes = (await listCauses(system.db)).items;
    expect(
      causes.map(({ simulated, explains, of, healthyWithout }) => [simulated, explains, of, healthyWithout]).sort(),
    ).toEqual(
      [
        [false, 8, 8, 8],
        [true, 9, 9, 7],
      ].sort(),
    );
    expect((await readAttributions(system.db, { simulated: true })).map(({ failing }) => failing)).toEqual([9]);
    expect((await listFleetChanges(system.db, { simulated: true })).items.map(({ machines }) => machines)).toEqual([9]);
  });

  it("names no cause where no machine is healthy, and says why", async () => {
    for (const machine of await machines(4)) await breakIt(machine);
    await system.collector.turns.attribution();
    expect((await listCauses(system.db)).items).toEqual([]);
    expect(await readAttributions(system.db)).toMatchObject([
      { failing: 4, healthy: 0, noCause: "no-control-group", causes: [] },
    ]);
  });

  it("counts no machine that was revoked", async () => {
    const fleet = await machines(20);
    for (const machine of fleet.slice(0, 9)) await breakIt(machine);
    await system.collector.turns.attribution();
    expect((await listCauses(system.db)).items[0]?.explains).toBe(9);
    await revokeMachine(system.db, fleet[0]!.machineId, { actor: "test", now: new Date(system.clock.now()) });
    await fleet[0]!.agent.end();
    await system.collector.turns.attribution();
    expect((await listCauses(system.db)).items[0]?.explains).toBe(8);
  });

  it("is done by one collector, and by the other when that one ends", async () => {
    const other = await system.startAnother("c2");
    const fleet = await machines(16);
    await system.collector.turns.attribution();
    for (const machine of fleet.slice(0, 8)) await breakIt(machine);
    await other.turns.attribution();
    expect((await listCauses(system.db)).items).toEqual([]);
    await system.collector.turns.attribution();
    const [cause] = (await listCauses(system.db)).items;
    expect(cause?.explains).toBe(8);
    await system.collector.stop();
    await other.turns.attribution();
    // The other one goes on with the same cause.
    expect((await listCauses(system.db)).items).toMatchObject([{ id: cause?.id, explains: 8, clearedAt: null }]);
  });
});

describe("a policy that machines take", () => {
  it("is in their timelines and one event of the fleet", async () => {
    const fleet = await machines(2);
    for (const { agent } of fleet) agent.heartbeat({ policyVersion: 1 });
    for (const { agent } of fleet) await agent.next("heartbeat-ack");
    await system.collector.turns.seen();
    await savePolicy(system.db, { body: testPolicy(1), now: new Date(system.clock.now()), createdBy: "test" });
    for (const { agent } of fleet) {
      const from = agent.heard.length;
      agent.heartbeat({ policyVersion: 2 });
      await agent.next("heartbeat-ack", from);
    }
    await system.collector.turns.seen();
    await system.collector.turns.attribution();
    expect((await listFleetChanges(system.db, { kinds: ["policy"] })).items).toMatchObject([
      { text: "Policy 1 → 2", machines: 2 },
    ]);
    const rows = await system.rows("SELECT text FROM transitions WHERE kind = 'policy'");
    expect(rows).toEqual([{ text: "Policy 1 → 2" }, { text: "Policy 1 → 2" }]);
  });
});
