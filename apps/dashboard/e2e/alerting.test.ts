import { readFileSync } from "node:fs";
import { alertingVersion, currentAlerting, sealedSecrets } from "@lynceus/db/alerting";
import { listAudit } from "@lynceus/db/audit";
import { listNotices } from "@lynceus/db/notices";
import { createUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { openChromium } from "@lynceus/testkit/chromium";
import { hashPassword } from "better-auth/crypto";
import { runMigrations } from "graphile-worker";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, openLive, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { deliverTo, mailServer, webhookServer } from "./support/receivers.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/*
 * Who is told: from an installation that tells nobody to one whose receivers take what they are sent. What stands in for a
 * collector is the loop that takes up notices; receivers are real servers on this machine.
 */

let browser: Browser;
let dashboard: SeededDashboard;
let boss: Visitor;
let page: Page;
let hook: Awaited<ReturnType<typeof webhookServer>>;
let mail: Awaited<ReturnType<typeof mailServer>>;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await openChromium();
  [dashboard, hook, mail] = await Promise.all([startSeededDashboard(), webhookServer(), mailServer()]);
  await runMigrations({ pgPool: dashboard.db.pool });
  boss = await visit(browser);
  page = boss.page;
  await page.goto(`${dashboard.base}/login`);
  await signIn(page);
  await shown(page, "Overview").waitFor();
});
afterAll(async () => {
  await browser?.close();
  await hook?.close();
  await mail?.close();
  await dashboard?.close();
});

const open = (on: Page, path: string) => openLive(on, dashboard.base + path);
/** A field of the page itself: names in the sidebar hold some of the same letters. */
const field = (on: Page, label: string | RegExp) =>
  on.locator("main").getByLabel(label, typeof label === "string" ? { exact: true } : {});
const save = (on: Page = page) => on.getByRole("button", { name: "Save", exact: true }).click();
const said = (text: string | RegExp, on: Page = page) => shown(on, text).waitFor();
const config = async () => (await currentAlerting(dashboard.db)).config;
const version = () => alertingVersion(dashboard.db);
/** Chooses by its name in a list that is searched. */
const choose = async (on: Page, label: string, name: string) => {
  await on.getByRole("combobox", { name: label }).fill(name);
  await on
    .getByRole("option", { name: new RegExp(name) })
    .first()
    .click();
  await on.keyboard.press("Tab");
};
const member = async (name: string, role: "viewer" | "operator", sites: string[] | null = null) => {
  const account = { email: `${name}@contoso.com`, password: "tulip ladder crane fog" };
  const passwordHash = await hashPassword(account.password);
  await createUser(
    dashboard.db,
    { name, email: account.email, access: { role, ...everyMachine, sites }, passwordHash },
    "test",
  );
  const visitor = await visit(browser);
  await visitor.page.goto(`${dashboard.base}/login`);
  await signIn(visitor.page, account);
  await visitor.page.waitForURL((url) => !url.pathname.startsWith("/login"));
  return visitor;
};
const hostile = "<b>Hook\u202e</b>";
const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

