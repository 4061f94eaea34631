import { recordSample } from "@lynceus/db/samples";
import { openChromium } from "@lynceus/testkit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, openLive, openWhole, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* Every page in a real browser, as built, on a fleet with one incident in it. */

let browser: Browser;
let dashboard: SeededDashboard;
let visitor: Visitor;
let page: Page;
let base: string;

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  base = dashboard.base;
  visitor = await visit(browser);
  page = visitor.page;
  await page.goto(`${base}/login`);
  await signIn(page);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
});

afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const machineId = (name: string) => {
  const id = dashboard.fleet.ids.get(name);
  if (id === undefined) throw new Error(`the seeded fleet has no machine "${name}"`);
  return id;
};
const hostile = "<b>KIOSK\u202e01";
const everyPage = () => [
  "/",
  "/machines",
  "/machines?q=status:failing",
  `/machines/${machineId("SIN-LT-4401")}`,
  `/machines/${machineId(hostile)}`,
  `/causes/${dashboard.fleet.causeId}`,
  "/incidents",
  "/silences",
  "/silences?match=site:Manila",
  "/maintenance",
  "/on-call",
  "/changes",
  "/patterns",
  "/patterns/proxy-auth-required",
  "/canary",
  "/enrolment",
  "/settings",
  "/setup",
  "/targets",
  "/targets/1",
];
const rows = () => page.locator("tbody tr[aria-rowindex]").filter({ visible: true });

/** A key that is pressed before the table listens is lost. */
async function pressUntil(key: string, done: () => Promise<boolean>): Promise<void> {
  await expect
    .poll(async () => (await done()) || (await page.keyboard.press(key).then(done)), { timeout: 20_000 })
    .toBe(true);
}
const focusFilter = () =>
  pressUntil("/", () => page.getByLabel("Filter machines").evaluate((field) => field === document.activeElement));

describe("without a session", () => {
  test("every page leads to the sign-in, and back to where one was", async () => {
    const stranger = await visit(browser);
    for (const path of everyPage()) {
      await stranger.page.goto(base + path);
      const at = new URL(stranger.page.url());
      const next = decodeURIComponent(at.searchParams.get("next") ?? "/");
      expect([path, at.pathname, next]).toEqual([path, "/login", path]);
    }
    await signIn(stranger.page);
    await stranger.page.waitForURL(base + everyPage().at(-1));
    await stranger.context.close();
  });

  test("no route of data answers", async () => {
    const stranger = await visit(browser);
    for (const path of ["/api/live", "/api/go-to?q=sin", "/machines/rows?q=", "/machines/values?field=site&q="]) {
      const answer = await ask(stranger.context, base + path, { maxRedirects: 0 });
      expect([path, answer.status()]).toEqual([path, 401]);
    }
    await stranger.context.close();
  });
});

