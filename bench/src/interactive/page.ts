import { fileURLToPath } from "node:url";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import type { Dashboard } from "../dashboard.ts";

/** What `recorder.js` keeps in the page, ms. */
interface Recorded {
  readonly longTasks: readonly { readonly start: number; readonly end: number }[];
  readonly events: readonly { readonly id: number; readonly name: string; readonly ms: number }[];
  readonly answeredAt: number | null;
  /** First contentful paint. */
  readonly paintedAt: number | null;
  /** End of the load event. */
  readonly loadedAt: number;
  readonly frames: { readonly count: number; readonly longest: number; readonly over200: number };
  /** Different moments of the fleet that were shown. */
  readonly moments: number;
}

/** In the page. */
declare const lynceusRecorder: {
  report(): Recorded;
  forget(): void;
  watch(): void;
  isQuiet(ms: number): boolean;
  told(): Promise<void>;
  scrollTo(share: number): void;
  blur(): void;
};

/** The main thread counts as idle when no long task begins for this long, ms. */
const quietMs = 500;

/** A browser of its own, with an empty profile, signed in at the dashboard. */
export async function openBrowser(dashboard: Dashboard): Promise<{ browser: Browser; page: Page }> {
  const browser = await openChromium();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const [name = "", value = ""] = dashboard.cookie.split("=");
  await context.addCookies([{ name, value, url: dashboard.base }]);
  await context.addInitScript({ path: fileURLToPath(new URL("recorder.js", import.meta.url)) });
  return { browser, page: await context.newPage() };
}

const recorded = (page: Page): Promise<Recorded> => page.evaluate(() => lynceusRecorder.report());

/** Scrolls the list of machines to a share of its height, as who drags the bar does. */
export const scrollTo = (page: Page, share: number) => page.evaluate((to) => lynceusRecorder.scrollTo(to), share);

/** Takes the focus out of a field, so that keys are the page's. */
export const leaveField = (page: Page) => page.evaluate(() => lynceusRecorder.blur());

/**
 * Opens an address, and says when the page was interactive, ms from the start of the navigation: the first moment at which
 * its contents are painted, it is loaded, its scripts answer a key, and no long task begins within half a second.
 */
export async function timeToInteractive(page: Page, address: string): Promise<number> {
  await page.goto(address);
  await page.waitForFunction((ms) => lynceusRecorder.isQuiet(ms), 2 * quietMs);
  const { longTasks, answeredAt, paintedAt, loadedAt } = await recorded(page);
  let at = Math.max(loadedAt, paintedAt ?? Number.POSITIVE_INFINITY, answeredAt ?? Number.POSITIVE_INFINITY);
  for (const task of longTasks) if (task.start < at + quietMs) at = Math.max(at, task.end);
  return at;
}

export interface Interactions {
  readonly name: string;
  /** Of each interaction that took 16 ms or more, from the input to the next paint, as the browser's event timing has it. */
  readonly ms: number[];
  /** From the first input until the answer was on screen, ms; null where nothing was asked. */
  readonly shownMs: number | null;
}

/** Does something as a person would, with real input, and collects what the browser says of each interaction. */
export async function interact(
  page: Page,
  name: string,
  act: () => Promise<unknown>,
  shown?: () => Promise<unknown>,
): Promise<Interactions> {
  await page.evaluate(() => lynceusRecorder.forget());
  const began = performance.now();
  await act();
  await shown?.();
  const shownMs = shown ? performance.now() - began : null;
  await page.evaluate(() => lynceusRecorder.told());
  const { events } = await recorded(page);
  const worst = new Map<number, number>();
  for (const { id, ms } of events) worst.set(id, Math.max(worst.get(id) ?? 0, ms));
  return { name, ms: [...worst.values()], shownMs };
}

/** Looks at each frame and each long task of the page until it is asked. */
export async function watchFrames(page: Page): Promise<() => Promise<Recorded & { longest: number; blocked: number }>> {
  await page.evaluate(() => lynceusRecorder.watch());
  return async () => {
    const seen = await recorded(page);
    const lengths = seen.longTasks.map((task) => task.end - task.start);
    return { ...seen, longest: Math.max(0, ...lengths), blocked: lengths.reduce((sum, ms) => sum + ms, 0) };
  };
}
