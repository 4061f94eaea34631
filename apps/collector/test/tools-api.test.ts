import { createApiToken } from "@lynceus/db/api-tokens";
import { maxScriptChars } from "@lynceus/protocol/read-api-tools";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Member, startTestCollector, type TestCollector } from "./support/collector.ts";
import { downProbe, ewsKey, ewsProbe, observation, systemFacts } from "./support/facts.ts";

let test: TestCollector;
let member: Member;
let agent: Awaited<ReturnType<TestCollector["join"]>>;
const secrets: Record<string, string> = {};
beforeAll(async () => {
  test = await startTestCollector();
  for (const scope of ["read", "operate"])
    secrets[scope] = (await createApiToken(test.db, { label: scope, scopes: [scope], createdBy: "test" })).secret;
  member = await test.enroll({ hostname: "pc1" });
  agent = await test.join(member);
  agent.report([
    observation(1, "system", "system", systemFacts({ hostname: "pc1" })),
    observation(2, "probe", ewsKey, downProbe()),
  ]);
  await agent.untilAcked(2);
  agent.report([observation(3, "probe", ewsKey, downProbe(), { digest: "00000002" })]);
  await agent.untilAcked(3);
});
afterAll(() => test.stop());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
type Json = any;

async function call(
  method: string,
  path: string,
  scope: string,
  body?: unknown,
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secrets[scope]}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
}
const get = (path: string, scope = "read") => call("GET", path, scope);
const post = (path: string, body: unknown, scope = "operate") => call("POST", path, scope, body);

describe("reports over the API", () => {
  it("take the scope operate to make and to read, since they name people", async () => {
    const path = `/machines/${member.machineId}/reports`;
    expect((await post(path, { user: "u" }, "read")).status).toBe(403);
    expect((await get(path)).status).toBe(403);
    const made = await post(path, { user: "u.ser", note: "twice" });
    expect(made).toMatchObject({
      status: 201,
      body: { user: "u.ser", createdBy: "api token operate", raised: ["ews-service-down"] },
    });
    expect((await get(path, "operate")).body).toMatchObject({ total: 1, items: [{ id: made.body.id }] });
    expect((await get("/reports", "operate")).body.total).toBe(1);
    const accuracy = await get("/patterns/accuracy?days=30");
    expect(accuracy.body).toMatchObject({
      prompts: 1,
      patterns: [{ pattern: "ews-service-down", precision: { hits: 1, of: 1, few: true } }],
    });
    expect((await call("DELETE", `/reports/${made.body.id}`, "operate")).status).toBe(204);
    expect((await call("DELETE", `/reports/${made.body.id}`, "operate")).body.error.code).toBe("not-found");
  });

  it.each([
    ["no user", {}, "invalid"],
    ["a long user", { user: "x".repeat(65) }, "invalid"],
    ["a time to come", { user: "u", at: "2031-01-01T00:00:00Z" }, "bad-report"],
    ["an unknown field", { user: "u", admin: true }, "invalid"],
  ])("refuse %s", async (_what, body, code) => {
    const answer = await post(`/machines/${member.machineId}/reports`, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code } } });
  });

  it("are of a machine that there is", async () => {
    expect((await post("/machines/00000000-0000-4000-8000-000000000000/reports", { user: "u" })).status).toBe(404);
  });

  it("reach the machine's diagnosis: everything answers, and a person is prompted again and again", async () => {
    // The whole policy answers, so that nothing else explains a prompt.
    const healthy = await test.enroll({ hostname: "pc2" });
    const other = await test.join(healthy);
    const policy = test.collector.policy.current;
    let seq = 0;
    const cycle = async () => {
      other.report(
        policy.targets
          .filter(({ kind }) => kind === "https")
          .map((target) => {
            const probe = ewsProbe({
              target: target.id,
              endpoint: {
                service: target.service,
                kind: target.kind,
                host: target.host,
                port: target.port,
                path: target.path,
              },
            });
            const control = target.service === "control";
            const http = control
              ? { ...probe.http!, status: 200, wwwAuth: [], headers: {}, bodyClass: "control-ok" as const }
              : probe.http;
            seq++;
            return observation(
              seq,
              "probe",
              `probe:${probe.configuration}:${target.id}:configured`,
              { ...probe, http },
              {
                digest: seq.toString(16).padStart(8, "0"),
                at: test.clock.now(),
              },
            );
          }),
      );
      await other.untilAcked(seq);
    };
    await cycle();
    const patterns = async () => (await get(`/machines/${healthy.machineId}`)).body.patterns;
    expect(await patterns()).not.toContain("stale-credentials-suspected");
    for (const minutes of [50, 10])
      await post(`/machines/${healthy.machineId}/reports`, {
        user: "u",
        at: new Date(test.clock.now() - minutes * 60_000).toISOString(),
      });
    await test.collector.turns.reports();
    await cycle();
    await cycle();
    expect(await patterns()).toContain("stale-credentials-suspected");
    await post(`/machines/${healthy.machineId}/reports`, { user: "u", prompted: false });
    await test.collector.turns.reports();
    for (let i = 0; i < 3; i++) await cycle();
    expect(await patterns()).not.toContain("stale-credentials-suspected");
    other.close();
  });
});

