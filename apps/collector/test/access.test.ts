import { createApiToken } from "@lynceus/db/api-tokens";
import { type Part, type Parts, partScopes, seedParts, tracesOf } from "@lynceus/db/testing-parts";
import { everyMachine, type Right, rights, type Scope } from "@lynceus/protocol/access";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";

/*
 * Every route of the API, found in its own document, with each kind of token: what a role or a scope does not hold is not
 * reachable by any address or id. A route that is not in these tables fails.
 */

/** What each route asks for. */
const rules: Record<string, Right> = {
  "GET /about": "read",
  "GET /alerting/config": "oversee",
  "PUT /alerting/config": "configure",
  "GET /alerting/config/versions": "oversee",
  "GET /alerting/config/versions/{version}": "oversee",
  "GET /alerting/maintenance": "oversee",
  "GET /alerting/on-call": "oversee",
  "POST /alerting/receivers/{id}/test": "configure",
  "POST /alerting/simulate": "oversee",
  "POST /alerting/validate": "oversee",
  "GET /attributions": "read",
  "GET /canaries": "read",
  "POST /canaries": "operate",
  "GET /canaries/{id}": "read",
  "POST /canaries/{id}/cancel": "operate",
  "GET /canaries/{id}/machines": "read",
  "GET /causes": "read",
  "GET /causes/{id}": "read",
  "GET /causes/{id}/machines": "read",
  "GET /changes": "read",
  "GET /changes/{id}/machines": "read",
  "GET /commands/{id}": "read",
  "GET /counts": "read",
  "GET /counts/history": "read",
  "GET /enrollment-tokens": "administer",
  "POST /enrollment-tokens": "administer",
  "DELETE /enrollment-tokens/{id}": "administer",
  "GET /events": "read",
  "GET /findings": "read",
  "GET /incidents": "read",
  "GET /incidents/{number}": "read",
  "POST /incidents/{number}/acknowledge": "operate",
  "POST /incidents/{number}/close": "operate",
  "GET /incidents/{number}/events": "read",
  "GET /incidents/{number}/members": "read",
  "POST /incidents/{number}/note": "operate",
  "POST /incidents/{number}/release": "operate",
  "POST /incidents/{number}/silence": "operate",
  "GET /machines": "read",
  "GET /machines/{id}": "read",
  "POST /machines/{id}/check-now": "operate",
  "GET /machines/{id}/observations": "read",
  "GET /machines/{id}/reports": "operate",
  "POST /machines/{id}/reports": "operate",
  "GET /machines/{id}/ticket": "read",
  "GET /machines/{id}/timeline": "read",
  "GET /notices": "oversee",
  "GET /notices/{id}": "oversee",
  "POST /notices/{id}/retry": "configure",
  "GET /patterns/accuracy": "read",
  "GET /policy": "read",
  "PUT /policy": "configure",
  "GET /policy/versions": "read",
  "GET /policy/versions/{version}": "read",
  "GET /reports": "operate",
  "DELETE /reports/{id}": "operate",
  "GET /silences": "read",
  "POST /silences": "operate",
  "POST /silences/preview": "read",
  "DELETE /silences/{id}": "operate",
  "GET /silences/{id}": "read",
  "GET /sites": "read",
  "PUT /sites": "configure",
  "GET /targets": "read",
  "GET /targets/history": "read",
  "GET /values": "read",
  "GET /verifications": "read",
  "POST /verifications": "operate",
  "GET /verifications/{id}": "read",
  "POST /verifications/{id}/cancel": "operate",
  "GET /verifications/{id}/machines": "read",
};

/** Routes without a token: who asks signs what they send. */
const signed = ["POST /hooks/pagerduty"];

