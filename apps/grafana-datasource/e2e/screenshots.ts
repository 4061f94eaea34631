import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { openBrowser, visit } from "./support/browser";
import { buildHost } from "./support/build-host.mjs";
import { type Fleet, startFleet } from "./support/fleet";
import { type Grafana, startGrafana } from "./support/grafana";
import { answered, choose, drawn, fieldsOf, until } from "./support/page";

/*
 * Takes the pictures that plugin.json names, for Grafana's catalogue: `npm run screenshots`, after `npm run build`. What they
 * show are the built module and Grafana's own packages, in a page that stands for Grafana's; the fleet is a seeded one.
 */

const images = fileURLToPath(new URL("../src/img/", import.meta.url));
const host = mkdtempSync(path.join(tmpdir(), "lynceus-grafana-host-"));
let fleet: Fleet;
let grafana: Grafana;
let browser: BrowserContext;

beforeAll(async () => {
  await buildHost(host);
  fleet = await startFleet();
  grafana = await startGrafana({
    host,
    datasource: {
      url: fleet.url,
      jsonData: { tlsAuthWithCACert: true },
      secrets: { apiToken: fleet.token, tlsCACert: fleet.authority },
    },
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.browser()?.close();
  await grafana?.stop();
  await fleet?.stop();
  rmSync(host, { recursive: true, force: true });
});

async function open(where: string, height: number): Promise<Page> {
  const { page } = await visit(browser);
  await page.setViewportSize({ width: 1280, height });
  await page.goto(`${grafana.url}/${where}`);
  return page;
}
const take = (page: Page, name: string) => page.screenshot({ path: path.join(images, name) });

it("the fleet's dashboard", async () => {
  const page = await open("d/fleet", 900);
  await drawn(page);
  await take(page, "screenshot-fleet.png");
});
it("one site's dashboard", async () => {
  const page = await open("d/site", 900);
  await drawn(page);
  const answer = page.waitForResponse((one) => one.url().includes("/counts/history"));
  await page.evaluate(() => window.choose?.("site", ["Singapore"]));
  await answer;
  await drawn(page);
  await take(page, "screenshot-site.png");
});
it("the query editor, with machines", async () => {
  const page = await open("explore", 600);
  await choose(page, "Show", "Machines A table");
  await until(page, (now) => answered(now) && fieldsOf(now).some((field) => field.name === "machine"));
  const filter = page.getByRole("combobox", { name: "Filter" });
  await filter.fill("status:failing");
  await filter.press("Enter");
  await until(page, (now) => answered(now) && now.query?.q === "status:failing");
  await take(page, "screenshot-query.png");
});
