import { execFileSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./support/program.ts";

let browser: Browser;
beforeAll(async () => {
  execFileSync(process.execPath, [path.join(root, "scripts/docs.mjs")], { stdio: "pipe" });
  browser = await openChromium();
});
afterAll(() => browser?.close());

/** A page of the site, as a file: no server stands before it. */
async function open(page: string, width = 1440) {
  const opened = await browser.newPage({ viewport: { width, height: 900 } });
  const complaints: string[] = [];
  opened.on("pageerror", (error) => complaints.push(error.message));
  await opened.goto(pathToFileURL(path.join(root, "dist/docs", page)).href);
  return { page: opened, complaints };
}

describe("the documentation site", () => {
  it("finds a section by words of its heading and of its text, from any page, and leads there", async () => {
    const { page, complaints } = await open("docs/operations/install.html");
    const search = page.getByRole("searchbox");
    await search.fill("environment variables");
    await page.getByRole("link", { name: "Options and environment variables: Environment variables" }).click();
    await page.waitForURL(/docs\/operations\/options\.html#environment-variables$/);
    await search.fill("xylophone zither");
    await page.getByText("No page has all of these words.").waitFor();
    await search.fill("");
    await page.getByRole("link", { name: "Backup and restore" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(["index.html", "docs/accuracy.html", "docs/windows.html", "docs/operations/options.html"])(
    "fits a telephone: %s",
    async (name) => {
      const { page } = await open(name, 390);
      const wider = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      expect(wider).toBeLessThanOrEqual(0);
      await page.getByRole("link", { name: "All pages and search" }).click();
      await page.getByRole("searchbox").waitFor();
      await page.close();
    },
  );
});
