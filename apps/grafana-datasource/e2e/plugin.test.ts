import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { createApiToken } from "@lynceus/db/api-tokens";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { closedPorts, listen } from "@lynceus/testkit/listening";
import type { BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type Visit, visit } from "./support/browser";
import { buildHost } from "./support/build-host.mjs";
import { type Fleet, startFleet } from "./support/fleet";
import { type Grafana, type Stored, startGrafana } from "./support/grafana";
import { answered, choose, drawn, fieldsOf, latest, type Seen, until } from "./support/page";

const host = mkdtempSync(path.join(tmpdir(), "lynceus-grafana-host-"));
let fleet: Fleet;
let grafana: Grafana;
let browser: BrowserContext;

beforeAll(async () => {
  await buildHost(host);
  fleet = await startFleet();
  grafana = await startGrafana({
    host,
    datasource: {
      url: fleet.url,
      jsonData: { tlsAuthWithCACert: true },
      secrets: { apiToken: fleet.token, tlsCACert: fleet.authority },
    },
  });
  browser = await openBrowser();
});
/** A token, or a certificate as JSON has it. */
const secret = /lyn_[\w-]{20}|BEGIN CERTIFICATE-----\\nM/;
const visits: Visit[] = [];
afterEach(async () => {
  // One that stayed open would go on asking.
  for (const { page } of visits) await page.close();
  // Whatever a test did: no token and no certificate came to the browser.
  for (const { received } of visits.splice(0)) expect(received.filter((text) => secret.test(text))).toEqual([]);
});
afterAll(async () => {
  await browser?.browser()?.close();
  await grafana?.stop();
  await fleet?.stop();
  rmSync(host, { recursive: true, force: true });
});

async function open(where: string, server = grafana): Promise<Visit> {
  const made = await visit(browser);
  visits.push(made);
  await made.page.goto(`${server.url}/${where}`);
  return made;
}

