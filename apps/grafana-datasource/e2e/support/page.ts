import type { Page } from "playwright-core";

/** A field of a frame, as the page saw it. */
export interface SeenField {
  name: string;
  type: string;
  labels?: Record<string, string>;
  config: { displayNameFromDS?: string; unit?: string; links?: { url: string }[]; custom?: { hidden?: boolean } };
  values: (number | string | null | string[])[];
}
/** What a page of e2e/host puts on `window.seen`. */
export interface Seen {
  state: string;
  error: string | null;
  frames: { refId: string; notices: { severity: string; text: string }[]; fields: SeenField[] }[];
  query: Record<string, unknown>;
  values: string[][];
  shared: string[];
}

/** Waits until what the page has seen is as asked for, and gives it. */
export async function until(page: Page, ready: (now: Partial<Seen>) => boolean): Promise<Seen> {
  for (;;) {
    const now: Partial<Seen> = await page.evaluate(() => window.seen as never);
    if (ready(now)) return now as Seen;
    const before = JSON.stringify(now);
    await page
      .waitForFunction((known) => JSON.stringify(window.seen) !== known, before)
      .catch(() => Promise.reject(new Error(`nothing more came than ${before.slice(0, 2_000)}`)));
  }
}

/** The fields of the first frame. */
export const fieldsOf = (now: Partial<Seen>): SeenField[] => now.frames?.[0]?.fields ?? [];

/** The newest count: a minute that is not counted yet has none. */
export const latest = (field: SeenField | undefined): number =>
  Number(field?.values.findLast((value) => value !== null));

export const answered = (now: Partial<Seen>): boolean =>
  (now.state === "Done" || now.state === "Streaming") && fieldsOf(now).length > 0;

/** Chooses in one of Grafana's comboboxes. */
export async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: label }).click();
  await page.getByRole("option", { name: option }).first().click();
}

/** What a panel of a dashboard shows. */
export interface PanelSeen {
  title: string;
  state: string;
  rows: number;
  annotations: number;
}

/** The panels of a dashboard once every one has its answer; one that cannot be asked ends the wait. */
export async function drawn(page: Page): Promise<PanelSeen[]> {
  const done = await page.waitForFunction(() => {
    const panels = window.panels?.() ?? [];
    const settled = panels.length > 0 && panels.every(({ state }) => state === "Done" || state === "Streaming");
    return settled || panels.some(({ state }) => state === "Error") ? panels : false;
  });
  const panels = (await done.jsonValue()) as PanelSeen[];
  const wrong = panels.filter(({ state }) => state === "Error");
  if (wrong.length > 0) throw new Error(`panels that cannot be asked: ${JSON.stringify(wrong)}`);
  return panels;
}
