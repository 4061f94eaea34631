import { currentAlerting, saveAlerting } from "@lynceus/db/alerting";
import { noteIncident, releaseIncident } from "@lynceus/db/incident-acts";
import { createUser } from "@lynceus/db/users";
import { acknowledgeUrl } from "@lynceus/notify/acknowledge-link";
import { type Access, everyMachine } from "@lynceus/protocol/access";
import { openChromium } from "@lynceus/testkit/chromium";
import { hashPassword } from "better-auth/crypto";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyRing, type SeededIncidents, seedIncidents } from "../test/support/incidents.ts";
import { openLive, openWhole, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/*
 * Incidents, and what is done about who hears of them, in a real browser: from the link of a notice on a phone, and at a
 * desk. The incidents are made as a collector makes them; nobody has acknowledged one.
 */

let browser: Browser;
let dashboard: SeededDashboard;
let base: string;
let seeded: SeededIncidents;
let admin: Visitor;
const password = "tulip ladder crane fog";
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  timezoneId: "Europe/Zurich",
};
/** What comes live comes within seconds, on a busy machine later. */
const soon = { timeout: 20_000 };
const hostile = `<img src=x onerror="alert(1)">\u202e[x](javascript:alert(1))`;

const people: Record<"operator" | "viewer" | "singapore", Access> = {
  operator: { role: "operator", ...everyMachine },
  viewer: { role: "viewer", ...everyMachine },
  singapore: { role: "operator", ...everyMachine, sites: ["Singapore"] },
};

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  base = dashboard.base;
  seeded = await seedIncidents(dashboard.db, new Date(), { acknowledge: false });
  const passwordHash = await hashPassword(password);
  for (const [name, access] of Object.entries(people))
    await createUser(dashboard.db, { name, email: `${name}@contoso.com`, access, passwordHash }, "e2e");
  admin = await visit(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  await admin.page.goto(`${base}/login`);
  await signIn(admin.page);
  await admin.page.locator('main[data-live="live"]').waitFor();
});

afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

const link = (person = "m-huber", days = 7, incident = seeded.main) =>
  acknowledgeUrl(base, keyRing, { incident, person, expiresAt: Date.now() + days * 86_400_000 });
const stored = () => dashboard.db.prisma.incident.findUniqueOrThrow({ where: { number: seeded.main } });
const owner = async () => (await stored()).acknowledgedBy;
const nobody = async () => {
  if ((await owner()) !== null)
    await releaseIncident(dashboard.db, seeded.main, { actor: "e2e", name: "e2e", now: new Date() });
};

/** Somebody signed in, in a browser of their own. */
async function as(name: keyof typeof people, options: BrowserContextOptions = {}): Promise<Page> {
  const { page } = await visit(browser, options);
  await page.goto(`${base}/login`);
  await signIn(page, { email: `${name}@contoso.com`, password });
  await page.waitForURL((url) => url.pathname !== "/login");
  return page;
}

