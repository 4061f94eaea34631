import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { hashPassword } from "better-auth/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "./database.ts";

const app = fileURLToPath(new URL("../src/app", import.meta.url));
const walk = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
const files = (name: string) =>
  walk(app)
    .filter((file) => path.basename(file) === name)
    .sort();
const origin = "http://127.0.0.1:3000";
const password = "four good words here";

/** What anyone may call, and why. */
const openRoutes: Record<string, string> = {
  "api/health": "health checks have no session",
  "api/auth/callback/sso": "the provider sends people back to it; a state that it made is its key",
  "api/sign-in": "it makes the session",
  "api/sign-in/code": "it makes the session",
  "api/sign-in/sso": "it makes the session",
  "wall/alive": "the wallboard's token, or a session, is its key: else 401",
  "wall/token": "it keeps the wallboard's token",
  "api/sign-out": "it ends the session, if there is one",
};
const openPages: Record<string, string> = {
  login: "it makes the session",
  "login/code": "it makes the session",
  wall: "a token of the scope wall, or a session, is its key: else it says how to get one",
  "wall/open": "it keeps the wallboard's token",
  welcome: "the one-time link is its key",
  "i/[number]": "a session, or the signed link of a notice, is its key: else it leads to the log-in",
};

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

let stop: () => Promise<void>;
let cookies: Record<"viewer" | "admin", string>;
const routes: { route: string; method: string; handler: Handler }[] = [];

beforeAll(async () => {
  const { db, url, stop: end } = await testDatabase();
  stop = end;
  Object.assign(process.env, {
    DATABASE_URL: url,
    BETTER_AUTH_SECRET: "kR8v1nQ0xTz5Lw2mYb7Jc4Hd9Fs6Gp3A",
    LYNCEUS_PUBLIC_URL: origin,
  });
  for (const file of files("route.ts")) {
    const module = (await import(pathToFileURL(file).href)) as Record<string, Handler | undefined>;
    for (const method of methods) {
      const handler = module[method];
      if (handler) routes.push({ route: path.relative(app, path.dirname(file)), method, handler });
    }
  }
  const passwordHash = await hashPassword(password);
  for (const role of ["viewer", "admin"] as const)
    await createUser(
      db,
      { name: role, email: `${role}@contoso.com`, access: { role, ...everyMachine }, passwordHash },
      "test",
    );
  cookies = { viewer: await signIn("viewer@contoso.com"), admin: await signIn("admin@contoso.com") };
});

afterAll(async () => {
  const { database } = await import("../src/lib/db.ts");
  await database().close();
  await stop();
});

const find = (route: string, method: string): Handler => {
  const found = routes.find((one) => one.route === route && one.method === method);
  if (!found) throw new Error(`no ${method} ${route}`);
  return found.handler;
};

const call = (handler: Handler, route: string, method: string, headers: Record<string, string>, body?: BodyInit) =>
  handler(
    new Request(`${origin}/${route.replace("[id]", unknownMachine)}`, {
      method,
      headers: { host: "127.0.0.1:3000", ...headers },
      ...(body === undefined ? {} : { body }),
    }),
    { params: Promise.resolve({ id: unknownMachine }) },
  );

const unknownMachine = "00000000-0000-4000-8000-000000000000";
const ours = { origin, "sec-fetch-site": "same-origin" };

const signInWith = (fields: Record<string, string>, headers: Record<string, string> = ours) =>
  call(find("api/sign-in", "POST"), "api/sign-in", "POST", headers, new URLSearchParams(fields));

