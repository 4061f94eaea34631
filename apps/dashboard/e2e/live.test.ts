import { openDatabase } from "@lynceus/db/client";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { createUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { buildPolicy } from "@lynceus/protocol/presets";
import { openChromium } from "@lynceus/testkit/chromium";
import { hashPassword } from "better-auth/crypto";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seedMany } from "../test/support/seed.ts";
import { admin, openLive, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { startDashboard } from "./support/seeded.ts";

/* Pages that follow the fleet: while the dashboard is away, and when there are many of them. */

let browser: Browser;
let db: Fleet;
let url: string;
let dashboard: Awaited<ReturnType<typeof startDashboard>>;
let visitor: Visitor;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await openChromium();
  ends.unshift(() => browser.close());
  const database = await createTestDatabase();
  url = database.url;
  ends.unshift(database.drop);
  db = wholeFleet(openDatabase({ url }));
  ends.unshift(() => db.close());
  await seedMany(db, 12);
  const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: [], sipDomains: [] }, 1);
  await savePolicy(db, { body, now: new Date(), createdBy: "e2e" });
  const { name, email, password } = admin;
  const access = { role: "admin" as const, ...everyMachine };
  await createUser(db, { name, email, access, passwordHash: await hashPassword(password) }, "e2e");
  dashboard = await startDashboard(url);
  ends.unshift(() => dashboard.stop());
  visitor = await visit(browser);
  // Time that has to pass is passed by hand.
  await visitor.page.clock.install();
  await visitor.page.goto(`${dashboard.base}/login`);
  await signIn(visitor.page);
  await visitor.page.getByRole("navigation", { name: "Main", exact: true }).waitFor();
});
afterAll(async () => {
  for (const end of ends) await end();
});

/** Hears what the pages of this visitor hear. */
async function follow(context: BrowserContext) {
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const stop = new AbortController();
  const answer = await fetch(`${dashboard.base}/api/live`, { headers: { cookie }, signal: stop.signal });
  expect(answer.status).toBe(200);
  const reader = (answer.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let heard = "";
  return {
    until: async (event: string) => {
      while (!heard.includes(`event: ${event}`)) heard += (await reader.read()).value ?? "";
      heard = "";
    },
    end: () => stop.abort(),
  };
}

test("a page that lost its connection says since when, keeps what it shows, and goes on by itself", async () => {
  const { page } = visitor;
  await openLive(page, `${dashboard.base}/machines?sort=name`);
  const row = () => page.locator('tbody tr[aria-rowindex="2"]').filter({ visible: true });
  await expect.poll(() => row().innerText()).toContain("FLT-000001");
  await dashboard.stop();
  // A heartbeat is due each 10 s; after 15 s without one the page no longer claims to be live.
  await page.clock.fastForward(16_000);
  await page.locator('main[data-live="lost"]').waitFor();
  await shown(page, /^Not live since \d\d:\d\d:\d\d\.$/).waitFor();
  expect(await row().innerText()).toContain("FLT-000001");

  await db.prisma.machine.updateMany({ where: { hostname: "FLT-000001" }, data: { site: "Graz" } });
  dashboard = await startDashboard(url, dashboard.port);
  await page.clock.fastForward(31_000);
  await page.locator('main[data-live="live"]').waitFor({ timeout: 60_000 });
  await expect.poll(() => row().innerText(), { timeout: 20_000 }).toContain("Graz");
  expect(await page.getByText(/^Not live since/).count()).toBe(0);
});

test("a change that comes while the page is still rendered again holds nothing up: each answer is shown, then the newest", async () => {
  const { page, context } = visitor;
  await openLive(page, `${dashboard.base}/machines?sort=name`);
  const row = () => page.locator('tbody tr[aria-rowindex="2"]').filter({ visible: true });
  const place = async (site: string) => {
    await db.prisma.machine.updateMany({ where: { hostname: "FLT-000001" }, data: { site } });
    await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  };
  /** Answers with what is looked for, that the server gave and the page has not. */
  const held: (() => Promise<void>)[] = [];
  let holding = true;
  await page.route(
    (url) => url.pathname === "/machines" && url.searchParams.has("_rsc"),
    async (route) => {
      const response = await route.fetch();
      const give = () => route.fulfill({ response });
      if (holding && /Linz|Wels/.test(await response.text())) held.push(give);
      else await give();
    },
  );
  const heard = await follow(context);
  await place("Linz");
  await expect.poll(() => held.length).toBe(1);
  await heard.until("change");
  await place("Wels");
  await heard.until("change");
  await held.shift()?.();
  await expect.poll(() => row().innerText()).toContain("Linz");
  holding = false;
  await Promise.all(held.splice(0).map((give) => give()));
  await expect.poll(() => row().innerText()).toContain("Wels");
  heard.end();
  await page.unrouteAll({ behavior: "wait" });
});

test("200 open pages cost the database one connection that listens, and each hears of a change", async () => {
  await visitor.page.close();
  const streams = await Promise.all(Array.from({ length: 200 }, () => follow(visitor.context)));
  await Promise.all(streams.map((stream) => stream.until("hello")));
  const listening = await db.prisma.$queryRaw<{ query: string }[]>`
    SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`;
  expect(listening).toEqual([{ query: "LISTEN lynceus" }]);
  await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  await Promise.all(streams.map((stream) => stream.until("change")));
  for (const stream of streams) stream.end();
});
