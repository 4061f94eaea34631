import type { APIResponse, Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** A visitor: a context of its own, and what its pages complained about. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** Errors of the console, uncaught errors and refusals by the content security policy. */
  complaints: string[];
}

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`refused by the content security policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  context.on("console", (message) => {
    if (message.type() === "error")
      complaints.push(`${message.page()?.url()}: ${message.text()} ${message.location().url}`);
  });
  context.on("weberror", (error) => complaints.push(`${error.page()?.url()}: ${error.error().message}`));
  return { context, page: await context.newPage(), complaints };
}

export const admin = { name: "Ada Admin", email: "ada@contoso.com", password: "four good words here" };

/** Fills the sign-in form that is on screen. */
export async function signIn(page: Page, account: { email: string; password: string } = admin): Promise<void> {
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password", { exact: true }).fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** All of a page is where it belongs: while it is streamed, a second copy of a part can stand hidden, and what is read has a panel in its place. */
const isWhole = () =>
  document.querySelector('[hidden][id^="S:"]') === null &&
  document.querySelector('main [aria-label="Loading"]') === null;

/** Opens a page and waits until all of it is where it belongs. */
export async function openWhole(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.waitForFunction(isWhole);
}

/** Opens a page and waits until it follows the fleet: its scripts run from then on. */
export async function openLive(page: Page, address: string): Promise<void> {
  await openWhole(page, address);
  await page.locator('main[data-live="live"]').waitFor();
  // The first word of the stream can have a part drawn again that was not yet taken over by the scripts.
  await page.waitForFunction(isWhole);
}

/** Text that is on screen. While a page is streamed, a second copy of it can stand hidden beside. */
export function shown(within: Page | Locator, text: string | RegExp, options: { exact?: boolean } = {}): Locator {
  return within.getByText(text, options).filter({ visible: true }).first();
}

/** Presses a button that asks once more. The question goes by itself: a page that was slow is asked again. */
export async function confirm(page: Page, label: string, again: string | RegExp): Promise<void> {
  const first = page.getByRole("button", { name: label, exact: true });
  const second = page.getByRole("button", { name: again });
  const pressed = async () => {
    if (!(await second.isVisible())) await first.click({ timeout: 2_000 }).catch(() => {});
    return second.click({ timeout: 2_000 }).then(
      () => true,
      () => false,
    );
  };
  await expect.poll(pressed, { timeout: 20_000 }).toBe(true);
}

/**
 * Gets an address with a visitor's cookies, beside their page. A server ends a connection that was idle for seconds; what is
 * asked on it in that moment is asked again, as a browser does.
 */
export const ask = (
  context: BrowserContext,
  address: string,
  options: { maxRedirects?: number } = {},
): Promise<APIResponse> => context.request.get(address, { ...options, maxRetries: 3 });
