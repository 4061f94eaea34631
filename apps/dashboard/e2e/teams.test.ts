import { createOTP } from "@better-auth/utils/otp";
import { listAudit } from "@lynceus/db/audit";
import { readRetention } from "@lynceus/db/retention";
import { createUser, listUsers } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { openChromium } from "@lynceus/testkit/chromium";
import { hashPassword } from "better-auth/crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { admin, ask, confirm, openWhole, shown, signIn, type Visitor, visit } from "./support/browser.ts";
import { client, type Person, startProvider } from "./support/provider.ts";
import { type SeededDashboard, startSeededDashboard } from "./support/seeded.ts";

/* People: who may come in, with what, by a password, a code or a real identity provider. */

let browser: Browser;
let dashboard: SeededDashboard;
let provider: Awaited<ReturnType<typeof startProvider>>;
let boss: Visitor;
let page: Page;
const complaints: string[] = [];
const people = new Map<string, Person>();

beforeAll(async () => {
  browser = await openChromium();
  dashboard = await startSeededDashboard();
  provider = await startProvider(`${dashboard.base}/api/auth/callback/sso`, people);
  boss = await visit(browser);
  page = boss.page;
  await open(page, "/login");
  await signIn(page);
  await shown(page, "Overview").waitFor();
});
afterAll(async () => {
  await browser?.close();
  await provider?.close();
  await dashboard?.close();
});

const open = (on: Page, path: string) => openWhole(on, dashboard.base + path);
const picture = async (on: Page, name: string) => {
  if (process.env.LYNCEUS_SCREENS)
    await on.screenshot({ path: `${process.env.LYNCEUS_SCREENS}/${name}.png`, fullPage: true });
};
const person = async (name: string, role: "viewer" | "operator" | "admin", sites: string[] | null = null) => {
  const account = { email: `${name}@contoso.com`, password: "tulip ladder crane fog" };
  const access = { role, ...everyMachine, sites };
  const passwordHash = await hashPassword(account.password);
  await createUser(dashboard.db, { name, email: account.email, access, passwordHash }, "test");
  return account;
};
/** Types a site and leaves the field, whose list of names would lie over what is below it. */
const addSite = async (on: Page, site: string) => {
  await on.getByRole("combobox", { name: "Sites" }).fill(site);
  await on.keyboard.press("Enter");
  await on.keyboard.press("Tab");
};
const actions = async (subject: string) =>
  (await listAudit(dashboard.db, { subject })).items.map(({ action }) => action);

