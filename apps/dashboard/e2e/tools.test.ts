import { settleCanaries } from "@lynceus/db/canaries";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLive, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* Causes, verify fix, tickets, reports and canaries in a real browser. What a collector does is done in the database. */

let browser: Browser;
let dashboard: SeededDashboard;
let visitor: Visitor;
let page: Page;
let base: string;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  base = dashboard.base;
  visitor = await visit(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  page = visitor.page;
  await page.goto(`${base}/login`);
  await signIn(page);
  await page.locator('main[data-live="live"]').waitFor();
});

afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const machine = () => `${base}/machines/${dashboard.fleet.ids.get("SIN-LT-4401")}`;
/** What comes live comes within seconds, on a busy machine later. */
const soon = { timeout: 20_000 };
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

describe("a cause", () => {
  test("is said on the overview, with how many it explains and how many do not fit, and opens", async () => {
    await openLive(page, base);
    const sentence = page.getByRole("heading", { level: 1 }).first();
    expect(await sentence.innerText()).toMatch(/A PAC change at .* explains 16 of them; 3 do not fit\./);
    await sentence.getByRole("link", { name: /A PAC change/ }).click();
    await page.waitForURL(`${base}/causes/${dashboard.fleet.causeId}`);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toMatch(
      /explains 16 of the 19 failing machines\. 5 of \d+ healthy share it\. 3 do not fit\./,
    );
    await shown(page, "What fixes it").waitFor();
    await shown(page, "Script content 9f3c1e → 41ab07").waitFor();
    await shown(page, "3 failing without it").waitFor();
    await shown(page, "5 healthy with it").waitFor();
    const members = page.locator("#members tbody tr");
    expect(await members.count()).toBe(16);
  });

  test("is verified: the number of those left falls as machines answer, without a reload", async () => {
    await openLive(page, `${base}/causes/${dashboard.fleet.causeId}`);
    await page.getByRole("button", { name: "Verify fix" }).click();
    const figure = page.locator("strong.figure");
    await expect.poll(() => figure.innerText(), soon).toBe("16 → 16");
    const settle = (count: number, state: string) => dashboard.db.prisma.$executeRaw`
      UPDATE fix_verification_machines SET state = ${state}, settled_at = now() WHERE machine_id IN
        (SELECT machine_id FROM fix_verification_machines WHERE state = 'waiting' ORDER BY machine_id LIMIT ${count})`;
    await settle(10, "fixed");
    await expect.poll(() => figure.innerText(), soon).toBe("16 → 6");
    await settle(3, "fixed");
    await settle(3, "still");
    await dashboard.db.prisma.$executeRaw`UPDATE fix_verifications SET state = 'done', finished_at = now()`;
    await expect.poll(() => figure.innerText(), soon).toBe("16 → 3");
    await shown(page, "13 reach Exchange again, 3 still fail").waitFor();
    await page.getByRole("button", { name: "Verify again" }).waitFor();
    expect(await page.getByText("still failing").count()).toBe(3);
  });
});

describe("a change", () => {
  test("shows who took it, before and after, and how they are now", async () => {
    await openLive(page, `${base}/changes`);
    await page.getByRole("link", { name: "Proxy script 9f3c1e → 41ab07" }).click();
    await page.waitForURL(/\/changes\/[0-9a-f-]{36}/);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("16 of them fail now");
    expect(await page.locator('dd[data-side="before"]').innerText()).toBe("9f3c1e");
    expect(await page.locator('dd[data-side="after"]').innerText()).toBe("41ab07");
  });

  test("stands beside the first failure on a machine's page", async () => {
    await openLive(page, machine());
    const nearest = page.locator('[data-nearest="true"]');
    expect(await nearest.innerText()).toMatch(/Script content\s+was\s+9f3c1e\s+→\s+is\s+41ab07/);
  });
});