describe("overview", () => {
  test("every figure opens a list of exactly as many machines", async () => {
    await openLive(page, base);
    const figures = await page.locator('main a[href^="/machines?"]').evaluateAll((links) =>
      links.flatMap((link) => {
        const text = (link.querySelector(".figure")?.firstChild?.textContent ?? link.textContent ?? "").trim();
        const figure = /^[\d,]+/.exec(text)?.[0];
        return figure === undefined ? [] : [{ href: link.getAttribute("href") ?? "", figure }];
      }),
    );
    const byHref = new Map(figures.map(({ href, figure }) => [href, figure]));
    expect(byHref.size).toBeGreaterThan(10);
    const listed = new Map<string, string>();
    for (const href of byHref.keys()) {
      await page.goto(base + href);
      const line = await shown(page.locator("main"), /^[\d,]+ (of [\d,]+ )?machines?$/).innerText();
      const rowCount = await page.getByRole("table").getAttribute("aria-rowcount");
      expect([href, Number(rowCount) - 1]).toEqual([href, Number(line.split(" ")[0]?.replaceAll(",", ""))]);
      listed.set(href, line.split(" ")[0] ?? "");
    }
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(byHref));
  });

  test("narrowed to a site, every figure is of the site and opens exactly its machines", async () => {
    await openLive(page, `${base}/?site=Singapore`);
    const figures = await page.locator('main a[href^="/machines?q="]').evaluateAll((links) =>
      links.flatMap((link) => {
        const text = (link.querySelector(".figure")?.firstChild?.textContent ?? link.textContent ?? "").trim();
        const figure = /^[\d,]+/.exec(text)?.[0];
        return figure === undefined ? [] : [[link.getAttribute("href") ?? "", Number(figure.replaceAll(",", ""))]];
      }),
    );
    expect(figures.length).toBeGreaterThan(10);
    const listed = [];
    for (const [href] of figures) {
      const answer = await ask(page.context(), `${base}/machines/rows${new URL(String(href), base).search}&limit=1`);
      listed.push([href, ((await answer.json()) as { total: number }).total]);
    }
    expect(listed).toEqual(figures);
    await page.getByRole("row", { name: /^1\.4\.2 older/ }).waitFor();
  });

  test("at a moment gone by says what was counted then, and the link that freezes it shows the same again", async () => {
    await recordSample(dashboard.db, new Date());
    await openLive(page, base);
    await page.getByRole("link", { name: "Freeze" }).click();
    await page.waitForURL(/\?at=/);
    const main = page.locator("main");
    await shown(main, /^As it was at /).waitFor();
    await expect.poll(() => page.locator('main a[href^="/machines?"]').count()).toBe(0);
    // A time of today is one of yesterday after midnight.
    const text = async () => (await main.innerText()).replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) /g, "");
    const sentence = () => main.getByRole("heading", { level: 1 }).innerText();
    const frozen = await text();
    const then = await sentence();
    expect(then).toMatch(/^Credential prompts were expected on \d+ of \d+ machines\./);
    await openLive(page, page.url());
    await expect.poll(text).toBe(frozen);

    // The login of px1 began 45 minutes before: an hour before it only other faults were there.
    await page.getByRole("link", { name: "1 h earlier" }).click();
    await expect.poll(sentence).not.toBe(then);
    expect(await sentence()).toMatch(/^Credential prompts were expected on [1-9] of \d+ machines\./);

    await openLive(page, `${base}/?at=2020-01-01T00:00:00Z`);
    await shown(main, /^Nothing was counted at /).waitFor();
    await openLive(page, `${base}/?at=yesterday`);
    await shown(main, /at=yesterday is no time; .*such as at=/).waitFor();
    await main.getByRole("link", { name: /^Healthy/ }).waitFor();
  });

  test("names cause and remedy in its sentence", async () => {
    await openLive(page, base);
    const sentence = await page.getByRole("heading", { level: 1 }).first().innerText();
    expect(sentence).toMatch(/A PAC change at .* explains 16 of them/);
    expect(sentence).toContain("What fixes it: let the Exchange and Lync names through");
  });
});

describe("machines", () => {
  test("filter, sort and address agree, and survive a reload", async () => {
    await openLive(page, `${base}/machines`);
    const all = await rows().count();
    await focusFilter();
    await page.keyboard.type("status:failing");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=status(:|%3A)failing/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await expect.poll(() => rows().count()).toBeLessThan(all);
    const failing = await rows().count();
    expect(failing).toBeGreaterThan(5);
    expect(
      await rows()
        .filter({ hasText: /healthy/i })
        .count(),
    ).toBe(0);

    await page.getByRole("button", { name: "Machine", exact: true }).click();
    await page.waitForURL(/sort=/);
    await expect.poll(() => page.locator("th[aria-sort]").innerText()).toContain("Machine");
    const sorted = await rows().allInnerTexts();
    const address = page.url();
    await page.reload();
    await page.locator('main[data-live="live"]').waitFor();
    expect(page.url()).toBe(address);
    expect(await rows().count()).toBe(failing);
    expect((await rows().allInnerTexts()).map(name)).toEqual(sorted.map(name));
    await page.getByRole("button", { name: "Remove status:failing" }).waitFor();
  });

  test("a filter that cannot be read says where and how, and keeps the list", async () => {
    await openLive(page, `${base}/machines`);
    await rows().first().waitFor();
    const all = await rows().count();
    await focusFilter();
    await page.keyboard.type("status:broken");
    await page.keyboard.press("Enter");
    await page.locator("#filter-error").getByText("such as").waitFor();
    expect(await rows().count()).toBe(all);
  });

  test("j, k and Enter open a machine, Esc lets go of it", async () => {
    await openLive(page, `${base}/machines?q=status:failing&sort=name`);
    const active = page.locator('tr[data-active="true"]');
    await pressUntil("j", async () => (await active.count()) === 1);
    const first = await active.innerText();
    await page.keyboard.press("j");
    await expect.poll(() => active.innerText()).not.toBe(first);
    await page.keyboard.press("k");
    await expect.poll(() => active.innerText()).toBe(first);
    await page.keyboard.press("Escape");
    await expect.poll(() => active.count()).toBe(0);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/machines\/[0-9a-f-]{36}/);
  });
});

