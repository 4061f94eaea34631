import { createApiToken } from "@lynceus/db/api-tokens";
import { saveAttributions } from "@lynceus/db/causes";
import { joinChanges } from "@lynceus/db/fleet-changes";
import { aboutSchema, seriesAnswerSchema } from "@lynceus/protocol/series";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { confirmation, downProbe, ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

let test: TestCollector;
let secret: string;
let members: Member[];

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
type Json = any;

async function get(path: string): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1${path}`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  return { status: answer.status, body: await answer.json() };
}

beforeAll(async () => {
  test = await startTestCollector();
  secret = (await createApiToken(test.db, { label: "Grafana", scopes: ["read"], createdBy: "test" })).secret;
  members = [];
  for (const hostname of ["pc1", "pc2", "pc3"]) {
    const member = await test.enroll({ hostname }, hostname === "pc3" ? {} : { site: "Bern", tags: ["pilot"] });
    members.push(member);
    const agent = await test.join(member);
    const probe = hostname === "pc2" ? downProbe() : ewsProbe();
    agent.report([
      observation(1, "system", "system", systemFacts({ hostname })),
      observation(2, "probe", ewsKey, probe, { location: "inside" }),
    ]);
    await agent.untilAcked(2);
    if (hostname !== "pc1") continue;
    // The next cycle finds the same; a re-probe in between is no cycle; a probe of a target that nobody asked for is nothing.
    agent.report(
      [observation(5, "probe", "probe:c0ffee00:strange:direct", ewsProbe({ target: "strange", via: "direct" }))],
      [confirmation(3, ewsKey, { location: "inside", partial: true }), confirmation(4, ewsKey, { location: "inside" })],
    );
    await test.collector.ingest.idle();
  }
  await test.collector.turns.tally();
  await test.collector.turns.sweep();
});
afterAll(() => test.stop());

describe("the answer to who is there", () => {
  it("names the version, the token and the time", async () => {
    const { body } = await get("/about");
    expect(aboutSchema.parse(body)).toMatchObject({
      product: "lynceus",
      version: "0.0.0",
      apiVersion: 1,
      now: new Date(test.clock.now()).toISOString(),
      dashboardUrl: null,
      token: { label: "Grafana", scopes: ["read"], sees: "the whole fleet", expiresAt: null },
    });
  });
});

describe("counts over time", () => {
  it("come from the minute's samples, divided as asked", async () => {
    const { status, body } = await get("/counts/history?by=status&status=healthy&status=reporting&step=60");
    expect(status).toBe(200);
    const answer = seriesAnswerSchema.parse(body);
    const now = new Map(answer.series.map(({ labels, values }) => [labels.status, values.at(-1)]));
    expect([...now.keys()]).toEqual(["healthy", "reporting"]);
    expect(now.get("reporting")).toBe(3);
    const sites = await get("/counts/history?by=site&status=reporting&step=60");
    expect(sites.body.series).toMatchObject([{ labels: { site: "Bern" } }]);
  });

  it.each([
    ["by=colour", "invalid"],
    ["by=pattern&proxy=direct", "invalid"],
    ["status=healthy&status=reporting", "invalid"],
    ["since=2026-11-22T07:00:00Z&until=2026-11-22T06:00:00Z", "bad-series"],
    ["step=1", "invalid"],
  ])("refuse %s with code %s and a reason", async (query, code) => {
    const { status, body } = await get(`/counts/history?${query}`);
    expect([status, body.error.code]).toEqual([400, code]);
    expect(body.error.message.length).toBeGreaterThan(20);
  });
});

describe("targets over time", () => {
  it("count each machine's cycle once, and leave out what no policy asked for", async () => {
    const { body } = await get("/targets/history?measure=answers&by=target&target=ews");
    const last = Object.fromEntries(body.series.map((one: Json) => [one.labels.answer, one.values.at(-1)]));
    expect(last).toEqual({ ok: 3, bad: 1, undecided: 0 });
    const rows = await test.rows<{ target: string; site: string; ok: number }>(
      "SELECT target, site, ok FROM target_samples ORDER BY site",
    );
    expect(rows).toEqual([
      { target: "ews", site: "", ok: 3 },
      { target: "ews", site: "Bern", ok: 2 },
    ]);
  });

  it("say how long good answers took", async () => {
    const { body } = await get("/targets/history?measure=latency&quantile=0.5&by=none");
    expect(body.unit).toBe("milliseconds");
    expect(body.series[0].values.at(-1)).toBeGreaterThan(30);
    expect(body.series[0].values.at(-1)).toBeLessThan(45);
  });

  it("are of targets that the policy has", async () => {
    const { body } = await get("/targets");
    expect(body.items.map((target: Json) => target.id)).toContain("ews");
    const refused = await get("/targets/history?target=nothing");
    expect(refused.body.error.message).toMatch(/target "nothing" is not in the policy in force; use one of .*ews/);
  });

  it("are written by the stop of a collector too", async () => {
    const other = await test.startAnother("c2");
    const agent = await test.join(members[2]!, { epoch: "99999999-9999-4999-8999-999999999999" }, other);
    agent.report([observation(1, "probe", ewsKey, ewsProbe(), { location: "inside" })]);
    await agent.untilAcked(1);
    await other.stop();
    const [row] = await test.rows<{ ok: number }>("SELECT ok FROM target_samples WHERE site = '' AND target = 'ews'");
    expect(row?.ok).toBe(4);
  });
});

describe("values of a field", () => {
  it("are those that machines have, and for enumerations the others as well", async () => {
    const tags = (await get("/values?field=tag")).body.items;
    expect(tags).toEqual([{ value: "pilot", machines: 2 }]);
    const statuses = (await get("/values?field=status")).body.items.map((item: Json) => item.value);
    expect(statuses).toEqual(expect.arrayContaining(["healthy", "failing", "stale", "signed-off"]));
    const searched = (await get("/values?field=site&contains=ER&q=name:pc1")).body.items;
    expect(searched).toEqual([{ value: "Bern", machines: 1 }]);
  });

  it("may be half a minute old, so that a dashboard of many lists costs one count of the fleet each", async () => {
    const count = async () => (await get("/values?field=os")).body.items[0].machines;
    const before = await count();
    await test.enroll({ hostname: "pc4" });
    expect(await count()).toBe(before);
    await test.clock.advance(31_000);
    expect(await count()).toBe(before + 1);
  });

  it("are refused where a field has none, with those that have", async () => {
    const { body } = await get("/values?field=colour");
    expect(body.error).toMatchObject({ code: "bad-field", message: expect.stringMatching(/use one of .*site/) });
    expect((await get("/values?field=site&q=colour:red")).body.error.code).toBe("bad-filter");
  });
});

describe("what annotations are made of", () => {
  it("changes of several machines that touch a span", async () => {
    const at = new Date(test.clock.now());
    await test.db.prisma.pendingChange.createMany({
      data: [members[0]!, members[1]!].map(({ machineId }, i) => ({
        machineId,
        at: new Date(at.getTime() - i * 600_000),
        kind: "script",
        text: "Script content 9f3c1e → 41ab07",
        changeKey: "script:9f3c1e→41ab07",
      })),
    });
    await test.db.prisma.pendingChange.create({
      data: { machineId: members[0]!.machineId, at, kind: "dns", text: "One machine's own", changeKey: "dns:a→b" },
    });
    await joinChanges(test.db);
    const of = async (query: string) => (await get(`/changes?${query}`)).body.items.map((item: Json) => item.text);
    const middle = new Date(at.getTime() - 300_000).toISOString();
    expect(await of("minMachines=2")).toEqual(["Script content 9f3c1e → 41ab07"]);
    expect(await of(`begunBy=${middle}&since=${middle}`)).toEqual(["Script content 9f3c1e → 41ab07"]);
    expect(await of(`until=${middle}`)).toEqual([]);
    expect(await of("minMachines=2&site=Bern")).toEqual(["Script content 9f3c1e → 41ab07"]);
    expect(await of("site=Graz")).toEqual([]);
  });

  it("causes that held in a span", async () => {
    const at = test.clock.now();
    const cause = {
      key: "proxy" as const,
      value: "px1:8080",
      text: "Proxy px1:8080 explains 2 of 2",
      explains: 2,
      of: 2,
      counts: {
        failingWith: 2,
        failingWithout: 0,
        failingUnknown: 0,
        healthyWith: 0,
        healthyWithout: 1,
        healthyUnknown: 0,
        logP: -3,
      },
      confidence: "high" as const,
      firstSeen: at,
      change: null,
      also: [],
      members: [],
      failingOthers: [],
      healthyMembers: [],
    };
    const body = { simulated: false, location: "inside" as const, failing: 2, healthy: 1, undecided: 0, noCause: null };
    const stored = { ...body, unexplained: 0, unexplainedSample: [], candidates: [] };
    const save = (now: number, causes: (typeof cause)[]) =>
      saveAttributions(test.db, { now: new Date(now), simulated: false, attributions: [{ ...stored, causes }] });
    await save(at - 3_600_000, [cause]);
    await save(at - 1_800_000, []);
    const of = async (since: number, until: number) =>
      (await get(`/causes?since=${new Date(since).toISOString()}&until=${new Date(until).toISOString()}`)).body.total;
    expect(await of(at - 2_000_000, at)).toBe(1);
    expect(await of(at - 1_000_000, at)).toBe(0);
    expect(await of(at - 9_000_000, at - 4_000_000)).toBe(0);
  });
});
