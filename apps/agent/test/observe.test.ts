import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";
import { type Authority, issueCertificate, makeAuthority, type ServerCertificate } from "@lynceus/testkit/certificates";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { pacServer } from "@lynceus/testkit/pac-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answeredSkew, clockSkew, clockSources, skewSample, withCollectorClock } from "../src/clock-skew.ts";
import { locate } from "../src/location.ts";
import { type Cycle, type Draft, type ObserveContext, observeCycle } from "../src/observe.ts";
import { isPrivateAddress, parseDefaultGateway, parseSearchList, readSystemFacts } from "../src/platform/network.ts";
import { makeTrustStore } from "../src/probes/trust-store.ts";
import { waysOut } from "../src/proxy/own-route.ts";
import { world } from "./world.ts";

let company: Authority;
let certificate: ServerCertificate;
let exchange: Awaited<ReturnType<typeof exchangeServer>>;
let dns: Awaited<ReturnType<typeof dnsServer>>;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lynceus-observe-"));
  company = await makeAuthority();
  certificate = await issueCertificate(company, { names: ["mail.contoso.com"] });
  exchange = await exchangeServer({ certificate });
  dns = await dnsServer({ "A mail.contoso.com": ["127.0.0.1"] });
});
afterAll(async () => {
  dns.close();
  await exchange.close();
  await rm(directory, { recursive: true });
});

async function contextWith(values: Record<string, unknown>, probes = world()): Promise<ObserveContext> {
  const settingsFile = join(directory, "settings.json");
  await writeFile(settingsFile, JSON.stringify(values));
  return {
    probes: {
      ...probes,
      resolver: { servers: [`127.0.0.1:${dns.port}`] },
      trust: makeTrustStore(company.pem, "test"),
    },
    settings: {
      platform: "linux",
      environment: {},
      settingsFile,
      run: () => Promise.reject(new Error("none")),
      uid: 1,
      salt: "s",
    },
    agentVersion: "0.0.0",
    simulated: false,
  };
}

const policyOf = (parts: Partial<Parameters<typeof buildPolicy>[0]> = {}) =>
  buildPolicy({ ews: [`mail.contoso.com:${exchange.port}`], smtpDomains: [], sipDomains: [], ...parts }, 1);

async function collect(cycle: Cycle): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for await (const draft of observeCycle(cycle)) drafts.push(draft);
  return drafts;
}
const probesOf = (drafts: readonly Draft[]): ProbeFacts[] =>
  drafts.flatMap((draft) => (draft.kind === "probe" ? [draft.facts] : []));