describe("one machine", () => {
  test("shows verdict, both lanes, what changed and what fixes it", async () => {
    await openLive(page, `${base}/machines/${machineId("SIN-LT-4401")}`);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("px1.contoso.com");
    const configured = page.getByRole("group", { name: "Configured" });
    const direct = page.getByRole("group", { name: "Direct" });
    expect(await configured.locator('[data-step="connect"]').getAttribute("data-state")).toBe("failed");
    expect(await configured.locator('[data-step="connect"]').innerText()).toContain("407");
    expect(await direct.locator('[data-step="http"]').innerText()).toContain("401 from EX03");
    expect(await page.locator("[data-first-difference]").getAttribute("data-first-difference")).toBe("connect");
    await shown(page, "What fixes it").waitFor();
  });

  test("shows a hostile name as the text it is", async () => {
    await openLive(page, `${base}/machines/${machineId(hostile)}`);
    await shown(page, "<b>KIOSK⟨U+202E⟩01").waitFor();
    expect(await page.locator("main").innerHTML()).not.toContain("\u202e");
    expect(await page.title()).not.toContain("\u202e");
    await openLive(page, `${base}/machines?q=KIOSK`);
    // Cut in the middle as the column is wide, whole where it is spoken.
    expect(await rows().innerText()).toContain("<b>KIOSK…+202E⟩01");
    await page.getByRole("checkbox", { name: "Select <b>KIOSK⟨U+202E⟩01" }).waitFor();
    expect(await page.locator("tbody b").filter({ hasText: "KIOSK" }).count()).toBe(0);
  });

  test("that does not exist is not found", async () => {
    for (const path of ["machines", "causes", "changes", "canary", "patterns"]) {
      const answer = await page.goto(`${base}/${path}/00000000-0000-4000-8000-000000000000`);
      expect([path, answer?.status()]).toEqual([path, 404]);
      await shown(page, "Nothing is at this address.").waitFor();
    }
    visitor.complaints.splice(0);
  });
});