describe("a receiver", () => {
  test("is what a new installation is asked for first", async () => {
    await open(page, "/");
    await said(/Nobody is told of incidents yet: no route names anybody/);
    await page.locator("main").getByRole("link", { name: "Alerting" }).click();
    await page.waitForURL(/\/alerting$/);
    await said("Nobody is told of incidents yet");
    await page.getByRole("link", { name: "Add a receiver" }).click();
    await page.getByRole("link", { name: /^Webhook/ }).click();
    await page.getByRole("heading", { name: "New receiver" }).first().waitFor();
  });

  test("that is wrong is refused beside its fields, and nothing is stored", async () => {
    await open(page, "/alerting/new/receivers?type=webhook");
    await field(page, "Name").fill(hostile);
    await field(page, "Id").fill("hook");
    await field(page, "Address").fill(hook.url);
    await field(page, "Signing secret").fill("short");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await said("Not saved: see above.");
    const address = field(page, "Address");
    expect(await address.getAttribute("aria-invalid")).toBe("true");
    await said(/is not encrypted, which is refused on the internet; use https/);
    expect(await version()).toBe(0);

    await page.getByText("Connection", { exact: true }).click();
    await field(page, "Where its server may be").selectOption("loopback");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await said(/Signing secret is not right: whsec_ followed by/);
    expect(await version()).toBe(0);
    expect(await address.inputValue()).toBe(hook.url);
  });

  test("is stored with its secret sealed, which no page shows again", async () => {
    await field(page, "Signing secret").fill(secret);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForURL(/\/alerting\/receivers\/hook\?saved=1$/);
    await said("Added, as version 1.");
    expect((await sealedSecrets(dashboard.db, "hook")).signingSecret).toMatch(/^s1\./);
    for (const path of [
      "/alerting",
      "/alerting/receivers",
      "/alerting/receivers/hook",
      "/alerting/versions/1",
      "/settings/audit",
    ]) {
      const answer = await ask(boss.context, dashboard.base + path);
      const text = await answer.text();
      expect([path, answer.status(), text.includes(secret.slice(6))]).toEqual([path, 200, false]);
      expect([path, text.includes("<b>Hook")]).toEqual([path, false]);
    }
    await said("<b>Hook⟨U+202E⟩</b>");
  });

  test("is tried for real: what it answers stands on its page", async () => {
    await open(page, "/alerting/receivers/hook");
    await page.getByRole("button", { name: "Send a test" }).click();
    await said("On its way");
    await deliverTo(dashboard.db, "hook");
    await said(/^Delivered/);
    expect(JSON.parse(hook.bodies.at(-1) ?? "")).toMatchObject({ kind: "test", headline: `Test of ${hostile}` });
    expect(hook.state.headers).toContain("webhook-signature");

    hook.state.status = 410;
    hook.state.said = "<script>gone</script>";
    await page.getByRole("button", { name: "Send a test" }).click();
    await said("On its way");
    await deliverTo(dashboard.db, "hook");
    await said(/^Given up after 1 try/);
  });

  test("that refused a notice is sent it again from the list of those that were given up", async () => {
    await open(page, "/alerting/undelivered");
    await said(/Given up after 1 try: .*410/);
    hook.state.status = 200;
    const sent = hook.bodies.length;
    await page.getByRole("button", { name: /^Send again/ }).click();
    await expect.poll(async () => (await listNotices(dashboard.db, { state: "dead" })).items.length).toBe(0);
    await deliverTo(dashboard.db, "hook");
    await said("Nothing was given up");
    expect(hook.bodies.length).toBe(sent + 1);
    expect((await listAudit(dashboard.db, { action: "notice.retry" })).items[0]?.actor).toBe("ada@contoso.com");
  });

  test("of mail reaches a real SMTP server", async () => {
    await open(page, "/alerting/new/receivers?type=email");
    await field(page, "Name").fill("Proxy team");
    await field(page, "SMTP server").fill("127.0.0.1");
    await field(page, "Port").fill("many");
    await field(page, "Encryption").selectOption("none");
    await field(page, "From").fill("lynceus@contoso.com");
    await field(page, "To").fill("proxy-team@contoso.com\nnobody");
    await page.getByText("Connection", { exact: true }).click();
    await field(page, "Where its server may be").selectOption("loopback");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await said('"many" is no number; use e.g. 5.');
    await said("No. 2: not a mail address; use e.g. oncall@contoso.com");
    await field(page, "Port").fill(String(mail.port));
    await field(page, "To").fill("proxy-team@contoso.com");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForURL(/\/alerting\/receivers\/proxy-team\?saved=2$/);
    await page.getByRole("button", { name: "Send a test" }).click();
    await said("On its way");
    await deliverTo(dashboard.db, "proxy-team");
    await said(/^Delivered/);
    expect(mail.mails[0]).toMatch(/Subject: .*Test of Proxy team/);
  });
});

