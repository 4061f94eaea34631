import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import { type Authority, issueCertificate, makeAuthority, type ServerCertificate } from "@lynceus/testkit/certificates";
import { type ForwardProxy, forwardProxy } from "@lynceus/testkit/forward-proxy";
import { closedPort, listen } from "@lynceus/testkit/listening";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parseCollectorUrl } from "../src/collector-url.ts";
import { type ConnectOptions, connector, type Hop, TurnedAway } from "../src/link/connect.ts";
import { spkiSha256 } from "../src/link/trust.ts";
import { testClock } from "./support/clock.ts";
import { scriptedCollector } from "./support/collector.ts";

let authority: Authority;
let stranger: Authority;
let good: ServerCertificate;
const pinOf = (one: Authority) => spkiSha256(new X509Certificate(one.pem));
const trusting = (...authorities: Authority[]) => createSecureContext({ ca: authorities.map((one) => one.pem) });

beforeAll(async () => {
  authority = await makeAuthority({ commonName: "Collector CA" });
  stranger = await makeAuthority({ commonName: "Somebody else" });
  good = await issueCertificate(authority, { names: ["127.0.0.1"], send: [authority] });
});

async function collectorWith(tls: { cert: string; key: string }) {
  const collector = await scriptedCollector({ tls });
  onTestFinished(collector.close);
  return collector;
}

function connect(url: string, more: Partial<ConnectOptions> = {}) {
  return connector({
    url: parseCollectorUrl(url),
    pin: pinOf(authority),
    // A pinned link must never fall back on the system's trust.
    systemTrust: () => trusting(),
    routeFor: async () => [],
    clock: testClock(),
    userAgent: "Lynceus/test",
    ...more,
  });
}

const proxied = (proxy: ForwardProxy | { host: string; port: number }): Hop => ({
  kind: "proxy",
  proxy: { scheme: "http", host: proxy.host, port: proxy.port },
});

async function proxyOf(options: Parameters<typeof forwardProxy>[0] = {}) {
  const proxy = await forwardProxy(options);
  onTestFinished(proxy.close);
  return proxy;
}

describe("a pinned connection", () => {
  it("is accepted when the chain ends at the pinned authority", async () => {
    const collector = await collectorWith(good);
    const open = connect(collector.url);
    const first = await open();
    expect(first.via).toBe("direct");
    first.socket.terminate();
    // The second one knows the authority and looks no more.
    (await open()).socket.terminate();
    expect(collector.count()).toBe(2);
  });

  it("is accepted under another name, because the authority signs for the collector alone", async () => {
    const other = await issueCertificate(authority, { names: ["collector.contoso.com"], send: [authority] });
    const collector = await collectorWith(other);
    (await connect(collector.url)()).socket.terminate();
  });

  it("is accepted after the leaf was renewed by the same authority", async () => {
    const renewed = await issueCertificate(authority, { names: ["127.0.0.1"], send: [authority] });
    expect(renewed.spkiSha256).not.toBe(good.spkiSha256);
    const collector = await collectorWith(renewed);
    (await connect(collector.url)()).socket.terminate();
  });

  it("is refused when the chain is another authority's", async () => {
    const foreign = await issueCertificate(stranger, { names: ["127.0.0.1"], send: [stranger] });
    const collector = await collectorWith(foreign);
    await expect(connect(collector.url)()).rejects.toThrow(/pinned key/);
    expect(collector.count()).toBe(0);
  });

  it("is refused when another's certificate only shows a copy of the pinned one", async () => {
    const foreign = await issueCertificate(stranger, { names: ["127.0.0.1"], send: [authority] });
    const collector = await collectorWith(foreign);
    await expect(connect(collector.url)()).rejects.toThrow();
    const both = await collectorWith(
      await issueCertificate(stranger, { names: ["127.0.0.1"], send: [stranger, authority] }),
    );
    await expect(connect(both.url)()).rejects.toThrow();
    expect(collector.count() + both.count()).toBe(0);
  });

  it("is refused when an authority with the same name but another key signed", async () => {
    const twin = await makeAuthority({ commonName: "Collector CA" });
    const forged = await issueCertificate(twin, { names: ["127.0.0.1"], send: [authority] });
    const collector = await collectorWith(forged);
    await expect(connect(collector.url)()).rejects.toThrow();
    expect(collector.count()).toBe(0);
  });

  it("is refused when a certificate that may not sign signed another one", async () => {
    // A leaf of ours used as an authority: OpenSSL sees that it is none.
    const leafAsAuthority: Authority = {
      ...(await makeAuthority({ commonName: "127.0.0.1", issuer: stranger })),
    };
    const misused = await issueCertificate(leafAsAuthority, {
      names: ["127.0.0.1"],
      send: [leafAsAuthority, authority],
    });
    const collector = await collectorWith(misused);
    await expect(connect(collector.url)()).rejects.toThrow();
    expect(collector.count()).toBe(0);
  });

  it("is refused when the certificate has expired", async () => {
    const expired = await issueCertificate(authority, {
      names: ["127.0.0.1"],
      send: [authority],
      notBefore: new Date(Date.now() - 3 * 86_400_000),
      notAfter: new Date(Date.now() - 86_400_000),
    });
    const collector = await collectorWith(expired);
    await expect(connect(collector.url)()).rejects.toThrow(/expired/);
    expect(collector.count()).toBe(0);
  });

  it("is refused when a wrong pin is asked for", async () => {
    const collector = await collectorWith(good);
    await expect(connect(collector.url, { pin: "0".repeat(64) })()).rejects.toThrow(/pinned key 0000/);
    expect(collector.count()).toBe(0);
  });
});

