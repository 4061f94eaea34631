import { runScript } from "@lynceus/pac/engine";
import { pacFactsSchema } from "@lynceus/protocol/facts";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { closedPort } from "@lynceus/testkit/listening";
import { pacServer } from "@lynceus/testkit/pac-server";
import { describe, expect, test } from "vitest";
import { fetchAndEvaluatePac, withLowerCaseHosts } from "../src/proxy/pac.ts";
import { discoverScript, wpadNames } from "../src/proxy/wpad.ts";
import { targetOf, world } from "./world.ts";

const ews = targetOf({ kind: "https", host: "mail.contoso.com", port: 443 });
const ewsUrl = "https://mail.contoso.com/EWS/Exchange.asmx";

/** Serves the script, fetches and evaluates it as the agent does, in a real child process. */
async function served(
  script: string | Buffer,
  { ctx = world(), ...options }: Parameters<typeof pacServer>[1] & { ctx?: ReturnType<typeof world> } = {},
) {
  const server = await pacServer(script, options);
  const url = `http://${server.host}:${server.port}/proxy.pac?token=secret`;
  const { facts, outcome } = await fetchAndEvaluatePac("c1", "pac", url, [ews], "10.1.2.3", ctx);
  await server.close();
  expect(pacFactsSchema.safeParse(facts).error).toBeUndefined();
  expect(facts.url).not.toContain("secret");
  return { facts, outcome: outcome(ewsUrl), requests: server.requests };
}

