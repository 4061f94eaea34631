import { classify } from "@lynceus/diagnosis/classify";
import { probeFactsSchema } from "@lynceus/protocol/facts";
import { type Authority, issueCertificate, makeAuthority, type ServerCertificate } from "@lynceus/testkit/certificates";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { httpServer } from "@lynceus/testkit/http-server";
import { closedPort } from "@lynceus/testkit/listening";
import { socksProxy } from "@lynceus/testkit/socks-proxy";
import { tcpServer } from "@lynceus/testkit/tcp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { probeTarget, type RoutedConfiguration } from "../src/probes/probe.ts";
import { always, direct, httpProxy, targetOf, through, world } from "./world.ts";

interface Closable {
  close(): unknown;
}
const open: Closable[] = [];
/** Remembers what is to be closed after the tests of this file. */
async function opened<T extends Closable>(server: Promise<T>): Promise<T> {
  const made = await server;
  open.push(made);
  return made;
}
afterAll(async () => {
  for (const server of open) await server.close();
});

let company: Authority;
let certificate: ServerCertificate;
let dns: Awaited<ReturnType<typeof dnsServer>>;
beforeAll(async () => {
  company = await makeAuthority({ commonName: "Contoso Issuing CA", organization: "Contoso Ltd" });
  certificate = await issueCertificate(company, { names: ["mail.contoso.com", "autodiscover.contoso.com"] });
  dns = await opened(
    dnsServer({
      "A mail.contoso.com": ["127.0.0.1"],
      "A autodiscover.contoso.com": ["127.0.0.1"],
      "A other.contoso.com": ["127.0.0.1"],
      "SRV _sipinternaltls._tcp.contoso.com": ["10 0 5061 sip2.contoso.com", "0 5 5061 sip.contoso.com"],
      "A nodata.contoso.com": [],
    }),
  );
});

const office = (parts: Parameters<typeof world>[0] = {}) =>
  world({ trusted: company.pem, resolver: { servers: [`127.0.0.1:${dns.port}`] }, ...parts });

describe("a healthy front end", () => {
  test("shows the whole chain: name, port, certificate of the company, 401 with its offer", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(probeFactsSchema.safeParse(facts).error).toBeUndefined();
    expect(facts).toMatchObject({
      dns: { ok: true, rcode: "NOERROR", addresses: ["127.0.0.1"] },
      tcp: { ok: true, address: "127.0.0.1", error: null },
      connect: null,
      tls: {
        ok: true,
        error: null,
        chainOk: true,
        sanMatch: true,
        issuerCN: "Contoso Issuing CA",
        issuerO: "Contoso Ltd",
        alpn: "http/1.1",
        spkiSha256: certificate.spkiSha256,
        missingIntermediate: false,
      },
      http: {
        status: 401,
        wwwAuth: ["negotiate", "ntlm", "bearer"],
        bearerClientId: "00000002-0000-0ff1-ce00-000000000000",
        untrusted: false,
        bodyClass: "empty",
      },
      fenced: false,
      timedOut: false,
    });
    expect(facts.http?.headers["x-feserver"]).toBe("EX03");
  });

  test("is asked without any credential, under our own name", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const proxy = await opened(forwardProxy({ resolve: () => ({ host: exchange.host, port: exchange.port }) }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: 443 });
    await probeTarget(target, always(through(httpProxy(proxy))), "configured", office());
    expect(exchange.requests).toHaveLength(1);
    for (const headers of [...exchange.requests.map((request) => request.headers), ...proxy.headers]) {
      expect(headers["user-agent"]).toBe("Lynceus/0.0.0 (monitoring)");
      expect(Object.keys(headers)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/authorization|cookie/i)]),
      );
    }
  });

  test("has only allow-listed headers reported, cookies by name alone", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port });
    const { http } = await probeTarget(target, always(direct), "configured", office());
    expect(http?.headers["x-internal-secret"]).toBeUndefined();
    expect(http?.headers["set-cookie"]).toBe("ClientId, X-BackEndCookie");
    expect(JSON.stringify(http)).not.toMatch(/ABCDEF|trusted_issuers|invalid_token|must not leave/);
  });

  test("answers its health page", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const target = targetOf({
      kind: "https",
      host: "mail.contoso.com",
      port: exchange.port,
      path: "/ews/healthcheck.htm",
    });
    const { http } = await probeTarget(target, always(direct), "configured", office());
    expect(http).toMatchObject({ status: 200, bodyClass: "health-ok" });
  });
});