describe("the link of a notice, on a phone at 3 a.m.", () => {
  test("is opened by one tap and acknowledged by the second; no dialog asks", async () => {
    await nobody();
    const { page, context, complaints } = await visit(browser, phone);
    let taps = 0;
    const tap = async (act: () => Promise<unknown>) => {
      taps++;
      await act();
    };
    page.on("dialog", (dialog) => expect.fail(`a dialog asks: ${dialog.message()}`));
    await tap(() => page.goto(link()));
    expect(await owner()).toBeNull();
    const button = page.getByRole("button", { name: "Acknowledge" });
    const box = await button.boundingBox();
    // In thumb's reach: the lower third, 52 px high, across the screen.
    expect(box?.height).toBeGreaterThanOrEqual(52);
    expect(box?.width).toBeGreaterThan(300);
    expect(box?.y).toBeGreaterThan((844 * 2) / 3);
    await tap(() => button.tap());
    await shown(page, /^Acknowledged \d\d:\d\d$/).waitFor();
    expect(taps).toBe(2);
    expect(await stored()).toMatchObject({
      acknowledgedBy: "M. Huber",
      acknowledgedVia: "link",
      acknowledgedPerson: "m-huber",
      state: "acknowledged",
    });
    await shown(page, /^Reminders stop until \d\d:\d\d or a new site joins$/).waitFor();
    await page.getByRole("button", { name: "Tell proxy team" }).waitFor();
    await page.getByRole("link", { name: "Hand over" }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("takes an acknowledgement back by one tap within ten seconds, and as a release after", async () => {
    await nobody();
    const { page, context } = await visit(browser, phone);
    await page.goto(link());
    await page.getByRole("button", { name: "Acknowledge" }).tap();
    await page.getByRole("button", { name: /^(Undo \d+ s|Release)$/ }).tap();
    await page.getByRole("button", { name: "Acknowledge" }).waitFor();
    await shown(page, "Taken back.").waitFor();
    expect(await owner()).toBeNull();
    await context.close();
  });

  test("works where no script runs: acknowledge, tell, hand over, undo are plain forms", async () => {
    await nobody();
    const { page, context } = await visit(browser, { ...phone, javaScriptEnabled: false });
    await page.goto(link());
    await shown(page, "16").waitFor();
    await page.getByRole("button", { name: "Acknowledge" }).tap();
    await shown(page, /^Acknowledged \d\d:\d\d$/).waitFor();
    expect(await owner()).toBe("M. Huber");
    await page.getByRole("button", { name: "Tell proxy team" }).tap();
    await shown(page, /^Told\./).waitFor();
    await page.getByRole("link", { name: "Hand over" }).tap();
    await page.getByRole("button", { name: "L. Tan" }).tap();
    await shown(page, /^Told\./).waitFor();
    // It is nobody's at no moment: who was asked has yet to take it.
    expect(await owner()).toBe("M. Huber");
    const told = await dashboard.db.prisma.incidentEvent.findMany({
      where: { incident: seeded.main, reason: { in: ["sent-by-hand", "handed-over"] }, kind: "told" },
      orderBy: { id: "asc" },
    });
    expect(told.map(({ text }) => text)).toEqual([
      "Notice to Proxy team: sent by M. Huber",
      "Notice to L. Tan: handed over by M. Huber",
    ]);
    await page.getByRole("button", { name: /^(Undo|Release)/ }).tap();
    await shown(page, "Taken back.").waitFor();
    expect(await owner()).toBeNull();
    await context.close();
  });

  test("changes nothing when it is opened, fetched ahead or asked for by a scanner", async () => {
    await nobody();
    const before = JSON.stringify(await stored());
    for (const method of ["GET", "HEAD"]) {
      expect((await fetch(link(), { method })).status).toBe(200);
      const act = link().replace("?", "/act?");
      expect((await fetch(act, { method, redirect: "manual" })).status).toBe(405);
    }
    const forged = await fetch(`${base}/i/${seeded.main}/act`, {
      method: "POST",
      headers: { origin: "https://evil.example" },
      body: new URLSearchParams({ act: "acknowledge", k: link().split("?k=")[1] ?? "" }),
    });
    expect(forged.status).toBe(403);
    expect(JSON.stringify(await stored())).toBe(before);
  });

  test("without a connection says that it will be sent, and is not acknowledged until it is", async () => {
    await nobody();
    const { page, context } = await visit(browser, phone);
    await page.goto(link());
    await page.waitForLoadState("networkidle");
    await context.setOffline(true);
    await page.getByRole("button", { name: "Acknowledge" }).tap();
    await page.getByRole("button", { name: "Will be sent when connected" }).waitFor();
    await shown(page, "It is not acknowledged yet; keep this page open.").waitFor();
    expect(await owner()).toBeNull();
    await context.setOffline(false);
    await shown(page, /^Acknowledged \d\d:\d\d$/).waitFor();
    expect(await owner()).toBe("M. Huber");
    await context.close();
  });

  test.each([true, false])(
    "after the session ended leads to the sign-in and back to the same act (scripts: %s)",
    async (javaScriptEnabled) => {
      await nobody();
      const { page, context } = await visit(browser, { ...phone, javaScriptEnabled });
      await page.goto(`${base}/i/${seeded.main}`);
      expect(new URL(page.url()).pathname).toBe("/login");
      await signIn(page, { email: "operator@contoso.com", password });
      await page.waitForURL(`${base}/i/${seeded.main}`);
      await page.waitForLoadState("networkidle");
      await context.clearCookies({ name: /session/ });
      await page.getByRole("button", { name: "Acknowledge" }).tap();
      await page.waitForURL((url) => url.pathname === "/login");
      expect(await owner()).toBeNull();
      await signIn(page, { email: "operator@contoso.com", password });
      await shown(page, /^It is not acknowledged yet: the session had ended/).waitFor();
      await page.getByRole("button", { name: "Acknowledge" }).tap();
      await shown(page, /^Acknowledged \d\d:\d\d$/).waitFor();
      expect(await owner()).toBe("operator");
      await context.close();
    },
  );

  test("is worth nothing when it is over, cut short, of another incident, or of somebody who is gone", async () => {
    await nobody();
    const cut = link().slice(0, -3);
    for (const [address, says] of [
      [link("m-huber", -1), "This link has expired."],
      [cut, "This link is not valid."],
      [
        link("m-huber", 7, seeded.main + 1).replace(`/i/${seeded.main + 1}`, `/i/${seeded.main}`),
        "This link is not valid.",
      ],
      [link("who-left"), "This link is not valid."],
    ] as const) {
      const answer = await (await fetch(address)).text();
      expect(answer).toContain(says);
      expect(answer).not.toContain("px1.contoso.com");
      const token = address.split("?k=")[1] ?? "";
      const acted = await fetch(`${base}/i/${seeded.main}/act`, {
        method: "POST",
        headers: { origin: base, accept: "application/json" },
        body: new URLSearchParams({ act: "acknowledge", k: token }),
      });
      expect(acted.status).toBe(401);
    }
    expect(await owner()).toBeNull();
  });

  test("fits a screen of 390 px in both schemes, with both routes side by side", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, context } = await visit(browser, { ...phone, colorScheme });
      await page.goto(link());
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      await shown(page, "Direct", { exact: true }).waitFor();
      await context.close();
    }
  });
});