describe("a script", () => {
  test("is fetched with its query and no login, evaluated, and told by its hash alone", async () => {
    const script = 'function FindProxyForURL(url, host) { return "PROXY px1.contoso.com:8080; DIRECT"; }';
    const { facts, outcome, requests } = await served(script);
    expect(outcome).toEqual({ ok: true, result: "PROXY px1.contoso.com:8080; DIRECT" });
    expect(facts).toMatchObject({
      fetch: "ok",
      evalOk: true,
      evalError: null,
      bytes: script.length,
      contentType: "application/x-ns-proxy-autoconfig",
      urlFormsDiffer: [],
      myIpAddress: null,
      capitalHostLiterals: false,
    });
    expect(facts.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(facts)).not.toContain("px1");
    expect(requests).toHaveLength(1);
    expect(requests[0]?.url).toBe("/proxy.pac?token=secret");
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  test("that answers by the path is noticed: browsers and WinHTTP hand over different addresses", async () => {
    const { facts, outcome } = await served(
      'function FindProxyForURL(url, host) { return url.indexOf("/EWS/") > 0 ? "DIRECT" : "PROXY px1:8080"; }',
    );
    expect(facts.urlFormsDiffer).toEqual(["ews"]);
    expect(outcome).toEqual({ ok: true, result: "DIRECT" });
  });

  const comparing = (test: string) =>
    `function FindProxyForURL(url, host) { return ${test} ? "DIRECT" : "PROXY px1:8080"; }`;

  test("whose capital letters decide the way names the targets that would go another way", async () => {
    const test = "host == \"Mail.contoso.com\" || dnsDomainIs(host, '.FABRIKAM.com')";
    expect((await served(comparing(test))).facts).toMatchObject({ capitalHostLiterals: true, caseDecides: ["ews"] });
  });

  test("with capitals in a rule for others decides nothing by them", async () => {
    const { facts } = await served(comparing('shExpMatch(host, "*.Fabrikam.com")'));
    expect(facts).toMatchObject({ capitalHostLiterals: true, caseDecides: [] });
  });

  test("without capitals in host names is not run twice", async () => {
    const { facts } = await served(comparing('shExpMatch(host, "*.contoso.com")'));
    expect(facts.capitalHostLiterals).toBe(false);
    expect(facts).not.toHaveProperty("caseDecides");
  });

  test("is put into lower case where it names hosts, and nowhere else", () => {
    expect(
      withLowerCaseHosts(
        'if (shExpMatch(host, "*.Contoso.com") || dnsDomainIs(host,\'.CONTOSO.com\') || host == "Mail") return "PROXY PX1:80";',
      ),
    ).toBe(
      'if (shExpMatch(host, "*.contoso.com") || dnsDomainIs(host,\'.contoso.com\') || host == "mail") return "PROXY PX1:80";',
    );
  });

  test("that ends only with capitals lower-cased says nothing of them", async () => {
    const { facts } = await served(
      'function FindProxyForURL(url, host) { if (shExpMatch(host, "*.Contoso.com")) throw new Error("no"); return "DIRECT"; }',
    );
    expect(facts).toMatchObject({ evalOk: true, capitalHostLiterals: true });
    expect(facts).not.toHaveProperty("caseDecides");
  });

  test("a megabyte of beginnings takes no time to look for literals in", () => {
    const script = "shExpMatch(host".repeat(70_000);
    const started = performance.now();
    expect(withLowerCaseHosts(script)).toBe(script);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("that loops for ever is a result", async () => {
    const { facts, outcome } = await served("function FindProxyForURL(url, host) { while (true) {} }", {
      ctx: world({ timeouts: { pacEval: 50 } }),
    });
    expect(facts).toMatchObject({ fetch: "ok", evalOk: false, evalError: "the script ran too long" });
    expect(outcome).toEqual({ ok: false, why: "the script ran too long" });
  });

  test("that loops while it loads is a result", async () => {
    const { facts } = await served("for (;;) {}", { ctx: world({ timeouts: { pacEval: 50 } }) });
    expect(facts).toMatchObject({ evalOk: false, evalError: "the script ran too long" });
  });

  test("of 10 MB is too big, and no more than 1 MB of it is read", async () => {
    const { facts, outcome } = await served(Buffer.alloc(10 * 1024 * 1024, " "));
    expect(facts).toMatchObject({ fetch: "too-big", sha256: null, evalOk: null });
    expect(outcome).toMatchObject({ ok: false });
  });

  test("that is a web page is a result", async () => {
    const { facts, outcome } = await served("<html><form action=/login><input type=password></form></html>", {
      contentType: "text/html",
    });
    expect(facts).toMatchObject({ fetch: "ok", bodyIsHtml: true, evalOk: false, contentType: "text/html" });
    expect(outcome).toEqual({ ok: false, why: "the script is a web page" });
  });

  test("that throws is a result with its own words", async () => {
    const { facts } = await served("function FindProxyForURL() { return nowhere.to.go; }");
    expect(facts).toMatchObject({ evalOk: false, evalError: expect.stringContaining("nowhere") });
  });

  test("that does not parse is a result", async () => {
    const { facts } = await served("function FindProxyForURL( {");
    expect(facts).toMatchObject({ evalOk: false, evalError: expect.stringContaining("SyntaxError") });
  });

  test("that eats memory is a result", async () => {
    const { facts } = await served(
      "var all = []; function FindProxyForURL() { for (;;) all.push(new ArrayBuffer(1048576)); }",
      { ctx: world({ timeouts: { pacEval: 20_000 } }) },
    );
    expect(facts).toMatchObject({ evalOk: false, evalError: expect.stringMatching(/out of memory|null/) });
  });

  test("without the function is a result", async () => {
    const { facts } = await served("var x = 1;");
    expect(facts).toMatchObject({ evalOk: false, evalError: "the script defines no FindProxyForURL" });
  });

  test("sees nothing of the process it runs in", async () => {
    const { outcome } = await served(
      "function FindProxyForURL() { return [typeof process, typeof require, typeof fetch, typeof globalThis.Deno].join(); }",
    );
    expect(outcome).toEqual({ ok: true, result: "undefined,undefined,undefined,undefined" });
  });

  test("that tests for capital letters is marked", async () => {
    const { facts } = await served(
      'function FindProxyForURL(url, host) { return shExpMatch(host, "*.Contoso.com") ? "DIRECT" : "PROXY p:1"; }',
    );
    expect(facts).toMatchObject({ capitalHostLiterals: true, evalOk: true });
  });

  test("that asks for the machine's address has it logged", async () => {
    const { facts, outcome } = await served(
      'function FindProxyForURL(url, host) { return isInNet(myIpAddress(), "10.1.0.0", "255.255.0.0") ? "PROXY in:1" : "DIRECT"; }',
    );
    expect(facts.myIpAddress).toBe("10.1.2.3");
    expect(outcome).toEqual({ ok: true, result: "PROXY in:1" });
  });
});

describe("a script that cannot be had", () => {
  test.each([
    [401, "http-401"],
    [404, "http-404"],
    [302, "http-302"],
    [204, "http-204"],
  ])("answered with %i is %s", async (status, fetch) => {
    const { facts, outcome } = await served("", {
      status,
      headers: status === 401 ? { "WWW-Authenticate": ["Negotiate", 'Basic realm="pac"'] } : {},
    });
    expect(facts).toMatchObject({ fetch, evalOk: null, authSchemes: status === 401 ? ["negotiate", "basic"] : [] });
    expect(outcome).toEqual({ ok: false, why: `the script could not be fetched: ${fetch}` });
  });

  test("because the server never answers is a timeout", async () => {
    const { facts } = await served("", { hang: true, ctx: world({ timeouts: { pacFetch: 80 } }) });
    expect(facts.fetch).toBe("timeout");
  });

  const fetchOf = async (url: string, ctx = world()) =>
    (await fetchAndEvaluatePac("c1", "pac", url, [ews], "127.0.0.1", ctx)).facts.fetch;

  test("because nothing listens is tcp, because the name is unknown is dns", async () => {
    expect(await fetchOf(`http://127.0.0.1:${await closedPort()}/proxy.pac`)).toBe("tcp");
    const dns = await dnsServer({});
    const ctx = world({ resolver: { servers: [`127.0.0.1:${dns.port}`] } });
    expect(await fetchOf("http://pac.contoso.com/proxy.pac", ctx)).toBe("dns");
    dns.close();
  });

  test.each([
    "file://C:/pac/proxy.pac",
    "file:///etc/passwd",
    "C:\\pac\\proxy.pac",
    "\\\\srv\\pac\\proxy.pac",
    "ftp://x/y",
  ])("because it is at %s is an unsupported scheme, and nothing is read", async (url) => {
    expect(await fetchOf(url)).toBe("unsupported-scheme");
  });
});

describe("the functions of scripts", () => {
  const at = (expression: string, names: Record<string, string> = {}) =>
    runScript(
      `function FindProxyForURL(url, host) { return String(${expression}); }`,
      [{ url: ewsUrl, host: "mail.contoso.com" }],
      {
        budgetMs: 2000,
        myIpAddress: "10.1.2.3",
        resolve: async (name) => names[name] ?? null,
        cpuTime: () => process.cpuUsage().user / 1000,
      },
    ).then(([answer]) => (answer?.ok ? answer.result : answer?.why));

  test.each([
    ['shExpMatch("mail.contoso.com", "*.contoso.com")', "true"],
    ['shExpMatch("contoso.com", "*.contoso.com")', "false"],
    ['shExpMatch("mail.contoso.com", "*.Contoso.com")', "false"],
    ['shExpMatch("a(b)+c", "a(?)+*")', "true"],
    ['dnsDomainIs("mail.contoso.com", ".contoso.com")', "true"],
    ['dnsDomainIs("mail", ".contoso.com")', "false"],
    ['isPlainHostName("mail")', "true"],
    ['isPlainHostName("mail.contoso.com")', "false"],
    ['localHostOrDomainIs("mail", "mail.contoso.com")', "true"],
    ['localHostOrDomainIs("mail.contoso.com", "mail.contoso.com")', "true"],
    ['localHostOrDomainIs("ma", "mail.contoso.com")', "false"],
    ['isInNet("10.1.2.3", "10.1.0.0", "255.255.0.0")', "true"],
    ['isInNet("10.2.2.3", "10.1.0.0", "255.255.0.0")', "false"],
    ['isInNet("srv.contoso.com", "10.9.0.0", "255.255.0.0")', "true"],
    ['isInNet("gone.contoso.com", "10.9.0.0", "255.255.0.0")', "false"],
    ['isResolvable("gone.contoso.com")', "false"],
    ['dnsResolve("srv.contoso.com")', "10.9.8.7"],
    ['dnsDomainLevels("mail.contoso.com")', "2"],
    ["myIpAddress()", "10.1.2.3"],
    ['timeRange(0, 0, 0, 23, 59, 59) && weekdayRange("SUN", "SAT") && dateRange(1, 31)', "true"],
    ['weekdayRange("NODAY")', "false"],
    ['dateRange("JAN", "DEC", "GMT")', "true"],
  ])("%s is %s", async (expression, result) => {
    expect(await at(expression, { "srv.contoso.com": "10.9.8.7" })).toBe(result);
  });

  test("a pattern full of stars costs no more than any other", async () => {
    expect(await at(`shExpMatch(new Array(2000).join("a"), new Array(200).join("*a") + "b")`)).toBe("false");
  });
});

describe("discovery over DNS", () => {
  test("tries each parent of the suffix and stops before the top level", () => {
    expect(wpadNames(["eu.corp.contoso.com", "contoso.com"])).toEqual([
      "wpad.eu.corp.contoso.com",
      "wpad.corp.contoso.com",
      "wpad.contoso.com",
    ]);
    expect(wpadNames(["lan"])).toEqual(["wpad.lan"]);
  });

  test("takes the first name that resolves", async () => {
    const server = await pacServer('function FindProxyForURL() { return "DIRECT"; }');
    const dns = await dnsServer({ "A wpad.contoso.com": ["127.0.0.1"] });
    const ctx = world({ resolver: { servers: [`127.0.0.1:${dns.port}`] } });
    const found = await discoverScript(["eu.contoso.com"], ctx, server.port);
    expect(found.facts).toMatchObject({
      tried: true,
      dnsHost: "wpad.contoso.com",
      addresses: ["127.0.0.1"],
      fetch: "ok",
    });
    expect(found.script?.body?.toString()).toContain("FindProxyForURL");
    expect(server.requests[0]?.url).toBe("/wpad.dat");
    dns.close();
    await server.close();
  });

  test("that finds no name says so", async () => {
    const dns = await dnsServer({});
    const ctx = world({ resolver: { servers: [`127.0.0.1:${dns.port}`] } });
    expect((await discoverScript(["contoso.com"], ctx)).facts).toEqual({
      tried: true,
      dhcp252Url: null,
      dnsHost: null,
      addresses: [],
      fetch: "none",
    });
    dns.close();
  });
});
