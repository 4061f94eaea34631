import { createApiToken, revokeApiToken } from "@lynceus/db/api-tokens";
import { countsOf, fleetCells } from "@lynceus/db/fleet-cells";
import { recordSample } from "@lynceus/db/samples";
import type { Scope } from "@lynceus/protocol/access";
import { formatCount } from "@lynceus/protocol/present";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seedIncidents } from "../test/support/incidents.ts";
import { openWhole, shown, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* The wallboard on a screen that nobody signs in at. */

let browser: Browser;
let dashboard: SeededDashboard;
let base: string;
/** The incident of px1, whose machines stand in Singapore, Manila and Perth. */
let main: number;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  base = dashboard.base;
  ({ main } = await seedIncidents(dashboard.db));
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const tokenOf = (scope: Partial<Scope> = {}, may = "wall") =>
  createApiToken(dashboard.db, {
    label: "screen",
    scopes: [may],
    scope: { sites: null, tags: null, ...scope },
    createdBy: "e2e",
  });

/** A collector counts: the sample of a minute to come, so that no slow machine makes it late. */
const count = () => recordSample(dashboard.db, new Date(Date.now() + 300_000));
/** As they stand on the board. */
const fourOf = ({ healthy, failing, stale, cannotTell }: ReturnType<typeof countsOf>) =>
  [healthy, failing, stale, cannotTell].map((one) => formatCount(one));

/** A screen with a token, as the address in the settings sets it up, while a collector counts. */
async function screen(secret: string, query = ""): Promise<Visitor & { asked: string[] }> {
  await count();
  const visitor = await visit(browser, { viewport: { width: 1920, height: 1080 } });
  const asked: string[] = [];
  visitor.page.on("request", (request) => asked.push(request.url()));
  await visitor.page.clock.install();
  await visitor.page.goto(`${base}/wall/open${query}#${secret}`);
  await visitor.page.waitForURL(`${base}/wall${query}`);
  await openWhole(visitor.page, `${base}/wall${query}`);
  await visitor.page.locator("main[data-board]").waitFor();
  return { ...visitor, asked };
}
const board = (visitor: Visitor) => visitor.page.locator("main[data-board]");
const headline = (visitor: Visitor) => visitor.page.getByRole("heading", { level: 1 });
const figures = (visitor: Visitor) => board(visitor).locator("[data-count]").allInnerTexts();

describe("without a token", () => {
  test("the screen says how it gets one, and shows no figure", async () => {
    const visitor = await visit(browser);
    await openWhole(visitor.page, `${base}/wall`);
    await shown(visitor.page, "This screen has no token for the wallboard.").waitFor();
    expect(await board(visitor).count()).toBe(0);
    expect(visitor.page.url()).toBe(`${base}/wall`);
    await visitor.context.close();
  });

  test("one for something else, one that is typed wrong, and a form of another site are refused", async () => {
    const { secret } = await tokenOf({}, "read");
    const visitor = await visit(browser);
    await visitor.page.goto(`${base}/wall/open#${secret}`);
    await shown(visitor.page, /^This token does not open the wallboard/).waitFor();
    expect(visitor.page.url()).toBe(`${base}/wall/open?refused=1`);
    const wall = await tokenOf();
    const answer = await fetch(`${base}/wall/token`, {
      method: "POST",
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      body: new URLSearchParams({ token: wall.secret }),
      redirect: "manual",
    });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []]);
    await visitor.context.close();
  });
});