describe("an admin", () => {
  test("adds a person for one site, who chooses a password first and then sees that site alone", async () => {
    await open(page, "/settings/users");
    await picture(page, "users");
    await page.getByRole("textbox", { name: "Name" }).fill("Olga Operator");
    await page.getByLabel("Email").fill("olga@contoso.com");
    await page.getByLabel("Role").selectOption("operator");
    await page.getByLabel("Machines at these sites, or with these tags").check();
    await addSite(page, "Singapore");
    await page.getByRole("button", { name: "Add account" }).click();
    const password = (await page.locator("code").first().textContent()) ?? "";
    expect(password).toMatch(/^[\w-]{20,}$/);
    await picture(page, "users-made");

    const olga = await visit(browser);
    await open(olga.page, "/login");
    await signIn(olga.page, { email: "olga@contoso.com", password });
    await olga.page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
    await picture(olga.page, "first-password");
    // Nothing goes before it, by no address.
    await open(olga.page, "/machines");
    expect(new URL(olga.page.url()).pathname).toBe("/first/password");
    expect((await ask(olga.context, `${dashboard.base}/machines/rows?q=`)).status()).toBe(403);
    await olga.page.getByLabel("Present password").fill(password);
    await olga.page.getByLabel("New password", { exact: true }).fill("password1234");
    await olga.page.getByLabel("New password again").fill("password1234");
    await olga.page.getByRole("button", { name: "Change password" }).click();
    await shown(olga.page, "is one of the first that are guessed", { exact: false }).waitFor();
    await olga.page.getByLabel("Present password").fill(password);
    await olga.page.getByLabel("New password", { exact: true }).fill("tulip ladder crane fog");
    await olga.page.getByLabel("New password again").fill("tulip ladder crane fog");
    await olga.page.getByRole("button", { name: "Change password" }).click();
    await olga.page.waitForURL(`${dashboard.base}/`);
    const rows = await (await ask(olga.context, `${dashboard.base}/machines/rows?q=`)).json();
    expect(rows.total).toBeGreaterThan(0);
    expect(new Set(rows.items.map((row: { site: string }) => row.site))).toEqual(new Set(["Singapore"]));
    await open(olga.page, "/settings/users");
    await olga.page.getByRole("heading", { name: "This is not yours to open." }).waitFor();
    await picture(olga.page, "no-right");
    complaints.push(...olga.complaints.filter((text) => !/status of 403/.test(text)));
    await olga.context.close();
  });

  test("disables an account, whose sessions end at once, and whose password opens nothing any more", async () => {
    const account = await person("dora", "viewer");
    const dora = await visit(browser);
    await open(dora.page, "/login");
    await signIn(dora.page, account);
    await shown(dora.page, "Overview").waitFor();
    await open(page, "/settings/users");
    await page.getByRole("link", { name: "dora" }).click();
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("button", { name: "Disable now" }).click();
    await shown(page, "Disabled: its sessions are ended.").waitFor();
    await picture(page, "user");
    await open(dora.page, "/machines");
    expect(new URL(dora.page.url()).pathname).toBe("/login");
    await signIn(dora.page, account);
    await shown(dora.page, "No account has this address and password.").waitFor();
    await page.getByRole("button", { name: "Enable" }).click();
    await shown(page, "Enabled: it can sign in again.").waitFor();
    await signIn(dora.page, account);
    await shown(dora.page, "Machines").waitFor();
    await dora.context.close();
  });

  test("cannot change their own role, and the last admin stays one", async () => {
    const self = (await listUsers(dashboard.db)).find(({ email }) => email === admin.email);
    await open(page, `/settings/users/${self?.id}`);
    await shown(page, "This is your own account; another admin can change it.").waitFor();
  });

  test("makes a token for a part of the fleet, which is shown once", async () => {
    await open(page, "/settings/tokens");
    await page.getByLabel("Label").fill("Grafana Singapore");
    await page.getByLabel("Machines at these sites, or with these tags").check();
    await addSite(page, "Singapore");
    await page.getByRole("button", { name: "Create token" }).click();
    const secret = (await page.locator("code").first().textContent()) ?? "";
    expect(secret).toMatch(/^lyn_/);
    await picture(page, "tokens");
    await page.reload();
    expect(await page.content()).not.toContain(secret);
    await shown(page, "site Singapore").waitFor();
    await page.getByRole("button", { name: "Revoke: Grafana Singapore" }).click();
    await page.getByRole("button", { name: "Revoke now: Grafana Singapore" }).click();
    await shown(page, "revoked", { exact: true }).waitFor();
  });

  test("reads in the audit log what was before and after, a page at a time and filtered", async () => {
    await open(page, "/settings/audit?kind=user");
    await shown(page, "user.disable").waitFor();
    await picture(page, "audit");
    await page.getByLabel("About").selectOption("api-token");
    await page.getByRole("button", { name: "Show" }).click();
    await shown(page, "api-token.revoke").waitFor();
    expect(await page.getByText("user.disable").count()).toBe(0);
    for (let n = 0; n < 60; n++)
      await dashboard.db.prisma.$executeRaw`
        INSERT INTO audit (id, at, actor, action, subject) VALUES (gen_random_uuid(), now() - interval '2 days', 'old', 'sites.save', 'x')`;
    await open(page, "/settings/audit?actor=old");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(50);
    await page.getByRole("link", { name: "Older entries" }).click();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(10);
  });

  test("changes how long things are kept, with what was before and after in the audit log; a viewer reads it", async () => {
    const keep = async (days: string) => {
      await page.getByLabel("Days of observations").fill(days);
      await confirm(page, "Save", "Save: what is older is deleted");
    };
    await open(page, "/settings/retention");
    await keep("0");
    await shown(page, '"0" is no such time; use a whole number of days from 1 to 3,650, e.g. 30.').waitFor();
    expect((await readRetention(dashboard.db)).saved).toBe(false);
    await keep("14");
    await shown(page, "Saved. What is older goes at the next 03:23 UTC.").waitFor();
    await page.getByRole("row", { name: "Observations 14 days" }).waitFor();
    expect((await readRetention(dashboard.db)).days).toEqual({ observationDays: 14, historyDays: 396 });

    await open(page, "/settings/audit?kind=retention");
    const row = page.getByRole("row").filter({ hasText: "retention.save" });
    await row.filter({ hasText: /observationDays.*30.*14/s }).waitFor();
    expect(await row.count()).toBe(1);
    expect(await row.innerText()).not.toContain("historyDays");

    const account = await person("vera", "viewer");
    const vera = await visit(browser);
    await open(vera.page, "/login");
    await signIn(vera.page, account);
    await shown(vera.page, "Overview").waitFor();
    await open(vera.page, "/settings/retention");
    await shown(vera.page, /^An admin of the whole fleet may change them/).waitFor();
    expect(await vera.page.getByRole("textbox").count()).toBe(0);
    complaints.push(...vera.complaints);
    await vera.context.close();
  });

  test("finds every page of the settings", async () => {
    for (const [path, name] of [
      ["/settings", "settings"],
      ["/settings/roles", "roles"],
      ["/settings/account", "account"],
      ["/settings/sign-on", "sign-on-empty"],
    ] as const) {
      await open(page, path);
      await page.getByRole("navigation", { name: "Settings" }).waitFor();
      await picture(page, name);
    }
  });
});

