import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { openDatabase } from "@lynceus/db/client";
import { ensurePartitions } from "@lynceus/db/partitions";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { type Part, type Parts, partScopes, seedParts, tracesOf } from "@lynceus/db/testing-parts";
import { createUser } from "@lynceus/db/users";
import { type Access, allows, everyMachine, type Right, roles } from "@lynceus/protocol/access";
import { buildPolicy } from "@lynceus/protocol/presets";
import { hashPassword } from "better-auth/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDashboard } from "./support/seeded.ts";
import { root } from "./support/up.ts";

/*
 * Every page, route handler, act and event stream of the built dashboard, found in its files, by people of each role and
 * scope: nothing of another part of the fleet comes out of any address, id or event, and nothing is changed without the
 * right. A page or a route that is not in these tables fails.
 */

/** What a page asks for; `session`: anybody signed in; `open`: everybody. */
const pageRules: Record<string, Right | "session" | "open"> = {
  "/": "read",
  "/alerting": "oversee",
  "/alerting/[kind]/[id]": "oversee",
  "/alerting/escalations": "oversee",
  "/alerting/import": "configure",
  "/alerting/limits": "oversee",
  "/alerting/new/[kind]": "configure",
  "/alerting/people": "oversee",
  "/alerting/receivers": "oversee",
  "/alerting/simulate": "oversee",
  "/alerting/undelivered": "oversee",
  "/alerting/versions": "oversee",
  "/alerting/versions/[version]": "oversee",
  "/canary": "read",
  "/canary/[id]": "read",
  "/causes": "read",
  "/causes/[id]": "read",
  "/changes": "read",
  "/changes/[id]": "read",
  "/enrolment": "administer",
  "/i/[number]": "read",
  "/incidents": "read",
  "/incidents/[number]": "read",
  "/first/password": "session",
  "/first/second-factor": "session",
  "/login": "open",
  "/login/code": "open",
  "/machines": "read",
  "/machines/[id]": "read",
  "/machines/[id]/observed": "read",
  "/machines/[id]/probes/[seq]": "read",
  "/machines/views/[slug]": "read",
  "/maintenance": "oversee",
  "/no-right": "session",
  "/on-call": "oversee",
  "/patterns": "read",
  "/patterns/[id]": "read",
  "/privacy": "read",
  "/settings": "read",
  "/settings/account": "read",
  "/settings/audit": "configure",
  "/settings/retention": "read",
  "/settings/roles": "read",
  "/settings/sign-on": "configure",
  "/settings/tokens": "configure",
  "/settings/users": "configure",
  "/settings/users/[id]": "configure",
  "/setup": "configure",
  "/silences": "read",
  "/sites": "read",
  "/sites/[slug]": "read",
  "/targets": "read",
  "/targets/[version]": "read",
  "/wall": "open",
  "/wall/open": "open",
  "/welcome": "open",
};
const routeRules: Record<string, Right | "open"> = {
  "GET /alerting/export": "oversee",
  "GET /api/auth/callback/sso": "open",
  "GET /api/go-to": "read",
  "GET /api/health": "open",
  "GET /api/live": "read",
  "GET /api/machines/[id]/check-now": "read",
  "POST /api/machines/[id]/check-now": "operate",
  "POST /api/sign-in": "open",
  "POST /api/sign-in/code": "open",
  "POST /api/sign-in/sso": "open",
  "POST /api/sign-out": "open",
  "POST /api/verifications": "operate",
  "GET /api/verifications/[id]": "read",
  "POST /api/verifications/[id]/cancel": "operate",
  "POST /i/[number]/act": "operate",
  "POST /machines/export": "read",
  "GET /machines/counts": "read",
  "GET /machines/rows": "read",
  "GET /machines/values": "read",
  "GET /silences/preview": "read",
  "GET /wall/alive": "open",
  "POST /wall/token": "open",
};
/** What a route is asked with, for the other part. */
const queries: Record<string, (other: Name) => string> = {
  "/api/go-to": (other) => `?q=${other}`,
  "/machines/rows": (other) => `?q=name:${other}*`,
  "/machines/counts": (other) => `?q=name:${other}*`,
  "/machines/values": () => "?field=name&q=",
  "/silences": (other) => `?show=all&match=name:${other}*`,
  "/silences/preview": (other) => `?match=name:${other}*`,
};
const bodies: Record<string, (other: Name) => unknown> = {
  "/i/[number]/act": () => {
    const form = new FormData();
    form.set("act", "acknowledge");
    return form;
  },
  "/machines/export": (other) => {
    const form = new FormData();
    form.set("format", "csv");
    form.set("cols", "name,site,status");
    form.set("selection", JSON.stringify({ kind: "all", q: `name:${other}*`, at: Date.now() }));
    return form;
  },
  "/api/verifications": () => ({ pattern: null, cause: null, causeId: null, q: "", site: null }),
};

