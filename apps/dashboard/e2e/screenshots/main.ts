import { mkdir } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { startTestServer } from "@lynceus/db/testing";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Page } from "playwright-core";
import { root } from "../support/up.ts";
import { inDocs, type Picture, usualViews } from "./pictures.ts";
import { stages } from "./stages.ts";
import { openView, type View, viewNames } from "./views.ts";

/*
 * `npm run screenshots`: a picture of every page and state of the dashboard as it is built, over a real database with
 * seeded fleets, into screens/, which git ignores. Parts of names take some alone; `--docs` renews those that stand in docs/screens.
 */

const { values, positionals } = parseArgs({ allowPositionals: true, options: { docs: { type: "boolean" } } });
const asked = ({ name }: Picture, view: View) =>
  positionals.length === 0 || positionals.some((part) => `${name}-${view}`.includes(part));
const viewsOf = (picture: Picture) => (values.docs ? (inDocs[picture.name] ?? []) : (picture.views ?? usualViews));
/** CSS px: a page goes on below, in a document sooner than on a picture of its own. */
const tallest = values.docs ? 1_150 : 4_000;
const folder = path.join(root, values.docs ? "docs/screens" : "screens");

/** As high as all of it, so that what sticks to the window's edges is where the page ends. */
async function wholePage(page: Page, file: string): Promise<void> {
  const usual = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (usual && height > usual.height)
    await page.setViewportSize({ width: usual.width, height: Math.min(height, tallest) });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: file, animations: "disabled", caret: "hide" });
  if (usual) await page.setViewportSize(usual);
}

const server = await startTestServer();
process.env.LYNCEUS_TEST_DATABASE_URL ??= server.url;
const browser = await openChromium();
// Whoever ends it leaves no server behind: without its browser it comes to its end by itself. A terminal says so twice.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void browser.close());
await mkdir(folder, { recursive: true });
let taken = 0;
try {
  for (const open of Object.values(values.docs ? { seeded: stages.seeded } : stages)) {
    const stage = await open?.();
    if (!stage) continue;
    try {
      for (const view of viewNames)
        for (const signedIn of [true, false]) {
          const ofView = stage.pictures.filter(
            (picture) =>
              asked(picture, view) && viewsOf(picture).includes(view) && (picture.signedIn ?? true) === signedIn,
          );
          if (ofView.length === 0) continue;
          const { context, page } = await openView(browser, view, stage.base, signedIn);
          for (const picture of ofView) {
            const file = path.join(folder, `${picture.name}-${view}.png`);
            try {
              await picture.show(page, stage.base);
              await wholePage(page, file);
            } finally {
              await picture.after?.();
            }
            taken += 1;
            process.stdout.write(`${path.relative(root, file)}\n`);
          }
          await context.close();
        }
    } finally {
      await stage.close();
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
process.stdout.write(`${taken} pictures in ${path.relative(root, folder)}/\n`);
