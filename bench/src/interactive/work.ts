import type { Page } from "playwright-core";
import { fixed } from "../figures.ts";
import { type Interactions, interact, leaveField, scrollTo, timeToInteractive, watchFrames } from "./page.ts";

/** A key after the other, each a moment after the last, as fast hands type. */
export const type = (page: Page, text: string) => page.keyboard.type(text, { delay: 60 });
export const press = async (page: Page, key: string, times: number) => {
  for (let i = 0; i < times; i++) await page.keyboard.press(key, { delay: 20 });
};

/** The same acts on the bare page. */
export async function bareInteractions(page: Page, bare: string): Promise<Interactions> {
  await timeToInteractive(page, bare);
  return interact(page, "bare page", async () => {
    await page.getByLabel("Filter").click();
    await type(page, "status:failing");
    await page.getByRole("button").click();
    await page.getByRole("checkbox").nth(3).click();
    await leaveField(page);
    await press(page, "j", 20);
  });
}

/** Everything that a person does on the machines page. */
export async function machinesInteractions(page: Page, machines: string): Promise<Interactions[]> {
  await timeToInteractive(page, machines);
  const filter = page.getByRole("combobox", { name: "Filter machines" });
  const rows = page.locator("tbody tr[aria-rowindex] a").filter({ visible: true });
  const total = () => page.locator("table[aria-rowcount]").filter({ visible: true }).getAttribute("aria-rowcount");
  const other = async (was: string | null) => {
    const until = performance.now() + 30_000;
    while ((await total().catch(() => was)) === was) {
      if (performance.now() > until)
        throw new Error(`the list still has ${was} rows 30 s after it was asked for others`);
      await page.waitForTimeout(10);
    }
  };
  const note = (line: string) => process.stderr.write(`  ${line}\n`);
  const seen: Interactions[] = [];
  const step = async (name: string, act: () => Promise<unknown>, shown?: () => Promise<unknown>) => {
    seen.push(await interact(page, name, act, shown));
    note(`${name}: worst ${fixed(Math.max(0, ...(seen.at(-1)?.ms ?? [])))} ms`);
  };
  const all = await total();
  await step(
    "type a field, with completion",
    async () => {
      await filter.click();
      await type(page, "sta");
      await page.getByRole("option").first().waitFor();
      await press(page, "ArrowDown", 1);
      await press(page, "Enter", 1);
    },
    () => page.getByRole("option", { name: /failing/ }).waitFor(),
  );
  await step(
    "type its value and filter",
    async () => {
      await type(page, "failing");
      await press(page, "Enter", 1);
    },
    () => other(all),
  );
  const failing = await total();
  await step(
    "filter by a second field",
    async () => {
      await type(page, "site:Singapore");
      await press(page, "Enter", 1);
    },
    () => other(failing),
  );
  const both = await total();
  await step(
    "remove a filter by keys",
    () => press(page, "Backspace", 2),
    () => other(both),
  );
  await step(
    "remove the other",
    () => press(page, "Backspace", 2),
    () => other(failing),
  );
  await leaveField(page);
  await step(
    "sort by name",
    () => page.getByRole("columnheader", { name: "Machine" }).getByRole("button").click(),
    () => page.locator('th[aria-sort="ascending"]').filter({ hasText: "Machine" }).waitFor(),
  );
  await step(
    "sort by site",
    () => page.getByRole("columnheader", { name: "Site" }).getByRole("button").click(),
    () => page.locator('th[aria-sort="ascending"]').filter({ hasText: "Site" }).waitFor(),
  );
  const scrolled = await watchFrames(page);
  await step("scroll by wheel, with keys between", async () => {
    const box = await page.locator("tbody").first().boundingBox();
    await page.mouse.move((box?.x ?? 0) + 300, 400);
    for (let i = 0; i < 40; i++) {
      await page.mouse.wheel(0, 1_500);
      if (i % 4 === 0) await press(page, "j", 1);
    }
  });
  await step(
    "jump to the middle of 100,000 rows",
    () => scrollTo(page, 0.5),
    () => rows.first().waitFor(),
  );
  const scroll = await scrolled();
  note(`scrolling: ${scroll.frames.count} frames, longest gap ${fixed(scroll.frames.longest)} ms`);
  await scrollTo(page, 0);
  await rows.first().waitFor();
  const boxes = page.locator("tbody tr[aria-rowindex] input[type=checkbox]").filter({ visible: true });
  await step(
    "select a row, then a range",
    async () => {
      await boxes.nth(1).click();
      await boxes.nth(20).click({ modifiers: ["Shift"] });
    },
    () => page.getByRole("toolbar", { name: "Selected machines" }).waitFor(),
  );
  await step("select all that match, and clear", async () => {
    await page.getByRole("button", { name: /^Select all/ }).click();
    await page.getByRole("toolbar", { name: "Selected machines" }).getByRole("button", { name: /Clear/ }).click();
  });
  await step("move by keys, mark, change the density", async () => {
    await press(page, "j", 20);
    await press(page, "x", 2);
    await press(page, "d", 2);
  });
  await step(
    "choose a column",
    async () => {
      await page.getByRole("button", { name: /^Columns/ }).click();
      await page.getByRole("menuitemcheckbox", { name: "Resolver" }).click();
      await press(page, "Escape", 1);
    },
    () => page.getByRole("columnheader", { name: "Resolver" }).waitFor(),
  );
  await step(
    "group by site",
    async () => {
      await page.getByRole("button", { name: "Group" }).click();
      await page.getByRole("menuitemradio", { name: "Site", exact: true }).click();
    },
    () => page.getByRole("table", { name: "Machines by site" }).waitFor(),
  );
  await step(
    "no groups",
    async () => {
      await page.getByRole("button", { name: /^By site/ }).click();
      await page.getByRole("menuitemradio", { name: "No groups" }).click();
    },
    () => rows.first().waitFor(),
  );
  await step("palette: open, type, choose, close", async () => {
    await press(page, "Control+k", 1);
    await page.getByRole("dialog").getByRole("textbox").waitFor();
    await type(page, "sin-lt");
    await page
      .getByRole("dialog")
      .getByText(/^sin-lt/i)
      .first()
      .waitFor();
    await press(page, "ArrowDown", 3);
    await press(page, "Escape", 1);
  });
  await step(
    "open a machine",
    () => rows.first().click(),
    () => page.getByRole("region", { name: "Evidence chain" }).waitFor(),
  );
  await step(
    "back to the list",
    () => page.goBack(),
    () => rows.first().waitFor(),
  );
  return seen;
}
