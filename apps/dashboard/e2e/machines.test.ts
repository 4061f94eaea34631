import { readFileSync } from "node:fs";
import { listAudit } from "@lynceus/db/audit";
import { listMachines } from "@lynceus/db/machines";
import { wholeFleet } from "@lynceus/db/scope";
import { parseFilter } from "@lynceus/protocol/filter";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLive, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* The machines list as somebody works with it: views, columns, groups, selections and what is done to many machines. */

let browser: Browser;
let dashboard: SeededDashboard;
let visitor: Visitor;
let page: Page;
let base: string;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  base = dashboard.base;
  visitor = await visit(browser);
  page = visitor.page;
  await page.goto(`${base}/login`);
  await signIn(page);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
});

afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const rows = () => page.locator("tbody tr[aria-rowindex]").filter({ visible: true });
const matching = async (q: string) =>
  (await listMachines(wholeFleet(dashboard.db), { terms: parseFilter(q, { now: Date.now() }).terms })).total;
const newest = async () => (await listAudit(dashboard.db, {})).items[0];
const toolbar = () => page.getByRole("toolbar", { name: "Selected machines" });
const dialog = () => page.getByRole("dialog");
/** The first press may come before the table listens. */
const selectFirst = () =>
  expect
    .poll(async () => {
      if (!(await toolbar().isVisible())) await rows().first().getByRole("checkbox").click();
      return toolbar().isVisible();
    })
    .toBe(true);

describe("the list", () => {
  test("shows the columns that were chosen, again at the next visit, and says so in the address", async () => {
    await openLive(page, `${base}/machines`);
    expect(await page.getByRole("columnheader", { name: "Resolver" }).count()).toBe(0);
    await page.getByRole("button", { name: /^Columns · 14 of/ }).click();
    await page.getByRole("menuitemcheckbox", { name: "Resolver" }).click();
    await page.getByRole("menuitemcheckbox", { name: "WinHTTP" }).click();
    await page.getByRole("columnheader", { name: "Resolver" }).waitFor();
    await page.waitForURL(/cols=[^&]*resolver/);
    await page.keyboard.press("Escape");
    await openLive(page, `${base}/machines`);
    await page.getByRole("columnheader", { name: "Resolver" }).waitFor();
    expect(await page.getByRole("columnheader", { name: "WinHTTP" }).count()).toBe(0);
    // Somebody else's link shows what they saw.
    await openLive(page, `${base}/machines?cols=status,name,tags`);
    expect(await page.getByRole("columnheader").count()).toBe(4);
  });

  test("groups by any field, and each figure opens exactly its machines", async () => {
    await openLive(page, `${base}/machines?q=-status:signed-off`);
    await page.getByRole("button", { name: "Group" }).click();
    await page.getByRole("menuitemradio", { name: "Site", exact: true }).click();
    await page.waitForURL(/group=site/);
    const group = page
      .getByRole("table", { name: "Machines by site" })
      .getByRole("row")
      .filter({ hasText: "Singapore" });
    const failing = Number(await group.getByRole("link").nth(1).innerText());
    expect(failing).toBe(await matching("site:Singapore status:failing"));
    await group.getByRole("link").nth(1).click();
    await page.waitForURL(/status(:|%3A)failing/);
    await expect.poll(async () => page.getByRole("table").getAttribute("aria-rowcount")).toBe(String(failing + 1));
  });

  test("says which term to drop when nothing matches, and how many would match then", async () => {
    await openLive(page, `${base}/machines?q=status:failing+site:Singapore+os:macos`);
    await shown(page, /^0 of \d+ machines match\.$/).waitFor();
    const expected = await matching("status:failing site:Singapore");
    expect(await page.locator("main").innerText()).toContain(`Without os:macos ${expected} match.`);
    await page.getByRole("link", { name: "Drop os:macos" }).click();
    await expect.poll(() => rows().count()).toBe(expected);
  });
});

describe("views of the team", () => {
  test("keep filter, order, columns and groups under a name, for everybody", async () => {
    await openLive(page, `${base}/machines?q=status:failing&sort=name&cols=status,name,route`);
    await page.getByRole("button", { name: "+ Save view" }).click();
    await dialog().getByLabel("Name").fill("Behind px1");
    await dialog().getByRole("button", { name: "Save view" }).click();
    await page.waitForURL(`${base}/machines/views/behind-px1`);
    expect(await page.locator("th[aria-sort]").innerText()).toContain("Machine");
    expect(await page.getByRole("columnheader").count()).toBe(4);
    expect(await newest()).toMatchObject({ action: "view.create", subject: "behind-px1" });

    const other = await visit(browser);
    await other.page.goto(`${base}/login?next=/machines`);
    await signIn(other.page);
    const tab = other.page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: /Behind px1/ });
    await expect.poll(() => tab.innerText()).toContain(String(await matching("status:failing")));
    await tab.click();
    await other.page.waitForURL(/views\/behind-px1/);
    await other.context.close();
  });

  test("can be changed and removed", async () => {
    await openLive(page, `${base}/machines/views/behind-px1?q=status:stale`);
    await page.getByRole("button", { name: "Save changes" }).click();
    await dialog().getByRole("button", { name: "Save changes" }).click();
    await expect.poll(async () => (await newest())?.action).toBe("view.change");
    await openLive(page, `${base}/machines/views/behind-px1`);
    await page.getByRole("button", { name: "Remove status:stale" }).waitFor();
    await page.getByRole("button", { name: "Edit view" }).click();
    await dialog()
      .getByRole("button", { name: /^Delete view/ })
      .click();
    await dialog()
      .getByRole("button", { name: /^Delete now/ })
      .click();
    await page.waitForURL(`${base}/machines`);
    expect((await page.goto(`${base}/machines/views/behind-px1`))?.status()).toBe(404);
    visitor.complaints.splice(0);
  });
});