describe("names", () => {
  test("that do not exist are NXDOMAIN, and nothing further is tried", async () => {
    const target = targetOf({ kind: "https", host: "gone.contoso.com", port: 443 });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.dns).toMatchObject({ ok: false, rcode: "NXDOMAIN", addresses: [] });
    expect([facts.tcp, facts.tls, facts.http]).toEqual([null, null, null]);
  });

  test("without an address are NODATA", async () => {
    const target = targetOf({ kind: "tcp", host: "nodata.contoso.com", port: 443 });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.dns).toMatchObject({ ok: false, rcode: "NODATA" });
  });

  test.each([
    ["SERVFAIL", "SERVFAIL"],
    ["REFUSED", "REFUSED"],
    ["silent", "TIMEOUT"],
  ] as const)("asked of a resolver that answers %s are %s", async (failure, rcode) => {
    const broken = await opened(dnsServer({}, failure));
    const ctx = office({ resolver: { servers: [`127.0.0.1:${broken.port}`] }, timeouts: { dns: 300 } });
    const target = targetOf({ kind: "tcp", host: "mail.contoso.com", port: 443 });
    expect((await probeTarget(target, always(direct), "configured", ctx)).dns).toMatchObject({ ok: false, rcode });
  });

  test("of services list their records by priority", async () => {
    const target = targetOf({ kind: "srv", host: "_sipinternaltls._tcp.contoso.com", port: null, path: null });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.srv).toEqual([
      { host: "sip.contoso.com", port: 5061, priority: 0, weight: 5 },
      { host: "sip2.contoso.com", port: 5061, priority: 10, weight: 0 },
    ]);
    expect(probeFactsSchema.safeParse(facts).error).toBeUndefined();
  });

  test("of SIP lead to the server that sign-in would choose, which is asked whether it accepts", async () => {
    const sip = await opened(exchangeServer({ certificate }));
    const records = await opened(
      dnsServer({
        "A mail.contoso.com": ["127.0.0.1"],
        "SRV _sipinternaltls._tcp.contoso.com": [`10 0 1 other.contoso.com`, `0 0 ${sip.port} mail.contoso.com`],
        "SRV _sipinternaltls._tcp.closed.contoso.com": [`0 0 ${await closedPort()} mail.contoso.com`],
        "SRV _sipinternaltls._tcp.none.contoso.com": ["0 0 0 ."],
        "SRV _sipinternaltls._tcp.away.contoso.com": [`0 0 ${sip.port} sip.fabrikam.com`],
      }),
    );
    const ctx = office({ resolver: { servers: [`127.0.0.1:${records.port}`] } });
    const look = (
      domain: string,
      service: "sip-srv" | "autodiscover-srv" = "sip-srv",
      configuration = always(direct),
    ) =>
      probeTarget(
        targetOf({ kind: "srv", service, host: `_sipinternaltls._tcp.${domain}`, port: null, path: null }),
        configuration,
        "configured",
        ctx,
      );
    const found = await look("contoso.com");
    expect(found).toMatchObject({
      tcp: { ok: true, host: "mail.contoso.com", port: sip.port },
      tls: { ok: true, subjectCN: "mail.contoso.com" },
      http: null,
    });
    expect(probeFactsSchema.safeParse(found).error).toBeUndefined();
    expect(await look("closed.contoso.com")).toMatchObject({ tcp: { ok: false, error: "refused" }, tls: null });
    // The root as a name is "decidedly not available"; a stranger's host is outside the fence.
    expect(await look("none.contoso.com")).toMatchObject({ tcp: null, tls: null });
    expect(await look("away.contoso.com")).toMatchObject({ srv: [{ host: "sip.fabrikam.com" }], tcp: null, tls: null });
    expect(await look("contoso.com", "autodiscover-srv")).toMatchObject({ tcp: null, tls: null });
    const proxied = { ...always(direct), routeTo: async () => through({ scheme: "http", host: "127.0.0.1", port: 1 }) };
    expect(await look("contoso.com", "sip-srv", proxied)).toMatchObject({ tcp: null, tls: null });
    expect(sip.requests).toHaveLength(0);
  });

  test("of services that are not published are an empty list with the reason", async () => {
    const target = targetOf({ kind: "srv", host: "_autodiscover._tcp.contoso.com", port: null, path: null });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts).toMatchObject({ srv: [], dns: { ok: false, rcode: "NXDOMAIN" } });
  });
});