describe("settings", () => {
  /** A data source of which nothing is known yet, or what is given. */
  async function blank(datasource: Stored = { url: "", jsonData: {}, secrets: {} }) {
    const server = await startGrafana({ host, datasource });
    const made = await open("config", server);
    const save = async () => {
      await made.page.getByRole("button", { name: "Save & test" }).click();
      const status = made.page.getByRole("status");
      await status.waitFor();
      return { kind: await status.getAttribute("data-status"), message: await status.textContent() };
    };
    return { ...made, server, save };
  }

  it("say which of URL, certificate and token is wrong, one after the other, until all are right", async () => {
    const { page, server, save } = await blank();
    const url = page.getByPlaceholder("https://collector.example.org:7443");
    await url.fill("collector.example.org");
    await page
      .getByText('"collector.example.org" has no scheme; use e.g. https://collector.example.org:7443')
      .waitFor();
    await url.fill(server.url);
    expect((await save()).message).toMatch(/^URL: what answers there \(404\) is no Lynceus collector/);
    await url.fill(fleet.url);
    expect((await save()).message).toMatch(/^URL or certificate: .*ca\.pem/);
    const authority = page.getByPlaceholder("-----BEGIN CERTIFICATE-----");
    await authority.fill(`-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n${fleet.authority}`);
    await page.getByText("This holds a private key, which goes to nobody").waitFor();
    await authority.fill(fleet.authority);
    expect((await save()).message).toMatch(/^Token: the collector does not accept it/);
    await page.getByPlaceholder("lyn_…").fill(fleet.token);
    expect(await save()).toEqual({
      kind: "success",
      message: expect.stringMatching(/^Lynceus \S+ answers; the token "Grafana" sees the whole fleet\.$/),
    });
    expect(server.stored.secrets).toEqual({ apiToken: fleet.token, tlsCACert: fleet.authority });
    await server.stop();
  });

  it("name what is wrong with servers that are there and are wrong", async () => {
    const stranger = await makeAuthority();
    const named = async (name: string) => {
      const { key, cert } = await issueCertificate(stranger, { names: [name] });
      return listen(https.createServer({ key, cert }, (_request, response) => response.end("{}")));
    };
    const [ours, foreign] = [await named("127.0.0.1"), await named("other.example.org")];
    const site = await listen(http.createServer((_request, response) => response.end("<!doctype html><title>A site")));
    const [closed] = await closedPorts(1);
    const { page, server, save } = await blank();
    const url = page.getByPlaceholder("https://collector.example.org:7443");
    const said = async (address: string) => {
      await url.fill(address);
      return (await save()).message;
    };
    await page.getByPlaceholder("-----BEGIN CERTIFICATE-----").fill(stranger.pem);
    const unreached = /^URL or certificate: Grafana's server cannot reach the collector/;
    expect(await said(`https://127.0.0.1:${closed}`)).toMatch(unreached);
    expect(await said(fleet.url.replace("https:", "http:"))).toMatch(unreached);
    // A collector whose certificate another authority made, and a certificate of the right authority for another name.
    expect(await said(fleet.url)).toMatch(unreached);
    expect(await said(`https://127.0.0.1:${foreign.port}`)).toMatch(unreached);
    // Reached, and no collector: JSON of something else, and a page, as the dashboard's address gives one.
    expect(await said(`https://127.0.0.1:${ours.port}`)).toMatch(/^URL: what answers there is no Lynceus collector/);
    expect(await said(`http://127.0.0.1:${site.port}`)).toMatch(/^URL: what answers there is no Lynceus collector/);
    await Promise.all([server.stop(), ours.close(), foreign.close(), site.close()]);
  });

  it("name what is wrong with a token that the collector knows", async () => {
    const { server, save } = await blank({
      url: fleet.url,
      jsonData: { tlsAuthWithCACert: true },
      secrets: { tlsCACert: fleet.authority },
    });
    const saidOf = async (given: { scopes: string[]; expiresAt?: Date }) => {
      server.stored.secrets.apiToken = (
        await createApiToken(fleet.db, { label: "Grafana", createdBy: "test", ...given })
      ).secret;
      return save();
    };
    const day = 86_400_000;
    expect(await saidOf({ scopes: ["read"], expiresAt: new Date(Date.now() - day) })).toMatchObject({
      message: expect.stringMatching(/^Token: .*has expired/),
    });
    expect(await saidOf({ scopes: ["wall"] })).toMatchObject({
      message: expect.stringMatching(/^Token: this needs scope "read"/),
    });
    expect(await saidOf({ scopes: ["read"], expiresAt: new Date(Date.now() + 2.5 * day) })).toEqual({
      kind: "warning",
      message: expect.stringMatching(/The token expires in 2 days\.$/),
    });
    await server.stop();
  });

  it("say which version does not fit, and what to update", async () => {
    const about = { product: "lynceus", version: "9.0.0", apiVersion: 2, now: new Date().toISOString() };
    const newer = await listen(
      http.createServer((_request, response) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(about));
      }),
    );
    const { page, server, save } = await blank();
    await page.getByPlaceholder("https://collector.example.org:7443").fill(`http://127.0.0.1:${newer.port}`);
    expect((await save()).message).toMatch(/^Version: the collector 9\.0\.0 .* Update the plugin\.$/);
    await Promise.all([server.stop(), newer.close()]);
  });

  it("do not get their secrets back", async () => {
    const { page } = await open("config");
    await page.getByRole("button", { name: "Reset" }).first().waitFor();
    expect(await page.locator("input[disabled]").first().inputValue()).toBe("configured");
  });
});