describe("canaries over the API", () => {
  it("take the scope operate, and are read with read", async () => {
    const body = { title: "no proxy", proposal: {} };
    expect((await post("/canaries", body, "read")).status).toBe(403);
    const made = await post("/canaries", body);
    expect(made).toMatchObject({
      status: 202,
      body: { state: expect.stringMatching(/^(queued|evaluating|done)$/), createdBy: "api token operate" },
    });
    await test.collector.turns.work();
    expect((await get(`/canaries/${made.body.id}`)).body.state).toBe("done");
    expect((await get("/canaries")).body.items[0].id).toBe(made.body.id);
    expect((await get(`/canaries/${made.body.id}/machines?effect=same`)).body.items).toMatchObject([
      { hostname: "pc1", effect: "same", targets: [] },
      { hostname: "pc2", effect: "same", targets: [] },
    ]);
    expect((await post(`/canaries/${made.body.id}/cancel`, {})).body.error.code).toBe("not-found");
  });

  it("take a script as large as one may be, and none that is larger", async () => {
    const canary = (chars: number) =>
      post("/canaries", { title: "x", q: "name:nobody", proposal: { pac: { from: "text", text: "é".repeat(chars) } } });
    expect((await canary(maxScriptChars)).status).toBe(202);
    expect((await canary(maxScriptChars + 1)).status).toBe(400);
    expect((await canary(7 * maxScriptChars)).status).toBe(413);
  });

  it.each([
    ["an unknown filter", { title: "x", proposal: {}, q: "colour:red" }, "bad-filter"],
    ["a proxy with a login", { title: "x", proposal: { server: "user:secret@px1:8080" } }, "invalid"],
    ["a file as a script", { title: "x", proposal: { pac: { from: "url", url: "file:///etc/passwd" } } }, "invalid"],
    ["too many probes", { title: "x", proposal: {}, probe: Array(51).fill(crypto.randomUUID()) }, "invalid"],
    ["no title", { proposal: {} }, "invalid"],
  ])("refuse %s", async (_what, body, code) => {
    expect(await post("/canaries", body)).toMatchObject({ status: 400, body: { error: { code } } });
  });
});

describe("verifications over the API", () => {
  it("are started with operate, read with read, and end when they are cancelled", async () => {
    expect((await post("/verifications", {})).body.error.message).toContain("a cohort is missing");
    expect((await post("/verifications", { pattern: "ews-service-down" }, "read")).status).toBe(403);
    const made = await post("/verifications", { pattern: "ews-service-down" });
    expect(made).toMatchObject({ status: 202, body: { machines: 1, remaining: 1, counts: { waiting: 1, fixed: 0 } } });
    const { id } = made.body;
    expect((await get(`/verifications/${id}/machines`)).body.items).toMatchObject([{ hostname: "pc1" }]);
    expect((await get("/verifications?pattern=ews-service-down")).body.items).toHaveLength(1);
    expect((await get("/verifications?pattern=ews-slow")).body.items).toHaveLength(0);
    expect((await post(`/verifications/${id}/cancel`, {})).status).toBe(204);
    expect((await get(`/verifications/${id}`)).body.state).toBe("cancelled");
  });
});

describe("ticket texts over the API", () => {
  it("say what a machine's page says", async () => {
    const { body } = await get(`/machines/${member.machineId}/ticket`);
    expect(body.text).toContain("pc1: credential prompts expected");
    expect(body.text).toContain("[ews-service-down]");
    expect(body.markdown).toContain("### Evidence");
  });
});

describe("the document of the API", () => {
  it("has every route of these tools, each with its answer and its errors", async () => {
    const { body } = await get("/openapi.json");
    const wanted = {
      "/api/v1/canaries": ["get", "post"],
      "/api/v1/canaries/{id}": ["get"],
      "/api/v1/canaries/{id}/machines": ["get"],
      "/api/v1/canaries/{id}/cancel": ["post"],
      "/api/v1/verifications": ["get", "post"],
      "/api/v1/verifications/{id}": ["get"],
      "/api/v1/verifications/{id}/machines": ["get"],
      "/api/v1/verifications/{id}/cancel": ["post"],
      "/api/v1/machines/{id}/reports": ["get", "post"],
      "/api/v1/machines/{id}/ticket": ["get"],
      "/api/v1/reports": ["get"],
      "/api/v1/reports/{id}": ["delete"],
      "/api/v1/patterns/accuracy": ["get"],
    };
    for (const [path, methods] of Object.entries(wanted)) {
      expect(Object.keys(body.paths[path] ?? {}).toSorted(), path).toEqual(methods);
      for (const method of methods) {
        const { summary, security, responses } = body.paths[path][method];
        expect({ path, summary, security }).toEqual({ path, summary: expect.any(String), security: [{ bearer: [] }] });
        expect(Object.keys(responses).some((status) => status.startsWith("2"))).toBe(true);
        expect(responses).toHaveProperty("4XX");
      }
    }
  });
});