describe("a second factor", () => {
  const codeOf = (secret: string) => createOTP(secret).totp();

  test("is set up with an app, asked for at the next sign-in, and replaced by a recovery code once", async () => {
    const account = await person("tina", "operator");
    const tina = await visit(browser);
    await open(tina.page, "/login");
    await signIn(tina.page, account);
    await shown(tina.page, "Overview").waitFor();
    await open(tina.page, "/settings/account");
    const panel = tina.page.locator("section", { has: tina.page.getByRole("heading", { name: "Second factor" }) });
    await panel.getByLabel("Password").fill("not the password");
    await panel.getByRole("button", { name: "Set up an app" }).click();
    await panel.getByText("This is not the password.").waitFor();
    await panel.getByLabel("Password").fill(account.password);
    await panel.getByRole("button", { name: "Set up an app" }).click();
    const key = ((await panel.locator("code").textContent()) ?? "").replace(/ /g, "");
    await picture(tina.page, "second-factor");
    const secret = Buffer.from(base32(key)).toString();
    await panel.getByLabel("Code of the app").fill("000000");
    await panel.getByRole("button", { name: "Confirm" }).click();
    await panel.getByText("This is not the app's present code", { exact: false }).waitFor();
    await panel.getByLabel("Code of the app").fill(await codeOf(secret));
    await panel.getByRole("button", { name: "Confirm" }).click();
    await panel.getByText("Keep these recovery codes", { exact: false }).waitFor();
    const codes = await panel.locator("ul li").allTextContents();
    expect(codes).toHaveLength(10);
    await picture(tina.page, "recovery-codes");
    await panel.getByRole("button", { name: "They are kept, go on" }).click();
    await panel.getByRole("button", { name: "New recovery codes" }).waitFor();

    await tina.context.clearCookies();
    await open(tina.page, "/login?next=%2Fmachines");
    await signIn(tina.page, account);
    await tina.page.getByRole("heading", { name: "Code of the app" }).waitFor();
    await picture(tina.page, "code");
    // The password alone opens nothing.
    expect((await ask(tina.context, `${dashboard.base}/machines/rows?q=`)).status()).toBe(401);
    await tina.page.getByLabel("Code").fill("000000");
    await tina.page.getByRole("button", { name: "Sign in" }).click();
    await shown(tina.page, "The code is not right", { exact: false }).waitFor();
    await tina.page.getByLabel("Code").fill(await codeOf(secret));
    await tina.page.getByRole("button", { name: "Sign in" }).click();
    await tina.page.waitForURL(`${dashboard.base}/machines`);

    const withRecoveryCode = async (code: string) => {
      await tina.context.clearCookies();
      await open(tina.page, "/login");
      await signIn(tina.page, account);
      await tina.page.getByLabel("Code").fill(code);
      await tina.page.getByRole("button", { name: "Sign in" }).click();
    };
    await withRecoveryCode(codes[0] ?? "");
    await tina.page.waitForURL(`${dashboard.base}/`);
    await withRecoveryCode(codes[0] ?? "");
    await shown(tina.page, "The code is not right", { exact: false }).waitFor();
    expect(await actions(account.email)).toEqual(expect.arrayContaining(["account.second-factor.on", "session.start"]));
    complaints.push(...tina.complaints.filter((text) => !/status of 401/.test(text)));
    await tina.context.close();
  });

  test("comes before anything else where the installation asks for it", async () => {
    const account = await person("uwe", "viewer");
    await open(page, "/settings/users");
    await page.getByLabel("Second factor asked of").selectOption("everyone");
    await page
      .locator("form", { has: page.getByLabel("Second factor asked of") })
      .getByRole("button")
      .click();
    const uwe = await visit(browser);
    await open(uwe.page, "/login");
    await signIn(uwe.page, account);
    await uwe.page.getByRole("heading", { name: "Set up a second factor" }).waitFor();
    await picture(uwe.page, "first-second-factor");
    expect((await ask(uwe.context, `${dashboard.base}/api/go-to?q=sin`)).status()).toBe(403);
    await uwe.page.getByLabel("Password").fill(account.password);
    await uwe.page.getByRole("button", { name: "Set up an app" }).click();
    const key = ((await uwe.page.locator("code").textContent()) ?? "").replace(/ /g, "");
    await uwe.page.getByLabel("Code of the app").fill(await codeOf(Buffer.from(base32(key)).toString()));
    await uwe.page.getByRole("button", { name: "Confirm" }).click();
    await uwe.page.getByRole("button", { name: "They are kept, go on" }).click();
    await uwe.page.waitForURL(`${dashboard.base}/`);
    await uwe.context.close();
    // The admin who set it has none either.
    await open(page, "/settings/users");
    await page.getByRole("heading", { name: "Set up a second factor" }).waitFor();
    await dashboard.db.prisma.setting.delete({ where: { key: "sign-in" } });
  });
});