describe("keys", () => {
  const palette = () => page.getByPlaceholder("Page, machine, incident or pattern");

  test("Ctrl K opens a palette that goes to a page, a machine or a pattern", async () => {
    const found: [typed: string, label: string, address: RegExp][] = [
      ["patt", "Patterns", /\/patterns$/],
      ["sin-lt-4401", "SIN-LT-4401", new RegExp(`/machines/${machineId("SIN-LT-4401")}$`)],
      ["proxy-auth-required", "proxy-auth-required", /\/patterns\/proxy-auth-required$/],
    ];
    for (const [typed, label, address] of found) {
      await openLive(page, base);
      await pressUntil("Control+k", () => palette().isVisible());
      await palette().fill(typed);
      await page.locator("[data-action][data-selected]").filter({ hasText: label }).waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(address);
    }
  });

  test("? lists them, Esc closes the list, and g with a letter goes to a page", async () => {
    await openLive(page, base);
    const dialog = page.getByRole("dialog", { name: "Keys" });
    await pressUntil("?", () => dialog.isVisible());
    for (const what of ["select the row", "acknowledge the incident", "verify the fix", "dark or light"])
      await dialog.getByText(what, { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await page.waitForURL(`${base}/machines`);
  });
});

describe("enrolment and set-up", () => {
  test("a token is made, shown once with each system's command, and revoked", async () => {
    await openLive(page, `${base}/enrolment`);
    await page.getByLabel("Label").filter({ visible: true }).fill("Singapore laptops");
    await page.getByRole("button", { name: "Create token" }).click();
    const windows = await shown(page, /^msiexec \/i /).innerText();
    expect(windows).toMatch(/ ALLOWED_SUFFIXES=contoso\.com,/);
    await page.locator("label", { hasText: "Checkout" }).click();
    const command = await shown(page, /^npm run --silent agent /).innerText();
    expect(command).toContain("--allowed-suffixes contoso.com");
    expect(command).toContain("--allowed-ports 80,443,5060,5061");
    const token = /lyn1\.[\w-]+/.exec(command)?.[0] ?? "";
    expect(windows).toContain(` ENROLL_TOKEN=${token} `);
    expect(JSON.parse(Buffer.from(token.slice(5), "base64url").toString())).toEqual({
      u: "wss://collector.contoso.com:7443",
      s: expect.stringMatching(/.{20,}/),
      p: "ab".repeat(32),
    });
    await openWhole(page, `${base}/enrolment`);
    expect(await page.locator("main").innerText()).not.toContain("lyn1.");
    const row = page.getByRole("row").filter({ hasText: "Singapore laptops" });
    await row.getByRole("button", { name: /Revoke/ }).click();
    await row.getByRole("button", { name: /Revoke now/ }).click();
    await shown(row, "revoked").waitFor();
  });

  test("servers and domains can be read, and a wrong one is explained", async () => {
    await openWhole(page, `${base}/setup`);
    expect(await page.getByLabel("Exchange (EWS) hosts").inputValue()).toBe("mail.contoso.com");
    await page.getByLabel("Exchange (EWS) hosts").fill("mail/contoso");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await shown(page, '"mail/contoso" is no host name').waitFor();
  });
});

describe("everywhere", () => {
  test("nothing is wider than a phone, or too small for a finger", async () => {
    const phone = await visit(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const wide: string[] = [];
    const small: string[] = [];
    const look = async (path: string) => {
      await phone.page.goto(base + path);
      await phone.page.getByRole("heading", { level: 1 }).first().waitFor({ state: "attached" });
      const width = await phone.page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) wide.push(`${path}: ${width} px`);
      small.push(...(await phone.page.evaluate(tooSmall)).map((what) => `${path}: ${what}`));
    };
    for (const path of ["/login", "/welcome?code=none"]) await look(path);
    await phone.page.goto(`${base}/login`);
    await signIn(phone.page);
    await phone.page.waitForURL(`${base}/`);
    for (const path of [...everyPage(), "/nothing-here"]) await look(path);
    expect(wide).toEqual([]);
    expect(small).toEqual([]);
    await phone.context.close();
  });

  test("nothing moves for who wants no motion", async () => {
    // What moves while it is pointed at, while a page is read, and as a menu opens.
    const moving = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("*")]
          .filter((element) => {
            const { animationName, animationDuration, transitionDuration } = getComputedStyle(element);
            const lasts = (durations: string) => durations.split(",").some((one) => Number.parseFloat(one) > 0);
            return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
          })
          .map((element) => `${element.tagName} ${element.className}`),
      );
    try {
      for (const reducedMotion of ["no-preference", "reduce"] as const) {
        await page.emulateMedia({ reducedMotion });
        await openLive(page, base);
        await page
          .getByRole("navigation", { name: "Main", exact: true })
          .getByRole("link", { name: "Changes" })
          .hover();
        const menu = page.getByRole("menu");
        await page.getByRole("button", { name: /^range:/ }).click();
        await menu.waitFor();
        if (reducedMotion === "reduce") expect(await moving()).toEqual([]);
        else expect((await moving()).length).toBeGreaterThan(0);
      }
    } finally {
      await page.emulateMedia({ reducedMotion: null });
    }
  });

  test("on the widest screens lines stay short, and a page but the table of machines ends before its columns are far apart", async () => {
    const wide = await visit(browser, { viewport: { width: 3840, height: 2160 } });
    await wide.page.goto(`${base}/login`);
    await signIn(wide.page);
    await wide.page.waitForURL(`${base}/`);
    for (const path of ["/", `/machines/${machineId("SIN-LT-4401")}`, "/patterns/proxy-auth-required", "/settings"]) {
      await openLive(wide.page, base + path);
      const widths = await wide.page.evaluate(() => {
        const across = (element: Element) => element.getBoundingClientRect().width;
        const lines = [...document.querySelectorAll("main :is(p, h1)")].map((text) => {
          const size = Number.parseFloat(getComputedStyle(text).fontSize);
          // A letter is about half as wide as the text is high.
          return across(text) / (size * 0.5);
        });
        const parts = [...document.querySelectorAll("main section")].map(across);
        return { letters: Math.max(0, ...lines), part: Math.max(0, ...parts) };
      });
      expect(widths.letters, path).toBeLessThan(200);
      expect(widths.part, path).toBeLessThanOrEqual(1760);
      expect(widths.part, path).toBeGreaterThan(500);
    }
    await openLive(wide.page, `${base}/machines`);
    expect((await wide.page.getByRole("table").first().boundingBox())?.width).toBeGreaterThan(3000);
    await wide.context.close();
  });

  test("light and dark follow the system, and a choice is kept", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const other = await visit(browser, { colorScheme: scheme });
      const shown = () => other.page.locator("html").getAttribute("data-mantine-color-scheme");
      await other.page.goto(`${base}/login`);
      expect(await shown()).toBe(scheme);
      await signIn(other.page);
      await other.page.locator('main[data-live="live"]').waitFor();
      await other.page.keyboard.press("Shift+D");
      const chosen = scheme === "light" ? "dark" : "light";
      await expect.poll(shown).toBe(chosen);
      await other.page.reload();
      expect(await shown()).toBe(chosen);
      await other.context.close();
    }
  });

  test("no page complains in the console or breaks its content security policy", async () => {
    for (const path of everyPage()) {
      await page.goto(base + path);
      const headings = () => page.locator("h1").count();
      await expect.poll(headings, { message: path, timeout: 20_000 }).toBeGreaterThan(0);
    }
    expect(visitor.complaints).toEqual([]);
  });
});

