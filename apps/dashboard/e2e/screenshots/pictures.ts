import type { Page } from "playwright-core";
import { openWhole } from "../support/browser.ts";
import type { View } from "./views.ts";

/** A page or a state of one, and how it comes on screen. */
export interface Picture {
  /** Of its file: "machines-nothing". */
  name: string;
  /** In which views; absent: desktop light and dark, and the phone. */
  views?: readonly View[];
  /** Absent: by somebody who is. */
  signedIn?: boolean;
  show(page: Page, base: string): Promise<void>;
  /** Puts back what was done to show it. */
  after?(): Promise<void>;
}

export const usualViews: readonly View[] = ["light", "dark", "phone"];

/** The views that stand in docs/screens, by the name of the picture. */
export const inDocs: Readonly<Record<string, readonly View[]>> = {
  overview: ["light", "dark"],
  machines: ["light"],
  machine: ["light", "dark"],
  incident: ["light"],
  "incident-on-call": ["phone-dark"],
  alerting: ["light"],
};

/** Opens an address and waits until all of it is drawn: its parts, its scripts, its letters, its charts. */
export async function openDrawn(page: Page, address: string): Promise<void> {
  await openWhole(page, address);
  if ((await page.locator("main[data-live]").count()) > 0) await page.locator('main[data-live="live"]').waitFor();
  await page.getByRole("region", { name: "Loading" }).waitFor({ state: "hidden" });
  await page.waitForFunction(() => document.querySelector('main div[role="img"]:empty') === null);
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

/** A page as it is at its address. */
export const atAddress = (name: string, address: string, views?: readonly View[]): Picture => ({
  name,
  ...(views && { views }),
  show: (page, base) => openDrawn(page, base + address),
});