async function signIn(email: string): Promise<string> {
  const answer = await signInWith({ email, password });
  expect(answer.headers.get("location")).toBe("/");
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

describe("route handlers", () => {
  test("there are some, and every open one is known", () => {
    expect(routes.map(({ route }) => route)).toEqual(expect.arrayContaining(["api/live", "api/go-to", "api/health"]));
    expect(Object.keys(openRoutes).filter((route) => !routes.some((one) => one.route === route))).toEqual([]);
  });

  test("all others answer 401 without a session, and with a cookie that is none", async () => {
    for (const { route, method, handler } of routes) {
      if (route in openRoutes) continue;
      for (const cookie of ["", "lynceus.session_token=forged.forged"]) {
        const answer = await call(handler, route, method, { ...ours, cookie });
        expect(`${method} ${route} ${answer.status}`).toBe(`${method} ${route} 401`);
        expect(await answer.json()).toHaveProperty("error.requestId");
      }
    }
  });

  test("what changes something refuses another site's form, whoever is signed in", async () => {
    for (const { route, method, handler } of routes) {
      if (method === "GET" || route in openRoutes) continue;
      const answer = await call(handler, route, method, { origin: "https://evil.example", cookie: cookies.admin });
      expect(`${method} ${route} ${answer.status}`).toBe(`${method} ${route} 403`);
    }
  });

  test("a viewer may not ask a machine to check; an admin may, and hears that it is unknown", async () => {
    const route = "api/machines/[id]/check-now";
    const asked = (cookie: string) => call(find(route, "POST"), route, "POST", { ...ours, cookie });
    expect((await asked(cookies.viewer)).status).toBe(403);
    const answer = await asked(cookies.admin);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "NO_MACHINE" } });
  });

  test("a check's progress is that of the command asked for, and of this machine alone", async () => {
    const { database } = await import("../src/lib/db.ts");
    const { prisma } = database();
    const route = "api/machines/[id]/check-now";
    const [older, newer, others] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    for (const [id, machineId, minute] of [
      [older, unknownMachine, 1],
      [newer, unknownMachine, 2],
      [others, "00000000-0000-4000-8000-0000000000ff", 3],
    ] as const) {
      const at = new Date(Date.UTC(2026, 10, 22, 8, minute));
      const times = { createdAt: at, updatedAt: at };
      await prisma.command.create({
        data: { id: id ?? "", machineId, command: "check-now", createdBy: "ann", ...times },
      });
    }
    const ask = (query: string) =>
      find(route, "GET")(new Request(`${origin}/api/x${query}`, { headers: { cookie: cookies.viewer } }), {
        params: Promise.resolve({ id: unknownMachine }),
      });
    expect(await (await ask("")).json()).toMatchObject({ id: newer });
    expect(await (await ask(`?command=${older}`)).json()).toMatchObject({ id: older });
    for (const query of [`?command=${others}`, "?command=nonsense", "?command="])
      expect((await ask(query)).status).toBe(404);
  });

  test("the palette finds nothing by hostile text and does not fail", async () => {
    for (const text of ["a", "zq", '"; drop table machines; --', "name:*", "%", "\u202e\u0000x", "x".repeat(5_000)]) {
      const answer = await find("api/go-to", "GET")(
        new Request(`${origin}/api/go-to?q=${encodeURIComponent(text)}`, { headers: { cookie: cookies.viewer } }),
        { params: Promise.resolve({}) },
      );
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ machines: [], incidents: [], patterns: [] });
    }
  });
});

describe("signing in", () => {
  test("wrong password, unknown account and another site's form give no cookie", async () => {
    for (const [fields, headers] of [
      [{ email: "admin@contoso.com", password: "not the password" }, ours],
      [{ email: "nobody@contoso.com", password }, ours],
      [
        { email: "admin@contoso.com", password },
        { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      ],
    ] as const) {
      const answer = await signInWith(fields, headers);
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")).toMatch(/^\/login\?error=/);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test("returns to the page that was asked for, and to no other site", async () => {
    const back = async (next: string) =>
      (await signInWith({ email: "viewer@contoso.com", password, next })).headers.get("location");
    expect(await back("/machines?q=status:failing")).toBe("/machines?q=status:failing");
    expect(await back("//evil.example")).toBe("/");
  });

  test("the cookie is for http alone and not for other sites", async () => {
    const [cookie] = (await signInWith({ email: "viewer@contoso.com", password })).headers.getSetCookie();
    expect(cookie).toMatch(/^lynceus\.session_token=.*HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
  });

  test("guessing at one account is slowed down", async () => {
    const locations: (string | null)[] = [];
    for (let n = 0; n < 12; n++)
      locations.push(
        (await signInWith({ email: "guessed@contoso.com", password: `guess ${n}` })).headers.get("location"),
      );
    expect(locations.at(-1)).toBe("/login?error=wait");
  });

  test("a session that was signed out is refused at once", async () => {
    const cookie = await signIn("viewer@contoso.com");
    const goTo = () => call(find("api/go-to", "GET"), "api/go-to", "GET", { cookie });
    expect((await goTo()).status).toBe(200);
    await call(find("api/sign-out", "POST"), "api/sign-out", "POST", { ...ours, cookie });
    expect((await goTo()).status).toBe(401);
  });
});

test("every page asks for the session itself, and every form's act for the role", () => {
  const pages = files("page.tsx").map((file) => path.relative(app, path.dirname(file)) || "(root)");
  const unguarded = files("page.tsx").filter(
    (file) =>
      !(path.relative(app, path.dirname(file)) in openPages) &&
      !/await require(Right|Session)\(/.test(readFileSync(file, "utf8")),
  );
  expect(pages.length).toBeGreaterThan(3);
  expect(unguarded.map((file) => path.relative(app, file))).toEqual([]);
  const acts = walk(app)
    .filter((file) => /^"use server"/.test(readFileSync(file, "utf8")) && !file.includes("/welcome/"))
    .flatMap((file) =>
      readFileSync(file, "utf8")
        .split(/^(?=export async function )/m)
        .slice(1),
    );
  expect(acts.length).toBeGreaterThan(10);
  // One's own account needs no right: a session, and a form of ours.
  expect(acts.filter((act) => !/^ {2}(?:const .* = )?await (?:requireAct|ownAct)\(/m.test(act))).toEqual([]);
});