describe("the query editor", () => {
  it("asks at first for the machines by state, and its answer is a wide frame that steps and follows the feed", async () => {
    const { page, complaints } = await open("explore");
    const now = await until(page, answered);
    expect(now.shared).toContain("@grafana/data");
    expect(now.state).toBe("Streaming");
    const [time, ...states] = fieldsOf(now);
    expect([time?.type, states.map((field) => field.labels?.status)]).toEqual([
      "time",
      ["failing", "stale", "cannot-tell", "healthy"],
    ]);
    const reporting = await fleet.db.prisma.$queryRaw<{ n: number }[]>`
      SELECT count(*)::int AS n FROM machines WHERE status <> 'signed-off'`;
    expect(states.reduce((sum, field) => sum + latest(field), 0)).toBe(reporting[0]?.n);
    expect(now.frames[0]?.notices[0]?.text).toBe("Each point is the count of its minute.");
    expect(complaints).toEqual([]);
  });

  it("divides by site, of sites that are chosen from those that machines have", async () => {
    const { page } = await open("explore");
    await until(page, answered);
    await choose(page, "Divided by", "Site");
    await until(page, (now) => answered(now) && fieldsOf(now)[1]?.labels?.site !== undefined);
    const sites = page.getByRole("combobox", { name: "Sites" });
    await sites.click();
    await sites.pressSequentially("grA");
    await page.getByRole("option", { name: /Graz.*machines/ }).click();
    const now = await until(page, (one) => answered(one) && fieldsOf(one).length === 2);
    expect(fieldsOf(now)[1]?.labels).toEqual({ site: "Graz" });
    expect(fieldsOf(now)[1]?.config.links?.[0]?.url).toBe(
      `${fleet.dashboardUrl}/machines?q=${encodeURIComponent("status:failing site:Graz")}`,
    );
  });

  it("says why a question cannot be asked, before it is asked", async () => {
    const { page } = await open("explore");
    await until(page, answered);
    await choose(page, "Divided by", "Pattern");
    await until(page, (now) => answered(now) && fieldsOf(now)[1]?.labels?.pattern !== undefined);
    const before = grafana.proxied.length;
    const proxies = page.getByRole("combobox", { name: "Proxies" });
    await proxies.click();
    await page.getByRole("option", { name: "direct" }).click();
    const now = await until(page, ({ state }) => state === "Error");
    expect(now.error).toMatch(/kept by pattern and by proxy, not by both at once/);
    await page
      .getByText(/kept by pattern and by proxy/)
      .first()
      .waitFor();
    expect(grafana.proxied.slice(before).filter((asked) => asked.includes("/counts/history"))).toEqual([]);
  });

  it("measures targets: availability as a share, latency by quantiles", async () => {
    const { page } = await open("explore");
    await choose(page, "Show", "Targets over time");
    const shares = await until(page, (now) => answered(now) && fieldsOf(now)[1]?.labels?.target !== undefined);
    expect(fieldsOf(shares)[1]?.config.unit).toBe("percentunit");
    const values = fieldsOf(shares)
      .slice(1)
      .flatMap((field) => field.values.filter((value) => value !== null));
    expect(values.length).toBeGreaterThan(0);
    expect(Math.max(...values.map(Number))).toBeLessThanOrEqual(1);
    await choose(page, "Measure", "Latency");
    const times = await until(page, (now) => answered(now) && fieldsOf(now)[1]?.labels?.quantile !== undefined);
    expect(fieldsOf(times)[1]?.config.unit).toBe("ms");
    expect(
      fieldsOf(times)
        .slice(1, 3)
        .map((field) => field.config.displayNameFromDS),
    ).toEqual([expect.stringMatching(/ median$/), expect.stringMatching(/ p95$/)]);
  });

  it("completes the filter of machines as it is typed; each row leads to its machine's page", async () => {
    const { page } = await open("explore");
    await choose(page, "Show", "Machines A table");
    await until(page, (now) => answered(now) && fieldsOf(now).some((field) => field.name === "machine"));
    const filter = page.getByRole("combobox", { name: "Filter" });
    await filter.fill("sit");
    await page.getByRole("option", { name: /site:/ }).waitFor();
    await filter.press("Tab");
    await filter.pressSequentially("Gra");
    await page.getByRole("option", { name: /Graz/ }).waitFor();
    await filter.press("Tab");
    const now = await until(page, (one) => answered(one) && one.query?.q === "site:Graz");
    const field = (name: string) => fieldsOf(now).find((one) => one.name === name);
    expect(new Set(field("site")?.values)).toEqual(new Set(["Graz"]));
    const count = await fleet.db.prisma.machine.count({ where: { site: "Graz" } });
    expect(field("id")?.values).toHaveLength(count);
    const links = page.locator(`a[href^="${fleet.dashboardUrl}/machines/"]`);
    await links.first().waitFor();
    expect(await links.first().getAttribute("href")).toBe(`${fleet.dashboardUrl}/machines/${field("id")?.values[0]}`);
    await filter.fill("status:broken");
    await page.getByText(/At 8, "broken": one of healthy, failing/).waitFor();
  });

  it("shows incidents, shared causes, changes, and machines by a value as tables", async () => {
    const { page } = await open("explore");
    const table = async (option: string, field: string) => {
      await choose(page, "Show", option);
      const now = await until(page, (one) => answered(one) && fieldsOf(one).some(({ name }) => name === field));
      return fieldsOf(now).find(({ name }) => name === field)?.values ?? [];
    };
    expect((await table("Incidents", "number")).length).toBeGreaterThan(0);
    expect((await table("Shared causes", "explains")).length).toBeGreaterThan(0);
    await table("Changes", "lastAt");
    const machines = await table("Machines by a value", "machines");
    expect(machines.reduce<number>((sum, value) => sum + Number(value), 0)).toBe(
      await fleet.db.prisma.machine.count({ where: { status: "failing" } }),
    );
  });
});

