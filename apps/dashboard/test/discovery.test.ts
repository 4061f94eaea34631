import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { dnsServer, type Zone } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { httpServer } from "@lynceus/testkit/http-server";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Discovery, discover } from "../src/lib/discovery/discover.ts";
import { readExchange } from "../src/lib/discovery/exchange.ts";
import { readLyncDiscover } from "../src/lib/discovery/lync.ts";
import { dnsNames } from "../src/lib/discovery/names.ts";

type Certificate = Awaited<ReturnType<typeof issueCertificate>>;
let certificate: Certificate;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  certificate = await issueCertificate(await makeAuthority(), { names: ["*.contoso.com", "contoso.com"] });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Looks by a real DNS server and real HTTPS servers, all on loopback. */
async function look(
  zone: Zone,
  options: { port?: number; allowLoopback?: boolean; sip?: boolean; dns?: "SERVFAIL" } = {},
) {
  const dns = await dnsServer(zone, options.dns);
  closers.push(() => dns.close());
  const found = await discover(
    { smtp: options.sip ? [] : ["contoso.com"], sip: options.sip ? ["contoso.com"] : [] },
    {
      names: dnsNames([`127.0.0.1:${dns.port}`]),
      monotonic: () => performance.now(),
      allowLoopback: options.allowLoopback ?? true,
      ...(options.port === undefined ? {} : { httpsPort: options.port }),
    },
  );
  return { found, asked: dns.asked };
}

const step = (found: Discovery, what: string) =>
  found.domains.flatMap((domain) => domain.steps).find((one) => one.what === what);