describe("ports", () => {
  test("that refuse are refused", async () => {
    const target = targetOf({ kind: "tcp", host: "127.0.0.1", port: await closedPort() });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.dns).toMatchObject({ ok: true, rcode: "LITERAL" });
    expect(facts.tcp).toMatchObject({ ok: false, error: "refused", address: "127.0.0.1" });
  });

  test("that accept are open, and nothing is said on them", async () => {
    const server = await opened(tcpServer("hang"));
    const target = targetOf({ kind: "tcp", host: "127.0.0.1", port: server.port });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts).toMatchObject({ tcp: { ok: true }, tls: null, http: null });
  });

  test("that accept and then say nothing time out in TLS", async () => {
    const server = await opened(tcpServer("hang"));
    const target = targetOf({ kind: "tls", host: "127.0.0.1", port: server.port });
    const facts = await probeTarget(target, always(direct), "configured", office({ timeouts: { tls: 60 } }));
    expect(facts.tls).toMatchObject({ ok: false, error: "timeout", spkiSha256: null });
  });

  test("that reset the handshake are a TLS reset", async () => {
    const server = await opened(tcpServer("reset"));
    const target = targetOf({ kind: "tls", host: "127.0.0.1", port: server.port });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.tls).toMatchObject({ ok: false, error: "reset" });
  });

  test("that speak something else than TLS are a protocol error", async () => {
    const server = await opened(httpServer((_, response) => response.end("no TLS here")));
    const target = targetOf({ kind: "tls", host: "127.0.0.1", port: server.port });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.tls).toMatchObject({ ok: false, error: "protocol" });
  });

  test("behind which the server never answers time out in HTTP", async () => {
    const exchange = await opened(exchangeServer({ certificate, mode: "hang" }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port });
    const facts = await probeTarget(target, always(direct), "configured", office({ timeouts: { http: 60 } }));
    expect(facts).toMatchObject({ tls: { ok: true }, http: { status: null, error: "timeout" } });
  });

  test("end the whole probe at its deadline, and the late phase still reports itself", async () => {
    const exchange = await opened(exchangeServer({ certificate, mode: "hang" }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port });
    const facts = await probeTarget(target, always(direct), "configured", office({ timeouts: { probe: 400 } }));
    expect(facts).toMatchObject({ timedOut: true, tls: { ok: true }, http: { error: "timeout" } });
  });
});

describe("certificates", () => {
  const probeWith = async (server: ServerCertificate, trusted = company.pem, host = "mail.contoso.com") => {
    const exchange = await opened(exchangeServer({ certificate: server }));
    return probeTarget(
      targetOf({ kind: "https", host, port: exchange.port }),
      always(direct),
      "configured",
      office({ trusted }),
    );
  };

  test("of a company authority that the system does not know are untrusted, and the answer behind is only evidence", async () => {
    const facts = await probeWith(certificate, "");
    expect(facts.tls).toMatchObject({ ok: false, error: "untrusted", chainOk: false, sanMatch: true });
    expect(facts.http).toMatchObject({ status: 401, untrusted: true });
  });

  test("for another name are a name error although the chain is good", async () => {
    const facts = await probeWith(certificate, company.pem, "other.contoso.com");
    expect(facts.tls).toMatchObject({ ok: false, error: "name", chainOk: true, sanMatch: false });
    expect(facts.http).toMatchObject({ untrusted: true });
  });

  test("past their end are expired", async () => {
    const past = new Date(Date.now() - 3_600_000);
    const old = await issueCertificate(company, { names: ["mail.contoso.com"], notAfter: past });
    const facts = await probeWith(old);
    expect(facts.tls).toMatchObject({ ok: false, error: "expired", detail: "CERT_HAS_EXPIRED" });
    expect(facts.tls?.notAfter).toBe(Math.floor(past.getTime() / 1000) * 1000);
  });

  test("whose intermediate the server forgot are told from those of strangers", async () => {
    const issuing = await makeAuthority({
      commonName: "Contoso Issuing 2",
      organization: "Contoso Ltd",
      issuer: company,
    });
    const names = ["mail.contoso.com"];
    const forgotten = await probeWith(await issueCertificate(issuing, { names }));
    expect(forgotten.tls).toMatchObject({ error: "untrusted", missingIntermediate: true });
    const sent = await probeWith(await issueCertificate(issuing, { names, send: [issuing] }));
    expect(sent.tls).toMatchObject({ ok: true, missingIntermediate: false });
    const stranger = await makeAuthority({ commonName: "Fabrikam CA", organization: "Fabrikam" });
    const foreign = await probeWith(await issueCertificate(stranger, { names }));
    expect(foreign.tls).toMatchObject({ error: "untrusted", missingIntermediate: null });
  });

  test("whose intermediate only the machine's own store has are good, and marked", async () => {
    const issuing = await makeAuthority({
      commonName: "Contoso Issuing 3",
      organization: "Contoso Ltd",
      issuer: company,
    });
    const facts = await probeWith(
      await issueCertificate(issuing, { names: ["mail.contoso.com"] }),
      `${company.pem}${issuing.pem}`,
    );
    expect(facts.tls).toMatchObject({ ok: true, missingIntermediate: true });
  });
});