describe("live updates", () => {
  it("come by the feed through the data proxy: a machine that begins to fail is counted without a question", async () => {
    const { page, received } = await open("explore");
    const failing = (now: Partial<Seen>) => latest(fieldsOf(now)[1]);
    await until(page, answered);
    await expect.poll(() => received.some((text) => text.includes('"type":"counts"')), { timeout: 30_000 }).toBe(true);
    const [{ before = 0 } = {}] = await fleet.db.prisma.$queryRaw<{ before: number }[]>`
      SELECT count(*)::int AS before FROM machines WHERE status = 'failing'`;
    await until(page, (one) => failing(one) === before);
    const asked = grafana.proxied.filter((one) => one.includes("/counts/history")).length;
    expect(grafana.proxied.some((one) => one.startsWith("UPGRADE /api/v1/live"))).toBe(true);
    await fleet.db.prisma.$executeRaw`
      WITH one AS (SELECT id FROM machines WHERE status = 'healthy' ORDER BY id LIMIT 1)
      UPDATE machines SET status = 'failing' WHERE id IN (SELECT id FROM one)`;
    await fleet.db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')`;
    const now = await until(page, (one) => failing(one) === before + 1);
    expect(now.state).toBe("Streaming");
    expect(grafana.proxied.filter((one) => one.includes("/counts/history")).length).toBe(asked);
  });
});

describe("template variables", () => {
  it("list the values of a field, of machines that match a filter, or the policy's targets", async () => {
    const { page } = await open("variable");
    const sites = (await until(page, ({ values }) => (values?.[0]?.length ?? 0) > 0)).values[0] ?? [];
    expect(sites).toEqual([...sites].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));
    const filter = page.getByRole("combobox", { name: "Filter" });
    await filter.fill("site:Graz");
    await filter.press("Enter");
    expect((await until(page, ({ values }) => values?.[0]?.length === 1)).values).toEqual([["Graz"], ["Graz"]]);
    await choose(page, "Values of", "target");
    const targets = await until(page, ({ values }) => values?.[1]?.includes("ews") ?? false);
    expect(targets.values[0]).toContain("ews (mail.example.org)");
  });
});