describe("who is told", () => {
  test("is a person, by an escalation, by a route: each names the one before", async () => {
    await open(page, "/alerting/new/people");
    await field(page, "Name").fill("M. Huber");
    await choose(page, "Told by", "hook");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForURL(/\/alerting\/people\/m-huber/);

    await open(page, "/alerting/new/escalations");
    await field(page, "Name").fill("Exchange on call");
    await choose(page, "Told", "Huber");
    await page.getByRole("button", { name: "Add step" }).click();
    const second = page.getByRole("group", { name: "Step 2", exact: true });
    await second.getByRole("combobox", { name: "Told" }).fill("Proxy team");
    await page
      .getByRole("option", { name: /Proxy team/ })
      .first()
      .click();
    await page.keyboard.press("Tab");
    await second.getByLabel(/^Next step after/).fill("0");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await said("0 is too small; 1 is the least.");
    await second.getByLabel(/^Next step after/).fill("30");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForURL(/\/alerting\/escalations\/exchange-on-call/);

    await open(page, "/alerting/routes/on-call");
    await field(page, "Matches").fill("sight:Bern");
    await field(page, "Escalation").selectOption("exchange-on-call");
    await page.getByText("When, and how often").click();
    await field(page, /^Quiet hours/).check();
    await field(page, "From").fill("25:00");
    await save();
    await said("Not saved: see above.");
    await said(/sight/);
    await said(/"25:00" is no time of a day in 24 hours; use e.g. 09:00/);
    await field(page, "Matches").fill("");
    await field(page, "From").fill("22:00");
    await save();
    await said("Saved as version 5.");
    expect((await config()).routes.at(-1)).toMatchObject({
      id: "on-call",
      escalation: "exchange-on-call",
      quietHours: { from: "22:00", to: "07:00" },
    });
  });

  test("is shown before anything breaks, with times and reasons", async () => {
    await open(page, "/alerting/simulate");
    await field(page, "Machines").fill("12");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/machines=12/);
    const sentence = await page.getByRole("heading", { level: 1 }).first().innerText();
    expect(sentence).toMatch(/^M\. Huber after \d+ s and Proxy team after 1[56] min.* would be told\./);
    expect((await listNotices(dashboard.db, {})).items.filter(({ kind }) => kind !== "test")).toEqual([]);

    await open(page, "/alerting/simulate?machines=1");
    expect(await page.getByRole("heading", { level: 1 }).first().innerText()).toMatch(/^Nobody would be told\./);
    await open(page, "/alerting/simulate?machines=all");
    await said(/"all" is no count from 1 to 100,000/);
  });

  test("asks routes in the order that one gives them", async () => {
    await open(page, "/alerting/new/routes");
    await field(page, "Name").fill("Bern first");
    await field(page, "Matches").fill("site:Bern");
    await choose(page, "Receivers", "Proxy team");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForURL(/\/alerting\/routes\/bern-first/);
    const order = async () => (await config()).routes.map(({ id }) => id);
    expect(await order()).toEqual(["monitoring", "bern-first", "on-call"]);
    await open(page, "/alerting");
    await page.getByRole("button", { name: "Up: Bern first" }).click();
    await expect.poll(order).toEqual(["bern-first", "monitoring", "on-call"]);
  });

  test("keeps what is named: a receiver in use is not removed", async () => {
    await open(page, "/alerting/receivers/hook");
    const remove = page.getByRole("button", { name: /^Remove/ });
    await remove.click();
    await page.getByRole("button", { name: /^Remove it for good/ }).click();
    await said("It is still named by person M. Huber; take it out there first.");
    expect((await config()).receivers.map(({ id }) => id)).toContain("hook");
  });
});

describe("two admins at once", () => {
  test("change different pieces without losing either, and are asked where it is the same one", async () => {
    const other = await visit(browser, { storageState: await boss.context.storageState() });
    await open(page, "/alerting/routes/bern-first");
    await open(other.page, "/alerting/people/m-huber");
    await field(other.page, "Name").fill("Martin Huber");
    await save(other.page);
    await said(/^Saved as version/, other.page);
    await field(page, "Name").fill("Bern, to the proxy team");
    await save();
    await said(/^Saved as version/);
    expect((await config()).people[0]?.name).toBe("Martin Huber");

    await open(other.page, "/alerting/routes/bern-first");
    await field(other.page, "Matches").fill("site:Bern,Graz");
    await save(other.page);
    await said(/^Saved as version/, other.page);
    const before = await version();
    await field(page, "Name").fill("Bern alone");
    await save();
    await said(/changed this too/);
    await said("site:Bern,Graz");
    expect(await version()).toBe(before);
    await page.getByRole("button", { name: "Save mine over it" }).click();
    await said(`Saved as version ${before + 1}.`);
    expect((await config()).routes[0]).toMatchObject({ name: "Bern alone", match: "site:Bern" });
    complaints.push(...other.complaints);
    await other.context.close();
  });
});