describe("sessions", () => {
  test("are listed, ended one by one, and all at once", async () => {
    const account = await person("sara", "viewer");
    const devices = await Promise.all([1, 2, 3].map(() => visit(browser)));
    for (const { page } of devices) {
      await open(page, "/login");
      await signIn(page, account);
      await shown(page, "Overview").waitFor();
    }
    const [first, second, third] = devices as [Visitor, Visitor, Visitor];
    await open(first.page, "/settings/account");
    await picture(first.page, "sessions");
    expect(await first.page.getByRole("button", { name: /^End: / }).count()).toBe(2);
    await first.page
      .getByRole("button", { name: /^End: / })
      .first()
      .click();
    await first.page.getByRole("button", { name: /^End now: / }).click();
    await expect.poll(() => first.page.getByRole("button", { name: /^End: / }).count()).toBe(1);
    await first.page.getByRole("button", { name: "Log out everywhere" }).click();
    await first.page.getByRole("button", { name: "Log out everywhere now" }).click();
    await first.page.waitForURL(`${dashboard.base}/login`);
    for (const { context } of [second, third])
      expect((await ask(context, `${dashboard.base}/api/go-to?q=sin`)).status()).toBe(401);
    await Promise.all(devices.map(({ context }) => context.close()));
  });
});

