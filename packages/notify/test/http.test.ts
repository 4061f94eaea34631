import { createServer } from "node:http";
import { type Connection, connectionSchema } from "@lynceus/protocol/receivers";
import { type Authority, issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { closedPort, listen } from "@lynceus/testkit/listening";
import { tcpServer } from "@lynceus/testkit/tcp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DeliveryContext, sendHttp } from "../src/http.ts";
import { type VendorServer, vendorServer } from "./support/vendor-server.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 30);
const here = (more: object = {}): Connection => connectionSchema.parse({ reach: "loopback", ...more });
const send = (url: string, connection = here(), context: Partial<DeliveryContext> = {}) =>
  sendHttp({ url, headers: { "x-test": "1" }, body: '{"a":"ä"}' }, connection, { now, ...context });

let server: VendorServer;
let authority: Authority;
let secure: VendorServer;
beforeAll(async () => {
  server = await vendorServer();
  authority = await makeAuthority();
  secure = await vendorServer(await issueCertificate(authority, { names: ["pager.contoso.com", "127.0.0.1"] }));
});
afterAll(() => Promise.all([server.close(), secure.close()]));

describe("a delivery by HTTP", () => {
  test("sends JSON with its length, and nothing that anybody could be known by", async () => {
    server.answers({ status: 202, body: "taken" });
    expect(await send(`${server.origin}/in?x=1`)).toEqual({ outcome: "delivered", detail: "HTTP 202: taken" });
    expect(server.received.at(-1)).toEqual({
      method: "POST",
      url: "/in?x=1",
      headers: {
        "user-agent": "Lynceus",
        "content-type": "application/json",
        "content-length": "10",
        "x-test": "1",
        host: `127.0.0.1:${server.port}`,
        connection: "close",
      },
      body: '{"a":"ä"}',
    });
  });

  test("does not follow a redirect", async () => {
    const before = server.received.length;
    server.answers({ status: 307, headers: { location: `${server.origin}/elsewhere` } });
    expect(await send(`${server.origin}/in`)).toMatchObject({
      outcome: "rejected",
      reason: expect.stringContaining("/elsewhere; set the final address"),
    });
    expect(server.received).toHaveLength(before + 1);
  });

  test("reads the beginning of an answer that does not end", async () => {
    const endless = await listen(
      createServer((_request, response) => {
        response.writeHead(500);
        const more = () => {
          while (response.writable && response.write("x".repeat(8192)));
        };
        response.on("drain", more).on("error", () => {});
        more();
      }),
    );
    expect(await send(`http://127.0.0.1:${endless.port}/`)).toMatchObject({
      outcome: "retry",
      reason: expect.stringMatching(/^HTTP 500: x{200}$/),
    });
    await endless.close();
  });

  test.each(["hang", "reset", "close"] as const)(
    "to a server that does nothing but %s is worth another try",
    async (mode) => {
      const bad = await tcpServer(mode);
      const outcome = await send(`http://127.0.0.1:${bad.port}/`, here(), { timeoutMs: mode === "hang" ? 50 : 10_000 });
      expect(outcome).toMatchObject({ outcome: "retry", afterMs: null });
      if (mode === "hang") expect(outcome).toMatchObject({ reason: "no answer within 0.05 s" });
      await bad.close();
    },
  );

  test("to a closed port is worth another try", async () => {
    expect(await send(`http://127.0.0.1:${await closedPort()}/`)).toMatchObject({
      outcome: "retry",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("to something that is not HTTP is worth another try", async () => {
    const { createServer: createTcp } = await import("node:net");
    const ssh = await listen(createTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n")));
    expect(await send(`http://127.0.0.1:${ssh.port}/`)).toMatchObject({ outcome: "retry" });
    await ssh.close();
  });

  test("ends when the collector stops", async () => {
    const silent = await tcpServer("hang");
    const stop = new AbortController();
    const sent = send(`http://127.0.0.1:${silent.port}/`, here(), { signal: stop.signal });
    stop.abort();
    expect(await sent).toEqual({
      outcome: "retry",
      afterMs: null,
      reason: "the collector stopped before an answer came",
    });
    await silent.close();
  });
});

describe("a delivery by TLS", () => {
  test("trusts no certificate of an unknown authority", async () => {
    const before = secure.received.length;
    expect(await send(`${secure.origin}/`)).toMatchObject({
      outcome: "retry",
      reason: expect.stringMatching(/unable to verify|self.signed|unable to get/),
    });
    expect(secure.received).toHaveLength(before);
  });
  test("trusts the authority that the receiver names", async () => {
    expect(await send(`${secure.origin}/`, here({ ca: authority.pem }))).toMatchObject({ outcome: "delivered" });
  });
  test("is only for the name on the certificate", async () => {
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
    const url = (name: string) => `https://${name}:${secure.port}/`;
    const trusting = here({ ca: authority.pem });
    expect(await send(url("pager.contoso.com"), trusting, { resolve })).toMatchObject({ outcome: "delivered" });
    expect(await send(url("other.contoso.com"), trusting, { resolve })).toMatchObject({
      outcome: "retry",
      reason: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
    });
  });
});

describe("a delivery through a proxy", () => {
  test("asks it for a tunnel by name, and speaks TLS with the receiver alone", async () => {
    const proxy = await forwardProxy({ resolve: () => ({ host: "127.0.0.1", port: secure.port }) });
    const through = here({ reach: "loopback", ca: authority.pem, proxy: `http://127.0.0.1:${proxy.port}` });
    // The name means nothing to us: only the proxy can resolve it.
    const resolve = async () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
    expect(await send("https://pager.contoso.com/in", through, { resolve })).toMatchObject({ outcome: "delivered" });
    expect(proxy.asked).toEqual(["pager.contoso.com:443"]);
    expect(Object.keys(proxy.headers[0] ?? {}).sort()).toEqual(["connection", "host"]);
    expect(secure.received.at(-1)?.url).toBe("/in");
    await proxy.close();
  });

  test("is checked against the certificate as any other", async () => {
    const proxy = await forwardProxy({ resolve: () => ({ host: "127.0.0.1", port: secure.port }) });
    const through = here({ ca: authority.pem, proxy: `http://127.0.0.1:${proxy.port}` });
    expect(await send("https://other.contoso.com/", through)).toMatchObject({
      outcome: "retry",
      reason: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
    });
    await proxy.close();
  });

  test.each([
    [407, "rejected", /asks for a login, which is never given/],
    [403, "rejected", /refuses the connection with 403/],
    [502, "retry", /^the proxy 127\.0\.0\.1:\d+ answers 502$/],
    [503, "retry", /answers 503/],
  ] as const)("that answers %i is %s", async (mode, outcome, reason) => {
    const proxy = await forwardProxy({ mode });
    const through = here({ proxy: `http://127.0.0.1:${proxy.port}` });
    expect(await send("https://pager.contoso.com/", through)).toMatchObject({
      outcome,
      reason: expect.stringMatching(reason),
    });
    await proxy.close();
  });

  test.each(["hang", "reset"] as const)("that does nothing but %s is worth another try", async (mode) => {
    const proxy = await forwardProxy({ mode });
    const through = here({ proxy: `http://127.0.0.1:${proxy.port}` });
    const outcome = await send("https://pager.contoso.com/", through, { timeoutMs: mode === "hang" ? 50 : 10_000 });
    expect(outcome).toMatchObject({ outcome: "retry" });
    await proxy.close();
  });

  test("is not led to this machine or to metadata by it", async () => {
    const proxy = await forwardProxy();
    const through = here({ reach: "public", proxy: `http://127.0.0.1:${proxy.port}` });
    const outside = { ...through, reach: "private" as const };
    for (const url of ["https://169.254.169.254/", "https://metadata.google.internal/", "https://localhost/"])
      expect(await send(url, outside), url).toMatchObject({ outcome: "rejected" });
    // A proxy on this machine itself is meant only where the reach says so.
    expect(await send("https://pager.contoso.com/", outside)).toMatchObject({
      outcome: "rejected",
      reason: expect.stringContaining("this machine itself"),
    });
    expect(proxy.asked).toEqual([]);
    await proxy.close();
  });
});