describe("through a proxy", () => {
  const target = targetOf({ kind: "https", host: "unresolvable.contoso.com", port: 443 });

  test("the name goes into CONNECT unresolved, and the proxy's words stay apart from the origin's", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const proxy = await opened(forwardProxy({ resolve: () => ({ host: exchange.host, port: exchange.port }) }));
    const asked = dns.asked.length;
    const facts = await probeTarget(
      targetOf({ kind: "https", host: "mail.contoso.com", port: 443 }),
      always(through(httpProxy(proxy))),
      "configured",
      office(),
    );
    expect(proxy.asked).toEqual(["mail.contoso.com:443"]);
    expect(dns.asked).toHaveLength(asked);
    expect(facts).toMatchObject({
      dns: { name: "127.0.0.1" },
      tcp: { port: proxy.port },
      connect: { status: 200, error: null, headers: { via: "1.1 px1" } },
      tls: { ok: true },
      http: { status: 401 },
    });
    expect(facts.http?.headers.via).toBeUndefined();
  });

  test.each([403, 407, 500, 502, 503, 504] as const)(
    "that answers CONNECT with %i nothing reaches the target",
    async (mode) => {
      const proxy = await opened(forwardProxy({ mode }));
      const facts = await probeTarget(target, always(through(httpProxy(proxy))), "configured", office());
      expect(facts).toMatchObject({ connect: { status: mode, error: null }, tls: null, http: null });
      expect(probeFactsSchema.safeParse(facts).error).toBeUndefined();
    },
  );

  test("that asks for a login the schemes are kept and nothing is answered", async () => {
    const proxy = await opened(forwardProxy({ mode: 407, schemes: ["Negotiate", "NTLM", 'Basic realm="px1"'] }));
    const facts = await probeTarget(target, always(through(httpProxy(proxy))), "configured", office());
    expect(facts.connect?.proxyAuthSchemes).toEqual(["negotiate", "ntlm", "basic"]);
    expect(proxy.asked).toHaveLength(1);
  });

  test("that never answers CONNECT times out there", async () => {
    const proxy = await opened(forwardProxy({ mode: "hang" }));
    const ctx = office({ timeouts: { http: 60 } });
    const facts = await probeTarget(target, always(through(httpProxy(proxy))), "configured", ctx);
    expect(facts.connect).toMatchObject({ status: null, error: "timeout" });
  });

  test("that resets is a reset of the CONNECT", async () => {
    const proxy = await opened(forwardProxy({ mode: "reset" }));
    const facts = await probeTarget(target, always(through(httpProxy(proxy))), "configured", office());
    expect(facts.connect).toMatchObject({ status: null, error: "reset" });
  });

  test("that is dead the failure is the proxy's own", async () => {
    const dead = through({ scheme: "http", host: "127.0.0.1", port: await closedPort() });
    const facts = await probeTarget(target, always(dead), "configured", office());
    expect(facts).toMatchObject({ tcp: { ok: false, error: "refused" }, connect: null });
  });

  test("the direct probe goes past it", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const proxy = await opened(forwardProxy({ mode: 403 }));
    const facts = await probeTarget(
      targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port }),
      always(through(httpProxy(proxy))),
      "direct",
      office(),
    );
    expect(proxy.asked).toEqual([]);
    expect(facts).toMatchObject({ route: { kind: "direct", by: "forced" }, http: { status: 401 } });
  });

  test("a plain page is asked of the proxy by its whole address", async () => {
    const control = await opened(httpServer((_, response) => response.end("Microsoft Connect Test")));
    const proxy = await opened(forwardProxy({ resolve: () => ({ host: control.host, port: control.port }) }));
    const facts = await probeTarget(
      targetOf({ kind: "http", host: "control.contoso.com", port: 80, path: "/connecttest.txt", service: "control" }),
      always(through(httpProxy(proxy))),
      "configured",
      office(),
    );
    expect(proxy.asked).toEqual(["http://control.contoso.com/connecttest.txt"]);
    expect(facts).toMatchObject({ connect: null, http: { status: 200, bodyClass: "control-ok" } });
  });

  test.each(["socks4", "socks5"] as const)("of kind %s the name goes to it unresolved too", async (scheme) => {
    const exchange = await opened(exchangeServer({ certificate }));
    const proxy = await opened(socksProxy(() => ({ host: exchange.host, port: exchange.port })));
    const facts = await probeTarget(
      targetOf({ kind: "https", host: "mail.contoso.com", port: 443 }),
      always(through({ scheme, host: proxy.host, port: proxy.port })),
      "configured",
      office(),
    );
    expect(proxy.asked).toEqual(["mail.contoso.com:443"]);
    expect(facts).toMatchObject({ connect: { status: null, error: null }, http: { status: 401 } });
  });
});