describe("Exchange", () => {
  test("is found at the autodiscover name, without a credential being sent", async () => {
    const server = await exchangeServer({ certificate, serverName: "EX03" });
    closers.push(() => server.close());
    const { found } = await look({ "A autodiscover.contoso.com": ["127.0.0.1"] }, { port: server.port });
    expect(found.ews).toEqual([`autodiscover.contoso.com:${server.port}`]);
    expect(step(found, `GET https://autodiscover.contoso.com:${server.port}/EWS/Exchange.asmx`)).toMatchObject({
      outcome: "found",
      answer: "401 from EX03: Exchange; this server does not trust its certificate",
    });
    expect(server.requests.length).toBeGreaterThan(0);
    for (const request of server.requests) {
      expect(request.method).toBe("GET");
      expect(request.headers).not.toHaveProperty("authorization");
      expect(request.headers).not.toHaveProperty("cookie");
      expect(request.headers.host).toBe(`autodiscover.contoso.com:${server.port}`);
    }
  });

  test("is found where the service record points to", async () => {
    const server = await exchangeServer({ certificate });
    closers.push(() => server.close());
    const { found } = await look({
      "SRV _autodiscover._tcp.contoso.com": [`0 0 ${server.port} ex.contoso.com`],
      "A ex.contoso.com": ["127.0.0.1"],
    });
    expect(found.ews).toEqual([`ex.contoso.com:${server.port}`]);
    expect(step(found, "SRV _autodiscover._tcp.contoso.com")).toMatchObject({
      outcome: "found",
      answer: `ex.contoso.com:${server.port}`,
    });
  });

  test("is not seen in a web server that answers 200, nor is a redirect followed", async () => {
    const elsewhere = await httpServer((_request, response) => response.end());
    const server = await httpServer((request, response) => {
      if (request.url?.startsWith("/EWS")) response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.port}/` });
      response.end("hello");
    }, certificate);
    closers.push(
      () => server.close(),
      () => elsewhere.close(),
    );
    const { found } = await look({ "A mail.contoso.com": ["127.0.0.1"] }, { port: server.port });
    expect(found.ews).toEqual([]);
    expect(step(found, `GET https://mail.contoso.com:${server.port}/EWS/Exchange.asmx`)?.outcome).toBe("missing");
    expect(elsewhere.requests).toEqual([]);
  });

  test("is not asked at loopback or at a cloud's metadata address unless tests allow it", async () => {
    const server = await exchangeServer({ certificate });
    closers.push(() => server.close());
    const { found } = await look(
      { "A autodiscover.contoso.com": ["127.0.0.1"], "A mail.contoso.com": ["169.254.169.254"] },
      { port: server.port, allowLoopback: false },
    );
    expect(server.requests).toEqual([]);
    expect(step(found, "A, AAAA autodiscover.contoso.com")?.outcome).toBe("refused");
    expect(step(found, "A, AAAA mail.contoso.com")?.outcome).toBe("refused");
  });

  test("a refused connection and a name that does not exist are answers", async () => {
    const server = await httpServer((_request, response) => response.end(), certificate);
    await server.close();
    const { found } = await look({ "A mail.contoso.com": ["127.0.0.1"] }, { port: server.port });
    expect(step(found, `GET https://mail.contoso.com:${server.port}/EWS/Exchange.asmx`)).toMatchObject({
      outcome: "failed",
      answer: "refused",
    });
    expect(step(found, "A, AAAA autodiscover.contoso.com")).toMatchObject({
      outcome: "missing",
      answer: "no such name",
    });
  });

  test("broken DNS is told apart from a name that does not exist", async () => {
    const { found } = await look({}, { dns: "SERVFAIL" });
    expect(found.ews).toEqual([]);
    for (const one of found.domains.flatMap((domain) => domain.steps)) {
      expect(one.outcome).toBe("failed");
      expect(one.answer).toMatch(/^DNS: /);
    }
  });
});

describe("Lync", () => {
  test("gives the web services' host out of lyncdiscover's answer, and SRV targets", async () => {
    const server = await httpServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "x-ms-server-fqdn": "fe1.contoso.com" });
      response.end(JSON.stringify({ _links: { user: { href: "https://lyncweb.contoso.com/Autodiscover/user" } } }));
    }, certificate);
    closers.push(() => server.close());
    const { found } = await look(
      {
        "A lyncdiscoverinternal.contoso.com": ["127.0.0.1"],
        "SRV _sipinternaltls._tcp.contoso.com": ["0 0 5061 pool.contoso.com"],
      },
      { port: server.port, sip: true },
    );
    expect(found.lyncWeb).toEqual(["lyncweb.contoso.com"]);
    expect(step(found, "SRV _sipinternaltls._tcp.contoso.com")?.answer).toBe("pool.contoso.com:5061");
    expect(step(found, "A, AAAA lyncdiscover.contoso.com")?.outcome).toBe("missing");
    expect(server.requests.map((request) => request.headers.accept)).toEqual(["application/json"]);
  });

  test.each([
    ["an address of this server", '{"_links":{"user":{"href":"https://127.0.0.1/"}}}'],
    ["a plain web address", '{"_links":{"user":{"href":"http://lyncweb.contoso.com/"}}}'],
    ["a script", '{"_links":{"user":{"href":"javascript:alert(1)"}}}'],
    ["no links", '{"_links":{}}'],
    ["no JSON", "<html>"],
  ])("takes no host from an answer with %s", (_what, body) => {
    const answer = { status: 200, headers: { "x-ms-server-fqdn": "fe1.contoso.com" }, body, trusted: true };
    expect(readLyncDiscover(answer).value).toBeNull();
  });
});

test("Windows sign-in without an Exchange header is not called Exchange", () => {
  const iis = { "www-authenticate": "Negotiate, NTLM", server: "Microsoft-IIS/10.0" };
  expect(readExchange({ status: 401, headers: iis, body: "", trusted: true }).value).toBe(false);
  expect(readExchange({ status: 401, headers: { ...iis, "x-feserver": "EX03" }, body: "", trusted: true }).value).toBe(
    true,
  );
  expect(readExchange({ status: 200, headers: { "x-feserver": "EX03" }, body: "", trusted: true }).value).toBe(false);
});