type Name = "BERN" | "GRAZ";
interface Person {
  name: string;
  access: Access;
  cookie: string;
}

let db: Fleet;
let parts: Parts;
let base: string;
const people: Person[] = [];
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const database = await createTestDatabase();
  ends.unshift(database.drop);
  db = wholeFleet(openDatabase({ url: database.url }));
  ends.unshift(() => db.close());
  const now = new Date();
  await ensurePartitions(db, now);
  const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 0);
  await savePolicy(db, { body, now, createdBy: "test" });
  parts = await seedParts(db, now);
  const password = "tulip ladder crane fog";
  const passwordHash = await hashPassword(password);
  const started = await startDashboard(database.url);
  ends.unshift(started.stop);
  base = started.base;
  for (const role of roles)
    for (const [name, scope] of [["ALL", everyMachine], ...Object.entries(partScopes)] as const) {
      const access = { role, ...scope };
      const email = `${role}-${name.toLowerCase()[0]}@example.org`;
      await createUser(db, { name: `${role} person`, email, access, passwordHash }, "test");
      const answer = await fetch(`${base}/api/sign-in`, {
        method: "POST",
        headers: { origin: base, "sec-fetch-site": "same-origin" },
        body: new URLSearchParams({ email, password }),
        redirect: "manual",
      });
      const cookie = answer.headers
        .getSetCookie()
        .map((header) => header.split(";")[0])
        .join("; ");
      expect(cookie).toContain("session_token");
      people.push({ name: `${role} of ${name}`, access, cookie });
    }
});
afterAll(async () => {
  for (const end of ends) await end();
});

const app = fileURLToPath(new URL("../src/app", import.meta.url));
const filesOf = (name: string) =>
  readdirSync(app, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === name)
    .map((entry) => path.join(entry.parentPath, entry.name));
/** The address of a page or route by its folder: groups in brackets are none of it. */
const addressOf = (file: string) =>
  `/${path
    .relative(app, path.dirname(file))
    .split("/")
    .filter((part) => !/^\(.*\)$/.test(part))
    .join("/")}`.replace(/^\/$/, "/");
const fill = (address: string, id: string) =>
  address.replace(/\[(?:id|number)\]/, encodeURIComponent(id)).replace(/\[[^\]]+\]/g, "2");

const partOf = ({ access }: Person): Name | null =>
  access.sites === null && access.tags === null ? null : access.sites === null ? "GRAZ" : "BERN";
const otherOf = (name: Name): Name => (name === "BERN" ? "GRAZ" : "BERN");
const idsOf = (part: Part) => [...Object.values(part), "proxy-auth-required"];

