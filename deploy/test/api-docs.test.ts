import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningCollector, startBuiltCollector } from "./support/collector.ts";

let collector: RunningCollector;
let browser: Browser;
beforeAll(async () => {
  collector = await startBuiltCollector(["--plain"]);
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await collector?.stop();
});

it("the API's document is read and tried in a browser that reaches nothing but the collector", async () => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  const origin = `http://127.0.0.1:${collector.port}`;
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) elsewhere.push(url);
  });
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));

  await page.goto(`${origin}/api/docs`);
  await page.getByText("Machines by filter and order, a page at a time").waitFor();
  await page.getByRole("button", { name: "Authorize" }).click();
  await page.getByLabel("auth-bearer-value").fill(collector.token);
  await page.getByRole("button", { name: "Apply credentials" }).click();
  await page.getByRole("button", { name: "Close", exact: true }).last().click();

  const counts = page.locator("#operations-machines-getCounts");
  await counts.locator(".opblock-summary-control").click();
  await counts.getByRole("button", { name: "Try it out" }).click();
  await counts.getByRole("button", { name: "Execute" }).click();
  await expect
    .poll(() => counts.locator(".live-responses-table .microlight").first().textContent())
    .toContain('"cannotTell": 0');
  if (process.env.LYNCEUS_SCREENSHOTS)
    await page.screenshot({ path: `${process.env.LYNCEUS_SCREENSHOTS}/api-docs.png` });

  expect(elsewhere).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});
