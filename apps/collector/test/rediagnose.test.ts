import { listFindings } from "@lynceus/db/findings";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runRediagnose } from "../src/history/command.ts";
import { parseRediagnose } from "../src/history/options.ts";
import { rediagnose } from "../src/history/rediagnose.ts";
import type { TestAgent } from "./support/agent.ts";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { confirmation, downProbe, ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

let system: TestCollector;
beforeEach(async () => {
  system = await startTestCollector();
});
afterEach(() => system.stop());

const minute = 60_000;
const cycle = 15 * minute;

interface Machine extends Member {
  agent: TestAgent;
  seq: number;
  digest: string;
  epoch: string;
}

let digests = 0x2000;
async function machine(hostname: string): Promise<Machine> {
  const member = await system.enroll({ hostname });
  const agent = await system.join(member, { hostname });
  const made = { ...member, agent, seq: 1, digest: "", epoch: agent.epoch };
  agent.report([observation(1, "system", "system", systemFacts({ hostname }))]);
  return made;
}

/** One cycle later the machine sees this: in full when it is news, else confirmed, as agents do. */
async function cycles(one: Machine, probe: ProbeFacts, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await system.clock.advance(cycle);
    one.seq++;
    if (n === 0) {
      one.digest = (digests++).toString(16).padStart(8, "0");
      one.agent.report([observation(one.seq, "probe", ewsKey, probe, { digest: one.digest })]);
    } else one.agent.report([], [confirmation(one.seq, ewsKey, { digest: one.digest })]);
    // What only confirms waits in memory, as for a minute in production. The heartbeat's answer shows that it came.
    const heard = one.agent.heard.length;
    one.agent.heartbeat();
    await one.agent.next("heartbeat-ack", heard);
    await system.collector.ingest.idle();
    await system.clock.advance(minute);
    system.collector.ingest.flushDue();
    await one.agent.untilAcked(one.seq);
  }
}

const run = (dryRun: boolean, change: Partial<Parameters<typeof rediagnose>[0]> = {}) => {
  const seen: string[] = [];
  return rediagnose({
    db: system.db,
    from: new Date(system.clock.now() - 24 * 60 * minute),
    to: new Date(system.clock.now()),
    now: new Date(system.clock.now()),
    dryRun,
    actor: "test",
    onMachine: ({ hostname }, differences) => {
      for (const { kind, pattern, what } of differences)
        seen.push([hostname, kind, pattern, what ?? ""].join(" ").trim());
    },
    ...change,
  }).then((result) => ({ ...result, seen }));
};

describe("history judged again", () => {
  it("finds what the collector found when nothing in the patterns changed", async () => {
    const one = await machine("pc1");
    await cycles(one, ewsProbe(), 3);
    await cycles(one, downProbe(), 5);
    await cycles(one, ewsProbe(), 5);
    expect((await listFindings(system.db)).items.map(({ pattern }) => pattern)).toEqual(["ews-service-down"]);
    const result = await run(true);
    expect(result).toMatchObject({ machines: 1, differing: 0, written: 0, seen: [] });
    expect(result.observations).toBeGreaterThan(3);
  });

  it("shows what would differ and writes nothing, then corrects history, marked, with an audit entry", async () => {
    const [missing, wrong, extra] = [await machine("pc1"), await machine("pc2"), await machine("pc3")];
    for (const one of [missing, wrong]) {
      await cycles(one, ewsProbe(), 1);
      await cycles(one, downProbe(), 4);
      await cycles(one, ewsProbe(), 5);
    }
    await cycles(extra, ewsProbe(), 3);
    // The patterns of then said something else.
    await system.db.prisma.finding.deleteMany({ where: { machineId: missing.machineId } });
    await system.db.prisma.finding.updateMany({ where: { machineId: wrong.machineId }, data: { severity: "at-risk" } });
    await system.db.prisma.finding.create({
      data: {
        id: "0195f0a0-0000-4000-8000-00000000000a",
        machineId: extra.machineId,
        pattern: "proxy-unreachable",
        severity: "prompting",
        confidence: "high",
        primary: true,
        cause: "px1 does not answer",
        sentence: "",
        evidence: [],
        since: new Date(system.clock.now() - 30 * minute),
        clearedAt: new Date(system.clock.now() - 15 * minute),
      },
    });
    const stored = () => system.rows("SELECT * FROM findings ORDER BY id");
    const before = await stored();

    const shown = await run(true);
    expect(shown.seen.sort()).toEqual([
      "pc1 raised ews-service-down",
      "pc2 changed ews-service-down severity at-risk → prompting",
      "pc3 cleared proxy-unreachable",
    ]);
    expect(shown.patterns).toEqual([
      { pattern: "ews-service-down", raised: 1, cleared: 0, changed: 1 },
      { pattern: "proxy-unreachable", raised: 0, cleared: 1, changed: 0 },
    ]);
    expect(await stored()).toEqual(before);
    expect(await system.rows("SELECT FROM audit WHERE action = 'history.rediagnose'")).toEqual([]);

    const written = await run(false);
    expect(written).toMatchObject({ differing: 3, written: 3 });
    const items = (await listFindings(system.db)).items;
    expect(items.map(({ hostname, pattern, severity }) => [hostname, pattern, severity]).sort()).toEqual([
      ["pc1", "ews-service-down", "prompting"],
      ["pc2", "ews-service-down", "prompting"],
    ]);
    expect(items.every(({ rejudgedAt }) => rejudgedAt === new Date(system.clock.now()).toISOString())).toBe(true);
    expect(await system.rows("SELECT withdrawn FROM findings WHERE pattern = 'proxy-unreachable'")).toEqual([
      { withdrawn: true },
    ]);
    expect(
      await system.rows("SELECT actor, after->'written' AS written FROM audit WHERE action = 'history.rediagnose'"),
    ).toEqual([{ actor: "test", written: 3 }]);

    // A second time nothing is left to do.
    expect(await run(false)).toMatchObject({ differing: 0, written: 0 });
  });

  it("leaves a finding that is still open to the collector", async () => {
    const one = await machine("pc1");
    await cycles(one, downProbe(), 4);
    await system.db.prisma.finding.updateMany({ data: { severity: "at-risk" } });
    const result = await run(false);
    expect(result).toMatchObject({ differing: 1, written: 0 });
    expect(await system.rows("SELECT severity, rejudged_at FROM findings")).toEqual([
      { severity: "at-risk", rejudged_at: null },
    ]);
  });

  it("judges what a machine saw while nobody heard it, once it has told", async () => {
    const one = await machine("pc1");
    await cycles(one, ewsProbe(), 2);
    one.agent.close();
    for (let passed = 0; passed < 300; passed += 1) {
      await system.clock.advance(minute);
      if (passed % 2 === 0) await system.collector.turns.sweep();
    }
    // For three of the five hours Exchange was down; the agent kept what it saw.
    one.agent = await system.join(one, { epoch: one.epoch });
    const late = (probe: ProbeFacts, hours: number) =>
      observation(++one.seq, "probe", ewsKey, probe, {
        digest: (digests++).toString(16).padStart(8, "0"),
        ageMs: hours * 60 * minute,
      });
    one.agent.report([late(downProbe(), 4), late(ewsProbe(), 1)]);
    await one.agent.untilAcked(one.seq);
    const present = await system.rows("SELECT status, primary_pattern, patterns FROM machines");
    expect(present).toEqual([{ status: "stale", primary_pattern: null, patterns: [] }]);
    expect((await listFindings(system.db)).items).toEqual([]);
    // The timeline has it, marked.
    expect(await system.rows("SELECT text, replayed FROM transitions WHERE kind = 'verdict' ORDER BY at")).toEqual([
      { text: "EWS, configured: exchange-onprem → exchange-down", replayed: true },
      { text: "EWS, configured: exchange-down → exchange-onprem", replayed: true },
    ]);

    const result = await run(false);
    expect(result.seen).toEqual(["pc1 raised ews-service-down"]);
    const [finding] = (await listFindings(system.db)).items;
    const hours = (Date.parse(finding?.clearedAt ?? "") - Date.parse(finding?.since ?? "")) / (60 * minute);
    expect(hours).toBeGreaterThan(2);
    expect(hours).toBeLessThan(4.5);
    // History is complete; the present is as it was.
    expect(await system.rows("SELECT status, primary_pattern, patterns FROM machines")).toEqual(present);
  });
});

