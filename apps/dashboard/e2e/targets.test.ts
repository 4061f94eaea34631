import { currentPolicy, stagedPolicy } from "@lynceus/db/policies";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { confirm, openLive, shown, signIn, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* A policy from its test on one machine, over a part of the fleet, to everybody, and back. */

let browser: Browser;
let dashboard: SeededDashboard;
let page: Page;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  page = (await visit(browser)).page;
  await page.goto(`${dashboard.base}/login?next=/targets`);
  await signIn(page);
  await page.waitForURL(`${dashboard.base}/targets`);
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const panel = (title: string | RegExp) =>
  page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: title }), visible: true })
    .first();

test("a version is tested on one machine, widened, given to all, and the one before is brought back", async () => {
  const before = (await currentPolicy(dashboard.db))?.version ?? 0;
  await openLive(page, `${dashboard.base}/targets`);
  await page.getByRole("link", { name: "Change", exact: true }).click();
  await page.getByLabel("Exchange (EWS) hosts").fill("mail.contoso.com, owa.contoso.com");
  await page.getByLabel("Who gets it first").selectOption("machine");
  await page.getByLabel("Machine", { exact: true }).fill("NOT-THERE-1");
  await page.getByLabel("Note").fill("a second front end");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await shown(page, /No machine is called "NOT-THERE-1"/).waitFor();
  await page.getByLabel("Machine", { exact: true }).fill("sin-lt-4401");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`${dashboard.base}/targets`);

  await panel(`Version ${before + 1}, rolling out in part`).waitFor();
  expect((await stagedPolicy(dashboard.db))?.note).toBe("a second front end");
  expect((await currentPolicy(dashboard.db))?.version).toBe(before);
  expect((await stagedPolicy(dashboard.db))?.rollout?.machines).toEqual([dashboard.fleet.ids.get("SIN-LT-4401")]);
  expect(await panel("Test").innerText()).toContain("SIN-LT-4401");
  expect(await panel("What it changes").innerText()).toMatch(/target ews-2\s+not there\s+https owa\.contoso\.com/);

  await page.getByLabel("Share of the fleet").selectOption("25");
  await page.getByLabel("And sites").fill("Singapore");
  await page.getByRole("button", { name: "Change who gets it" }).click();
  await expect
    .poll(async () => (await stagedPolicy(dashboard.db))?.rollout, { timeout: 20_000 })
    .toMatchObject({ percent: 25, sites: ["Singapore"], machines: [dashboard.fleet.ids.get("SIN-LT-4401")] });

  await confirm(page, "Give it to the whole fleet", /Give it to \d+ machines/);
  await panel(`Version ${before + 1}, in force`).waitFor();
  expect(await stagedPolicy(dashboard.db)).toBeNull();

  await panel("History")
    .getByRole("link", { name: String(before), exact: true })
    .click();
  await panel("If it came back").waitFor();
  await confirm(page, "Bring it back", /Bring it back to the whole fleet/);
  await panel(`Version ${before + 2}, in force`).waitFor();
  expect((await currentPolicy(dashboard.db))?.note).toBe(`as version ${before}`);
});