describe("a connection without a pin", () => {
  it("is accepted by the system's trust", async () => {
    const collector = await collectorWith(good);
    (await connect(collector.url, { pin: null, systemTrust: () => trusting(authority) })()).socket.terminate();
  });

  it("is refused under another name", async () => {
    const other = await issueCertificate(authority, { names: ["collector.contoso.com"], send: [authority] });
    const collector = await collectorWith(other);
    const open = connect(collector.url, { pin: null, systemTrust: () => trusting(authority) });
    await expect(open()).rejects.toThrow(/altnames|does not match/i);
    expect(collector.count()).toBe(0);
  });

  it("is refused when the system does not know the authority", async () => {
    const collector = await collectorWith(good);
    const open = connect(collector.url, { pin: null, systemTrust: () => trusting(stranger) });
    await expect(open()).rejects.toThrow();
    expect(collector.count()).toBe(0);
  });

  it("is verified although the environment asks Node not to", async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    onTestFinished(() => {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    });
    const collector = await collectorWith(good);
    await expect(connect(collector.url, { pin: null, systemTrust: () => trusting(stranger) })()).rejects.toThrow();
    expect(collector.count()).toBe(0);
  });
});

describe("the way to the collector", () => {
  it("goes through the machine's proxy by CONNECT, which sees only the name and the port", async () => {
    const collector = await collectorWith(good);
    const proxy = await proxyOf();
    const { socket, via } = await connect(collector.url, { routeFor: async () => [proxied(proxy)] })();
    socket.terminate();
    expect(via).toBe(`127.0.0.1:${proxy.port}`);
    expect(new Set(proxy.asked)).toEqual(new Set([`127.0.0.1:${collector.port}`]));
    for (const headers of proxy.headers) expect(headers).not.toHaveProperty("proxy-authorization");
  });

  it("asks the settings with an https URL", async () => {
    const collector = await collectorWith(good);
    const asked: string[] = [];
    const open = connect(collector.url, {
      routeFor: async (url) => {
        asked.push(url);
        return [];
      },
    });
    (await open()).socket.terminate();
    expect(asked).toEqual([`https://127.0.0.1:${collector.port}/agent/v1`]);
  });

  it.each([403, 407, 502, "reset"] as const)("falls back to direct when the proxy answers %s", async (mode) => {
    const collector = await collectorWith(good);
    const proxy = await proxyOf({ mode });
    const { socket, via } = await connect(collector.url, { routeFor: async () => [proxied(proxy)] })();
    socket.terminate();
    expect(via).toBe("direct");
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it("falls back to direct when nothing listens where the proxy should be", async () => {
    const collector = await collectorWith(good);
    const port = await closedPort();
    const { socket, via } = await connect(collector.url, {
      routeFor: async () => [proxied({ host: "127.0.0.1", port })],
    })();
    socket.terminate();
    expect(via).toBe("direct");
  });

  it("falls back to direct when the proxy hangs", async () => {
    const collector = await collectorWith(good);
    const clock = testClock();
    let heard = () => {};
    const asked = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const hanging = await listen(createServer((socket) => socket.once("data", () => heard())));
    onTestFinished(hanging.close);
    const opening = connect(collector.url, { clock, routeFor: async () => [proxied(hanging)] })();
    await asked;
    await clock.advance(15_000);
    const { socket, via } = await opening;
    socket.terminate();
    expect(via).toBe("direct");
  });

  it("falls back to direct when the proxy breaks TLS open", async () => {
    const collector = await collectorWith(good);
    const inspecting = await collectorWith(
      await issueCertificate(stranger, { names: ["127.0.0.1"], send: [stranger] }),
    );
    const proxy = await proxyOf({ resolve: () => ({ host: "127.0.0.1", port: inspecting.port }) });
    const { socket, via } = await connect(collector.url, { routeFor: async () => [proxied(proxy)] })();
    socket.terminate();
    expect(via).toBe("direct");
    expect(inspecting.count()).toBe(0);
  });

  it("tries each proxy of the list in its order", async () => {
    const collector = await collectorWith(good);
    const refusing = await proxyOf({ mode: 403 });
    const open = await proxyOf();
    const routeFor = async () => [proxied(refusing), proxied(open)];
    const { socket, via } = await connect(collector.url, { routeFor })();
    socket.terminate();
    expect(via).toBe(`127.0.0.1:${open.port}`);
  });

  it("goes direct when the settings cannot be read", async () => {
    const collector = await collectorWith(good);
    const routeFor = async () => {
      throw new Error("the PAC script throws");
    };
    const { socket, via } = await connect(collector.url, { routeFor })();
    socket.terminate();
    expect(via).toBe("direct");
  });

  it("is not read from a proxy that answers CONNECT with endless headers", async () => {
    const endless = await listen(
      createServer((socket) => {
        const line = `X-Padding: ${"x".repeat(1000)}\r\n`;
        socket.write("HTTP/1.1 200 OK\r\n");
        const more = () => {
          while (!socket.destroyed && socket.write(line));
        };
        socket.on("drain", more);
        more();
      }),
    );
    onTestFinished(endless.close);
    const collector = await collectorWith(good);
    const { socket, via } = await connect(collector.url, { routeFor: async () => [proxied(endless)] })();
    socket.terminate();
    expect(via).toBe("direct");
  });

  it("says for each way why it failed", async () => {
    const proxy = await proxyOf({ mode: 407 });
    const port = await closedPort();
    const open = connect(`wss://127.0.0.1:${port}`, { routeFor: async () => [proxied(proxy)] });
    await expect(open()).rejects.toThrow(new RegExp(`127.0.0.1:${proxy.port}: .*407; direct: .*ECONNREFUSED`));
  });

  it("tells how long a collector that turns it away wants it to wait", async () => {
    const collector = await collectorWith(good);
    collector.turnAway = { status: 503, retryAfter: "17" };
    const error = await connect(collector.url)().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TurnedAway);
    expect(error).toMatchObject({ retryAfterSeconds: 17 });
  });

  it("does not follow a redirect", async () => {
    const collector = await collectorWith(good);
    collector.turnAway = { status: 302, retryAfter: null };
    await expect(connect(collector.url)()).rejects.toThrow(/302/);
  });
});

describe("the collector's address", () => {
  it.each([
    ["collector.contoso.com", /has no scheme; use e\.g\. wss:/],
    ["https://collector.contoso.com", /scheme https:/],
    ["ws://collector.contoso.com:7443", /plain text/],
    ["ws://127.0.0.1.contoso.com", /plain text/],
    ["wss://user:pw@collector.contoso.com", /user name/],
    ["wss://", /not an address/],
  ])("refuses %s", (text, why) => {
    expect(() => parseCollectorUrl(text)).toThrow(why);
  });

  it("accepts plain text on loopback, and completes the path", () => {
    for (const text of ["ws://127.0.0.1:1", "ws://[::1]:1", "ws://localhost:1"])
      expect(parseCollectorUrl(text).pathname).toBe("/agent/v1");
    expect(parseCollectorUrl("wss://collector:7443").href).toBe("wss://collector:7443/agent/v1");
    expect(parseCollectorUrl("wss://collector:7443/behind/a/proxy").pathname).toBe("/behind/a/proxy");
  });
});