describe("a ticket's text", () => {
  test("is copied by one click or key, as text and as Markdown", async () => {
    await openLive(page, machine());
    await page.getByRole("button", { name: "Markdown" }).click();
    await shown(page, "Copied").waitFor();
    expect(await clipboard()).toMatch(/^## [^\n]+\n\n[^\n]*px1\.contoso\.com:8080 asks/);
    await page.keyboard.press("t");
    await expect.poll(clipboard, soon).toContain("px1.contoso.com:8080");
    expect(await clipboard()).toContain("SIN-LT-4401");
    expect(await clipboard()).not.toContain("\\.");
  });

  test("is shown selected where no page may copy", async () => {
    const other = await visit(browser);
    await other.context.addInitScript(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
      document.execCommand = () => false;
    });
    await other.page.goto(`${base}/login`);
    await signIn(other.page);
    await openLive(other.page, machine());
    await other.page.getByRole("button", { name: "Ticket text" }).click();
    const field = other.page.getByRole("dialog").getByRole("textbox");
    await expect.poll(() => field.inputValue(), soon).toContain("SIN-LT-4401");
    expect(
      await field.evaluate(
        (area: HTMLTextAreaElement) => area.selectionEnd - area.selectionStart === area.value.length,
      ),
    ).toBe(true);
    await other.context.close();
  });
});

describe("a helpdesk report", () => {
  test("is saved on the machine's page, and counts in how right its pattern is", async () => {
    await openLive(page, machine());
    await page.getByRole("button", { name: "Report a prompt" }).click();
    await page.getByLabel("User").fill("a.huber");
    await page.getByRole("button", { name: "Save report" }).click();
    await shown(page, /Saved\. At that moment .*proxy-auth-required/).waitFor();
    await shown(page.locator("#reports table"), "a.huber").waitFor();
    await openLive(page, `${base}/patterns/proxy-auth-required`);
    await shown(page, "1 helpdesk report in 90 days").waitFor();
    expect(await page.getByText("1 of 1 too few for a share").count()).toBe(2);
  });
});

describe("a canary", () => {
  test("is proposed, and its result is shown by effect, site and proxy as it comes", async () => {
    await openLive(page, `${base}/canary`);
    await page.getByLabel("Title").fill("px2 for all");
    await page.getByLabel("Proxy server").fill("user:secret@px2.contoso.com:8080");
    await page.getByRole("button", { name: "Judge before roll-out" }).click();
    await shown(page, "holds a name or password").waitFor();
    await page.getByLabel("Proxy server").fill("px2.contoso.com:8080");
    await page.getByRole("button", { name: "Judge before roll-out" }).click();
    await page.waitForURL(/\/canary\/[0-9a-f-]{36}/);
    await shown(page, "Waits for a collector").waitFor();
    const id = page.url().split("/").at(-1);
    await dashboard.db.prisma.$executeRaw`
      INSERT INTO canary_results (canary_id, machine_id, effect, targets)
      SELECT ${id}::uuid, id, CASE WHEN site = 'Tokyo' THEN 'breaks' ELSE 'same' END, '[]' FROM machines
      WHERE revoked_at IS NULL`;
    const machines = dashboard.fleet.ids.size;
    await dashboard.db.prisma.$executeRaw`
      UPDATE canaries SET state = 'done', machines = ${machines}, evaluated = ${machines}, finished_at = now()
      WHERE id = ${id}::uuid`;
    await settleCanaries(dashboard.db, new Date());
    await expect
      .poll(() => page.getByRole("heading", { level: 1 }).innerText(), soon)
      .toContain(`5 of ${machines} machines would break`);
    expect(
      await page
        .getByRole("row")
        .filter({ hasText: /^Tokyo/ })
        .first()
        .innerText(),
    ).toMatch(/5\s+5\s+5/);
    await page.getByRole("link", { name: /Would break/ }).click();
    await page.waitForURL(/effect=breaks/);
    await expect.poll(() => page.getByRole("cell", { name: /^TYO-/ }).count(), soon).toBe(5);
  });
});

test("none of this complains in the console or breaks the content security policy", () => {
  expect(visitor.complaints).toEqual([]);
});