describe("a cycle", () => {
  test("without a proxy probes each target once, and that probe is the direct one too", async () => {
    const drafts = await collect({ policy: policyOf(), ctx: await contextWith({}), only: ["ews", "oab"] });
    expect(
      probesOf(drafts)
        .map(({ target, via, route }) => [target, via, route.kind])
        .sort(),
    ).toEqual([
      ["ews", "configured", "direct"],
      ["oab", "configured", "direct"],
    ]);
    expect(drafts[0]?.kind).toBe("settings");
    expect(drafts.at(-1)?.kind).toBe("system");
    expect(new Set(drafts.map(({ key }) => key)).size).toBe(drafts.length);
  });

  test("through a script goes where the script says, and past it", async () => {
    const proxy = await forwardProxy();
    const pac = await pacServer(`function FindProxyForURL(u, h) { return "PROXY 127.0.0.1:${proxy.port}"; }`);
    const ctx = await contextWith({ AutoConfigURL: `http://127.0.0.1:${pac.port}/proxy.pac` });
    const drafts = await collect({ policy: policyOf(), ctx, only: ["ews"] });
    expect(
      probesOf(drafts)
        .map(({ via, route }) => [via, route.by])
        .sort(),
    ).toEqual([
      ["configured", "pac"],
      ["direct", "forced"],
    ]);
    expect(proxy.asked).toEqual([`mail.contoso.com:${exchange.port}`]);
    expect(await waysOut("https://collector.example.org:7443/", ctx.settings, ctx.probes)).toEqual([
      { kind: "proxy", proxy: { scheme: "http", host: "127.0.0.1", port: proxy.port } },
    ]);
    await proxy.close();
    await pac.close();
  });

  test("that is not whole brings probes alone, and counts them", async () => {
    const seen: [number, number][] = [];
    const ctx = await contextWith({});
    const onProbe = (done: number, total: number) => seen.push([done, total]);
    const drafts = await collect({ policy: policyOf(), ctx, only: ["ews", "mapi", "oab"], whole: false, onProbe });
    expect(new Set(drafts.map(({ kind }) => kind))).toEqual(new Set(["probe"]));
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  test("never has more than two probes under way", async () => {
    let open = 0;
    let most = 0;
    const proxy = await forwardProxy({
      resolve: (_, port) => {
        most = Math.max(most, ++open);
        setImmediate(() => open--);
        return { host: "127.0.0.1", port };
      },
    });
    const ctx = await contextWith({ ProxyEnable: 1, ProxyServer: `127.0.0.1:${proxy.port}` });
    await collect({ policy: policyOf(), ctx, only: ["ews", "exchange-health", "mapi", "oab"], whole: false });
    expect(proxy.asked).toHaveLength(4);
    expect(most).toBeLessThanOrEqual(2);
    await proxy.close();
  });

  test("stops at once when the agent does", async () => {
    const stop = new AbortController();
    const ctx = await contextWith({}, world({ signal: stop.signal }));
    const cycle = observeCycle({ policy: policyOf(), ctx });
    await cycle.next();
    stop.abort(new Error("stopping"));
    await expect(cycle.next()).rejects.toThrow("stopping");
  });

  test("leaves out targets that are not meant for where the machine stands", async () => {
    const policy = policyOf({ insideSuffixes: ["nowhere.example"], sipDomains: ["contoso.com"] });
    const drafts = await collect({
      policy,
      ctx: await contextWith({}),
      only: ["lyncdiscoverinternal-contoso.com", "ews"],
      whole: false,
    });
    expect(probesOf(drafts).map(({ target }) => target)).toEqual(["ews"]);
    expect(drafts[0]?.location).toBe("outside");
  });
});

describe("where the machine stands", () => {
  const at = { dnsSuffixes: ["eu.contoso.com"], vpnUp: false };
  const none = { beacon: null, insideSuffixes: [] };
  const office = async () => (await contextWith({})).probes;

  test("is unknown without a rule", async () => {
    expect(await locate(none, at, await office())).toEqual({ location: "unknown", by: "none" });
  });

  test("is told by the DNS suffix, as vpn when one is up", async () => {
    const rule = { beacon: null, insideSuffixes: ["contoso.com"] };
    expect((await locate(rule, at, await office())).location).toBe("inside");
    expect((await locate(rule, { ...at, vpnUp: true }, await office())).location).toBe("vpn");
    expect((await locate(rule, { ...at, dnsSuffixes: ["home"] }, await office())).location).toBe("outside");
  });

  test("is told by the beacon's key, and a stranger at its address is not the beacon", async () => {
    const url = `https://mail.contoso.com:${exchange.port}/`;
    const beacon = (spkiSha256: string) => ({ beacon: { url, spkiSha256 }, insideSuffixes: [] });
    expect(await locate(beacon(certificate.spkiSha256), at, await office())).toEqual({
      location: "inside",
      by: "beacon",
    });
    expect(await locate(beacon("0".repeat(64)), at, await office())).toEqual({ location: "outside", by: "beacon" });
  });

  test("is unknown where the beacon lies outside the fence", async () => {
    const beacon = { url: "https://beacon.fabrikam.com/", spkiSha256: certificate.spkiSha256 };
    expect((await locate({ beacon, insideSuffixes: [] }, at, await office())).location).toBe("unknown");
  });
});

describe("the clock", () => {
  const answer = (headers: Record<string, string>, parts = {}) =>
    ({ http: { headers, untrusted: false, ms: 100, ...parts }, endpoint: { host: "a" } }) as unknown as ProbeFacts;
  const now = Date.UTC(2026, 10, 22, 8, 0, 0);
  const date = new Date(now + 600_000).toUTCString();

  test("is measured only by two hosts that agree", () => {
    const skew = skewSample(answer({ date }), now)?.skewMs ?? 0;
    expect(Math.abs(skew - 600_000)).toBeLessThan(1000);
    expect(
      clockSkew([
        { host: "a", skewMs: 600_100 },
        { host: "b", skewMs: 599_900 },
      ]),
    ).toBe(600_000);
    expect(
      clockSkew([
        { host: "a", skewMs: 600_100 },
        { host: "a", skewMs: 599_900 },
      ]),
    ).toBeNull();
    expect(
      clockSkew([
        { host: "a", skewMs: 600_100 },
        { host: "b", skewMs: 0 },
      ]),
    ).toBeNull();
  });

  test.each([
    ["out of a cache", answer({ date, age: "60" })],
    ["behind a bad certificate", answer({ date }, { untrusted: true })],
    ["that came late", answer({ date }, { ms: 2500 })],
    ["without a date", answer({})],
  ])("is not measured by an answer %s", (_, probe) => {
    expect(skewSample(probe, now)).toBeNull();
  });
});

describe("the clocks by themselves", () => {
  test("are told to the second, one a host, beside the collector's", async () => {
    const targets = clockSources([
      { host: "a", skewMs: 1 },
      { host: "a", skewMs: 600_100 },
      { host: "b", skewMs: -400 },
    ]);
    expect(targets).toEqual([
      { source: "target", host: "a", skewMs: 600_000 },
      { source: "target", host: "b", skewMs: 0 },
    ]);
    expect(clockSources(Array.from({ length: 40 }, (_, i) => ({ host: `h${i}`, skewMs: i })))).toHaveLength(15);
    const drafts = await collect({ policy: policyOf(), ctx: await contextWith({}), only: ["ews"] });
    const system = drafts.find((draft) => draft.kind === "system")?.facts;
    if (!system) throw new Error("no facts of the system");
    expect(system.clockSources?.map(({ source, host }) => `${source} ${host}`)).toEqual(["target mail.contoso.com"]);
    expect(withCollectorClock(system, 420_400).clockSources?.[0]).toEqual({
      source: "collector",
      host: null,
      skewMs: 420_000,
    });
    expect(withCollectorClock(system, null)).toBe(system);
  });

  test("of the collector count by half of the way, and not where the way was long", () => {
    expect(answeredSkew(1_000_500, 1_000_000, 200)).toBe(600);
    expect(answeredSkew(1_000_500, 1_000_000, 2_500)).toBeNull();
  });
});

describe("the network", () => {
  test("tells only private addresses", () => {
    expect(["10.1.2.3", "172.16.0.1", "172.31.9.9", "192.168.1.1", "fd12::1"].every(isPrivateAddress)).toBe(true);
    expect(["8.8.8.8", "172.32.0.1", "11.0.0.1", "2001:db8::1"].some(isPrivateAddress)).toBe(false);
  });

  test("reads the search list and the default gateway as the system writes them", () => {
    expect(parseSearchList("nameserver 1.2.3.4\ndomain old.example\nsearch EU.contoso.com contoso.com.\n")).toEqual([
      "eu.contoso.com",
      "contoso.com",
    ]);
    const table =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100010A\t0003\t0\t0\t0\t00000000\n";
    expect(parseDefaultGateway(table)).toBe("10.1.0.1");
    expect(parseDefaultGateway("Iface\n")).toBeNull();
  });

  test("knows this machine", async () => {
    expect((await readSystemFacts()).hostname).not.toBe("");
  });
});