/** What a route needs to be asked with, for a machine and a site of the other part; the answer does not repeat it. */
const bodies: Record<string, (site: "Bern" | "Graz", machine: string) => unknown> = {
  "PUT /alerting/config": () => ({ baseVersion: 0, config: {} }),
  "PUT /policy": () => ({ baseVersion: 0, policy: {} }),
  "PUT /sites": () => ({ items: [] }),
  "POST /alerting/receivers/{id}/test": () => ({}),
  "POST /alerting/simulate": () => ({ pattern: "proxy-unreachable" }),
  "POST /alerting/validate": () => ({}),
  "POST /incidents/{number}/acknowledge": () => ({}),
  "POST /incidents/{number}/close": () => ({ note: "walk" }),
  "POST /incidents/{number}/note": () => ({ text: "walk" }),
  "POST /incidents/{number}/release": () => ({}),
  "POST /incidents/{number}/silence": () => ({ endsAt: "2026-12-01T00:00:00Z" }),
  "POST /notices/{id}/retry": () => ({}),
  "POST /silences": () => ({ match: "", endsAt: "2026-12-01T00:00:00Z" }),
  "POST /silences/preview": () => ({ match: "" }),
  "POST /canaries": (_site, machine) => ({
    title: "walk",
    q: "",
    site: null,
    probe: [machine],
    proposal: { autoDetect: false, pac: null, server: "px:8080", bypass: "" },
  }),
  "POST /enrollment-tokens": (site) => ({ label: "walk", site }),
  "POST /machines/{id}/reports": () => ({ user: "walker", prompted: true, pattern: null, note: "" }),
  "POST /verifications": () => ({ pattern: null, cause: null, causeId: null, q: "", site: null }),
};
const queries: Record<string, string> = {
  "GET /counts/history": "?by=site",
  // What there is, and the end: else it goes on for ever.
  "GET /events": "?follow=false&after=0",
  "GET /targets/history": "?by=site&measure=answers",
  "GET /values": "?field=name",
};

let test: TestCollector;
let parts: Parts;
let routes: string[];
const secrets = new Map<string, string>();

