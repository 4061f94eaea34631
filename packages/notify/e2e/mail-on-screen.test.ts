import { safeText } from "@lynceus/protocol/present";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { toMailHtml } from "../src/email-html.ts";
import { toMessage } from "../src/message.ts";
import { attackedBy, attacks } from "../test/support/hostile.ts";
import { digest, everyKind, opened } from "../test/support/notices.ts";

const phone = { width: 390, height: 844 };
const htmlOf = (notice: typeof opened) => toMailHtml(toMessage(notice, { zone: "Europe/Berlin" }));

let browser: Browser;
let page: Page;
/** What a mail must never do: open a dialog, or ask anything of any server. */
const done: string[] = [];
beforeAll(async () => {
  browser = await openChromium();
});
afterAll(() => browser.close());
afterEach(async () => {
  await page.close();
  expect(done.splice(0)).toEqual([]);
});

async function open(html: string, colorScheme: "light" | "dark" = "light") {
  page = await browser.newPage({ viewport: phone, colorScheme });
  page.on("dialog", async (dialog) => {
    done.push(`dialog ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => done.push(`request ${request.url()}`));
  await page.setContent(html);
}

/** Relative luminance contrast of WCAG 2.2, of each text against the page. */
const contrasts = () =>
  page.evaluate(() => {
    const luminance = (color: string) => {
      const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map(Number).map((value) => {
        const share = value / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element): string => {
      const color = getComputedStyle(element).backgroundColor;
      return color !== "rgba(0, 0, 0, 0)" || !element.parentElement ? color : behind(element.parentElement);
    };
    return [...document.querySelectorAll("p, h1, a, bdi, span")]
      .filter((element) =>
        [...element.childNodes].some(({ nodeType, textContent }) => nodeType === 3 && textContent?.trim()),
      )
      .map((element) => {
        const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
        return { text: element.textContent, ratio: (a! + 0.05) / (b! + 0.05) };
      });
  });

describe("a mail on a phone", () => {
  test.each(everyKind)(
    "of kind $kind fits its width, with letters and buttons for a thumb at night",
    async (notice) => {
      await open(htmlOf(notice));
      const seen = await page.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        smallest: Math.min(
          ...[...document.querySelectorAll("p, span, bdi, a, h1")].map((one) =>
            Number.parseFloat(getComputedStyle(one).fontSize),
          ),
        ),
        targets: [...document.querySelectorAll("a")].map((link) => link.getBoundingClientRect().height),
        images: document.querySelectorAll("img, script, iframe, form, link").length,
      }));
      expect(seen.width).toBe(phone.width);
      expect(seen.smallest).toBeGreaterThanOrEqual(13);
      for (const height of seen.targets) expect(height).toBeGreaterThanOrEqual(44);
      expect(seen.images).toBe(0);
    },
  );

  test("has the cause, the spread, since when, the evidence and the button on its first screen", async () => {
    await open(htmlOf(opened));
    for (const text of [
      "px1.contoso.com asks for its own login",
      "204 of 1,642 in Singapore",
      "03:12 CET",
      "407, Basic only",
      "Acknowledge",
    ]) {
      const box = await page.getByText(text).last().boundingBox();
      expect(box && box.y + box.height, text).toBeLessThanOrEqual(phone.height);
    }
  });

  test.each(["light", "dark"] as const)("can be read where the device is %s", async (scheme) => {
    for (const notice of [opened, digest]) {
      await page?.close();
      await open(htmlOf(notice), scheme);
      const all = await contrasts();
      expect(all.length).toBeGreaterThan(4);
      for (const { text, ratio } of all) expect(ratio, `${scheme}: ${text}`).toBeGreaterThanOrEqual(4.5);
    }
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      scheme === "dark" ? "rgb(12, 14, 17)" : "rgb(255, 255, 255)",
    );
  });

  test.each(attacks.map((attack) => [attack]))("shows %j as text", async (attack) => {
    await open(htmlOf(attackedBy(attack)));
    const shown = await page.evaluate(() => [...document.querySelectorAll("bdi")].map((one) => one.textContent));
    const said = safeText(attack === "" ? "-" : attack, 2000);
    // Reason, headline, sentence, and six lines hold it; the seventh names the site.
    if (said.trim() !== "")
      expect(shown.filter((text) => text === said).length).toBeGreaterThanOrEqual(attack === "" ? 3 : 7);
    const links = await page.evaluate(() => [...document.links].map(({ href }) => new URL(href).origin));
    expect([...new Set(links)]).toEqual(["https://lynceus.contoso.com"]);
    expect(await page.title()).toBe(said.trim().replace(/\s+/g, " "));
  });
});
