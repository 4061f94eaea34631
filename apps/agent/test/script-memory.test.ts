import { httpServer } from "@lynceus/testkit/http-server";
import { pacServer } from "@lynceus/testkit/pac-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { fetchAndEvaluatePac } from "../src/proxy/pac.ts";
import { type KeptScript, lasts, scriptMemory } from "../src/proxy/script-memory.ts";
import { testClock } from "./support/clock.ts";
import { targetOf, world } from "./world.ts";

const ews = targetOf({ kind: "https", host: "mail.contoso.com", port: 443 });
const direct = 'function FindProxyForURL(url, host) { return "DIRECT"; }';
const proxied = 'function FindProxyForURL(url, host) { return "PROXY px1:8080"; }';

/** A server whose script a test changes, that answers conditions as servers do; and an agent with a memory. */
async function setUp({ validators = true } = {}) {
  const state = { script: direct, version: 1, broken: false };
  const etag = () => `"v${state.version}"`;
  const server = await httpServer((request, response) => {
    if (state.broken) return void response.writeHead(304).end();
    if (validators && request.headers["if-none-match"] === etag()) return void response.writeHead(304).end();
    response.writeHead(200, {
      "Content-Type": "text/plain",
      ...(validators ? { ETag: etag(), "Last-Modified": "Sun, 22 Nov 2026 08:00:00 GMT" } : {}),
    });
    response.end(state.script);
  });
  onTestFinished(() => server.close());
  const clock = testClock();
  const ctx = world({ scripts: scriptMemory(clock) });
  const url = `http://${server.host}:${server.port}/proxy.pac`;
  const look = async (more: { ctx?: typeof ctx; myIpAddress?: string } = {}) => {
    const { facts, outcome } = await fetchAndEvaluatePac(
      "c1",
      "pac",
      url,
      [ews],
      more.myIpAddress ?? "10.1.2.3",
      more.ctx ?? ctx,
    );
    return { facts, outcome: outcome("https://mail.contoso.com/EWS/Exchange.asmx") };
  };
  /** As the agent's, where no child can be started in time. */
  const childless = { ...ctx, timeouts: { ...ctx.timeouts, childStart: 0, pacEval: 0, dns: 0 } };
  return { state, server, clock, look, childless };
}

describe("a script that is asked for again", () => {
  test("is asked for on condition, and 'not modified' is the script that is known", async () => {
    const { server, look } = await setUp();
    const first = await look();
    const second = await look();
    expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"']);
    expect(server.requests[1]?.headers["if-modified-since"]).toBe("Sun, 22 Nov 2026 08:00:00 GMT");
    expect({ ...second.facts, ms: 0 }).toEqual({ ...first.facts, ms: 0 });
    expect(second.outcome).toEqual({ ok: true, result: "DIRECT" });
  });

  test("is seen to have changed by the next look", async () => {
    const { state, look } = await setUp();
    const first = await look();
    Object.assign(state, { script: proxied, version: 2 });
    const second = await look();
    expect(second.facts.sha256).not.toBe(first.facts.sha256);
    expect(second.outcome).toEqual({ ok: true, result: "PROXY px1:8080" });
  });

  test("of a server that names no version is fetched whole, and so seen to have changed", async () => {
    const { state, server, look } = await setUp({ validators: false });
    await look();
    state.script = proxied;
    expect((await look()).outcome).toEqual({ ok: true, result: "PROXY px1:8080" });
    expect(server.requests[1]?.headers["if-none-match"]).toBeUndefined();
  });

  test("is not known from a 'not modified' that answers no condition", async () => {
    const { state, look } = await setUp();
    state.broken = true;
    expect((await look()).facts).toMatchObject({ fetch: "http-304", sha256: null, evalOk: null });
  });
});

describe("an unchanged script", () => {
  test("is not run again for what it was asked before", async () => {
    const { look, childless } = await setUp();
    const first = await look();
    const second = await look({ ctx: childless });
    expect(second.outcome).toEqual(first.outcome);
    expect(second.facts.evalOk).toBe(true);
  });

  test("is run again for another address of the machine, and after six hours", async () => {
    const { clock, look, childless } = await setUp();
    await look();
    expect((await look({ ctx: childless, myIpAddress: "192.168.1.7" })).facts.evalOk).toBe(false);
    // That failure was not taken for lasting.
    expect((await look({ myIpAddress: "192.168.1.7" })).facts.evalOk).toBe(true);
    await clock.advance(6 * 3_600_000);
    expect((await look({ ctx: childless })).facts.evalOk).toBe(false);
  });

  test.each([
    'function FindProxyForURL() { return weekdayRange("SUN") ? "DIRECT" : "PROXY p:1"; }',
    "function FindProxyForURL() { return new Date().getHours() > 8 ? 'DIRECT' : 'PROXY p:1'; }",
    'function FindProxyForURL(u, h) { return isInNet(dnsResolve(h), "10.0.0.0", "255.0.0.0") ? "DIRECT" : "PROXY p:1"; }',
    'function FindProxyForURL(u, h) { return isResolvable(h) ? "DIRECT" : "PROXY p:1"; }',
    "function FindProxyForURL() { return Math.random() < 0.5 ? 'PROXY a:1' : 'PROXY b:1'; }",
  ])("whose answer is not its own alone is run each time: %s", (script) => {
    expect(lasts(script)).toBe(false);
  });

  test("that looks at the machine's own network lasts: the address is part of what is remembered", () => {
    const own = 'isInNet(myIpAddress(), "10.1.0.0", "255.255.0.0")';
    expect(lasts(`function FindProxyForURL() { return ${own} ? "DIRECT" : "PROXY p:1"; }`)).toBe(true);
  });
});

test("what is remembered is bounded: few scripts, and none that is large", async () => {
  const memory = scriptMemory(testClock());
  const kept = (body: Buffer): KeptScript => ({
    etag: '"1"',
    lastModified: null,
    script: { fetch: "ok", body, contentType: null, authSchemes: [], start: body, addresses: [] },
  });
  memory.keep("http://a/large.pac", kept(Buffer.alloc(1024 * 1024)));
  expect(memory.fetched("http://a/large.pac")).toBeNull();
  for (let n = 0; n < 100; n++) memory.keep(`http://a/${n}.pac`, kept(Buffer.from("x")));
  expect(memory.fetched("http://a/0.pac")).toBeNull();
  expect(memory.fetched("http://a/99.pac")).not.toBeNull();
});

test("a script can be asked about an address that no target names, such as a redirect's", async () => {
  const server = await pacServer(
    'function FindProxyForURL(url, host) { return host === "mail.contoso.com" ? "DIRECT" : "PROXY px1:8080"; }',
  );
  const url = `http://${server.host}:${server.port}/proxy.pac`;
  const script = await fetchAndEvaluatePac("c1", "pac", url, [ews], "10.1.2.3", world());
  const hop = "https://autodiscover.contoso.com/autodiscover/autodiscover.xml";
  expect(script.outcome(hop)).toMatchObject({ ok: false });
  expect(await script.ask(hop, world())).toEqual({ ok: true, result: "PROXY px1:8080" });
  expect(server.requests).toHaveLength(1);
  await server.close();
});

test("without a memory every look is the first", async () => {
  const server = await pacServer(direct, { headers: { ETag: '"1"' } });
  const url = `http://${server.host}:${server.port}/proxy.pac`;
  for (let n = 0; n < 2; n++) await fetchAndEvaluatePac("c1", "pac", url, [ews], "10.1.2.3", world());
  expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, undefined]);
  await server.close();
});