describe("annotations", () => {
  it("are incidents and changes with their spans, tags and pages", async () => {
    const { page } = await open("annotation");
    const now = await until(page, answered);
    const values = (name: string) => fieldsOf(now).find((field) => field.name === name)?.values ?? [];
    expect(fieldsOf(now).map(({ name }) => name)).toEqual(["time", "timeEnd", "title", "text", "tags", "id"]);
    const kinds = new Set((values("tags") as string[][]).map(([kind]) => kind));
    expect(kinds).toEqual(new Set(["incident", "change"]));
    expect(values("time").every((time, i) => Number(time) <= Number(values("timeEnd")[i]))).toBe(true);
    expect(String(values("text")[0])).toContain(`<a href="${fleet.dashboardUrl}/`);
  });
});

describe("the bundled dashboards", () => {
  it("of the fleet fills every panel and marks events; All of a variable restricts nothing, two values do", async () => {
    const first = grafana.proxied.length;
    const { page, complaints, received, sent } = await open("d/fleet");
    await page.setViewportSize({ width: 1440, height: 2600 });
    const panels = await drawn(page);
    expect(panels.filter(({ rows }) => rows === 0)).toEqual([]);
    expect(panels.every(({ annotations }) => annotations > 0)).toBe(true);
    const asked = grafana.proxied.slice(first).filter((one) => one.includes("/counts/history"));
    expect(asked.some((one) => one.includes("site="))).toBe(false);

    const before = grafana.proxied.length;
    const machines = page.waitForResponse((answer) => answer.url().includes("/machines?"));
    await page.evaluate(() => window.choose?.("site", ["Graz", "Zürich"]));
    await machines;
    await drawn(page);
    const later = grafana.proxied.slice(before);
    const parameters = (part: string) =>
      later.filter((one) => one.includes(part)).map((one) => new URLSearchParams(one.slice(one.indexOf("?"))));
    for (const query of parameters("/counts/history")) expect(query.getAll("site")).toEqual(["Graz", "Zürich"]);
    expect(parameters("/machines?")[0]?.get("q")).toBe("status:failing site:Graz,Zürich");
    expect(complaints).toEqual([]);
    expect(sent.filter((text) => text.includes(fleet.token))).toEqual([]);
    expect(received.some((text) => text.includes('"type":"counts"'))).toBe(true);
  });

  it("of one site asks for that site alone", async () => {
    const before = grafana.proxied.length;
    const { page, complaints } = await open("d/site");
    await page.setViewportSize({ width: 1440, height: 2400 });
    await drawn(page);
    const asked = grafana.proxied
      .slice(before)
      .filter((one) => /\/(counts|targets)\/history/.test(one))
      .map((one) => new URLSearchParams(one.slice(one.indexOf("?"))).getAll("site"));
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked.map((sites) => sites.join()))).toEqual(new Set([asked[0]?.[0]]));
    expect(complaints).toEqual([]);
  });
});

describe("a token of a part of the fleet", () => {
  it("shows that part, and says what is not kept of it", async () => {
    const of = async (scope: { sites: string[] | null; tags: string[] | null }) =>
      (await createApiToken(fleet.db, { label: "part", scopes: ["read"], scope, createdBy: "test" })).secret;
    const server = await startGrafana({
      host,
      datasource: {
        ...grafana.stored,
        secrets: { ...grafana.stored.secrets, apiToken: await of({ sites: ["Graz"], tags: null }) },
      },
    });
    const graz = await open("explore", server);
    await choose(graz.page, "Divided by", "Site");
    const now = await until(graz.page, (one) => answered(one) && fieldsOf(one)[1]?.labels?.site !== undefined);
    expect(
      fieldsOf(now)
        .slice(1)
        .map((field) => field.labels),
    ).toEqual([{ site: "Graz" }]);
    server.stored.secrets.apiToken = await of({ sites: null, tags: ["vip"] });
    const tagged = await open("explore", server);
    const error = await until(tagged.page, ({ state }) => state === "Error");
    expect(error.error).toMatch(/figures over time are kept for sites, and this access sees tag vip/);
    await server.stop();
  });
});