describe("the command", () => {
  const output: string[] = [];
  const call = (...args: string[]) => {
    output.length = 0;
    return runRediagnose(args, {
      databaseUrl: system.url,
      now: () => new Date(system.clock.now()),
      out: (text) => output.push(text),
    });
  };

  it("prints machines, patterns and totals, as text and as JSON lines", async () => {
    const one = await machine("pc1");
    await cycles(one, ewsProbe(), 1);
    await cycles(one, downProbe(), 4);
    await cycles(one, ewsProbe(), 4);
    await system.db.prisma.finding.deleteMany();
    expect(await call("--from", "12h", "--dry-run")).toBe(0);
    expect(output.join("")).toMatch(
      /^ {2}pc1 \([0-9a-f-]{36}\)\n {4}\+ raised {3}ews-service-down .*\news-service-down: 1 raised, 0 cleared, 0 changed\n1 machines? .* 1 machines? differ.*Nothing was written\.\n$/s,
    );
    expect(await call("--from", "12h", "--dry-run", "--json")).toBe(0);
    const [found, summary] = output.map((text) => JSON.parse(text));
    expect(found).toMatchObject({ machine: { hostname: "pc1" }, differences: [{ kind: "raised" }] });
    expect(summary).toMatchObject({ summary: { dryRun: true, machines: 1, differing: 1, written: 0 } });
  });

  it("says what was wrong, with the rule and an example", async () => {
    const now = new Date("2026-11-22T12:00:00Z");
    const parse =
      (...args: string[]) =>
      () =>
        parseRediagnose(args, now);
    expect(parse()).toThrow(/--from is missing.*e\.g\./);
    expect(parse("--from", "yesterday")).toThrow(/--from "yesterday" is no time; .*e\.g\. --from 2026/);
    expect(parse("--from", "2026-11-20T08:00")).toThrow(/a time with its zone/);
    expect(parse("--from", "2026-11-23")).toThrow(/not in the past/);
    expect(parse("--from", "2d", "--to", "3d")).toThrow(/--to "3d" is not after --from "2d"/);
    expect(parse("--from", "2d", "--machine", "pc1")).toThrow(/no machine's id/);
    expect(parse("--from", "2d", "--lines", "many")).toThrow(/whole number/);
    expect(parse("--frm", "2d")).toThrow(/Unknown option '--frm'/);
    expect(parse("--help")()).toBeNull();
    expect(parse("--from", "2026-11-20", "--to", "24h", "--dry-run")()).toMatchObject({
      from: new Date("2026-11-20T00:00:00Z"),
      to: new Date("2026-11-21T12:00:00Z"),
      dryRun: true,
    });
    expect(await call("--help")).toBe(0);
    expect(output.join("")).toContain("Examples:");
    await expect(call("--from", "90d", "--to", "80d")).rejects.toThrow(/before the oldest observations/);
  });
});
