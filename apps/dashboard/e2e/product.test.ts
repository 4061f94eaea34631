import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Database, openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { currentPolicy, savePolicy } from "@lynceus/db/policies";
import { collected, collectedName } from "@lynceus/protocol/collected";
import { openChromium } from "@lynceus/testkit/chromium";
import { closedPorts } from "@lynceus/testkit/listening";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { admin, openLive, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { type Network, startNetwork } from "./support/exchange.ts";
import { isAlive, type Running, up } from "./support/up.ts";

/*
 * The product as a person meets it: `npm run up`, the one-time link, this machine, a fault, Ctrl-C, kill -9. One story:
 * each test goes on from the one before.
 */

const dataDir = mkdtempSync(path.join(tmpdir(), "lynceus-e2e-"));
// As root PostgreSQL runs as another user, who must pass.
chmodSync(dataDir, 0o755);

let browser: Browser;
let network: Network;
let visitor: Visitor;
let running: Running | undefined;
let ports: string[];
let base: string;

beforeAll(async () => {
  browser = await openChromium();
  network = await startNetwork();
  visitor = await visit(browser);
  const [port, collectorPort] = await closedPorts(2);
  ports = ["--port", String(port), "--collector-port", String(collectorPort)];
  base = `http://localhost:${port}`;
});

afterAll(async () => {
  if (running !== undefined) await stop(running);
  await browser?.close();
  await network?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const start = (options: readonly string[]) => up(dataDir, [...ports, ...options], { SSL_CERT_FILE: network.authority });

/** With this machine's agent, which believes that its settings are those of the file. */
const startWithAgent = () => start(["--proxy-settings", network.proxySettings]);

/** Names of all values in facts, as the privacy ledger writes them. */
function namesOf(value: unknown, name = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => namesOf(one, `${name}[]`));
  if (typeof value !== "object") return [collectedName(name)];
  return Object.entries(value ?? {}).flatMap(([key, part]) => namesOf(part, name === "" ? key : `${name}.${key}`));
}

/** Ctrl-C. */
async function stop(product: Running): Promise<number | null> {
  running = undefined;
  product.signal("SIGINT");
  return product.ended;
}

/** The database below the running product. It stays with the product. */
async function withDatabase<T>(act: (db: Database) => Promise<T>): Promise<T> {
  const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(dataDir, "postgres") });
  if (!postgres.adopted) throw new Error("the product's PostgreSQL is not running");
  const db = openDatabase({ url: postgres.url });
  return act(db).finally(() => db.close());
}

const machine = () => withDatabase((db) => db.prisma.machine.findFirstOrThrow());

async function openMachine() {
  await openLive(visitor.page, `${base}/machines`);
  await visitor.page.getByRole("table").getByRole("link").first().click();
  await visitor.page.getByRole("region", { name: "Evidence chain" }).waitFor();
}

const verdict = () => visitor.page.getByRole("heading", { level: 1 });
const probeNow = () => visitor.page.getByRole("button", { name: "Probe now" });

