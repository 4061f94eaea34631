import { createHmac } from "node:crypto";
import { createApiToken } from "@lynceus/db/api-tokens";
import { listAudit } from "@lynceus/db/audit";
import { makeAcknowledgeToken, verifyAcknowledgeToken } from "@lynceus/notify/acknowledge-link";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";
import { configure, machineTable, type WebhookServer, webhook, webhookServer } from "./support/incidents.ts";

const second = 1000;
const minute = 60_000;
let test: TestCollector;
let hook: WebhookServer;
let machines: ReturnType<typeof machineTable>;
const secrets: Record<string, string> = {};
beforeAll(async () => {
  test = await startTestCollector();
  hook = await webhookServer();
  machines = machineTable(test.db, test.clock.now);
  for (const scope of ["read", "operate", "admin"])
    secrets[scope] = (await createApiToken(test.db, { label: scope, scopes: [scope], createdBy: "test" })).secret;
  const manila = { sites: ["Manila"], tags: null };
  secrets.manila = (
    await createApiToken(test.db, { label: "manila", scopes: ["operate"], scope: manila, createdBy: "test" })
  ).secret;
  secrets.manilaAdmin = (
    await createApiToken(test.db, { label: "manila admin", scopes: ["admin"], scope: manila, createdBy: "test" })
  ).secret;
});
afterAll(async () => {
  await test.stop();
  await hook.close();
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
type Json = any;

async function call(method: string, path: string, scope: string, body?: unknown, type = "application/json") {
  const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secrets[scope]}`,
      ...(body === undefined ? {} : { "content-type": type }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.startsWith("application/json");
  return {
    status: answer.status,
    body: (json && text !== "" ? JSON.parse(text) : text) as Json,
    headers: answer.headers,
  };
}
const get = (path: string, scope = "read") => call("GET", path, scope);
const post = (path: string, body: unknown = {}, scope = "operate") => call("POST", path, scope, body);

async function pass(ms: number, step = 2 * second): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await test.clock.advance(Math.min(step, left));
    await test.collector.turns.incidents();
    await test.collector.turns.deliveries();
  }
}

const whsec = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
const basic = () => ({
  receivers: [webhook("ops", hook.url), { type: "pagerduty", id: "pd", name: "PagerDuty" }],
  people: [{ id: "anna", name: "Anna", email: "anna@example.org", receivers: ["ops"] }],
  schedules: [
    {
      id: "duty",
      name: "Duty",
      zone: "Europe/Berlin",
      layers: [{ people: ["anna"], start: "2026-01-05T09:00", turn: { every: 1, unit: "week" } }],
    },
  ],
  escalations: [{ id: "wake", name: "Wake", steps: [{ targets: [{ schedule: "duty" }], minutes: 20 }] }],
  routes: [{ id: "all", name: "Everything", escalation: "wake" }],
  maintenance: [
    {
      id: "sunday",
      name: "Sunday",
      match: "site:Manila",
      zone: "Europe/Berlin",
      when: { kind: "weekly", days: ["sun"], at: "02:00", minutes: 60 },
    },
  ],
});

describe("the alerting configuration over the API", () => {
  it("is the default at first, with nobody to tell", async () => {
    const { body } = await get("/alerting/config");
    expect(body).toMatchObject({ version: 0, createdBy: null, config: { receivers: [] }, secrets: {} });
    expect((await get("/alerting/config", "manila")).status).toBe(403);
  });

  it("is saved by who may configure, with secrets that nobody can read back", async () => {
    const change = { baseVersion: 0, config: basic(), secrets: { ops: { signingSecret: whsec } } };
    expect((await call("PUT", "/alerting/config", "operate", change)).status).toBe(403);
    expect((await call("PUT", "/alerting/config", "manilaAdmin", change)).status).toBe(403);
    const saved = await call("PUT", "/alerting/config", "admin", change);
    expect(saved).toMatchObject({
      status: 200,
      body: {
        version: 1,
        createdBy: "api token admin",
        secrets: { ops: ["signingSecret"] },
        missing: [{ path: "receivers.1", message: expect.stringMatching(/PagerDuty: Integration key is missing/) }],
      },
    });
    for (const path of [
      "/alerting/config",
      "/alerting/config?format=yaml",
      "/alerting/config/versions/1",
      "/alerting/config/versions",
    ]) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).not.toContain(whsec);
    }
    const rows = await test.rows<{ sealed: string }>("SELECT sealed FROM receiver_secrets");
    expect(rows.every(({ sealed }) => sealed.startsWith("s1.") && !sealed.includes(whsec))).toBe(true);
    expect(JSON.stringify(await test.rows("SELECT * FROM audit"))).not.toContain(whsec);
  });

  it("refuses an edit of an older version, and says which is in force", async () => {
    const stale = await call("PUT", "/alerting/config", "admin", { baseVersion: 0, config: basic() });
    expect(stale).toMatchObject({
      status: 409,
      body: { error: { code: "conflict", message: /version 1 was saved meanwhile/ } },
    });
  });

  it.each([
    [
      "a dangling reference",
      { config: { routes: [{ id: "a", name: "A", receivers: ["nobody"] }] } },
      422,
      "bad-config",
      /routes\.0\.receivers\.0: "nobody" names none of receivers/,
    ],
    [
      "a secret that breaks its rule",
      { config: basic, secrets: { ops: { signingSecret: "short" } } },
      422,
      "bad-secret",
      /secret signingSecret of "ops": Signing secret is not right/,
    ],
    [
      "a secret of nobody",
      { config: basic, secrets: { gone: { x: "y" } } },
      422,
      "bad-secret",
      /there is no such receiver/,
    ],
    ["no version", { config: {}, baseVersion: undefined }, 400, "invalid", /baseVersion|body/],
  ])("refuses %s, and stores nothing", async (_, change, status, code, message) => {
    const { config, ...rest } = change as { config: unknown };
    const body = { baseVersion: 1, config: typeof config === "function" ? config() : config, ...rest };
    const answer = await call("PUT", "/alerting/config", "admin", body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe(code);
    expect(answer.body.error.message).toMatch(message);
    expect(JSON.stringify(answer.body)).not.toContain("short");
    expect((await get("/alerting/config")).body.version).toBe(1);
  });

  it("goes out and comes in as one YAML file, and keeps the secrets of receivers with the same id", async () => {
    const file = await get("/alerting/config?format=yaml");
    expect(file.headers.get("content-type")).toMatch(/^application\/yaml/);
    expect(file.headers.get("content-disposition")).toContain("lynceus-alerting-1.yaml");
    expect(file.body).toContain("zone: Europe/Berlin");
    const edited = file.body.replace("minutes: 20", "minutes: 15");
    const saved = await call("PUT", "/alerting/config?baseVersion=1&note=faster", "admin", edited, "application/yaml");
    expect(saved).toMatchObject({
      status: 200,
      body: { version: 2, note: "faster", secrets: { ops: ["signingSecret"] } },
    });
    expect(saved.body.config.escalations[0].steps[0].minutes).toBe(15);
    const broken = await call("PUT", "/alerting/config?baseVersion=2", "admin", "routes: [", "application/yaml");
    expect(broken).toMatchObject({ status: 422, body: { error: { message: /at line 1/ } } });
    const versions = (await get("/alerting/config/versions")).body.items;
    expect(versions.map((row: Json) => row.version)).toEqual([2, 1]);
    expect((await get("/alerting/config/versions/1")).body.escalations[0].steps[0].minutes).toBe(20);
    expect((await get("/alerting/config/versions/9")).status).toBe(404);
  });

  it("is validated without being stored", async () => {
    expect((await post("/alerting/validate", { settings: { openMachines: 0 } }, "read")).body).toMatchObject({
      problems: [{ path: "settings.openMachines" }],
    });
    expect((await call("POST", "/alerting/validate", "read", "routes: []", "text/yaml")).body).toEqual({
      problems: [],
    });
  });

  it("says who is on call, and when maintenance is", async () => {
    const { items } = (await get("/alerting/on-call?from=2026-11-22T00:00:00Z&to=2026-12-01T00:00:00Z")).body;
    expect(items).toMatchObject([
      { schedule: "duty", now: { name: "Anna" }, shifts: [{ person: "anna", by: "layer" }] },
    ]);
    const windows = (await get("/alerting/maintenance?from=2026-11-22T00:00:00Z&to=2026-12-07T00:00:00Z")).body.items;
    expect(windows.map(({ from }: Json) => from)).toEqual([
      "2026-11-22T01:00:00.000Z",
      "2026-11-29T01:00:00.000Z",
      "2026-12-06T01:00:00.000Z",
    ]);
    expect((await get("/alerting/on-call?from=2026-11-22T00:00:00Z&to=2026-11-01T00:00:00Z")).body.error.code).toBe(
      "bad-span",
    );
  });

  it("tells who would be paged, by the configuration in force or one that is proposed", async () => {
    const story = await post(
      "/alerting/simulate",
      { pattern: "proxy-unreachable", machines: 20, site: "Singapore", minutes: 30 },
      "read",
    );
    expect(story.body.urgency).toBe("high");
    expect(story.body.steps.filter(({ kind }: Json) => kind === "told")).toMatchObject([
      { receiver: "ops", person: "anna", text: "Page to Anna (on call, Duty): it opened" },
      { receiver: "ops", person: "anna", text: expect.stringContaining("Escalation to Anna") },
    ]);
    const proposed = { ...basic(), routes: [{ id: "none", name: "None", match: "site:Berlin", receivers: ["ops"] }] };
    const none = await post(
      "/alerting/simulate",
      { pattern: "proxy-unreachable", site: "Singapore", config: proposed },
      "read",
    );
    expect(none.body.steps.map(({ reason }: Json) => reason)).toContain("no-route");
    expect(hook.got).toEqual([]);
    expect(
      (await post("/alerting/simulate", { pattern: "proxy-unreachable", config: { routes: 1 } }, "read")).status,
    ).toBe(422);
  });

  it("has receivers that can be tried, for real", async () => {
    expect((await post("/alerting/receivers/ops/test", undefined, "operate")).status).toBe(403);
    const asked = await call("POST", "/alerting/receivers/ops/test", "admin");
    expect(asked).toMatchObject({ status: 202, body: { kind: "test", state: "queued", receiver: "ops" } });
    await test.collector.turns.deliveries();
    expect((await get(`/notices/${asked.body.id}`)).body).toMatchObject({
      state: "sent",
      attempts: 1,
      detail: "HTTP 200",
    });
    expect(hook.got).toMatchObject([
      { notice: { kind: "test", headline: "Test of ops", reason: "api token admin tries the receiver" } },
    ]);
    expect((await listAudit(test.db, { action: "receiver.test" })).items).toMatchObject([
      { actor: "api token admin", subject: "ops" },
    ]);
    expect((await call("POST", "/alerting/receivers/nobody/test", "admin")).status).toBe(404);
    // One that cannot work says at once what is missing.
    const unready = await call("POST", "/alerting/receivers/pd/test", "admin");
    await test.collector.turns.deliveries();
    expect((await get(`/notices/${unready.body.id}`)).body).toMatchObject({
      state: "dead",
      detail: /Integration key is missing/,
    });
  });
});

describe("incidents over the API", () => {
  let ids: string[];
  beforeAll(async () => {
    hook.got.length = 0;
    ids = [...(await machines.add(8)), ...(await machines.add(3, { site: "Manila" }))];
    await machines.fail(ids);
    await pass(12 * second);
  });

  it("are listed, and read with their members and their timeline", async () => {
    const { body } = await get("/incidents?open=true&q=route:px1");
    expect(body).toMatchObject({ total: 1, items: [{ number: 1, failing: 11, state: "open", peak: 11 }] });
    expect((await get("/incidents?open=false")).body.total).toBe(0);
    expect((await get("/incidents?site=Manila&urgency=high&state=open")).body.total).toBe(1);
    expect((await get("/incidents?site=Graz")).body.total).toBe(0);
    expect((await get("/incidents?q=nothing:x")).body.error.code).toBe("bad-filter");
    expect((await get("/incidents/1")).body.title).toBe("px1:8080 does not answer (refused)");
    const members = (await get("/incidents/1/members?limit=4")).body;
    expect([members.total, members.items.length]).toEqual([11, 4]);
    const rest = (await get(`/incidents/1/members?limit=100&cursor=${members.nextCursor}`)).body;
    expect(new Set([...members.items, ...rest.items].map(({ id }: Json) => id)).size).toBe(11);
    const events = (await get("/incidents/1/events")).body.items;
    expect(events.map(({ kind }: Json) => kind)).toEqual(["told", "opened"]);
    expect(events[0].notice).toMatchObject({ state: "sent", receiver: "ops" });
    expect((await get("/incidents/9")).status).toBe(404);
    expect((await get("/incidents/x")).status).toBe(400);
  });

  it("are found by any of several sites, and by the span in which they were open", async () => {
    const total = async (query: string) => (await get(`/incidents?${query}`)).body.total;
    expect(await total("site=Graz&site=Manila")).toBe(1);
    const opened = Date.parse((await get("/incidents/1")).body.openedAt);
    const at = (ms: number) => new Date(opened + ms).toISOString();
    expect([await total(`until=${at(0)}`), await total(`until=${at(-1)}`)]).toEqual([1, 0]);
  });

  it("show who sees a part of the fleet the figures of that part", async () => {
    expect((await get("/incidents", "manila")).body.items).toMatchObject([
      { number: 1, failing: 3, peak: null, explanation: null, sites: [{ site: "Manila", machines: 3, of: null }] },
    ]);
    expect((await get("/incidents/1/members", "manila")).body.total).toBe(3);
    const texts = (await get("/incidents/1/events", "manila")).body.items.map(({ text }: Json) => text);
    expect(texts.join()).not.toContain("11");
    expect((await get("/notices", "manila")).status).toBe(403);
  });

  it("are acknowledged, released, noted and closed by operators", async () => {
    expect((await post("/incidents/1/acknowledge", {}, "read")).status).toBe(403);
    expect((await post("/incidents/1/acknowledge")).body).toMatchObject({
      state: "acknowledged",
      acknowledged: { by: "api token operate", via: "api" },
    });
    expect((await post("/incidents/1/release")).body.acknowledged).toBeNull();
    expect((await post("/incidents/1/note", { text: "looked at" })).status).toBe(200);
    expect((await post("/incidents/1/note", { text: " " })).status).toBe(400);
    expect(await post("/incidents/1/close")).toMatchObject({
      status: 409,
      body: { error: { message: /11 of its machines fail; say in note why/ } },
    });
    expect((await post("/incidents/7/acknowledge")).status).toBe(404);
    expect((await get("/incidents/1/events")).body.items[0]).toMatchObject({
      kind: "note",
      text: "looked at",
      actor: "api token operate",
    });
  });

  it("are silenced with a preview of what that covers; who sees a part silences that part", async () => {
    expect((await post("/silences/preview", { match: "site:Manila" }, "read")).body).toMatchObject({
      machines: 3,
      failing: 3,
      incidents: [{ number: 1, machines: 3, of: 11 }],
    });
    expect((await post("/silences/preview", { match: "since>2h" }, "read")).body.error).toMatchObject({
      code: "bad-filter",
    });
    const endsAt = new Date(test.clock.now() + 30 * minute).toISOString();
    const made = await post("/incidents/1/silence", { comment: "px1 is replaced", endsAt }, "manila");
    expect(made).toMatchObject({
      status: 201,
      body: { match: "incident:1", state: "active", scope: { sites: ["Manila"], tags: [] } },
    });
    expect((await get("/silences", "manila")).body.total).toBe(1);
    expect((await get("/silences")).body.items[0].author).toBe("api token manila");
    const own = await post("/silences", { match: "site:Singapore", endsAt });
    expect((await get("/silences", "manila")).body.total).toBe(1);
    expect((await call("DELETE", `/silences/${own.body.id}`, "manila")).status).toBe(404);
    expect((await call("DELETE", `/silences/${own.body.id}`, "operate")).status).toBe(204);
    expect((await get("/silences?over=true")).body.items.map(({ state }: Json) => state).sort()).toEqual([
      "active",
      "over",
    ]);
    expect((await post("/silences", { match: "", endsAt: "2020-01-01T00:00:00Z" })).body.error.code).toBe(
      "bad-silence",
    );
  });

  it("have links that acknowledge in a person's name, which nobody can make or change", () => {
    const { notice } = hook.got.find(({ notice: one }) => one.kind === "opened")!;
    const token = new URL(notice.acknowledgeUrl ?? "").searchParams.get("k") ?? "";
    const now = test.clock.now();
    expect(verifyAcknowledgeToken(test.keys, token, { incident: 1, now })).toMatchObject({
      ok: true,
      claim: { person: "anna" },
    });
    expect(verifyAcknowledgeToken(test.keys, token, { incident: 2, now })).toMatchObject({ ok: false });
    expect(verifyAcknowledgeToken(test.keys, token, { incident: 1, now: now + 8 * 24 * 60 * minute })).toMatchObject({
      reason: "expired",
    });
    const forged = makeAcknowledgeToken([{ id: "00000000", bytes: Buffer.alloc(32) }], {
      incident: 1,
      person: "anna",
      expiresAt: now + minute,
    });
    expect(verifyAcknowledgeToken(test.keys, forged, { incident: 1, now })).toMatchObject({
      ok: false,
      reason: "wrong",
    });
    // It is made when it is sent: the database holds none.
    expect(notice.acknowledgeUrl).toContain("/i/1?k=");
  });

  it("keep no acknowledge link in the database", async () => {
    expect(await test.rows("SELECT id FROM notices WHERE body::text LIKE '%?k=%'")).toEqual([]);
  });

  it("have dead letters that can be sent again", async () => {
    hook.state.status = 404;
    await machines.heal(ids);
    await pass(6 * minute, 30 * second);
    const dead = (await get("/notices?state=dead&incident=1&receiver=ops")).body.items;
    expect(dead).toMatchObject([{ kind: "resolved", detail: "HTTP 404: not now" }]);
    hook.state.status = 200;
    expect((await post(`/notices/${dead[0].id}/retry`, {}, "operate")).status).toBe(403);
    expect((await post(`/notices/${dead[0].id}/retry`, {}, "admin")).status).toBe(202);
    await test.collector.turns.deliveries();
    expect(hook.taken.at(-1)).toBe("resolved 1");
    expect((await post(`/notices/${dead[0].id}/retry`, {}, "admin")).status).toBe(404);
  });

  it("that are over are found by the machines that they had", async () => {
    expect((await get("/incidents?open=true")).body.total).toBe(0);
    for (const query of ["q=site:Manila", "site=Manila", "open=false&q=site:Manila status:healthy"])
      expect((await get(`/incidents?${query}`)).body.items).toMatchObject([{ number: 1, ended: { how: "resolved" } }]);
    expect((await get("/incidents?q=site:Graz")).body.total).toBe(0);
    const ended = Date.parse((await get("/incidents/1")).body.endedAt);
    expect((await get(`/incidents?since=${new Date(ended + 1).toISOString()}`)).body.total).toBe(0);
  });
});

describe("PagerDuty's webhook", () => {
  const secret = "pd-webhook-secret-of-the-test";
  const event = (type: string, thread: string, by: string | null = "Anna Example") =>
    JSON.stringify({
      event: {
        id: "01ABC",
        event_type: type,
        occurred_at: "2026-11-22T09:00:00.000Z",
        agent: by && { summary: by },
        data: { incident_key: thread },
      },
    });
  const send = async (body: string, signedWith = secret) => {
    const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1/hooks/pagerduty`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-pagerduty-signature": `v1=${createHmac("sha256", signedWith).update(body).digest("hex")}`,
      },
      body,
    });
    return { status: answer.status, body: (await answer.json()) as Json };
  };
  let thread: string;
  beforeAll(async () => {
    await configure(test.db, test.keys, basic(), { pd: { routingKey: "a".repeat(32), webhookSecret: secret } });
    hook.got.length = 0;
    await machines.fail(await machines.add(6, { route: "px2:8080" }), {
      cause: "px2:8080 does not answer (refused)",
      route: "px2:8080",
    });
    await pass(12 * second);
    thread = hook.got.at(-1)?.notice.thread ?? "";
  });

  it("acknowledges, in the name of who did it there", async () => {
    expect(await send(event("incident.acknowledged", thread))).toEqual({ status: 200, body: { done: "acknowledged" } });
    const { body } = await get("/incidents/2");
    expect(body.acknowledged).toMatchObject({ by: "Anna Example (PagerDuty)", via: "pd" });
    expect(await send(event("incident.unacknowledged", thread))).toMatchObject({ status: 200 });
    expect((await get("/incidents/2")).body.acknowledged).toBeNull();
  });

  it("takes what a person resolved there as: somebody has it", async () => {
    await send(event("incident.resolved", thread));
    expect((await get("/incidents/2")).body).toMatchObject({ state: "acknowledged", endedAt: null });
    expect((await get("/incidents/2/events")).body.items[0].text).toBe("Resolved in PagerDuty by Anna Example");
  });

  it.each([
    ["a wrong signature", () => send(event("incident.acknowledged", thread), "another secret of somebody")],
    [
      "a body that was changed",
      async () => {
        const body = event("incident.acknowledged", thread);
        const signature = createHmac("sha256", secret).update(body).digest("hex");
        const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1/hooks/pagerduty`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-pagerduty-signature": `v1=${signature}` },
          body: body.replace("acknowledged", "resolved"),
        });
        return { status: answer.status, body: (await answer.json()) as Json };
      },
    ],
  ])("refuses %s", async (_, ask) => {
    expect((await ask()).status).toBe(401);
  });

  it("lets pass what concerns none of our incidents", async () => {
    for (const body of [
      event("incident.acknowledged", "somebody-else"),
      event("incident.acknowledged", thread.replace(/\d+$/, "999")),
      event("pagey.ping", thread),
      event("incident.resolved", thread, null),
      "{}",
    ])
      expect((await send(body)).status).toBe(200);
  });
});