/**
 * Buttons, fields and links of their own that are lower than the 44 px of a finger. Links within a sentence are as high
 * as its lines, and a box is ticked by its label.
 */
function tooSmall(): string[] {
  const inSentence = (element: Element) => {
    const sentence = element.matches("a") ? element.closest("h1, p") : null;
    return sentence !== null && (sentence.textContent ?? "").trim().length > (element.textContent ?? "").length + 3;
  };
  // A field that grows within a taller box is pressed by the box.
  const inField = (element: Element) => {
    const box = element.matches("input")
      ? element.closest(".mantine-PillsInput-input, .mantine-MultiSelect-input")
      : null;
    return box !== null && box.getBoundingClientRect().height >= 43.5;
  };
  return [...document.querySelectorAll("main a, main button, main input, main select, main summary, main textarea")]
    .filter((element) => {
      const box = element.getBoundingClientRect();
      const drawn = box.width > 1 && box.height > 1 && getComputedStyle(element).visibility !== "hidden";
      return (
        drawn &&
        box.height < 43.5 &&
        !element.matches('[type="checkbox"], [type="radio"]') &&
        !inSentence(element) &&
        !inField(element)
      );
    })
    .map(
      (element) => `${element.tagName} "${(element.textContent || element.getAttribute("aria-label") || "").trim()}"`,
    );
}

/** The name in a row's text: what stands after its state. */
function name(text: string): string {
  return text.split("\n").find((part) => /-|KIOSK/.test(part)) ?? text;
}