describe("the first start", () => {
  test("prints a link that makes the first admin, once", async () => {
    // Without an agent: the default https control target is a host on the internet.
    const targets = ["--ews", network.ews, "--smtp-domain", "localhost", "--control", network.control];
    running = await start([...targets, "--no-agent"]);
    await expect.poll(() => running?.welcomeLink()).toContain("/welcome?code=");
    const link = running.welcomeLink() ?? "";
    const { page } = visitor;

    await page.goto(link);
    await page.getByLabel("Name").fill(admin.name);
    await page.getByLabel("Email").fill(admin.email);
    await page.getByLabel("Password", { exact: true }).fill(admin.password);
    await page.getByLabel("Password again").fill(admin.password);
    await page.getByRole("button", { name: "Make admin" }).click();
    await shown(page, "No machines yet.").waitFor();

    await page.goto(link);
    await page.getByRole("heading", { name: "This link is not valid any more." }).waitFor();
    expect(await withDatabase((db) => db.prisma.user.count())).toBe(1);
  });

  test("puts the targets of the command line in force", async () => {
    await openLive(visitor.page, `${base}/settings`);
    await shown(visitor.page, network.ews, { exact: true }).waitFor();
  });

  test("signs out, and in again with the password alone", async () => {
    const { page } = visitor;
    await page.locator("nav").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${base}/machines`);
    expect(new URL(page.url()).pathname).toBe("/login");

    await signIn(page, { ...admin, password: "not the right words" });
    await shown(page, "No account has this address and password.").waitFor();
    await signIn(page);
    // Back to where the session was missed.
    await page.waitForURL(`${base}/machines`);
  });

  test("serves 127.0.0.1 as well as localhost", async () => {
    const other = await visit(browser);
    const address = base.replace("localhost", "127.0.0.1");
    await other.page.goto(address);
    await signIn(other.page);
    await shown(other.page, "No machines yet.").waitFor();
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  test("ends at Ctrl-C and leaves no process behind", async () => {
    const product = running as Running;
    // Probes of these servers and no others, from the next start on.
    await withDatabase(async (db) => {
      const version = (await currentPolicy(db))?.version ?? 0;
      await savePolicy(db, { body: network.policy(version), now: new Date(), createdBy: "e2e" });
    });
    const pids = (["up", "collector", "dashboard"] as const).map(product.pidOf);
    expect(pids.every(isAlive)).toBe(true);
    expect(await stop(product)).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("this machine", () => {
  test("is listed as healthy after a start that knows the admin", async () => {
    running = await startWithAgent();
    expect(running.welcomeLink()).toBeNull();
    const { page } = visitor;
    await openLive(page, base);
    await page
      .locator('main a[data-status="healthy"] .figure', { hasText: /^1/ })
      .filter({ visible: true })
      .waitFor({ timeout: 60_000 });
    await openLive(page, `${base}/machines`);
    const row = page.getByRole("table").locator("tbody tr");
    await shown(row, "Healthy").waitFor();
    expect(await row.count()).toBe(1);
    expect(await row.locator("td a").first().getAttribute("href")).toBe(`/machines/${(await machine()).id}`);
  });

  test("sent nothing that the privacy ledger does not list", async () => {
    const listed = new Map<string, Set<string>>(
      collected().map(({ id, fields }) => [id, new Set(fields.map(({ path: name }) => name))]),
    );
    const sent = await withDatabase((db) =>
      db.prisma.observation.findMany({
        where: { kind: { in: ["system", "settings", "pac", "wpad", "probe"] } },
        select: { kind: true, facts: true },
      }),
    );
    expect(new Set(sent.map(({ kind }) => kind)).size).toBeGreaterThan(2);
    const unlisted = sent.flatMap(({ kind, facts }) =>
      namesOf(facts).filter((name) => !listed.get(kind)?.has(name.replace(/\.headers\..*/, ".headers.*"))),
    );
    expect([...new Set(unlisted)]).toEqual([]);
  });

  test("has both lanes of the evidence chain, with what was seen", async () => {
    await openMachine();
    const { page } = visitor;
    const configured = page.getByRole("group", { name: "Configured" });
    const direct = page.getByRole("group", { name: "Direct" });
    const seen = async () => ({
      connect: await configured.locator('[data-step="connect"]').innerText(),
      http: await configured.locator('[data-step="http"]').innerText(),
      auth: await configured.locator('[data-step="auth"]').innerText(),
      directConnect: await direct.locator('[data-step="connect"]').getAttribute("data-state"),
      directHttp: await direct.locator('[data-step="http"]').innerText(),
    });
    expect(await seen()).toEqual({
      connect: expect.stringContaining("200"),
      http: expect.stringContaining("401"),
      auth: expect.stringMatching(/negotiate/i),
      directConnect: "not-applicable",
      directHttp: expect.stringContaining("401"),
    });
  });

  test("is probed on request, and every open page shows the fault without a reload", async () => {
    const { page } = visitor;
    const watcher = await visitor.context.newPage();
    await openLive(watcher, page.url());
    for (const open of [page, watcher]) await open.evaluate(() => Object.assign(window, { untouched: true }));
    const failed = (on: Page) =>
      on.getByRole("group", { name: "Configured" }).locator('[data-step="http"][data-state="failed"]').waitFor();
    network.exchange("stopped");
    await probeNow().click();
    await shown(page, /Waiting for the machine|Sent to the machine|Probing, \d+ of \d+/).waitFor();
    await failed(watcher);
    const shownAt = Date.now();
    await failed(page);
    await shown(page, /^Probed, (\d+) of \1$/).waitFor({ timeout: 60_000 });
    for (const open of [page, watcher]) expect(await open.evaluate(() => "untouched" in window)).toBe(true);

    const { id } = await machine();
    const seen = await withDatabase((db) =>
      db.prisma.observation.findFirstOrThrow({
        where: { machineId: id, key: { endsWith: ":ews:configured" } },
        orderBy: { observedAt: "desc" },
      }),
    );
    // The aim is 2 s; the bound leaves room for a machine that is busy with other tests.
    expect(shownAt - seen.observedAt.getTime()).toBeLessThan(10_000);
    await watcher.close();
  });

  test("is healthy again after the repair", async () => {
    network.exchange("up");
    await probeNow().click();
    await visitor.page
      .getByRole("group", { name: "Configured" })
      .locator('[data-step="http"][data-state="ok"]')
      .waitFor({ timeout: 60_000 });
  });
});

describe("after an end that nobody wanted", () => {
  test("a killed collector is started again and the machine comes back", async () => {
    const product = running as Running;
    const before = product.pidOf("collector");
    process.kill(before, "SIGKILL");
    await expect.poll(() => product.output(), { timeout: 30_000 }).toContain("collector ended");
    await expect.poll(() => product.pidOf("collector"), { timeout: 30_000 }).not.toBe(before);
    // A page read while the machine was away says so; this one is read until it is back.
    await expect
      .poll(async () => visitor.page.reload().then(() => probeNow().isEnabled()), { timeout: 60_000, interval: 1_000 })
      .toBe(true);
    await visitor.page.locator('main[data-live="live"]').waitFor();
    await probeNow().click();
    await shown(visitor.page, /^Probed, (\d+) of \1$/).waitFor({ timeout: 60_000 });
  });

  test("a killed supervisor's next start knows machine and admin", async () => {
    const product = running as Running;
    const before = await machine();
    process.kill(product.pidOf("up"), "SIGKILL");
    await product.ended;
    running = await startWithAgent();
    await openMachine();
    expect((await machine()).id).toBe(before.id);
    expect(running.welcomeLink()).toBeNull();
    await expect.poll(async () => await probeNow().isEnabled(), { timeout: 60_000 }).toBe(true);
    expect(await verdict().innerText()).not.toBe("");
    expect(await stop(running)).toBe(0);
  });

  test("no page complained on the way", () => {
    // Servers that are away on purpose are not the page's fault.
    expect(
      visitor.complaints.filter(
        (text) =>
          !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|TypeError: Failed to fetch|503 .*\/api\/live/.test(text),
      ),
    ).toEqual([]);
  });
});