describe("redirects", () => {
  test("are recorded and not followed, their query removed", async () => {
    const exchange = await opened(exchangeServer({ certificate, mode: "form" }));
    const target = targetOf({ kind: "https", host: "mail.contoso.com", port: exchange.port });
    const { http } = await probeTarget(target, always(direct), "configured", office());
    expect(http).toMatchObject({
      status: 302,
      location: "https://mail.contoso.com/owa/auth/logon.aspx",
      redirects: [],
    });
    expect(JSON.stringify(http)).not.toContain("secret");
  });

  test("of autodiscover are followed inside the fence to the answer at their end", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const first = await opened(
      httpServer((_, response) => {
        const location = `https://mail.contoso.com:${exchange.port}/autodiscover/autodiscover.xml`;
        response.writeHead(302, { Location: location }).end();
      }, certificate),
    );
    const target = targetOf({
      kind: "https",
      service: "autodiscover",
      host: "autodiscover.contoso.com",
      port: first.port,
      path: "/autodiscover/autodiscover.xml",
    });
    const { http } = await probeTarget(target, always(direct), "configured", office());
    expect(http).toMatchObject({ status: 401, redirects: [`mail.contoso.com:${exchange.port}`] });
  });

  test("of autodiscover take the way of their own address, which another one's rule does not bind", async () => {
    const exchange = await opened(exchangeServer({ certificate }));
    const proxy = await opened(forwardProxy({ resolve: () => ({ host: "127.0.0.1", port: exchange.port }) }));
    const first = await opened(
      httpServer((_, response) => {
        response.writeHead(302, { Location: "https://mail.contoso.com/autodiscover/autodiscover.xml" }).end();
      }, certificate),
    );
    const target = targetOf({
      kind: "https",
      service: "autodiscover",
      host: "autodiscover.contoso.com",
      port: first.port,
    });
    const asked: string[] = [];
    const configuration: RoutedConfiguration = {
      ...always(direct),
      async routeTo({ host, port, path }) {
        asked.push(`${host}:${port}${path}`);
        return through(httpProxy(proxy));
      },
    };
    const { http } = await probeTarget(target, configuration, "configured", office());
    expect(asked).toEqual(["mail.contoso.com:443/autodiscover/autodiscover.xml"]);
    expect(proxy.asked).toEqual(["mail.contoso.com:443"]);
    expect(http).toMatchObject({ status: 401, redirects: ["mail.contoso.com"] });
    // Past the proxy there is no other way: nothing listens on 443 here, and the redirect itself is the answer.
    expect((await probeTarget(target, configuration, "direct", office())).http).toMatchObject({ status: 302 });
    expect(asked).toHaveLength(1);
  });

  test("of autodiscover to a log-in form are the answer: where they lead is what the classifier reads", async () => {
    const form = await opened(exchangeServer({ certificate, mode: "form" }));
    const first = await opened(
      httpServer((_, response) => {
        response.writeHead(301, { Location: `https://mail.contoso.com:${form.port}/autodiscover/` }).end();
      }, certificate),
    );
    const target = targetOf({
      kind: "https",
      service: "autodiscover",
      host: "autodiscover.contoso.com",
      port: first.port,
    });
    const facts = await probeTarget(target, always(direct), "configured", office());
    expect(facts.http).toMatchObject({
      status: 302,
      location: "https://mail.contoso.com/owa/auth/logon.aspx",
      redirects: [`mail.contoso.com:${form.port}`],
    });
    expect(classify(facts, { smtpDomains: ["contoso.com"], sipDomains: [], ssoHosts: [] })).toBe("preauth-form");
    expect(form.requests).toHaveLength(1);
  });

  test("of autodiscover in a circle end after three", async () => {
    const circle = await opened(
      httpServer((request, response) => {
        const location = `https://${request.headers.host}/autodiscover/autodiscover.xml`;
        response.writeHead(302, { Location: location }).end();
      }, certificate),
    );
    const target = targetOf({ kind: "https", service: "autodiscover", host: "mail.contoso.com", port: circle.port });
    const { http } = await probeTarget(target, always(direct), "configured", office());
    expect(http).toMatchObject({ status: 302 });
    expect(circle.requests).toHaveLength(4);
  });

  test("of autodiscover out of the fence are not followed", async () => {
    const outside = await opened(
      httpServer((_, response) => response.writeHead(302, { Location: "https://127.0.0.1:1/x" }).end(), certificate),
    );
    const ctx = office({ fence: { suffixes: ["contoso.com"], ports: [outside.port] } });
    const target = targetOf({ kind: "https", service: "autodiscover", host: "mail.contoso.com", port: outside.port });
    const { http } = await probeTarget(target, always(direct), "configured", ctx);
    expect(http).toMatchObject({ status: 302, location: "https://127.0.0.1:1/x", redirects: [] });
  });
});