beforeAll(async () => {
  test = await startTestCollector({ config: { apiRequestsPerMinute: 100_000 } });
  parts = await seedParts(test.db, new Date(test.clock.now()));
  const document = (await (await fetch(`${base()}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`),
  );
  for (const route of signed) {
    expect(routes).toContain(route);
    routes.splice(routes.indexOf(route), 1);
  }
});
afterAll(() => test.stop());

const base = () => test.collector.url.replace("ws:", "http:");

async function tokenOf(may: string, scope: Scope): Promise<string> {
  const key = JSON.stringify([may, scope]);
  const known = secrets.get(key);
  if (known) return known;
  const { secret } = await createApiToken(test.db, { label: may, scopes: [may], scope, createdBy: "test" });
  secrets.set(key, secret);
  return secret;
}

async function call(route: string, options: { secret?: string; id?: string; site?: "Bern" | "Graz"; query?: string }) {
  const [method = "", path = ""] = route.split(" ");
  const body = bodies[route]?.(options.site ?? "Bern", parts[options.site === "Graz" ? "GRAZ" : "BERN"].machine);
  const address = path.replace(/\{[^}]+\}/g, options.id ?? "00000000-0000-4000-8000-000000000000");
  const answer = await fetch(`${base()}/api/v1${address}${options.query ?? queries[route] ?? ""}`, {
    method,
    headers: {
      ...(options.secret ? { authorization: `Bearer ${options.secret}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

const mays = { viewer: "read", operator: "operate", admin: "admin" } as const;
const views = [
  ["BERN", "GRAZ"],
  ["GRAZ", "BERN"],
] as const;
const idsOf = (part: Part) => Object.values(part);

/** All of a part's things, to see that nothing was done to them. */
const stateOf = (name: "BERN" | "GRAZ") => test.db.prisma.$queryRaw`
  SELECT (SELECT json_agg(m) FROM machines m WHERE m.id = ${parts[name].machine}::uuid) AS machine,
    (SELECT count(*)::int FROM commands WHERE machine_id = ${parts[name].machine}::uuid) AS commands,
    (SELECT json_agg(r ORDER BY r.id) FROM machine_reports r WHERE r.machine_id = ${parts[name].machine}::uuid) AS reports,
    (SELECT json_agg(c.state) FROM canaries c WHERE c.id = ${parts[name].canary}::uuid) AS canary,
    (SELECT json_agg(v.state) FROM fix_verifications v WHERE v.id = ${parts[name].verification}::uuid) AS verification,
    (SELECT count(*)::int FROM fix_verification_machines v WHERE v.machine_id = ${parts[name].machine}::uuid) AS verified,
    (SELECT json_agg(i) FROM incidents i WHERE i.number = ${Number(parts[name].incident)}) AS incident,
    (SELECT count(*)::int FROM incident_events e WHERE e.incident = ${Number(parts[name].incident)}) AS events,
    (SELECT json_agg(s) FROM silences s WHERE s.id = ${parts[name].silence}::uuid) AS silence,
    (SELECT json_agg(t ORDER BY t.id) FROM enrollment_tokens t WHERE t.label = ${name} OR t.site = ${name === "BERN" ? "Bern" : "Graz"})
      AS tokens`;

describe("the routes", () => {
  it("are those that this walk has a rule for", () => {
    expect(routes.sort()).toEqual(Object.keys(rules).sort());
    for (const route of routes)
      if (/^(POST|PUT|PATCH) /.test(route) && !/\/(cancel|check-now)$/.test(route))
        expect(Object.keys(bodies)).toContain(route);
  });

  it("answer nobody without a token, and no token that opens the wallboard alone", async () => {
    const wall = await tokenOf("wall", everyMachine);
    for (const route of routes) {
      expect([route, (await call(route, {})).status]).toEqual([route, 401]);
      expect([route, (await call(route, { secret: wall })).status]).toEqual([route, 403]);
    }
    expect((await fetch(`${base()}/metrics`)).status).toBe(401);
    for (const route of signed) {
      expect([route, (await call(route, {})).status]).toEqual([route, 401]);
      const secret = await tokenOf("admin", everyMachine);
      expect([route, (await call(route, { secret })).status]).toEqual([route, 401]);
    }
  });

  it("refuse a role that does not hold their right, whatever the id", async () => {
    for (const [role, may] of Object.entries(mays))
      for (const route of routes) {
        const right = rights[rules[route]!];
        const held = Object.keys(mays).indexOf(role) >= Object.keys(mays).indexOf(right.role);
        if (held) continue;
        const before = await stateOf("BERN");
        for (const id of idsOf(parts.BERN))
          expect([route, role, (await call(route, { secret: await tokenOf(may, everyMachine), id })).status]).toEqual([
            route,
            role,
            403,
          ]);
        expect(await stateOf("BERN")).toEqual(before);
      }
  });
});

describe.each(views)("a token that sees %s", (own, other) => {
  it.each(Object.values(mays))("as %s reaches nothing of the other part, by list, id or filter", async (may) => {
    const secret = await tokenOf(may, partScopes[own]);
    const site = other === "BERN" ? ("Bern" as const) : ("Graz" as const);
    const before = await stateOf(other);
    const found: string[] = [];
    for (const route of routes) {
      const ids = route.includes("{") ? idsOf(parts[other]) : [undefined];
      const asked = [
        queries[route],
        ...(route.startsWith("GET ") && !route.includes("{")
          ? [`?site=${site}`, `?q=name:${other}*`, `?machine=${parts[other].machine}`]
          : []),
      ];
      for (const id of ids)
        for (const query of asked) {
          const answer = await call(route, { secret, site, ...(id && { id }), ...(query && { query }) });
          // What was asked for may stand in a refusal.
          const text =
            answer.status >= 400
              ? [id, site, `name:${other}*`].reduce<string>(
                  (said, word) => said.replaceAll(word ?? "\n", ""),
                  answer.text,
                )
              : answer.text;
          for (const trace of tracesOf(parts, other))
            if (text.includes(trace))
              found.push(`${route} ${id ?? ""} ${query ?? ""} says ${trace}: ${text.slice(0, 300)}`);
        }
    }
    expect(found).toEqual([]);
    expect(await stateOf(other)).toEqual(before);
  });

  it("reaches its own things, so that the walk looks for what is there", async () => {
    const secret = await tokenOf("admin", partScopes[own]);
    const reached = new Set<string>();
    for (const route of routes) {
      if (!route.startsWith("GET ")) continue;
      for (const id of route.includes("{") ? idsOf(parts[own]) : [undefined]) {
        const answer = await call(route, { secret, ...(id && { id }) });
        if (answer.status === 200 && answer.text.includes(own)) reached.add(route);
      }
    }
    expect([...reached]).toEqual(
      expect.arrayContaining([
        "GET /canaries/{id}/machines",
        "GET /causes/{id}",
        "GET /causes/{id}/machines",
        "GET /changes",
        "GET /changes/{id}/machines",
        "GET /commands/{id}",
        "GET /events",
        "GET /findings",
        "GET /incidents",
        "GET /incidents/{number}",
        "GET /incidents/{number}/events",
        "GET /incidents/{number}/members",
        "GET /machines",
        "GET /machines/{id}",
        "GET /machines/{id}/observations",
        "GET /machines/{id}/reports",
        "GET /machines/{id}/timeline",
        "GET /silences",
        "GET /silences/{id}",
        "GET /values",
      ]),
    );
    expect((await fetch(`${base()}/metrics`, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(403);
  });
});