describe("an incident's page", () => {
  const open = async () => {
    await openLive(admin.page, `${base}/incidents/${seeded.main}`);
    return admin.page;
  };

  test("has one main act that follows the state: acknowledge, verify fix, close with a reason", async () => {
    await nobody();
    const page = await open();
    await page.keyboard.press("a");
    await expect.poll(owner, soon).toBe("M. Huber");
    expect(await stored()).toMatchObject({ acknowledgedVia: "dashboard" });
    await page.getByRole("button", { name: "Verify fix", exact: true }).first().waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Close…" }).click();
    const dialog = page.getByRole("dialog");
    await shown(dialog, /16 machines still fail or are not verified: they stay in it/).waitFor();
    expect(await dialog.getByLabel("Why it is closed").getAttribute("required")).not.toBeNull();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect((await stored()).endedAt).toBeNull();
  });

  test("verifies the fix on its own members, with one square for each", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Verify fix", exact: true }).first().click();
    await expect.poll(() => dashboard.db.prisma.fixVerification.count(), soon).toBe(1);
    const asked = await dashboard.db.prisma.fixVerification.findFirstOrThrow();
    expect(await dashboard.db.prisma.fixVerificationMachine.count({ where: { verificationId: asked.id } })).toBe(16);
    await shown(page, "16 → 16").waitFor();
  });

  test("shows each notice with what became of it, and each decision with its reason", async () => {
    const page = await open();
    const timeline = page.locator("#timeline");
    await shown(timeline, /delivered, 2nd try/).waitFor();
    expect(
      await timeline
        .locator("li")
        .filter({ hasText: /^.*Page to M\. Huber/ })
        .count(),
    ).toBeGreaterThan(0);
    const all = await timeline.innerText();
    expect(all).toMatch(/Notice to Proxy team/);
    await page.getByRole("link", { name: "Every entry" }).click();
    await page.getByRole("link", { name: "Decisions alone" }).waitFor();
  });

  test("compares candidates with those that do not fit, lists members, and opens them as a machine list", async () => {
    const page = await open();
    await shown(page, /explains 16 of the 19 failing machines/).waitFor();
    expect(await page.locator("#members tbody tr").count()).toBe(10);
    await page.getByRole("link", { name: /^Show 6 more/ }).click();
    await expect.poll(() => page.locator("#members tbody tr").count(), soon).toBe(16);
    await page.getByRole("link", { name: "Open as machine list" }).click();
    await page.waitForURL((url) => url.searchParams.get("q") === `incident:${seeded.main}`);
  });

  test("gives a ticket text that says cause, spread and link", async () => {
    const page = await open();
    await page
      .getByRole("button", { name: /ticket/i })
      .first()
      .click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()), soon)
      .toMatch(new RegExp(`px1[\\s\\S]*16[\\s\\S]*${base}/incidents/${seeded.main}`));
  });

  test("fits a phone, with its main act in thumb's reach", async () => {
    const { page, context } = await visit(browser, { ...phone, storageState: await admin.context.storageState() });
    await page.goto(`${base}/incidents/${seeded.main}`);
    await page.locator("#timeline").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const box = await page
      .getByRole("button", { name: /^(Acknowledge|Verify again|Verify fix)$/ })
      .first()
      .boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(52);
    expect(box?.y).toBeGreaterThan((844 * 2) / 3);
    await context.close();
  });

  test("shows hostile text of notes and machines as text", async () => {
    await noteIncident(dashboard.db, seeded.main, { actor: "e2e", name: hostile, now: new Date(), text: hostile });
    const page = await open();
    const timeline = await page.locator("#timeline").innerText();
    expect(timeline).toContain(`<img src=x onerror="alert(1)">⟨U+202E⟩[x](javascript:alert(1))`);
    expect(await page.locator("img").count()).toBe(0);
    await page.goto(`${base}/incidents/${seeded.main}?members=100`);
    await shown(page.locator("#members"), /<b>KIOSK⟨U\+202E⟩01/).waitFor();
  });

  test("is found from its machines, their list, its pattern, the overview and the old address of its cause", async () => {
    const { page } = admin;
    await openLive(page, `${base}/machines/${dashboard.fleet.ids.get("SIN-LT-4401")}`);
    await page.getByRole("link", { name: new RegExp(`Incident ${seeded.main}`) }).click();
    await page.waitForURL(`${base}/incidents/${seeded.main}`);
    await page.goto(`${base}/causes/${dashboard.fleet.causeId}`);
    await page.waitForURL(`${base}/incidents/${seeded.main}`);
    await page.goto(`${base}/causes`);
    await page.waitForURL(`${base}/incidents`);
    await page.goto(`${base}/patterns/proxy-auth-required`);
    await page
      .getByRole("link", { name: `${seeded.main}`, exact: true })
      .first()
      .waitFor();
    await page.goto(base);
    await page.locator(`main a[href="/incidents/${seeded.main}"]`).first().waitFor();
  });

  test("lists what is open by machines, with owner, and finds by the machines in it", async () => {
    const { page } = admin;
    await openLive(page, `${base}/incidents`);
    const rows = page.locator("tbody tr");
    expect(await rows.first().innerText()).toMatch(/px1\.contoso\.com[\s\S]*16[\s\S]*Ack\. M\. Huber/);
    await page.goto(`${base}/incidents?q=site:Nowhere`);
    await shown(page, "No open incident has such a machine.").waitFor();
    await page.goto(`${base}/incidents?show=over`);
    await page.getByRole("link", { name: "Over", exact: true }).waitFor();
    const nav = page.getByRole("navigation", { name: "Main", exact: true });
    await nav.getByRole("link", { name: /^Incidents\s*\d+$/ }).waitFor();
    await nav.getByRole("link", { name: /^Silences\s*1$/ }).waitFor();
  });

  test("is seen by a viewer, who can do nothing about it", async () => {
    await nobody();
    const page = await as("viewer");
    await page.goto(`${base}/incidents/${seeded.main}`);
    expect(await page.getByRole("button", { name: "Acknowledge" }).isDisabled()).toBe(true);
    await page.goto(`${base}/i/${seeded.main}`);
    await shown(page, "Your role lets you see it. An operator can acknowledge it.").waitFor();
    // The signed link is its person's, whoever holds it.
    await page.goto(link());
    await page.getByRole("button", { name: "Acknowledge" }).waitFor();
    await page.context().close();
  });

  test("shows an operator of one site that site's machines alone", async () => {
    const page = await as("singapore");
    await page.goto(`${base}/incidents/${seeded.main}?members=100`);
    const members = await page.locator("#members").innerText();
    expect(members).toMatch(/SIN-LT-/);
    expect(members).not.toMatch(/MNL-|PER-/);
    expect(await page.locator("main").innerText()).not.toMatch(/Manila|MNL-|Perth/);
    await page.context().close();
  });
});

