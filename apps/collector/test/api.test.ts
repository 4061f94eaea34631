import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { saveAttributions } from "@lynceus/db/causes";
import { savePolicy } from "@lynceus/db/policies";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { ewsKey, ewsProbe, observation, systemFacts, testPolicy } from "./support/facts.ts";

let test: TestCollector;
let members: Member[];
const secrets: Record<string, string> = {};
beforeAll(async () => {
  test = await startTestCollector({ config: { apiRequestsPerMinute: 200 } });
  for (const scope of ["read", "operate", "admin"])
    secrets[scope] = (await createApiToken(test.db, { label: scope, scopes: [scope], createdBy: "test" })).secret;
  members = [];
  for (const hostname of ["pc1", "pc2", "pc3"]) {
    const member = await test.enroll({ hostname });
    members.push(member);
    const agent = await test.join(member);
    agent.report([
      observation(1, "system", "system", systemFacts({ hostname })),
      observation(2, "probe", ewsKey, ewsProbe()),
    ]);
    await agent.untilAcked(2);
  }
});
afterAll(() => test.stop());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
type Json = any;
type Answer = { status: number; body: Json; headers: Headers };

async function call(method: string, path: string, scope = "read", body?: unknown): Promise<Answer> {
  const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}${path}`, {
    method,
    headers: {
      ...(secrets[scope] ? { authorization: `Bearer ${secrets[scope]}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json");
  return { status: answer.status, body: json ? JSON.parse(text) : text, headers: answer.headers };
}
const get = (path: string, scope = "read") => call("GET", `/api/v1${path}`, scope);

describe("tokens of the API", () => {
  it("are needed, and errors have one shape with a request id", async () => {
    const answer = await get("/machines", "none");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(answer.body).toEqual({
      error: { code: "unauthorized", message: expect.any(String), requestId: expect.any(String) },
    });
  });

  it("hold the scopes below theirs and none above", async () => {
    expect((await get("/machines", "admin")).status).toBe(200);
    expect((await get("/enrollment-tokens", "operate")).body.error.code).toBe("forbidden");
    expect((await call("POST", `/api/v1/machines/${members[0]!.machineId}/check-now`, "read")).status).toBe(403);
  });

  it("end at once when they are revoked", async () => {
    const { id, secret } = await createApiToken(test.db, { label: "x", scopes: ["read"], createdBy: "test" });
    secrets.gone = secret;
    expect((await get("/counts", "gone")).status).toBe(200);
    await revokeApiToken(test.db, id, { actor: "test", now: new Date() });
    expect((await get("/counts", "gone")).status).toBe(401);
  });
});