describe("with a token", () => {
  test("it shows the fleet's four figures, and the token is in no address", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret);
    const counts = countsOf(await fleetCells(dashboard.db));
    expect(await figures(visitor)).toEqual(fourOf(counts));
    expect(await headline(visitor).innerText()).toContain(formatCount(counts.failing));
    expect(visitor.asked.filter((url) => url.replace(/#.*/, "").includes(secret))).toEqual([]);
    expect(visitor.page.url()).not.toContain(secret);
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test("it says how the figures moved and where most stand, what changed before, and who has which incident", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret);
    const text = (await board(visitor).innerText()).replace(/\s+/g, " ");
    expect(text).toMatch(/Failing \d+ [\d.]+ % · (steady for|\+\d+ in 1 h|same as 1 h ago)/);
    expect(text).toMatch(/Stale 3 [\d.]+ % · 3 in Kraków/);
    expect(text).toMatch(/Cannot tell \d+ [\d.]+ % · 2 in Tokyo/);
    expect(
      await visitor.page
        .getByRole("img", { name: /^Now Proxy asks for login: .*\. \d\d:\d\d proxy scripts changed\.$/ })
        .count(),
    ).toBe(1);
    expect(text).toMatch(
      new RegExp(`Incident ${main} · Proxy asks for login · since [\\d:]+ · acknowledged by M. Huber [\\d:]+`),
    );
    await visitor.context.close();
  });

  test("the cookie opens nothing but the wallboard", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret);
    const [cookie] = await visitor.context.cookies(`${base}/wall`);
    expect(cookie).toMatchObject({ path: "/wall", httpOnly: true, sameSite: "Lax" });
    for (const path of ["/machines/rows?q=", "/api/live", "/api/go-to?q=sin"]) {
      const answer = await fetch(base + path, { headers: { cookie: `${cookie?.name}=${cookie?.value}` } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
    await visitor.page.goto(`${base}/machines`);
    expect(new URL(visitor.page.url()).pathname).toBe("/login");
    await visitor.context.close();
  });

  test("of one site shows that site alone, whatever the address asks for", async () => {
    const { secret } = await tokenOf({ sites: ["Kraków"] });
    const visitor = await screen(secret);
    const counts = countsOf(await fleetCells(dashboard.db, { site: "Kraków" }));
    expect(await figures(visitor)).toEqual(fourOf(counts));
    for (const site of ["Singapore", "Manila"]) expect(await visitor.page.content()).not.toContain(site);
    await openWhole(visitor.page, `${base}/wall?site=Manila`);
    expect(await figures(visitor)).toEqual(["0", "0", "0", "0"]);
    await visitor.context.close();
  });

  test("the site in the address is all that is shown, and its incidents alone are below", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret, "?site=Perth");
    const footer = visitor.page.locator("main[data-board] footer");
    expect(await footer.innerText()).toContain(`Incident ${main}`);
    expect(await board(visitor).innerText()).not.toContain("sites have");

    await openWhole(visitor.page, `${base}/wall?site=Vienna`);
    expect(await figures(visitor)).toEqual(fourOf(countsOf(await fleetCells(dashboard.db, { site: "Vienna" }))));
    expect(await footer.innerText()).not.toContain(`Incident ${main}`);
    await visitor.context.close();
  });

  test("where nothing fails the board says of how many machines that is known", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret, "?site=Bengaluru");
    expect(await headline(visitor).innerText()).toBe("No credential prompts expected, on 6 of 6 machines.");
    expect(await board(visitor).locator("ol").innerText()).toMatch(/^Bengaluru\s+all 6 healthy$/);
    expect(await board(visitor).locator("footer").innerText()).toBe("No incident is open");
    await openWhole(visitor.page, `${base}/wall?site=Nowhere`);
    expect(await headline(visitor).innerText()).toBe("No machines at this site.");
    await visitor.context.close();
  });

  test("of many incidents it shows the two with most machines, and how many more there are", async () => {
    const { secret } = await tokenOf();
    const { incident } = dashboard.db.prisma;
    const { sites, memory, ...row } = await incident.findUniqueOrThrow({ where: { number: main } });
    const numbers = [2001, 2002, 2003, 2004, 2005];
    await incident.createMany({
      data: numbers.map((number) => ({
        ...row,
        sites: sites ?? [],
        memory: memory ?? {},
        number,
        failing: 10_000 - number,
        acknowledgedBy: "bartholomew.featherstonehaugh@contoso.com",
      })),
    });
    const open = await incident.count({ where: { endedAt: null, live: true } });
    const visitor = await screen(secret);
    const footer = board(visitor).locator("footer");
    expect(await footer.innerText()).toMatch(/^Incident 2001 .*Incident 2002 /s);
    const more = await shown(footer, `${open - 2} more open`).boundingBox();
    expect((more?.x ?? 1920) + (more?.width ?? 0)).toBeLessThanOrEqual(1920);
    await incident.deleteMany({ where: { number: { in: numbers } } });
    await visitor.context.close();
  });

  test("that is revoked closes the screen at its next look", async () => {
    const { secret, id } = await tokenOf();
    const visitor = await screen(secret);
    await revokeApiToken(dashboard.db, id, { actor: "e2e", now: new Date() });
    await expect
      .poll(
        async () => {
          await visitor.page.clock.fastForward(10_000);
          return shown(visitor.page, "This screen has no token for the wallboard.").isVisible();
        },
        { timeout: 60_000, interval: 2_000 },
      )
      .toBe(true);
    await visitor.context.close();
  });
});

