import type { Browser, BrowserContextOptions } from "playwright-core";
import { signIn, type Visitor, visit } from "../support/browser.ts";

/** Sizes and schemes in which each picture is taken. */
export const views = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    colorScheme: "light",
    hasTouch: true,
    isMobile: true,
  },
  "phone-dark": {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    colorScheme: "dark",
    hasTouch: true,
    isMobile: true,
  },
  "4k": { viewport: { width: 3840, height: 2160 }, colorScheme: "light" },
} as const satisfies Record<string, BrowserContextOptions>;
export type View = keyof typeof views;
export const viewNames = Object.keys(views) as View[];

const zone = "Europe/Zurich";

/**
 * Somebody with a screen of that kind, who has been here before, so that the server knows the zone. One zone and no motion:
 * pictures of two runs differ in times alone.
 */
export async function openView(browser: Browser, view: View, base: string, signedIn: boolean): Promise<Visitor> {
  const visitor = await visit(browser, {
    ...views[view],
    timezoneId: zone,
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  await visitor.context.addCookies([{ name: "zone", value: encodeURIComponent(zone), url: base }]);
  if (!signedIn) return visitor;
  await visitor.page.goto(`${base}/login`);
  await signIn(visitor.page);
  await visitor.page.waitForURL((url) => url.pathname !== "/login");
  return visitor;
}