describe("versions", () => {
  test("say what each changed, and lead back", async () => {
    const now = await version();
    await open(page, "/alerting/versions");
    await page.getByRole("link", { name: "2", exact: true }).click();
    await said("receivers[proxy-team].settings.host");
    await page.getByRole("button", { name: "Restore this version" }).click();
    await page.getByRole("button", { name: `Save it as version ${now + 1}?` }).click();
    await page.waitForURL(new RegExp(`/alerting/versions/${now + 1}$`));
    expect((await config()).routes.map(({ id }) => id)).toEqual(["monitoring", "on-call"]);
    const [entry] = (await listAudit(dashboard.db, { action: "alerting.save" })).items;
    expect(entry).toMatchObject({ actor: "ada@contoso.com", subject: String(now + 1) });
    expect((await sealedSecrets(dashboard.db, "hook")).signingSecret).toMatch(/^s1\./);
  });

  test("leave as one file and come back as one, with all that is wrong said at once", async () => {
    await open(page, "/alerting/versions");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Export" }).click(),
    ]);
    const yaml = readFileSync(await download.path(), "utf8");
    expect(yaml).toContain("id: proxy-team");
    expect(yaml).not.toMatch(/whsec_|s1\./);

    await page.getByRole("link", { name: "Import…" }).click();
    await page.waitForURL(/\/alerting\/import$/);
    // What is typed before the page's scripts run is lost.
    await page.locator('main[data-live="live"]').waitFor();
    const text = field(page, "Its text");
    await text.fill(`${yaml}\npeople:\n  - { id: "Ärger", name: "", receivers: [nowhere] }\n`);
    await page.getByRole("button", { name: "Check" }).click();
    await said(/things are wrong; nothing is saved/);
    await said(/"Ärger" is no id/);
    await said("This is missing.");

    await text.fill(yaml.replace("name: Proxy team", "name: Proxy people"));
    await page.getByRole("button", { name: "Check" }).click();
    await said("It would change one value.");
    await said("Proxy people");
    const next = (await version()) + 1;
    await page.getByRole("button", { name: `Save it as version ${next}` }).click();
    await page.waitForURL(new RegExp(`/alerting/versions/${next}$`));
    expect((await config()).receivers.find(({ id }) => id === "proxy-team")?.name).toBe("Proxy people");
    expect((await sealedSecrets(dashboard.db, "hook")).signingSecret).toMatch(/^s1\./);
  });
});

describe("roles", () => {
  test("a viewer of the whole fleet sees all of it and changes nothing", async () => {
    const viewer = await member("vera", "viewer");
    for (const path of [
      "/alerting",
      "/alerting/receivers",
      "/alerting/receivers/hook",
      "/alerting/limits",
      "/alerting/undelivered",
      "/alerting/versions/1",
    ]) {
      await open(viewer.page, path);
      const acts = viewer.page.locator("main").getByRole("button", { name: /^(Save|Add|Send|Remove|Restore|Up|Down)/ });
      expect([path, await acts.filter({ visible: true }).count()]).toEqual([path, 0]);
    }
    await open(viewer.page, "/alerting/receivers/hook");
    expect(await field(viewer.page, "Address").isDisabled()).toBe(true);
    await viewer.page.goto(`${dashboard.base}/alerting/import`);
    await viewer.page.waitForURL(/\/no-right/);
    complaints.push(...viewer.complaints);
    await viewer.context.close();
  });

  test("who sees one site does not see who is told", async () => {
    const scoped = await member("otto", "operator", ["Singapore"]);
    await scoped.page.goto(`${dashboard.base}/alerting`);
    await scoped.page.waitForURL(/\/no-right/);
    expect(await scoped.page.getByRole("link", { name: "Alerting" }).count()).toBe(0);
    await scoped.context.close();
  });
});

test("on a phone no page is wider than it, and what is pressed is large enough for a finger", async () => {
  const phone = await visit(browser, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    storageState: await boss.context.storageState(),
  });
  for (const path of [
    "/alerting",
    "/alerting/receivers",
    "/alerting/receivers/hook",
    "/alerting/new/receivers?type=email",
    "/alerting/people",
    "/alerting/escalations",
    "/alerting/escalations/exchange-on-call",
    "/alerting/routes/on-call",
    "/alerting/limits",
    "/alerting/simulate?machines=12",
    "/alerting/undelivered",
    "/alerting/versions",
    "/alerting/versions/2",
    "/alerting/import",
  ]) {
    await open(phone.page, path);
    const over = await phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect([path, over]).toEqual([path, 0]);
    const small = await phone.page
      .locator("main")
      .locator("button, select, input[type=text]")
      .filter({ visible: true })
      .evaluateAll((all) =>
        all
          .filter((one) => one.getBoundingClientRect().height < 43 && !one.closest(".mantine-MultiSelect-input"))
          .map((one) => one.outerHTML.slice(0, 90)),
      );
    expect([path, small]).toEqual([path, []]);
  }
  complaints.push(...phone.complaints);
  await phone.context.close();
});

test("no page complained", () => {
  expect([...complaints, ...boss.complaints]).toEqual([]);
});
