import { listAudit } from "@lynceus/db/audit";
import { createCanary, getCanary, listCanaryMachines } from "@lynceus/db/canaries";
import { getMachine } from "@lynceus/db/machines";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { type NewCanary, newCanarySchema } from "@lynceus/protocol/read-api-tools";
import { isSpecialAddress } from "@lynceus/proxy-settings/special-address";
import { pacServer } from "@lynceus/testkit/pac-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

const px = (host: string) => ({ scheme: "http" as const, host, port: 8080 });
const through = (host: string, change: Partial<ProbeFacts> = {}): ProbeFacts => {
  const good = ewsProbe();
  return {
    ...good,
    route: { kind: "proxy", proxy: px(host), by: "manual", list: `${host}:8080` },
    dns: { ...good.dns!, name: host },
    tcp: { ...good.tcp!, host, port: 8080 },
    connect: { status: 200, error: null, proxyAuthSchemes: [], headers: {}, ms: 4 },
    ...change,
  };
};
/** A proxy that asks for a login that nobody passes silently. */
const refused = (host: string): ProbeFacts =>
  through(host, {
    connect: { status: 407, error: null, proxyAuthSchemes: ["basic"], headers: {}, ms: 4 },
    tls: null,
    http: null,
  });

let test: TestCollector;
const members: Record<string, Member> = {};
beforeAll(async () => {
  test = await startTestCollector();
  const facts: Record<string, { address: string; probes: [string, ProbeFacts][] }> = {
    // Direct now, and good.
    plain: { address: "10.4.0.7", probes: [[ewsKey, ewsProbe()]] },
    // Through px1 now, and good; nobody asked it for direct.
    proxied: { address: "10.4.1.7", probes: [[ewsKey, through("px1.example.org")]] },
    // Through px2 now, which refuses; direct would be good.
    broken: {
      address: "10.4.1.8",
      probes: [
        [ewsKey, refused("px2.example.org")],
        [ewsKey.replace("configured", "direct"), ewsProbe({ via: "direct" })],
      ],
    },
  };
  for (const [hostname, { address, probes }] of Object.entries(facts)) {
    members[hostname] = await test.enroll({ hostname });
    const agent = await test.join(members[hostname]);
    agent.report([
      observation(1, "system", "system", systemFacts({ hostname, privateAddresses: [address] })),
      ...probes.map(([key, probe], index) => observation(2 + index, "probe", key, probe)),
    ]);
    await agent.untilAcked(1 + probes.length);
    agent.close();
  }
  // Seen and heard, so that peers speak for their routes.
  await test.rows("UPDATE machines SET last_seen_at = to_timestamp($1::float8 / 1000)", test.clock.now());
});
afterAll(() => test.stop());

async function run(input: Omit<z.input<typeof newCanarySchema>, "title">, probe?: string[]) {
  const parsed: NewCanary = newCanarySchema.parse({ title: "a change", ...input, ...(probe ? { probe } : {}) });
  const { id } = await createCanary(test.db, parsed, { actor: "ann", now: new Date(test.clock.now()) });
  await test.collector.turns.work();
  const canary = await getCanary(test.db, id);
  const { items } = await listCanaryMachines(test.db, id);
  return { id, canary: canary!, byName: Object.fromEntries(items.map((item) => [item.hostname, item])) };
}
const effects = (byName: Awaited<ReturnType<typeof run>>["byName"]) =>
  Object.fromEntries(Object.entries(byName).map(([name, { effect }]) => [name, effect]));

