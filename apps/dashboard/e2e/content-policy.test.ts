import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, openLive, signIn, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* The content security policy, in a real browser: what it forbids. That no page needs it is in every-page.test.ts. */

let browser: Browser;
let dashboard: SeededDashboard;
let visitor: Visitor;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  visitor = await visit(browser);
  await visitor.page.goto(`${dashboard.base}/login`);
  await signIn(visitor.page);
  await visitor.page.getByRole("navigation", { name: "Main", exact: true }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

test("no script runs, and no style sheet counts, without the nonce of its answer", async () => {
  const policies = await Promise.all(
    [1, 2].map(async () => (await ask(visitor.context, `${dashboard.base}/login`)).headers()),
  );
  const directives = new Map(
    (policies[0]?.["content-security-policy"] ?? "").split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values];
    }),
  );
  expect(directives.get("default-src")).toEqual(["'self'"]);
  for (const name of ["script-src", "style-src"]) {
    expect(directives.get(name)).toEqual(expect.arrayContaining([expect.stringMatching(/^'nonce-[\w+/=]{24}'$/)]));
    expect(directives.get(name)).not.toContain("'unsafe-inline'");
    expect(directives.get(name)).not.toContain("'unsafe-eval'");
  }
  for (const name of ["frame-ancestors", "object-src", "base-uri"]) expect(directives.get(name)).toEqual(["'none'"]);
  expect(directives.get("form-action")).toEqual(["'self'"]);
  expect(policies[0]?.["content-security-policy"]).not.toBe(policies[1]?.["content-security-policy"]);
  expect(policies[0]).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
});

test("dialogs, which lie over a page and hold it still, ask for nothing that it forbids", async () => {
  const { page, complaints } = visitor;
  const before = complaints.length;
  await openLive(page, dashboard.base);
  const dialog = page.getByRole("dialog").first();
  for (const key of ["Control+k", "?"]) {
    // A key that is pressed while a dialog closes is lost.
    await expect
      .poll(async () => (await dialog.isVisible()) || (await page.keyboard.press(key).then(() => dialog.isVisible())), {
        timeout: 20_000,
      })
      .toBe(true);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  }
  expect(complaints.slice(before).filter((text) => /content security policy/i.test(text))).toEqual([]);
});