describe("silences", () => {
  test("an incident's is one step away, counts before it is made, and ends by one act", async () => {
    const page = await as("operator");
    await page.goto(`${base}/incidents/${seeded.main}`);
    await page.getByRole("link", { name: "Silence…" }).click();
    await page.waitForURL((url) => url.pathname === "/silences");
    await shown(page, /^It matches 16 machines now/).waitFor();
    await shown(page, /all 16 machines, so nobody is told of it any more/).waitFor();
    await page.getByLabel("Why").fill(hostile);
    await page.getByLabel("Lasts").selectOption("4");
    await page.getByRole("button", { name: "Silence", exact: true }).click();
    const row = page.locator("tbody tr").filter({ hasText: `incident:${seeded.main}` });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/16 machines, 16 failing/);
    expect(await row.innerText()).toContain(`<img src=x onerror="alert(1)">⟨U+202E⟩`);
    expect(await page.locator("img").count()).toBe(0);
    const made = await dashboard.db.prisma.silence.findFirstOrThrow({ orderBy: { createdAt: "desc" } });
    expect(made).toMatchObject({ match: `incident:${seeded.main}`, author: "operator@contoso.com", comment: hostile });
    expect(made.endsAt.getTime() - made.startsAt.getTime()).toBe(4 * 3_600_000);
    await row.getByRole("button", { name: /^Expire now/ }).click();
    await row.getByRole("button", { name: /^End it/ }).click();
    await row.waitFor({ state: "detached" });
    await page.goto(`${base}/silences?show=all`);
    await shown(page, /^Ended .* by operator@contoso\.com$/).waitFor();
    await page.context().close();
  });

  test("what it matches changes while it is written, and a filter that cannot hold is refused with an example", async () => {
    const page = await as("operator");
    await openLive(page, `${base}/silences`);
    const field = page.getByLabel("Machines to silence");
    await field.fill("site:Manila");
    await field.press("Enter");
    await shown(page, /^It matches \d+ machines? now/).waitFor();
    await field.fill("since>2h");
    await field.press("Enter");
    await shown(page, /"since" cannot be used here; fields are .*; such as site:Berlin/).waitFor();
    await page.getByRole("button", { name: "Remove since>2h" }).click();
    await page.getByRole("button", { name: "Remove site:Manila" }).click();
    await page.getByRole("button", { name: "Silence", exact: true }).click();
    await shown(page, /An empty filter would silence every machine/).waitFor();
    expect(await dashboard.db.prisma.silence.count({ where: { match: "" } })).toBe(0);
    await page.context().close();
  });

  test("is made where no script runs, from the incident's short page", async () => {
    const { page, context } = await visit(browser, { ...phone, javaScriptEnabled: false });
    await nobody();
    await page.goto(`${base}/i/${seeded.main}`);
    await signIn(page, { email: "operator@contoso.com", password });
    await page.getByRole("link", { name: "Silence…" }).tap();
    await shown(page, /^It matches 16 machines now/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole("button", { name: "Silence", exact: true }).tap();
    await page
      .locator("tbody tr")
      .filter({ hasText: `incident:${seeded.main}` })
      .first()
      .waitFor();
    await context.close();
  });

  test("are read by a viewer, and cover what their author sees", async () => {
    const viewer = await as("viewer");
    await viewer.goto(`${base}/silences`);
    await shown(viewer, "ESET is being replaced, NET-4410").waitFor();
    expect(await viewer.getByRole("button", { name: /^(Silence|Expire now)/ }).count()).toBe(0);
    await viewer.context().close();
    const singapore = await as("singapore");
    await singapore.goto(`${base}/silences?match=incident:${seeded.main}`);
    await shown(singapore, /^It covers site Singapore: what you see/).waitFor();
    const matched = await shown(singapore, /^It matches \d+ machines? now/).innerText();
    expect(matched).not.toMatch(/ 16 /);
    expect(await singapore.locator("main").innerText()).not.toContain("NET-4410");
    await singapore.context().close();
  });
});

