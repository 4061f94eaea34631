// How the dashboard feels with a large fleet: when its first pages are interactive in a browser that knows nothing yet, how
// long interactions of the machines page take until they are painted, and the same while thousands of machines change. The
// built dashboard and real Chromium share the machine; beside each figure stands that of a bare page of as many rows.
import path from "node:path";
import { parseArgs } from "node:util";
import type { Database } from "@lynceus/db/client";
import { formatCount } from "@lynceus/protocol/present";
import type { Dashboard } from "./dashboard.ts";
import { fixed, loadAverage, machineLine, median, percentile, table } from "./figures.ts";
import { startBarePage } from "./interactive/bare-page.ts";
import { type Interactions, interact, openBrowser, timeToInteractive, watchFrames } from "./interactive/page.ts";
import { startStorm } from "./interactive/storm.ts";
import { bareInteractions, machinesInteractions, press, type } from "./interactive/work.ts";
import { withSeeded } from "./seeded.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "100000" },
    "open-findings": { type: "string", default: "5000" },
    days: { type: "string", default: "30" },
    /** A data directory of `npm run seed` is used instead of a fleet made for the run. */
    "data-dir": { type: "string" },
    /** Cold starts of the browser for each page. */
    rounds: { type: "string", default: "7" },
    /** Machines that change in a second of the storm. */
    changes: { type: "string", default: "2000" },
    "storm-seconds": { type: "string", default: "20" },
  },
});
/** Most that a page may take until it is interactive, and an interaction until it is painted, ms. */
const limits = { interactive: 1_500, interaction: 200 };
const missed: string[] = [];
const print = (line: string) => process.stdout.write(`${line}\n`);

async function coldStarts(dashboard: Dashboard, bare: string): Promise<void> {
  const pages: [string, string][] = [
    ["bare page", `${bare}/`],
    ["overview", `${dashboard.base}/`],
    ["machines", `${dashboard.base}/machines`],
  ];
  const samples = new Map<string, number[]>(pages.map(([name]) => [name, []]));
  // The first round warms the server, as the first visitor of the day does; it is not counted.
  for (let round = 0; round <= Number(values.rounds); round++)
    for (const [name, address] of pages) {
      const { browser, page } = await openBrowser(dashboard);
      const ms = await timeToInteractive(page, address);
      await browser.close();
      if (round > 0) samples.get(name)?.push(ms);
    }
  const base = median(samples.get("bare page") ?? []);
  print(
    `${table(
      ["first page, empty profile", "interactive after ms, median", "worst", "to the bare page"],
      pages.map(([name]) => {
        const ms = samples.get(name) ?? [];
        return [name, fixed(median(ms)), fixed(Math.max(...ms)), fixed(median(ms) / base, 1)];
      }),
    )}\n`,
  );
  for (const [name] of pages) {
    const ms = median(samples.get(name) ?? []);
    if (ms > limits.interactive) missed.push(`${name} is interactive after ${fixed(ms)} ms`);
  }
}

const worstOf = (interactions: readonly Interactions[]) => Math.max(0, ...interactions.flatMap(({ ms }) => ms));

interface Quiet {
  readonly bare: number;
  readonly interactions: number;
}

async function quietInteractions(dashboard: Dashboard, bare: string): Promise<Quiet> {
  const { browser, page } = await openBrowser(dashboard);
  const baseline = await bareInteractions(page, bare);
  const seen = await machinesInteractions(page, `${dashboard.base}/machines`);
  await browser.close();
  const base = Math.max(16, worstOf([baseline]));
  const row = ({ name, ms, shownMs }: Interactions) => [
    name,
    String(ms.length),
    ms.length === 0 ? "below 16" : fixed(Math.max(...ms)),
    fixed(Math.max(16, ...ms) / base, 1),
    shownMs === null ? "" : fixed(shownMs),
  ];
  print(
    `${table(
      [
        "interaction",
        "of 16 ms or more",
        "worst ms to the next paint",
        "to the bare page",
        "answer on screen after ms, with the typing",
      ],
      [row(baseline), ...seen.map(row)],
    )}\n`,
  );
  for (const { name, ms } of seen)
    if (Math.max(0, ...ms) > limits.interaction)
      missed.push(`"${name}" took ${fixed(Math.max(...ms))} ms to the next paint`);
  return { bare: base, interactions: worstOf(seen) };
}