describe("single sign-on", () => {
  /** Signs in at the provider as one of `people`. */
  async function arrive(id: string, next = "/"): Promise<Visitor> {
    const visitor = await visit(browser);
    await open(visitor.page, `/login?next=${encodeURIComponent(next)}`);
    await visitor.page.getByRole("button", { name: "Sign in with Contoso" }).click();
    await visitor.page.waitForURL(`${provider.issuer}/**`);
    await visitor.page.locator("input[name=login]").fill(id);
    await visitor.page.locator("input[name=password]").fill("anything");
    await visitor.page.getByRole("button", { name: "Sign-in" }).click();
    await visitor.page.getByRole("button", { name: "Continue" }).click();
    return visitor;
  }

  test("is set up by an admin, who is told what is wrong with the provider", async () => {
    await open(page, "/settings/sign-on");
    await page.getByRole("textbox", { name: "Name" }).fill("Contoso");
    await page.getByLabel("Issuer").fill("http://login.example.org");
    await page.getByLabel("Client id").fill(client.id);
    await page.getByLabel("Client secret").fill(client.secret);
    await page.getByLabel("Scopes").fill("openid email profile groups");
    await page.getByRole("button", { name: "Add a group" }).click();
    await page.getByLabel("Group", { exact: true }).fill("lync-singapore");
    await page.getByLabel("Role").selectOption("operator");
    await page.getByLabel("Machines at these sites, or with these tags").check();
    await addSite(page, "Singapore");
    await page.getByRole("button", { name: "Save" }).click();
    await shown(page, "is not https", { exact: false }).waitFor();
    await page.getByLabel("Issuer").fill(`${provider.issuer}/`);
    await page.getByRole("button", { name: "Save" }).click();
    await shown(page, "The provider calls itself", { exact: false }).waitFor();
    await page.getByLabel("Issuer").fill(provider.issuer);
    await page.getByRole("button", { name: "Save" }).click();
    await shown(page, "Saved. The provider answered", { exact: false }).waitFor();
    await picture(page, "sign-on");
    const stored = await dashboard.db.prisma.setting.findUniqueOrThrow({ where: { key: "sign-on" } });
    expect(JSON.stringify(stored.value)).not.toContain(client.secret);
    const [entry] = (await listAudit(dashboard.db, { action: "sign-on." })).items;
    expect(JSON.stringify(entry)).not.toContain(client.secret);
  });

  test("lets people in with what their groups give, returns to where they were, and applies a new group at once", async () => {
    people.set("gina", {
      email: "gina@contoso.com",
      email_verified: true,
      name: "Gina Group",
      groups: ["all", "lync-singapore"],
    });
    const gina = await arrive("gina", "/machines");
    await gina.page.waitForURL(`${dashboard.base}/machines`);
    const [user] = (await listUsers(dashboard.db)).filter(({ email }) => email === "gina@contoso.com");
    expect(user).toMatchObject({
      access: { role: "operator", sites: ["Singapore"] },
      hasPassword: false,
      hasSso: true,
      name: "Gina Group",
    });
    const rows = await (await ask(gina.context, `${dashboard.base}/machines/rows?q=`)).json();
    expect(new Set(rows.items.map((row: { site: string }) => row.site))).toEqual(new Set(["Singapore"]));
    complaints.push(...gina.complaints);
    await gina.context.close();
    // No token of the provider is kept.
    const account = await dashboard.db.prisma.account.findFirstOrThrow({ where: { userId: user?.id ?? "" } });
    expect([account.idToken, account.accessToken, account.refreshToken]).toEqual([null, null, null]);

    people.set("gina", { email: "gina@contoso.com", email_verified: true, name: "Gina Group", groups: ["all"] });
    const again = await arrive("gina");
    await shown(again.page, "None of your groups may sign in here", { exact: false }).waitFor();
    await picture(again.page, "login-sso");
    await again.context.close();
  });

  test("takes an account of the same address only where the provider says that the address is verified", async () => {
    const account = await person("paul", "admin");
    people.set("false-paul", { email: account.email, email_verified: false, name: "Paul", groups: ["lync-singapore"] });
    const taken = await arrive("false-paul");
    await shown(taken.page, "An account with your address exists here", { exact: false }).waitFor();
    await taken.context.close();
    people.set("paul", { email: account.email, email_verified: true, name: "Paul", groups: ["lync-singapore"] });
    const paul = await arrive("paul");
    await paul.page.waitForURL(`${dashboard.base}/`);
    const user = (await listUsers(dashboard.db)).find(({ email }) => email === account.email);
    expect(user?.access).toMatchObject({ role: "operator", sites: ["Singapore"] });
    expect(await actions(account.email)).toContain("user.access");
    await paul.context.close();
  });

  test("refuses a disabled account, an answer that was not asked for, and says when the provider is away", async () => {
    const [gina] = (await listUsers(dashboard.db)).filter(({ email }) => email === "gina@contoso.com");
    await dashboard.db.prisma.user.update({ where: { id: gina?.id ?? "" }, data: { disabledAt: new Date() } });
    people.set("gina", { email: "gina@contoso.com", email_verified: true, name: "Gina", groups: ["lync-singapore"] });
    const refused = await arrive("gina");
    await shown(refused.page, "This account is disabled.").waitFor();
    await open(refused.page, "/api/auth/callback/sso?code=stolen&state=made-up");
    expect(refused.page.url()).toBe(`${dashboard.base}/login?error=sso-failed`);
    expect((await refused.context.cookies()).filter(({ name }) => name.endsWith("session_token"))).toEqual([]);
    await refused.context.close();
  });

  test("of a provider that is away leaves the password", async () => {
    await dashboard.db.prisma.$executeRaw`
      UPDATE settings SET value = jsonb_set(value, '{issuer}', '"http://127.0.0.1:1"') WHERE key = 'sign-on'`;
    const visitor = await visit(browser);
    await open(visitor.page, "/login");
    await picture(visitor.page, "login");
    await visitor.page.getByRole("button", { name: "Sign in with Contoso" }).click();
    await shown(visitor.page, "The sign-on provider did not answer", { exact: false }).waitFor();
    await visitor.page.getByLabel("Email").fill(admin.email);
    await visitor.page.getByLabel("Password", { exact: true }).fill(admin.password);
    await visitor.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await shown(visitor.page, "Overview").waitFor();
    await visitor.context.close();
  });
});

test("no page complained", () => {
  // What the provider's own pages lack is not ours.
  expect([...complaints, ...boss.complaints].filter((text) => text.startsWith(dashboard.base))).toEqual([]);
});

/** RFC 4648, without padding: what an app reads of the key. */
function base32(text: string): Uint8Array {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Uint8Array.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