describe("maintenance windows", () => {
  const config = async () => (await currentAlerting(dashboard.db)).config;

  test("are seen in a month by the viewer's clock, and one is added, edited and removed", async () => {
    const { page } = admin;
    await openLive(page, `${base}/maintenance`);
    await shown(page, "Every Sunday at 02:00 for 3 h, Europe/Vienna").waitFor();
    expect(await page.locator("td a", { hasText: "Vienna, Sunday" }).count()).toBeGreaterThanOrEqual(4);
    await page.getByRole("textbox", { name: "Name" }).fill(`Proxies <b>px1</b>`);
    const field = page.getByLabel("Machines of the window");
    await field.fill("route:px1*");
    await field.press("Enter");
    await page.getByLabel("Monthly").check();
    await page.getByRole("combobox", { name: "Zone" }).fill("Europe/Atlantis");
    await page.getByRole("button", { name: "Add window" }).click();
    await shown(page, /"Europe\/Atlantis" is no time zone of the IANA database; use e\.g\. Europe\/Berlin/).waitFor();
    await page.getByRole("combobox", { name: "Zone" }).fill("Asia/Singapore");
    await page.getByRole("button", { name: "Add window" }).click();
    await shown(page, "Every second Tuesday of a month at 02:00 for 2 h, Asia/Singapore").waitFor();
    expect((await config()).maintenance.map(({ id }) => id)).toEqual(["vienna-sunday", "proxies-b-px1-b"]);
    await page.getByRole("link", { name: "Edit: Vienna, Sunday" }).click();
    await expect.poll(() => page.getByLabel("Name").inputValue(), soon).toBe("Vienna, Sunday");
    await page.getByLabel("Minutes").fill("90");
    await page.getByRole("button", { name: "Save window" }).click();
    await shown(page, "Every Sunday at 02:00 for 1 h 30 min, Europe/Vienna").waitFor();
    const remove = page.getByRole("button", { name: /: Proxies <b>px1<\/b>$/ });
    await remove.click();
    await remove.click();
    await remove.waitFor({ state: "detached" });
    expect((await config()).maintenance.map(({ id }) => id)).toEqual(["vienna-sunday"]);
  });

  test("that others changed meanwhile are not overwritten unseen", async () => {
    const { page } = admin;
    await openLive(page, `${base}/maintenance?edit=vienna-sunday`);
    const { config: now, version } = await currentAlerting(dashboard.db);
    await saveAlerting(
      dashboard.db,
      { config: now, baseVersion: version, note: "meanwhile" },
      { actor: "other", now: new Date() },
    );
    await page.getByLabel("Note").fill("Longer");
    await page.getByRole("button", { name: "Save window" }).click();
    await shown(page, new RegExp(`^Version ${version + 1} of the alerting configuration was saved since`)).waitFor();
    await page.getByRole("button", { name: "Save window" }).click();
    await page.waitForURL((url) => url.searchParams.get("saved") === "vienna-sunday");
    expect((await config()).maintenance[0]?.note).toBe("Longer");
  });

  test("are read by a viewer of the whole fleet, and by nobody of a part", async () => {
    const viewer = await as("viewer", phone);
    await viewer.goto(`${base}/maintenance`);
    await shown(viewer, "Every Sunday at 02:00", { exact: false }).waitFor();
    expect(await viewer.getByRole("button", { name: /window|Remove/ }).count()).toBe(0);
    expect(await viewer.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await viewer.context().close();
    const singapore = await as("singapore");
    await singapore.goto(`${base}/maintenance`);
    await singapore.waitForURL((url) => url.pathname === "/no-right");
    await singapore.context().close();
  });
});

describe("on call", () => {
  test("says who is now and next, and when nobody is", async () => {
    const { page } = admin;
    await openLive(page, `${base}/on-call`);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toMatch(/^You are on call for Exchange until /);
    const exchange = page.locator("#exchange");
    expect(await exchange.innerText()).toMatch(/Now\s+M\. Huber \(you\)[\s\S]*Next\s+L\. Tan\s+from /);
    expect(await exchange.innerText()).toMatch(/Exchange on call, step 1/);
    const days = page.locator("#proxy-days");
    expect(await days.innerText()).toMatch(/Nobody is on call[\s\S]*and \d+ more in 4 weeks/);
  });

  test("takes an override in place, refuses one that ends before it begins, and takes it out again", async () => {
    const { page } = admin;
    await openLive(page, `${base}/on-call`);
    const exchange = page.locator("#exchange");
    await exchange.getByText("Put somebody in…").click();
    await exchange.getByLabel("Who").selectOption("l-tan");
    await exchange.getByLabel("To", { exact: true }).fill("2020-01-01T00:00");
    await exchange.getByRole("button", { name: "Put in" }).click();
    await shown(exchange, /"2020-01-01T00:00" is not after /).waitFor();
    // What was chosen is still chosen.
    await exchange.getByLabel("To", { exact: true }).fill("2099-01-01T00:00");
    await exchange.getByRole("button", { name: "Put in" }).click();
    await shown(exchange, /by override/).waitFor();
    expect(await exchange.innerText()).toMatch(/Now\s+L\. Tan/);
    const remove = exchange.getByRole("button", { name: /: L\. Tan,/ });
    await remove.click();
    await remove.click();
    await remove.waitFor({ state: "detached" });
    expect(await exchange.innerText()).toMatch(/Now\s+M\. Huber/);
  });

  test("fits a phone, and lets a viewer read alone", async () => {
    const page = await as("viewer", phone);
    await openWhole(page, `${base}/on-call`);
    await shown(page, "Exchange", { exact: true }).waitFor();
    expect(await page.getByText("Put somebody in…").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.context().close();
  });
});