describe("a canary", () => {
  it("tells who breaks behind a proxy that refuses its users, from those who are behind it now", async () => {
    const { canary, byName } = await run({ proposal: { server: "px2.example.org:8080" } });
    expect(canary).toMatchObject({ state: "done", machines: 3, evaluated: 3 });
    expect(effects(byName)).toEqual({ plain: "breaks", proxied: "breaks", broken: "same" });
    expect(canary.effects).toMatchObject({ breaks: 2, same: 1 });
    expect(byName.plain?.targets).toMatchObject([
      {
        target: "ews",
        before: { route: "direct", verdict: "exchange-onprem" },
        after: { route: "px2.example.org:8080", verdict: "proxy-auth-required", basis: "peers" },
      },
    ]);
    expect(byName.broken?.targets).toEqual([]);
  });

  it("tells by a machine's own direct probe that it is repaired, and by peers that another only moves", async () => {
    const { byName } = await run({ proposal: {} });
    expect(effects(byName)).toEqual({ plain: "same", proxied: "moves", broken: "repairs" });
    expect(byName.broken?.targets[0]?.after).toMatchObject({ route: "direct", basis: "own-direct" });
    expect(byName.proxied?.targets[0]?.after).toMatchObject({ route: "direct", basis: "peers" });
  });

  it("says that it cannot tell where nobody has seen the proposed route", async () => {
    const { byName } = await run({ proposal: { server: "px9.example.org:8080" } });
    expect(new Set(Object.values(effects(byName)))).toEqual(new Set(["cannot-tell"]));
  });

  it("runs a proposed script with each machine's own address", async () => {
    const text = `function FindProxyForURL(url, host) {
      if (isInNet(myIpAddress(), "10.4.1.0", "255.255.255.0")) return "PROXY px1.example.org:8080";
      return "DIRECT";
    }`;
    const { byName, canary } = await run({ proposal: { pac: { from: "text", text } } });
    expect(effects(byName)).toEqual({ plain: "same", proxied: "same", broken: "repairs" });
    expect(byName.broken?.targets[0]?.after).toMatchObject({ route: "px1.example.org:8080", basis: "peers" });
    expect(canary.proposal.pac).toEqual({ from: "text", url: null, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it("answers a script's question for a name with what the machine's own probes resolved", async () => {
    const text = `function FindProxyForURL(url, host) {
      return dnsResolve("mail.example.org") === "10.4.0.10" ? "DIRECT" : "PROXY px1.example.org:8080";
    }`;
    const { byName } = await run({ q: "name:plain", proposal: { pac: { from: "text", text } } });
    expect(effects(byName)).toEqual({ plain: "same" });
  });

  it("outlives a script that loops: settings fall through, and it says so", async () => {
    const text = "function FindProxyForURL() { for (;;) {} }";
    const { canary, byName } = await run({ q: "name:proxied", proposal: { pac: { from: "text", text } } });
    expect(canary.state).toBe("done");
    expect(byName.proxied?.targets[0]?.after).toMatchObject({ route: "direct" });
    expect(byName.proxied?.targets[0]?.after.notes[0]).toMatch(/^pac: the script ran too long/);
  });

  it("fetches a proposed script once, and fails with a reason where it cannot", async () => {
    const server = await pacServer('function FindProxyForURL() { return "PROXY px1.example.org:8080"; }');
    const url = `http://127.0.0.1:${server.port}/new.pac?secret=1`;
    const { byName, canary } = await run({ proposal: { pac: { from: "url", url } } });
    await server.close();
    expect(effects(byName)).toMatchObject({ proxied: "same", plain: "moves" });
    expect(canary.proposal.pac?.url).toBe(`http://127.0.0.1:${server.port}/new.pac`);
    const gone = await run({ proposal: { pac: { from: "url", url } } });
    expect(gone.canary).toMatchObject({
      state: "failed",
      reason: "the script could not be fetched from the collector: ECONNREFUSED",
    });
  });

  it("is in the audit with who asked for what, without the script", async () => {
    const { id } = await run({ q: "name:plain", proposal: { pac: { from: "text", text: "secret stuff" } } });
    const { items } = await listAudit(test.db, { subject: id });
    expect(items).toMatchObject([{ actor: "ann", action: "canary.create", after: { q: "name:plain" } }]);
    expect(JSON.stringify(items)).not.toContain("secret stuff");
  });

  it("goes on where a collector that ended left it", async () => {
    const parsed = newCanarySchema.parse({ title: "x", proposal: { server: "px2.example.org:8080" } });
    const now = new Date(test.clock.now());
    const { id } = await createCanary(test.db, parsed, { actor: "ann", now });
    const first = [...Object.values(members)].map(({ machineId }) => machineId).toSorted()[0]!;
    await test.rows(
      `UPDATE canaries SET state = 'evaluating', lease_by = 'gone', lease_until = $2::timestamptz - interval '1 s',
         machines = 3, evaluated = 1, after_machine = $1::uuid WHERE id = $3::uuid`,
      first,
      now.toISOString(),
      id,
    );
    await test.collector.turns.work();
    expect(await getCanary(test.db, id)).toMatchObject({ state: "done", evaluated: 3, machines: 3 });
    expect((await listCanaryMachines(test.db, id)).items.map(({ machineId }) => machineId)).not.toContain(first);
  });
});

describe("a canary's probe", () => {
  it("asks a connected machine for routes alone, believes what it saw, and changes nothing of its state", async () => {
    const member = members.plain!;
    const agent = await test.join(member, { capabilities: ["canary"] });
    await test.collector.directory.flushConnections();
    const before = await getMachine(test.db, member.machineId);
    const { id } = await run({ proposal: { server: "px2.example.org:8080" } }, [member.machineId]);
    expect(await getCanary(test.db, id)).toMatchObject({ state: "probing", probes: { asked: 1, answered: 0 } });
    await test.collector.turns.work();
    const asked = await agent.next("canary");
    expect(Object.keys(asked).toSorted()).toEqual(["id", "routes", "type", "v"]);
    expect(asked.routes).toEqual([{ target: "ews", proxy: px("px2.example.org") }]);
    // It works after all: what a machine saw counts more than its peers.
    const facts = through("px2.example.org", { configuration: "canary" });
    agent.send({
      type: "canary-result",
      id: asked.id,
      answers: [{ target: "ews", proxy: px("px2.example.org"), refused: null, facts }],
    });
    agent.send({ type: "command-progress", id: asked.id, state: "done", done: 1, total: 1, reason: null });
    await expect
      .poll(async () => {
        await test.collector.turns.work();
        return (await getCanary(test.db, id))?.state;
      })
      .toBe("done");
    const { items } = await listCanaryMachines(test.db, id, { probed: true });
    expect(items).toMatchObject([
      {
        hostname: "plain",
        effect: "moves",
        probe: { state: "done", reason: null },
        targets: [{ after: { verdict: "exchange-onprem", basis: "probed" } }],
      },
    ]);
    const after = await getMachine(test.db, member.machineId);
    expect(after?.facts).toEqual(before?.facts);
    expect(after?.diagnosis).toEqual(before?.diagnosis);
    agent.close();
  });

  it("takes no answer to what was not asked", async () => {
    const member = members.plain!;
    const agent = await test.join(member, { capabilities: ["canary"] });
    await test.collector.directory.flushConnections();
    test.clock.advance(60_000);
    const { id } = await run({ proposal: { server: "px2.example.org:8080" } }, [member.machineId]);
    await test.collector.turns.work();
    const asked = await agent.next("canary");
    const facts = through("px1.example.org", { configuration: "canary" });
    agent.send({
      type: "canary-result",
      id: asked.id,
      answers: [
        { target: "ews", proxy: px("px1.example.org"), refused: null, facts },
        // The right route in words, another in its facts.
        { target: "ews", proxy: px("px2.example.org"), refused: null, facts },
        { target: "elsewhere", proxy: null, refused: null, facts: null },
      ],
    });
    await expect
      .poll(async () => {
        await test.collector.turns.work();
        return (await getCanary(test.db, id))?.probes.answered;
      })
      .toBe(1);
    const { items } = await listCanaryMachines(test.db, id, { probed: true });
    expect(items[0]?.targets[0]?.after.basis).not.toBe("probed");
    agent.close();
  });

  it("does not ask an agent that does not know of canaries", async () => {
    const member = members.proxied!;
    const agent = await test.join(member);
    await test.collector.directory.flushConnections();
    test.clock.advance(60_000);
    const { id } = await run({ proposal: {} }, [member.machineId]);
    await expect
      .poll(async () => {
        await test.collector.turns.work();
        return (await getCanary(test.db, id))?.state;
      })
      .toBe("done");
    const { items } = await listCanaryMachines(test.db, id, { probed: true });
    expect(items[0]?.probe).toEqual({
      state: "refused",
      reason: "this machine's agent is too old for it; update the agent",
    });
    expect(agent.heard.some(({ type }) => type === "canary")).toBe(false);
    agent.close();
  });
});

describe("a proposed script's address", () => {
  it.each([
    "http://127.0.0.1:1/a.pac",
    "http://[::1]:1/a.pac",
    "http://169.254.169.254/latest",
    "http://localhost:1/a",
  ])("is not asked where it leads to the collector itself or its link: %s", async (url) => {
    const { fetchProposedScript } = await import("../src/canary/fetch-script.ts");
    await expect(
      fetchProposedScript(url, { refuses: isSpecialAddress, signal: new AbortController().signal }),
    ).rejects.toThrow(/never asked/);
  });

  it.each(["file:///c:/proxy.pac", "http://user:pw@pac.example.org/", "ftp://pac.example.org/a", "nonsense"])(
    "is refused as a proposal: %s",
    (url) => {
      expect(newCanarySchema.safeParse({ title: "x", proposal: { pac: { from: "url", url } } }).success).toBe(false);
    },
  );
});