async function ask(person: Person, address: string, options: { method?: string; body?: unknown } = {}) {
  const { method = "GET", body } = options;
  const answer = await fetch(base + address, {
    method,
    headers: {
      cookie: person.cookie,
      ...(method === "GET" ? {} : { origin: base, "sec-fetch-site": "same-origin" }),
      ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    redirect: "manual",
  });
  return { status: answer.status, location: answer.headers.get("location") ?? "", text: await answer.text() };
}

/** What of the other part stands in an answer beyond what was asked for. */
function tracesIn(text: string, other: Name, asked: readonly string[]): string[] {
  const said = asked.reduce((rest, word) => rest.replaceAll(word, "").replaceAll(encodeURIComponent(word), ""), text);
  return tracesOf(parts, other).filter((trace) => said.includes(trace));
}

/** Everything that nobody of this part may change: what is of the other part, and of the installation. */
async function stateOf(part: Name | null): Promise<string> {
  const machine = part === null ? null : parts[part].machine;
  const scope = part === null ? null : partScopes[part];
  const [sites, tags] = [[...(scope?.sites ?? [])], [...(scope?.tags ?? [])]];
  const rows = await db.prisma.$queryRaw`
    SELECT (SELECT json_agg(m ORDER BY m.id) FROM machines m WHERE m.id IS DISTINCT FROM ${machine}::uuid) AS machines,
      (SELECT json_agg(c ORDER BY c.id) FROM commands c WHERE c.machine_id IS DISTINCT FROM ${machine}::uuid) AS commands,
      (SELECT json_agg(r ORDER BY r.id) FROM machine_reports r WHERE r.machine_id IS DISTINCT FROM ${machine}::uuid)
        AS reports,
      (SELECT json_agg(c ORDER BY c.id) FROM canaries c
        WHERE NOT (c.scoped AND c.scope_sites <@ ${sites}::text[] AND c.scope_tags <@ ${tags}::text[])) AS canaries,
      (SELECT json_agg(v ORDER BY v.id) FROM fix_verifications v
        WHERE NOT (v.scoped AND v.scope_sites <@ ${sites}::text[] AND v.scope_tags <@ ${tags}::text[])) AS verifications,
      (SELECT json_agg(v ORDER BY v.verification_id) FROM fix_verification_machines v
        WHERE v.machine_id IS DISTINCT FROM ${machine}::uuid) AS verified,
      (SELECT json_agg(t ORDER BY t.id) FROM enrollment_tokens t
        WHERE NOT (coalesce(t.site, '') = ANY (${sites}::text[]) OR t.tags && ${tags}::text[])) AS enrolment,
      (SELECT json_agg(t ORDER BY t.id) FROM api_tokens t) AS tokens,
      (SELECT json_agg(p ORDER BY p.version) FROM policies p) AS policies,
      (SELECT json_agg(s ORDER BY s.cidr) FROM site_subnets s) AS subnets,
      (SELECT json_agg(s ORDER BY s.key) FROM settings s) AS settings,
      (SELECT json_agg(json_build_object('id', u.id, 'role', u.role, 'scoped', u.scoped, 'sites', u.scope_sites,
        'tags', u.scope_tags, 'disabled', u.disabled_at) ORDER BY u.id) FROM users u) AS users,
      (SELECT json_agg(i ORDER BY i.number) FROM incidents i JOIN incident_members b ON b.incident = i.number
        WHERE b.machine_id IS DISTINCT FROM ${machine}::uuid) AS incidents,
      (SELECT json_agg(s ORDER BY s.id) FROM silences s
        WHERE NOT (s.scoped AND s.scope_sites <@ ${sites}::text[] AND s.scope_tags <@ ${tags}::text[])) AS silences,
      (SELECT json_agg(c ORDER BY c.version) FROM alerting_configs c) AS alerting`;
  return JSON.stringify(rows);
}

describe("pages", () => {
  const pages = filesOf("page.tsx").map(addressOf).sort();

  test("are those that this walk has a rule for", () => {
    expect(pages).toEqual(Object.keys(pageRules).sort());
  });

  test.each(pages)("%s opens for who has its right, and shows nothing of another part", async (page) => {
    const rule = pageRules[page] ?? "open";
    const found: string[] = [];
    for (const person of people) {
      const part = partOf(person);
      const other = part === null ? null : otherOf(part);
      const held = rule === "open" || rule === "session" || allows(person.access, rule);
      // Of a part: every id of the other one. Of the whole fleet: one that opens.
      const own = page.includes("[number]") ? parts.BERN.incident : parts.BERN.machine;
      const ids = /\[(?:id|number)\]/.test(page) ? (other ? idsOf(parts[other]) : [own]) : [""];
      for (const id of held ? ids : ids.slice(0, 1)) {
        const answer = await ask(person, fill(page, id) + (other ? (queries[page]?.(other) ?? "") : ""));
        const refused = `${answer.location}${answer.text}`.includes("/no-right?of=");
        if (refused === held) found.push(`${person.name} ${held ? "is refused" : "opens"} ${page} ${id}`);
        if (other === null) continue;
        const traces = tracesIn(answer.text, other, [id, `name:${other}*`, `${other}*`]);
        if (traces.length > 0) found.push(`${person.name} sees ${traces} on ${page} ${id}`);
      }
    }
    expect(found).toEqual([]);
  });

  test("show one's own part, so that the walk looks for what is there", async () => {
    for (const name of ["BERN", "GRAZ"] as const) {
      const viewer = people.find((person) => partOf(person) === name && person.access.role === "viewer");
      if (!viewer) throw new Error(`no viewer of ${name}`);
      const { machine, incident, change } = parts[name];
      for (const page of [
        "/",
        "/machines",
        "/incidents",
        "/changes",
        `/machines/${machine}`,
        `/incidents/${incident}`,
        `/changes/${change}`,
      ])
        expect([page, (await ask(viewer, page)).text.includes(name)]).toEqual([page, true]);
    }
  });
});

describe("route handlers", () => {
  const routes = filesOf("route.ts")
    .flatMap((file) =>
      [
        ...readFileSync(file, "utf8").matchAll(/^export (?:async )?(?:function|const) (GET|POST|PUT|PATCH|DELETE)\b/gm),
      ].map(([, method]) => `${method} ${addressOf(file)}`),
    )
    .sort();

  test("are those that this walk has a rule for", () => {
    expect(routes).toEqual(Object.keys(routeRules).sort());
  });

  test.each(routes.filter((route) => routeRules[route] !== "open" && route !== "GET /api/live"))(
    "%s answers who has its right, and says and does nothing of another part",
    async (route) => {
      const [method = "", address = ""] = route.split(" ");
      const rule = routeRules[route] as Right;
      const found: string[] = [];
      for (const person of people) {
        const part = partOf(person);
        if (part === null && allows(person.access, rule)) continue;
        const other = otherOf(part ?? "BERN");
        const before = await stateOf(part);
        for (const id of /\[(?:id|number)\]/.test(address) ? idsOf(parts[other]) : [""]) {
          const body = bodies[address]?.(other);
          const answer = await ask(person, fill(address, id) + (queries[address]?.(other) ?? ""), {
            method,
            ...(body === undefined ? {} : { body }),
          });
          const refused = answer.status === 403;
          if (refused === allows(person.access, rule)) found.push(`${person.name} gets ${answer.status} of ${route}`);
          if (part === null) continue;
          const traces = tracesIn(answer.text, other, [id, `name:${other}*`]);
          if (traces.length > 0) found.push(`${person.name} hears ${traces} of ${route} ${id}`);
        }
        // Probing one's own machines again is what an operator may do.
        if (address !== "/api/verifications" && (await stateOf(part)) !== before)
          found.push(`${person.name} changed something by ${route}`);
      }
      expect(found).toEqual([]);
    },
  );

  test("of events tell that something changed, and nothing of what", async () => {
    const viewer = people.find((person) => partOf(person) === "BERN" && person.access.role === "viewer");
    const stop = new AbortController();
    const answer = await fetch(`${base}/api/live`, { headers: { cookie: viewer?.cookie ?? "" }, signal: stop.signal });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    while (!heard.includes("event: change")) {
      if (heard.includes("event: hello"))
        await db.prisma.$executeRaw`SELECT pg_notify('lynceus', ${parts.GRAZ.machine})::text`;
      heard += (await reader?.read())?.value ?? "";
    }
    stop.abort();
    expect(tracesIn(heard, "GRAZ", [])).toEqual([]);
  });
});

describe("acts", () => {
  interface Act {
    id: string;
    name: string;
    page: string;
  }
  const manifest = JSON.parse(
    readFileSync(path.join(root, "apps/dashboard/.next/server/server-reference-manifest.json"), "utf8"),
  ) as { node: Record<string, { workers: Record<string, unknown>; exportedName: string; filename: string }> };
  const acts: Act[] = Object.entries(manifest.node).map(([id, { workers, exportedName, filename }]) => ({
    id,
    name: `${path.basename(path.dirname(filename))} ${exportedName}`,
    page: addressOf(path.join(app, `${Object.keys(workers)[0]?.replace(/^app\//, "")}.tsx`)),
  }));
  const bulkActs = [
    { kind: "tag", add: ["x"], remove: [] },
    { kind: "site", site: "x" },
    { kind: "revoke" },
    { kind: "retire" },
  ];
  /** One's own account, and the first link: no other is touched by these, whatever they are sent. */
  const own = /^(account|welcome) /;

  /** An act as a browser sends it: its arguments, then the fields of a form. */
  async function send(person: Person, act: Act, args: string, fields: [string, string][]) {
    const form = new FormData();
    for (const [name, value] of fields) form.append(`_1_${name}`, value);
    form.append("0", args);
    const answer = await fetch(base + fill(act.page, parts.BERN.machine), {
      method: "POST",
      headers: {
        cookie: person.cookie,
        origin: base,
        "sec-fetch-site": "same-origin",
        "next-action": act.id,
        accept: "text/x-component",
      },
      body: form,
      redirect: "manual",
    });
    return answer.text();
  }

  test("are found, and reached by what the walk sends", async () => {
    expect(acts.length).toBeGreaterThan(20);
    const viewer = people.find((person) => partOf(person) === "BERN" && person.access.role === "viewer");
    const report = acts.find(({ name }) => name === "[id] report");
    if (!viewer || !report) throw new Error("no viewer, or no act that reports");
    const count = () => db.prisma.machineReport.count({ where: { machineId: parts.BERN.machine } });
    const before = await count();
    const state = '{"errors":{},"done":null,"values":{},"turn":0}';
    await send(viewer, report, `[${state},"$K1"]`, [
      ["machine", parts.BERN.machine],
      ["user", "walker"],
      ["prompted", "on"],
    ]);
    expect(await count()).toBe(before + 1);
  });

  test.each(acts.filter(({ name }) => !own.test(name)))(
    "$name says nothing of another part, and changes nothing of it",
    async (act) => {
      const found: string[] = [];
      for (const person of people) {
        const part = partOf(person);
        // One part's people, and the other's admin: sending is dear, and the rule is one.
        if (part === null || (part === "GRAZ" && person.access.role !== "admin")) continue;
        const other = otherOf(part);
        const before = await stateOf(part);
        const { machine, report, canary, verification, token, silence } = parts[other];
        for (const id of [machine, report, canary, verification, token, silence]) {
          const fields: [string, string][] = ["id", "ids", "machine", "machineId", "token", "probe", "causeId"].map(
            (name) => [name, id],
          );
          fields.push(
            ["act", "access"],
            ["role", "admin"],
            ["scope", "whole"],
            ["q", `name:${other}*`],
            ["to", "admin"],
          );
          fields.push(
            ["user", "x"],
            ["prompted", "on"],
            ["label", "x"],
            ["days", "90"],
            ["site", other === "BERN" ? "Bern" : "Graz"],
          );
          fields.push(["uses", "1"], ["hours", "1"], ["secondFactor", "everyone"], ["tags", "x"], ["intent", "save"]);
          const state =
            '{"errors":{},"values":{"access":{"role":"viewer","sites":null,"tags":null}},"turn":0,"step":"start"}';
          for (const args of [
            '["$K1"]',
            `[${state},"$K1"]`,
            `["${id}"]`,
            `[["${id}"]]`,
            `[{"ids":["${id}"],"q":"","id":"${id}"}]`,
            `[{"kind":"rows","ids":["${id}"]}]`,
            ...(id === machine
              ? [...bulkActs, { kind: "probe" }].map((what) => JSON.stringify([what, { kind: "rows", ids: [id] }, 1]))
              : []),
          ]) {
            const text = await send(person, act, args, fields);
            const traces = tracesIn(text, other, [id, machine, `name:${other}*`, other === "BERN" ? "Bern" : "Graz"]);
            if (traces.length > 0) found.push(`${person.name} hears ${traces} of ${act.name}`);
          }
          // One id of each kind is enough where it is refused at the door.
          if (!allows(person.access, "operate")) break;
        }
        if ((await stateOf(part)) !== before) found.push(`${person.name} changed something by ${act.name}`);
      }
      expect(found).toEqual([]);
    },
  );
});
