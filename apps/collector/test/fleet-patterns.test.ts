import { listFindings } from "@lynceus/db/findings";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TestAgent } from "./support/agent.ts";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { downProbe, ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

let system: TestCollector;
beforeEach(async () => {
  system = await startTestCollector();
});
afterEach(() => system.stop());

const minute = 60_000;

interface Machine extends Member {
  agent: TestAgent;
  seq: number;
}

let digest = 0x1000;
async function report(machine: Machine, probe: ProbeFacts): Promise<void> {
  const first = machine.seq === 0;
  if (first) machine.agent.report([observation(++machine.seq, "system", "system", systemFacts())]);
  const change = { digest: (digest++).toString(16).padStart(8, "0") };
  machine.agent.report([observation(++machine.seq, "probe", ewsKey, probe, change)]);
  await machine.agent.untilAcked(machine.seq);
}

async function machines(count: number, site: string): Promise<Machine[]> {
  const list: Machine[] = [];
  for (let n = 0; n < count; n++) {
    const hostname = `${site}-${n}`;
    const member = await system.enroll({ hostname }, { site });
    list.push({ ...member, agent: await system.join(member, { hostname }), seq: 0 });
  }
  return list;
}

const openFindings = async () =>
  (await listFindings(system.db, { open: true })).items.map(({ pattern, machineId }) => [pattern, machineId]).sort();

it("finds a site that fell silent on its silent machines, closes nothing by it, and clears it when they speak", async () => {
  const lost = await machines(4, "Graz");
  const others = await machines(4, "Linz");
  // One of the lost had a finding of its own.
  for (const cycle of [0, 1]) {
    await system.clock.advance(15 * minute * cycle);
    for (const machine of [...lost, ...others]) await report(machine, machine === lost[0] ? downProbe() : ewsProbe());
  }
  const before = await openFindings();
  expect(before.map(([, machineId]) => machineId)).toContain(lost[0]!.machineId);

  for (const machine of lost) machine.agent.close();
  for (let cycle = 0; cycle < 4; cycle++) {
    for (let passed = 0; passed < 15; passed++) {
      await system.clock.advance(minute);
      await system.collector.turns.sweep();
    }
    for (const machine of others) await report(machine, ewsProbe());
  }
  await system.collector.turns.attribution();
  await system.collector.turns.fleet();
  const blind = (await openFindings()).filter(([pattern]) => pattern === "fleet-blind");
  expect(blind.map(([, machineId]) => machineId)).toEqual(lost.map(({ machineId }) => machineId).sort());
  expect(await openFindings()).toEqual(expect.arrayContaining(before));
  const statuses = await system.rows("SELECT DISTINCT status FROM machines WHERE site = 'Graz'");
  expect(statuses).toEqual([{ status: "stale" }]);

  for (const machine of lost) {
    machine.agent = await system.join(machine, { epoch: machine.agent.epoch });
    await report(machine, ewsProbe());
  }
  await system.clock.advance(minute);
  await system.collector.turns.fleet();
  expect((await openFindings()).filter(([pattern]) => pattern === "fleet-blind")).toEqual([]);
});

it("finds the proxy that all failing machines share beside machines that are well", async () => {
  const proxy = { scheme: "http", host: "px1.example.org", port: 8080 } as const;
  const route = { kind: "proxy", proxy, by: "pac", list: "PROXY px1.example.org:8080" } as const;
  const behind = await machines(4, "Graz");
  const direct = await machines(5, "Graz");
  for (const cycle of [0, 1, 2]) {
    await system.clock.advance(5 * minute * cycle);
    for (const machine of behind)
      await report(
        machine,
        ewsProbe({
          route,
          tcp: { ok: true, host: proxy.host, address: "10.4.0.8", port: 8080, error: null, ms: 3 },
          connect: { status: 502, error: null, proxyAuthSchemes: [], headers: {}, ms: 4 },
          tls: null,
          http: null,
        }),
      );
    for (const machine of direct) await report(machine, ewsProbe());
    await system.collector.turns.fleet();
  }
  const shared = (await openFindings()).filter(([pattern]) => pattern === "fleet-shared-proxy");
  expect(shared.map(([, machineId]) => machineId)).toEqual(behind.map(({ machineId }) => machineId).sort());
});