describe("many machines at once", () => {
  test("are tagged after the server said how many there are, and none when they are others by then", async () => {
    await openLive(page, `${base}/machines?q=status:failing`);
    const failing = await matching("status:failing");
    await selectFirst();
    await toolbar()
      .getByRole("button", { name: `Select all ${failing}` })
      .click();
    await shown(toolbar(), `All ${failing} selected`).waitFor();
    await toolbar().getByRole("button", { name: "Tags…" }).click();
    await shown(dialog(), `${failing} machines now.`).waitFor();
    // Meanwhile one of them works again.
    await dashboard.db.prisma.machine.updateMany({
      where: { id: dashboard.fleet.ids.get("SIN-LT-4401") ?? "" },
      data: { status: "healthy" },
    });
    await dialog().getByLabel("Add").fill("night");
    await page.keyboard.press("Enter");
    await dialog()
      .getByRole("button", { name: `Tag ${failing} machines` })
      .click();
    await shown(dialog(), `${failing - 1} machines match now, ${failing} did before. Nothing was done yet.`).waitFor();
    expect(await matching("tag:night")).toBe(0);
    await dialog()
      .getByRole("button", { name: `Tag ${failing - 1} machines` })
      .click();
    await dialog().waitFor({ state: "hidden" });
    expect(await matching("tag:night")).toBe(failing - 1);
    expect(await newest()).toMatchObject({
      action: "machine.tag",
      subject: `${failing - 1} machines`,
      after: { add: ["night"], remove: [], q: "status:failing" },
    });
  });

  test("are moved to a site and revoked, each with an entry in the audit log", async () => {
    await openLive(page, `${base}/machines?q=site:Graz`);
    const graz = await matching("site:Graz");
    for (const [act, button, left] of [
      ["Site…", "Move", "machine.site"],
      ["Revoke…", "Revoke", "machine.revoke"],
    ] as const) {
      const q = act === "Site…" ? "site:Graz" : "site:Linz";
      await openLive(page, `${base}/machines?q=${q}`);
      await selectFirst();
      await page.keyboard.press("Escape");
      await page.getByLabel("Select the rows on screen").click();
      if (act === "Site…") await toolbar().getByRole("button", { name: act }).click();
      else {
        await toolbar().getByRole("button", { name: "More" }).click();
        await page.getByRole("menuitem", { name: act }).click();
      }
      if (act === "Site…") await dialog().getByLabel("Site").fill("Linz");
      await dialog()
        .getByRole("button", { name: `${button} ${graz} machines` })
        .click();
      await expect.poll(async () => (await newest())?.action).toBe(left);
    }
    expect(await matching("site:Linz")).toBe(0);
  });

  test("are probed at a bounded rate, with their progress on the page", async () => {
    await openLive(page, `${base}/machines?q=site:Sydney`);
    await selectFirst();
    await toolbar().getByRole("button", { name: "Select all" }).click();
    await toolbar().getByRole("button", { name: "Probe now" }).click();
    const sydney = await matching("site:Sydney");
    await dialog()
      .getByRole("button", { name: `Probe ${sydney} machines` })
      .click();
    await shown(page, new RegExp(`Probing ${sydney}: 0 answered`)).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await expect.poll(async () => (await newest())?.action).toBe("verification.cancel");
  });

  test("are saved as a file that no spreadsheet takes for formulas, and that is noted", async () => {
    const [hostile] = [dashboard.fleet.ids.get("SIN-LT-4418") ?? ""];
    await dashboard.db.prisma.machine.update({ where: { id: hostile }, data: { hostname: '=HYPERLINK("http://x")' } });
    await openLive(page, `${base}/machines?q=site:Singapore&sort=name&cols=status,name,since,route`);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const lines = readFileSync((await (await saved).path()) ?? "", "utf8")
      .replace("\ufeff", "")
      .trim()
      .split("\r\n");
    expect(lines[0]).toBe("State,Machine,Since,Configured route,Id");
    expect(lines.length - 1).toBe(await matching("site:Singapore"));
    const cell = lines.find((line) => line.includes(hostile)) ?? "";
    expect(cell).toContain(`"'=HYPERLINK(""http://x"")"`);
    expect(cell).toMatch(/,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/);
    expect(await newest()).toMatchObject({ action: "machine.export", after: { format: "csv", q: "site:Singapore" } });

    await selectFirst();
    const json = page.waitForEvent("download");
    await toolbar().getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Export JSON" }).click();
    const machines = JSON.parse(readFileSync((await (await json).path()) ?? "", "utf8")) as { site: string }[];
    expect(machines.map((machine) => machine.site)).toEqual(["Singapore"]);
  });
});

test("no page complained meanwhile", () => {
  expect(visitor.complaints).toEqual([]);
});