describe("a board that stands still", () => {
  test("says since when it is not live after a minute without an answer, and is live again with the next", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret);
    expect(await board(visitor).getAttribute("data-board")).toBe("live");
    await visitor.page.route("**/wall/alive", (route) => route.abort());
    await visitor.page.clock.fastForward(61_000);
    await shown(visitor.page, /^Not live since \d\d:\d\d:\d\d\. What is below was true then\.$/).waitFor();
    expect(await board(visitor).getAttribute("data-board")).toBe("lost");

    await visitor.page.unroute("**/wall/alive");
    await expect
      .poll(
        async () => {
          await count();
          await visitor.page.clock.fastForward(10_000);
          return board(visitor).getAttribute("data-board");
        },
        { timeout: 60_000, interval: 2_000 },
      )
      .toBe("live");
    await visitor.context.close();
  });

  test("is not live either where no collector has counted for long", async () => {
    const { secret } = await tokenOf();
    const visitor = await screen(secret);
    await dashboard.db.prisma.fleetSample.deleteMany({ where: { at: { gt: new Date(Date.now() - 300_000) } } });
    await visitor.page.reload();
    await shown(visitor.page, /^Not live since /).waitFor();
    await visitor.context.close();
  });
});

test.each([
  [1366, 768],
  [1920, 1080],
  [3840, 2160],
])("on a screen of %i by %i nothing scrolls and no text is smaller than 17 px", async (width, height) => {
  const { secret } = await tokenOf();
  const visitor = await screen(secret);
  await visitor.page.setViewportSize({ width, height });
  const found = await visitor.page.evaluate(() => {
    const small: string[] = [];
    const out: string[] = [];
    for (const element of document.querySelectorAll("main *")) {
      const text = [...element.childNodes].some(
        (node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "",
      );
      const box = element.getBoundingClientRect();
      if (!text || box.width <= 1) continue;
      const scale = element.closest("svg")
        ? box.height / ((element as SVGGraphicsElement).getBBox?.().height || box.height)
        : 1;
      const size = Number.parseFloat(getComputedStyle(element).fontSize) * scale;
      // A screen of a room has 1920 px or more; on a smaller one the chart's text shrinks with it.
      if (size < 16.9 && innerWidth >= 1920) small.push(`${element.textContent} ${size}`);
      if (box.bottom > innerHeight + 1 || box.right > innerWidth + 1) out.push(`${element.textContent}`);
    }
    const { scrollHeight, scrollWidth } = document.documentElement;
    return { small, out, scrolls: scrollHeight > innerHeight || scrollWidth > innerWidth };
  });
  expect(found).toEqual({ small: [], out: [], scrolls: false });
  await visitor.context.close();
});