describe("machines", () => {
  it("come a page at a time by cursor", async () => {
    const names: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Answer = await get(`/machines?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      expect(page.body.total).toBe(3);
      names.push(...page.body.items.map((item: { hostname: string }) => item.hostname));
      cursor = page.body.nextCursor;
    }
    expect(names).toEqual(["pc1", "pc2", "pc3"]);
  });

  it("follow the filter language and the sort", async () => {
    const page = await get(`/machines?q=${encodeURIComponent("verdict:exchange-onprem name:pc*")}&sort=-name`);
    expect(page.body.items.map((item: { hostname: string }) => item.hostname)).toEqual(["pc3", "pc2", "pc1"]);
  });

  it.each([
    ["q=colour:red", "bad-filter"],
    ["sort=colour", "bad-sort"],
    ["cursor=nonsense", "bad-cursor"],
    ["limit=0", "invalid"],
  ])("refuse %s with code %s", async (query, code) => {
    const answer = await get(`/machines?${query}`);
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
  });

  it("show facts, diagnosis, timeline and observations of one", async () => {
    const { machineId } = members[0]!;
    const machine = (await get(`/machines/${machineId}`)).body;
    expect(machine.facts.probes[ewsKey.slice(6)].verdict).toBe("exchange-onprem");
    expect(machine.diagnosis.sentence).toBeTypeOf("string");
    const timeline = (await get(`/machines/${machineId}/timeline`)).body;
    expect(timeline.items.map((item: { kind: string }) => item.kind)).toContain("enrolled");
    const first = (await get(`/machines/${machineId}/observations?limit=1`)).body;
    const second = (await get(`/machines/${machineId}/observations?limit=1&cursor=${first.nextCursor}`)).body;
    expect([first, second].map((page) => page.items[0].seq).sort()).toEqual([1, 2]);
  });

  it("are 404 when there is none, and 400 when the id is no id", async () => {
    expect((await get("/machines/00000000-0000-4000-8000-000000000000")).body.error.code).toBe("not-found");
    expect((await get("/machines/1")).status).toBe(400);
    expect((await get("/nothing")).body.error.code).toBe("not-found");
  });
});

describe("the fleet", () => {
  it("has counts, findings, incidents and the policy", async () => {
    const counts = (await get("/counts")).body;
    expect(counts.healthy + counts.failing + counts.stale + counts.cannotTell).toBe(3);
    expect((await get("/findings?open=true")).body.items).toEqual([]);
    expect((await get("/incidents")).body.items).toEqual([]);
    expect((await get("/policy")).body).toMatchObject({ version: 1, policy: { version: 1 } });
  });
});

describe("causes and changes", () => {
  it("are read a page at a time, and are 404 when there is none", async () => {
    const cause = "0195f0a0-0000-4000-8000-000000000002";
    const { machineId } = members[0]!;
    await saveAttributions(test.db, {
      now: new Date(test.clock.now()),
      simulated: false,
      attributions: [
        {
          simulated: false,
          location: "inside",
          failing: 1,
          healthy: 2,
          undecided: 0,
          noCause: null,
          unexplained: 0,
          unexplainedSample: [],
          candidates: [],
          causes: [
            {
              key: "site",
              value: "Bern",
              text: "Site Bern explains the one failing machine",
              explains: 1,
              of: 1,
              counts: {
                failingWith: 1,
                failingWithout: 0,
                failingUnknown: 0,
                healthyWith: 0,
                healthyWithout: 2,
                healthyUnknown: 0,
                logP: -1,
              },
              confidence: "low",
              firstSeen: test.clock.now(),
              change: null,
              also: [],
              members: [machineId],
              failingOthers: [],
              healthyMembers: [],
            },
          ],
        },
      ],
    });
    const [attribution] = (await get("/attributions?simulated=false")).body.items;
    expect(attribution).toMatchObject({ location: "inside", failing: 1, causes: [{ key: "site", value: "Bern" }] });
    const found = (await get("/causes?open=true")).body;
    expect(found).toMatchObject({ total: 1, items: [{ text: "Site Bern explains the one failing machine" }] });
    const [{ id }] = found.items;
    expect((await get(`/causes/${id}`)).body).toEqual(found.items[0]);
    expect((await get(`/causes/${id}/machines`)).body.items).toMatchObject([{ id: machineId, until: null }]);
    expect((await get(`/causes/${cause}`)).body.error.code).toBe("not-found");
    expect((await get("/causes?open=maybe")).status).toBe(400);

    await savePolicy(test.db, { body: testPolicy(2), now: new Date(test.clock.now()), createdBy: "test" });
    const changes = (await get("/changes?kind=policy")).body;
    expect(changes.items).toMatchObject([{ text: "Policy 1 → 2", machines: 0, sample: [] }]);
    expect((await get(`/changes/${changes.items[0].id}/machines`)).body.items).toEqual([]);
    expect((await get(`/changes/${cause}/machines`)).body.error.code).toBe("not-found");
  });
});

describe("check now", () => {
  it("reaches the agent, and its progress can be read until it is done", async () => {
    const { machineId } = members[1]!;
    const agent = await test.join(members[1]!);
    const asked = await call("POST", `/api/v1/machines/${machineId}/check-now`, "operate");
    expect([asked.status, asked.body.state]).toEqual([202, "queued"]);
    const command = await agent.next("command");
    expect(command.id).toBe(asked.body.id);
    const state = async () => (await get(`/commands/${command.id}`)).body;
    const progress = (name: string, done: number) =>
      agent.send({ type: "command-progress", id: command.id, state: name, done, total: 4, reason: null });
    progress("progress", 2);
    await expect.poll(state).toMatchObject({ state: "progress", done: 2, total: 4 });
    progress("done", 4);
    await expect.poll(state).toMatchObject({ state: "done", done: 4 });
    agent.close();
  });

  it("waits for a machine that is away", async () => {
    const member = await test.enroll({ hostname: "away" });
    const asked = await call("POST", `/api/v1/machines/${member.machineId}/check-now`, "operate");
    const agent = await test.join(member);
    expect((await agent.next("command")).id).toBe(asked.body.id);
    agent.close();
  });

  it("takes progress from the machine that was asked alone", async () => {
    const asked = await call("POST", `/api/v1/machines/${members[2]!.machineId}/check-now`, "operate");
    const other = await test.join(members[0]!);
    other.send({ type: "command-progress", id: asked.body.id, state: "done", done: 9, total: 9, reason: null });
    other.heartbeat();
    await other.next("heartbeat-ack");
    await test.collector.commands.idle();
    expect((await get(`/commands/${asked.body.id}`)).body.done).toBe(0);
    other.close();
  });

  it("expires when nobody answers", async () => {
    const member = await test.enroll({ hostname: "silent" });
    const asked = await call("POST", `/api/v1/machines/${member.machineId}/check-now`, "operate");
    await test.clock.advance(6 * 60_000);
    expect((await test.collector.turns.sweep()).expired).toBeGreaterThan(0);
    expect((await get(`/commands/${asked.body.id}`)).body.state).toBe("expired");
  });
});

describe("enrolment tokens", () => {
  it("are made with the address and pin in their text, enrol, are listed and revoked", async () => {
    const made = await call("POST", "/api/v1/enrollment-tokens", "admin", { label: "lab", maxUses: 2 });
    expect(made.status).toBe(201);
    const content = JSON.parse(Buffer.from(made.body.token.slice(5), "base64url").toString());
    expect(content).toEqual({ u: test.collector.url, s: expect.any(String), p: null });
    const agent = test.connect();
    await agent.enroll((await import("./support/agent.ts")).newKey(), content.s);
    agent.close();
    const listed = await get("/enrollment-tokens", "admin");
    expect(listed.body.items.find((item: { id: string }) => item.id === made.body.id)).toMatchObject({ uses: 1 });
    expect(JSON.stringify(listed.body)).not.toContain(content.s);
    expect((await call("DELETE", `/api/v1/enrollment-tokens/${made.body.id}`, "admin")).status).toBe(204);
    expect((await call("DELETE", `/api/v1/enrollment-tokens/${made.body.id}`, "admin")).status).toBe(404);
  });
});

describe("what machines read", () => {
  it("is an OpenAPI 3.1 document of every path", async () => {
    const { body } = await call("GET", "/api/v1/openapi.json", "none");
    expect(body.openapi).toBe("3.1.0");
    expect(Object.keys(body.paths).sort()).toEqual([
      "/api/v1/about",
      "/api/v1/alerting/config",
      "/api/v1/alerting/config/versions",
      "/api/v1/alerting/config/versions/{version}",
      "/api/v1/alerting/maintenance",
      "/api/v1/alerting/on-call",
      "/api/v1/alerting/receivers/{id}/test",
      "/api/v1/alerting/simulate",
      "/api/v1/alerting/validate",
      "/api/v1/attributions",
      "/api/v1/canaries",
      "/api/v1/canaries/{id}",
      "/api/v1/canaries/{id}/cancel",
      "/api/v1/canaries/{id}/machines",
      "/api/v1/causes",
      "/api/v1/causes/{id}",
      "/api/v1/causes/{id}/machines",
      "/api/v1/changes",
      "/api/v1/changes/{id}/machines",
      "/api/v1/commands/{id}",
      "/api/v1/counts",
      "/api/v1/counts/history",
      "/api/v1/enrollment-tokens",
      "/api/v1/enrollment-tokens/{id}",
      "/api/v1/events",
      "/api/v1/findings",
      "/api/v1/hooks/pagerduty",
      "/api/v1/incidents",
      "/api/v1/incidents/{number}",
      "/api/v1/incidents/{number}/acknowledge",
      "/api/v1/incidents/{number}/close",
      "/api/v1/incidents/{number}/events",
      "/api/v1/incidents/{number}/members",
      "/api/v1/incidents/{number}/note",
      "/api/v1/incidents/{number}/release",
      "/api/v1/incidents/{number}/silence",
      "/api/v1/machines",
      "/api/v1/machines/{id}",
      "/api/v1/machines/{id}/check-now",
      "/api/v1/machines/{id}/observations",
      "/api/v1/machines/{id}/reports",
      "/api/v1/machines/{id}/ticket",
      "/api/v1/machines/{id}/timeline",
      "/api/v1/notices",
      "/api/v1/notices/{id}",
      "/api/v1/notices/{id}/retry",
      "/api/v1/patterns/accuracy",
      "/api/v1/policy",
      "/api/v1/policy/versions",
      "/api/v1/policy/versions/{version}",
      "/api/v1/reports",
      "/api/v1/reports/{id}",
      "/api/v1/silences",
      "/api/v1/silences/preview",
      "/api/v1/silences/{id}",
      "/api/v1/sites",
      "/api/v1/targets",
      "/api/v1/targets/history",
      "/api/v1/values",
      "/api/v1/verifications",
      "/api/v1/verifications/{id}",
      "/api/v1/verifications/{id}/cancel",
      "/api/v1/verifications/{id}/machines",
    ]);
    for (const path of Object.values<Record<string, Json>>(body.paths))
      for (const operation of Object.values(path)) {
        expect(operation.summary).toBeTypeOf("string");
        // PagerDuty has no token of ours: it signs.
        if (operation !== body.paths["/api/v1/hooks/pagerduty"].post)
          expect(operation.security).toEqual([{ bearer: [] }]);
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["4XX", "5XX"]));
      }
    // References lead somewhere.
    for (const [, name] of JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(body.components.schemas).toHaveProperty([name!]);
  });

  it("has metrics with a token, in OpenMetrics", async () => {
    expect((await call("GET", "/metrics", "none")).status).toBe(401);
    const metrics = await call("GET", "/metrics", "read");
    expect(metrics.headers.get("content-type")).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(metrics.body).toMatch(/^lynceus_observations_total\{kind="probe"\} \d+$/m);
    expect(metrics.body).toMatch(/^lynceus_build_info\{version="0\.0\.0",node="v\d+\.[\d.]+"\} 1$/m);
    expect(metrics.body).toMatch(/^lynceus_database_up 1$/m);
    expect(metrics.body).toMatch(
      /^lynceus_http_request_seconds_count\{method="GET",route="\/api\/v1\/machines\/:id",status="2xx"\} \d+$/m,
    );
    expect(metrics.body.endsWith("# EOF\n")).toBe(true);
  });

  it("has figures of the fleet, and of when it was counted", async () => {
    await test.collector.turns.sweep();
    await test.collector.turns.figures();
    const { body } = await call("GET", "/metrics", "read");
    expect(body).toMatch(/^lynceus_machines\{status="cannot-tell",simulated="false"\} \d+$/m);
    expect(body).toMatch(/^lynceus_agents\{version="[^"]+"\} \d+$/m);
    expect(Number(/^lynceus_fleet_counted_timestamp_seconds (\d+)$/m.exec(body)?.[1]) * 1000).toBe(
      Math.floor(test.clock.now() / 60_000) * 60_000,
    );
  });

  it("has health and readiness without a token", async () => {
    expect((await call("GET", "/healthz", "none")).body).toEqual({ status: "ok" });
    expect((await call("GET", "/readyz", "none")).body).toEqual({ status: "ready" });
  });

  it("is limited per minute", async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 250; i++) statuses.add((await get("/counts")).status);
    expect(statuses).toEqual(new Set([200, 429]));
  });
});