describe("the fence", () => {
  test.each([
    ["another domain", { host: "mail.fabrikam.com", port: 443 }],
    ["a domain that merely ends alike", { host: "evilcontoso.com", port: 443 }],
    ["a port that is not allowed", { host: "mail.contoso.com", port: 8443 }],
  ])("refuses %s and nothing is sent", async (_, { host, port }) => {
    const asked = dns.asked.length;
    const ctx = office({ fence: { suffixes: ["contoso.com"], ports: [443, 5061] } });
    const facts = await probeTarget(targetOf({ kind: "https", host, port }), always(direct), "configured", ctx);
    expect(facts).toMatchObject({ fenced: true, dns: null, tcp: null, http: null });
    expect(dns.asked).toHaveLength(asked);
  });

  test("lets the domain itself and names below it pass, service names too", async () => {
    const ctx = office({ fence: { suffixes: ["contoso.com"], ports: [443] } });
    const srv = targetOf({ kind: "srv", host: "_sipinternaltls._tcp.contoso.com", port: null });
    expect((await probeTarget(srv, always(direct), "configured", ctx)).fenced).toBe(false);
    const apex = targetOf({ kind: "tcp", host: "contoso.com", port: 443 });
    expect((await probeTarget(apex, always(direct), "configured", ctx)).fenced).toBe(false);
  });
});

test("an agent that stops leaves its probes at once", async () => {
  const server = await opened(tcpServer("hang"));
  const stop = new AbortController();
  const target = targetOf({ kind: "tls", host: "127.0.0.1", port: server.port });
  const probing = probeTarget(target, always(direct), "configured", office({ signal: stop.signal }));
  stop.abort(new Error("stopping"));
  await expect(probing).rejects.toThrow("stopping");
});