async function inStorm(db: Database, dashboard: Dashboard, quiet: Quiet): Promise<void> {
  const { browser, page } = await openBrowser(dashboard);
  const overview = await page.context().newPage();
  await timeToInteractive(overview, `${dashboard.base}/`);
  await timeToInteractive(page, `${dashboard.base}/machines`);
  await page.bringToFront();
  const seconds = Number(values["storm-seconds"]);
  const filter = page.getByRole("combobox", { name: "Filter machines" });
  const storm = await startStorm(db, Number(values.changes));
  try {
    const frames = [await watchFrames(page), await watchFrames(overview)] as const;
    const began = performance.now();
    const latencies: number[] = [];
    while (performance.now() - began < seconds * 1_000) {
      const { ms } = await interact(page, "in the storm", async () => {
        await filter.click();
        await type(page, "status:fa");
        await press(page, "Escape", 1);
        await press(page, "Backspace", 9);
        await press(page, "Escape", 2);
        await press(page, "j", 10);
        await press(page, "x", 2);
        await page.mouse.move(700, 500);
        for (let i = 0; i < 5; i++) await page.mouse.wheel(0, 400);
        for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -400);
      });
      latencies.push(...ms);
    }
    const took = (performance.now() - began) / 1_000;
    const [list, counts] = [await frames[0](), await frames[1]()];
    const rate = storm.changes / took;
    await storm.stop();
    const ended = performance.now();
    const { rows } = await db.pool.query<{ failing: number }>(
      "SELECT count(*)::int AS failing FROM machines WHERE status = 'failing' AND revoked_at IS NULL",
    );
    const newest = `${formatCount(rows[0]?.failing ?? 0)} failing`;
    await page.locator("main").getByText(newest).first().waitFor({ timeout: 30_000 });
    const newestMs = performance.now() - ended;
    await overview.bringToFront();
    await overview
      .locator("main")
      .getByText(formatCount(rows[0]?.failing ?? 0), { exact: true })
      .first()
      .waitFor({ timeout: 30_000 });
    const worst = Math.max(16, ...latencies);
    print(
      `${table(
        [
          `storm of ${fixed(Number(values.changes))} changes/s, ${fixed(took)} s`,
          "machines page",
          "overview, open beside",
        ],
        [
          ["changes/s that were committed", fixed(rate), ""],
          ["moments of the fleet shown", String(list.moments), String(counts.moments)],
          ["longest task of the main thread, ms", fixed(list.longest), fixed(counts.longest)],
          [
            "share of the time in tasks above 50 ms",
            `${fixed((100 * list.blocked) / took / 1_000, 1)} %`,
            `${fixed((100 * counts.blocked) / took / 1_000, 1)} %`,
          ],
          ["longest gap between frames, ms", fixed(list.frames.longest), ""],
          ["gaps above 200 ms, of all frames", `${list.frames.over200} of ${fixed(list.frames.count)}`, ""],
          ["worst interaction, ms to the next paint", fixed(worst), ""],
          ["98 of 100 interactions of 16 ms or more below, ms", fixed(percentile(latencies, 0.98)), ""],
          ["worst to the worst without a storm", fixed(worst / quiet.interactions, 1), ""],
          ["newest figures on screen after the last change, ms", fixed(newestMs), ""],
        ],
      )}\n`,
    );
    if (worst > limits.interaction)
      missed.push(`an interaction in the storm took ${fixed(worst)} ms to the next paint`);
    if (rate < Number(values.changes) * 0.9) missed.push(`only ${fixed(rate)} changes/s were committed`);
  } finally {
    await storm.stop();
    await storm.undo();
    await browser.close();
  }
}

const before = loadAverage();
const bare = await startBarePage();
await withSeeded(
  {
    machines: Number(values.machines),
    openFindings: Number(values["open-findings"]),
    days: Number(values.days),
    keptIn: values["data-dir"] === undefined ? undefined : path.resolve(values["data-dir"]),
  },
  17_442,
  async ({ db, dashboard }) => {
    print(`${machineLine()}, ${before} before\n`);
    await coldStarts(dashboard, bare.base);
    print(`${loadAverage()} after the cold starts\n`);
    const quiet = await quietInteractions(dashboard, bare.base);
    print(`${loadAverage()} after the interactions\n`);
    await inStorm(db, dashboard, quiet);
  },
);
bare.stop();
print(`${loadAverage()} after`);
print(missed.length === 0 ? "All within their limits." : `Missed: ${missed.join("; ")}`);
process.exit(missed.length === 0 ? 0 : 1);
