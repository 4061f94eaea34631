import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { openChromium } from "@lynceus/testkit/chromium";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, openWhole, signIn, type Visitor, visit } from "./support/browser.ts";
import { hostileStory, markup, seedHostileTexts } from "./support/hostile.ts";
import { pages, seedPages } from "./support/pages.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/*
 * What holds of every page, found in its files, on a fleet with a machine whose agent lies in each field: what it forbids
 * it does not need, it is light, everybody can use it, and what a machine says stays text.
 */

let browser: Browser;
let dashboard: SeededDashboard;
let visitor: Visitor;
let page: Page;
let addresses: Map<string, string>;

/** Scripts of the first load of any page, compressed, in KB. */
const mostKilobytes = 250;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Pages that show a machine of the fleet by what its agent said. */
const showsMachines = ["/machines", "/machines/[id]", "/machines/[id]/observed", "/machines/[id]/probes/[seq]"];

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard([hostileStory]);
  const machine = dashboard.fleet.ids.get(hostileStory.name) ?? "";
  await seedHostileTexts(dashboard.db, machine);
  addresses = await seedPages(dashboard, machine);
  visitor = await visit(browser, { colorScheme: "light" });
  await visitor.context.addInitScript(() => Object.assign(window, { hostile: () => console.error("a lie ran") }));
  page = visitor.page;
  await page.goto(`${dashboard.base}/login`);
  await signIn(page);
  await page.getByRole("navigation", { name: "Main", exact: true }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

test.each(pages)("%s is light, is for everybody, and shows what a machine says as text", async (route) => {
  const before = visitor.complaints.length;
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  const address = addresses.get(route) ?? route;
  expect(address, "an address for this page stands in support/pages.ts").not.toMatch(/[[\]]/);
  await openWhole(page, dashboard.base + address);
  // Scripts have run where something follows the fleet; other pages are as the server made them.
  if ((await page.locator("main[data-live]").count()) > 0) await page.locator('main[data-live="live"]').waitFor();

  expect.soft(await firstLoad(page), "KB of scripts").toBeLessThan(mostKilobytes);
  expect.soft(await faults(page, []), "light").toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
  expect.soft(await faults(page, ["color-contrast"]), "dark").toEqual([]);

  if (showsMachines.includes(route)) expect(await page.locator("main").innerText()).toContain(markup);
  expect.soft(await page.locator('img[src="x"]').count()).toBe(0);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  const complaints = visitor.complaints.slice(before);
  expect(complaints.filter((text) => /content security policy|a lie ran/i.test(text))).toEqual([]);
});

/** Compressed size of the scripts that the page itself names, in KB: what it asks for later is not of its first load. */
async function firstLoad(page: Page): Promise<number> {
  // The page that was loaded, not the one that it led to: its address is another one by then.
  const address = await page.evaluate(() => performance.getEntriesByType("navigation")[0]?.name ?? location.href);
  const html = await (await ask(page.context(), address)).text();
  const named = [...html.matchAll(/<script[^>]* src="([^"]+)"[^>]*>/g)]
    // For browsers that know no modules.
    .filter(([tag]) => !/nomodule/i.test(tag))
    .map((match) => match[1] ?? "");
  const loaded = async () =>
    new Map(
      await page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .map((entry): [string, number] => [
            new URL(entry.name).pathname,
            (entry as PerformanceResourceTiming).encodedBodySize,
          ]),
      ),
    );
  // Scripts come while the page is on screen already.
  await expect
    .poll(
      async () => {
        const known = await loaded();
        return named.filter((name) => !known.has(name));
      },
      { message: "scripts that were not loaded" },
    )
    .toEqual([]);
  const known = await loaded();
  return named.reduce((sum, name) => sum + (known.get(name) ?? 0), 0) / 1024;
}

/** What axe finds against WCAG 2.2 AA; of `rules` alone where there are some. */
async function faults(page: Page, rules: string[]): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(
    (only) =>
      (window as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({
        resultTypes: ["violations"],
        runOnly:
          only.length > 0
            ? { type: "rule", values: only }
            : { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
      }),
    rules,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary?.split("\n")[1] ?? ""}`),
  );
}
