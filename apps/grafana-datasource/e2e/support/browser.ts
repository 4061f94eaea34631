import { existsSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/**
 * Debian's Chromium, without anything that talks to anyone by itself. Its pages share a cache: Grafana's packages are 25 MB of
 * script, which it compiles once.
 */
export async function openBrowser(): Promise<BrowserContext> {
  if (!existsSync(executablePath))
    throw new Error(`${executablePath} is not there; install the Debian package "chromium" (apt-get install chromium)`);
  const args =
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";
  const browser = await chromium.launch({ executablePath, args: args.split(" ") });
  return browser.newContext({ viewport: { width: 1440, height: 900 } });
}

export interface Visit {
  readonly page: Page;
  /** Errors of the console, uncaught ones, and what the API refused. */
  readonly complaints: string[];
  /** All that came to the browser, as text: headers, bodies, messages of WebSockets. */
  readonly received: string[];
  /** All that left it: addresses, headers, bodies, messages of WebSockets. */
  readonly sent: string[];
}

export async function visit(context: BrowserContext): Promise<Visit> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const received: string[] = [];
  const sent: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    sent.push(request.url(), JSON.stringify(request.headers()), request.postData() ?? "");
  });
  page.on("response", async (response) => {
    received.push(JSON.stringify(response.headers()));
    if (response.url().includes("/host.")) return;
    const text = await response.text().catch(() => "");
    received.push(text);
    if (response.status() >= 400 && response.url().includes("/api/"))
      complaints.push(`${response.status()} ${response.url()}: ${text}`);
  });
  page.on("websocket", (socket) => {
    sent.push(socket.url());
    socket.on("framesent", ({ payload }) => sent.push(String(payload)));
    socket.on("framereceived", ({ payload }) => received.push(String(payload)));
  });
  return { page, complaints, received, sent };
}
