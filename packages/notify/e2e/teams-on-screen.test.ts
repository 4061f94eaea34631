import { createRequire } from "node:module";
import { safeText } from "@lynceus/protocol/present";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toTeamsMessage } from "../src/teams.ts";
import { attackedBy, attacks } from "../test/support/hostile.ts";
import { digest, everyKind, type opened } from "../test/support/notices.ts";

/*
 * Microsoft's own renderer of Adaptive Cards. Its Markdown is left to whoever embeds it: here it takes every text as HTML, so
 * that a text which reached it would show.
 */
const renderer = createRequire(import.meta.url).resolve("adaptivecards/dist/adaptivecards.min.js");

let browser: Browser;
let page: Page;
const done: string[] = [];
beforeAll(async () => {
  browser = await openChromium();
  page = await browser.newPage({ viewport: { width: 480, height: 800 } });
  page.on("dialog", async (dialog) => {
    done.push(`dialog ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => done.push(`request ${request.url()}`));
});
afterAll(() => browser.close());

interface Renderer {
  AdaptiveCard: {
    new (): { parse(card: unknown, context: unknown): void; render(): HTMLElement | undefined };
    onProcessMarkdown: (text: string, result: { outputHtml: string; didProcess: boolean }) => void;
  };
  SerializationContext: new () => { eventCount: number; getEventAt(index: number): { message: string } };
}

/** Renders the card and gives what is seen, and what the renderer complains about. */
async function show(notice: typeof opened) {
  await page.setContent("<body></body>");
  await page.addScriptTag({ path: renderer });
  return page.evaluate((card) => {
    const { AdaptiveCard, SerializationContext } = (window as unknown as { AdaptiveCards: Renderer }).AdaptiveCards;
    AdaptiveCard.onProcessMarkdown = (text, result) => {
      result.outputHtml = text;
      result.didProcess = true;
    };
    const context = new SerializationContext();
    const one = new AdaptiveCard();
    one.parse(card, context);
    document.body.append(one.render()!);
    return {
      complaints: Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message),
      lines: [...document.querySelectorAll(".ac-richTextBlock")].map((block) => block.textContent),
      buttons: [...document.querySelectorAll(".ac-pushButton")].map((button) => button.textContent),
      elements: [...new Set([...document.body.querySelectorAll("*")].map(({ localName }) => localName))].sort(),
    };
  }, toTeamsMessage(notice, "Europe/Berlin").attachments[0].content);
}

describe("a card in Microsoft's renderer", () => {
  test.each(everyKind)("of kind $kind is drawn without a complaint", async (notice) => {
    const { complaints, lines } = await show(notice);
    expect(complaints).toEqual([]);
    expect(lines).toContain(notice.headline);
    expect(lines).toContain(notice.reason);
  });

  test("of a digest has a button for each incident", async () => {
    expect((await show(digest)).buttons).toEqual(["Open incident 1182", "Open incident 1183"]);
  });

  test.each(attacks.map((attack) => [attack]))("shows %j as text", async (attack) => {
    const { lines, elements } = await show(attackedBy(attack));
    const said = safeText(attack === "" ? "-" : attack, 2000).replaceAll("{{", "{ {");
    if (said.trim() !== "")
      expect(lines.filter((line) => line === said).length).toBeGreaterThanOrEqual(attack === "" ? 2 : 7);
    expect(elements).toEqual(["button", "div", "span"]);
    expect(done.splice(0)).toEqual([]);
  });
});
