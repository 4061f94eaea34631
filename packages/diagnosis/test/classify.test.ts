import type { ProbeFacts } from "@lynceus/protocol/facts";
import type { Verdict } from "@lynceus/protocol/names";
import { exchangeClientId } from "@lynceus/protocol/www-authenticate";
import { describe, expect, it } from "vitest";
import { classify, proxySchemes } from "../src/classify.ts";
import { findInterception } from "../src/interception.ts";
import {
  answered,
  controlPage,
  deadProxy,
  direct,
  dnsFailure,
  dnsOk,
  exchangeAnswer,
  httpAnswer,
  noRecord,
  nothing,
  openPort,
  type Phases,
  policy,
  probe,
  proxyLogin,
  proxyRefusal,
  srvRecord,
  targetOf,
  tcpOk,
  tcpRefused,
  tcpReset,
  tcpTimeout,
  through,
  tlsFailure,
  tlsOk,
} from "./support/probes.ts";

const { expectations } = policy();
const px1 = through("px1.example.org:8080");
type Over = Partial<Omit<ProbeFacts, "endpoint">> & { endpoint?: Partial<ProbeFacts["endpoint"]> };
const facts = (phases: Phases, id = "ews", { endpoint, ...over }: Over = {}): ProbeFacts => {
  const made = probe(targetOf(id), phases);
  return { ...made, ...over, endpoint: { ...made.endpoint, ...endpoint } };
};
const verdict = (phases: Phases, id = "ews", over: Over = {}): Verdict =>
  classify(facts(phases, id, over), expectations);

const bearer = `Bearer client_id="${exchangeClientId}", trusted_issuers="00000001-0000-0000-c000-000000000000@*", authorization_uri="https://login.windows.net/common/oauth2/authorize"`;

describe("the 25 vectors of domain 7", () => {
  it("1: Autodiscover with Basic, Negotiate and NTLM is Exchange", () => {
    const phases = answered({
      status: 401,
      wwwAuth: ['Basic realm="autodiscover.microsoft.com"', "Negotiate", "NTLM"],
      headers: {
        server: "Microsoft-IIS/8.5",
        "X-CasErrorCode": "UnauthenticatedRequest",
        "X-FEServer": "CYS-E16MSF01",
        "request-id": "0f6592d3",
      },
    });
    expect(verdict(phases, "autodiscover-example.org")).toBe("exchange-onprem");
  });

  it("2: one line with Bearer, Negotiate, NTLM and Basic is Exchange", () => {
    const line = `Bearer client_id="${exchangeClientId}", trusted_issuers="00000004-0000-0ff1-ce00-000000000000@contoso.com", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token",Negotiate,NTLM,Basic realm="autodiscover.contoso.com"`;
    const phases = answered({ status: 401, wwwAuth: [line], headers: { "request-id": "33086db3" } });
    expect(phases.http?.wwwAuth).toEqual(["bearer", "negotiate", "ntlm", "basic"]);
    expect(verdict(phases)).toBe("exchange-onprem");
  });

  it("3: Bearer alone at outlook.office365.com is Exchange Online", () => {
    const phases = answered({ status: 401, wwwAuth: [bearer], headers: { "request-id": "1" } });
    expect(verdict(phases, "ews", { endpoint: { host: "outlook.office365.com" } })).toBe("exchange-online");
  });

  it("3: also where Autodiscover was redirected there", () => {
    const phases = answered({ status: 401, wwwAuth: [bearer], headers: { "request-id": "1" } });
    const redirected = (host: string) => ({ ...phases, http: { ...phases.http!, redirects: [host] } });
    expect(verdict(redirected("autodiscover-s.outlook.com"), "autodiscover-example.org")).toBe("exchange-online");
    expect(verdict(redirected("mail.example.org:8443"), "autodiscover-example.org")).toBe("unknown-answer");
  });

  it("4: Bearer and Basic on premises is Basic only", () => {
    const phases = answered({ status: 401, wwwAuth: [bearer, 'Basic realm="mail.contoso.com"'] });
    expect(verdict(phases)).toBe("exchange-basic-only");
  });

  it("5: the health page is healthy", () => {
    expect(verdict(answered({ status: 200, bodyClass: "health-ok" }), "exchange-health")).toBe("exchange-health-ok");
  });

  it("6: a 407 to CONNECT is the proxy's login", () => {
    expect(verdict(proxyLogin("Basic"), "ews", { route: px1 })).toBe("proxy-auth-required");
  });

  it("7: a 403 to CONNECT is the proxy's refusal", () => {
    expect(verdict(proxyRefusal(), "ews", { route: px1 })).toBe("proxy-blocked");
  });

  it("8: a 502 to CONNECT is the proxy's way that fails", () => {
    const phases = { ...proxyRefusal(), connect: { ...proxyRefusal().connect!, status: 502 } };
    expect(verdict(phases, "ews", { route: px1 })).toBe("proxy-upstream-fail");
  });

  it("9: a 403 of a Zscaler to the plain control page is the proxy's refusal", () => {
    const page = {
      ...controlPage(),
      http: httpAnswer({ status: 403, headers: { server: "Zscaler/6.2" }, bodyClass: "html" }),
    };
    expect(verdict(page, "control", { route: px1 })).toBe("proxy-blocked");
  });

  it("10: 440 is a form in front", () => {
    expect(verdict(answered({ status: 440, headers: { "set-cookie": "cadata" } }))).toBe("preauth-form");
  });

  it("11: a redirect to Outlook's form is a form in front", () => {
    expect(
      verdict(answered({ status: 302, location: "https://mail.contoso.com/owa/auth/logon.aspx" }), "ews", {
        endpoint: { host: "mail.contoso.com" },
      }),
    ).toBe("preauth-form");
  });

  it("12: a redirect to a hotel is a portal", () => {
    expect(verdict(answered({ status: 302, location: "http://login.hotel-wifi.example/" }))).toBe("captive-portal");
  });

  it("13: 511 is a portal", () => {
    expect(verdict(answered({ status: 511 }))).toBe("captive-portal");
  });

  it("14 and 15: Windows login without Exchange's marks is its own verdict, for EWS and for Response Group", () => {
    const phases = answered({ status: 401, wwwAuth: ["Negotiate", "NTLM"], headers: { server: "Microsoft-IIS/10.0" } });
    expect(verdict(phases)).toBe("iis-windows-auth");
    expect(verdict(phases, "lync-rgs")).toBe("iis-windows-auth");
  });

  it("16: a Basic login of another server", () => {
    const phases = answered({ status: 401, wwwAuth: ['Basic realm="Restricted"'], headers: { server: "nginx" } });
    expect(verdict(phases)).toBe("other-basic-auth");
  });

  it("17: a home page at the EWS address", () => {
    expect(verdict(answered({ status: 200, bodyClass: "html" }))).toBe("unexpected-200");
  });

  it("18: Lync's links are Lync web services", () => {
    const phases = answered({
      status: 200,
      bodyClass: "json-links",
      headers: { "X-MS-Server-Fqdn": "fe1.example.org" },
    });
    expect(verdict(phases, "lyncdiscover-example.org")).toBe("sfb-web");
  });

  it("19: a web ticket is Lync web services", () => {
    const phases = answered({ status: 401, headers: { "X-MS-WebTicketURL": "https://web.contoso.com/WebTicket/" } });
    expect(verdict(phases, "lync-abs")).toBe("sfb-web");
  });

  it("20: http.sys without its application is Exchange down", () => {
    expect(verdict(answered({ status: 503, headers: { server: "Microsoft-HTTPAPI/2.0" }, bodyClass: "html" }))).toBe(
      "exchange-down",
    );
  });

  it("21: a handshake that is cut", () => {
    expect(verdict(tlsFailure("reset"))).toBe("tls-reset");
  });

  it("22: Exchange behind an inspecting proxy is Exchange, and flagged", () => {
    const issuer = { issuerCN: "Zscaler Intermediate Root CA (zscaler.net)", issuerO: "Zscaler Inc." };
    const phases = exchangeAnswer(issuer);
    expect(verdict(phases)).toBe("exchange-onprem");
    expect(findInterception(facts(phases), { direct: null, majority: null, expectedIssuers: [] })).toMatchObject({
      by: "vendor",
    });
  });

  it("23: a 404 of IIS at the EWS address", () => {
    expect(verdict(answered({ status: 404, headers: { server: "Microsoft-IIS/10.0" }, bodyClass: "html" }))).toBe(
      "not-found",
    );
  });

  it("24: a 407 keeps the schemes it offers", () => {
    const phases = proxyLogin("Negotiate", "NTLM");
    expect(verdict(phases, "ews", { route: px1 })).toBe("proxy-auth-required");
    expect(proxySchemes(facts(phases, "ews", { route: px1 }))).toEqual(["negotiate", "ntlm"]);
  });

  it("25: schemes are compared without regard to case or blanks", () => {
    const phases = answered({ status: 401, wwwAuth: ["negotiate", "NTLM "], headers: { "x-feserver": "EX01" } });
    phases.http!.wwwAuth = ["Negotiate", "NTLM "];
    expect(verdict(phases)).toBe("exchange-onprem");
  });
});

describe("the path", () => {
  it("gives a name that fails to the proxy where one is asked, and to the target where none is", () => {
    expect(verdict(dnsFailure("NXDOMAIN"))).toBe("dns-fail");
    expect(verdict(dnsFailure("NXDOMAIN", "px1.example.org"), "ews", { route: px1 })).toBe("proxy-unreachable");
  });

  it("gives a connection that fails to whom it was made", () => {
    expect(verdict(tcpTimeout())).toBe("tcp-timeout");
    expect(verdict(tcpRefused())).toBe("tcp-refused");
    expect(verdict(tcpReset())).toBe("tcp-reset");
    expect(verdict(deadProxy(), "ews", { route: px1 })).toBe("proxy-unreachable");
  });

  it("tells every TLS failure apart, even where a page was read behind it", () => {
    for (const [error, expected] of [
      ["name", "tls-name"],
      ["untrusted", "tls-untrusted"],
      ["expired", "tls-expired"],
      ["protocol", "tls-protocol"],
      ["other", "tls-other"],
      ["timeout", "http-timeout"],
    ] as const) {
      const phases = { ...tlsFailure(error), http: { ...exchangeAnswer().http!, untrusted: true } };
      expect(verdict(phases)).toBe(expected);
    }
  });

  it("knows a proxy that never answers CONNECT, one that answers oddly, and SOCKS that has no status", () => {
    const connect = proxyLogin().connect!;
    const asked = (over: Partial<typeof connect>, route = px1) =>
      verdict({ ...proxyLogin(), connect: { ...connect, ...over } }, "ews", { route });
    expect(asked({ status: null, error: "timeout" })).toBe("proxy-upstream-fail");
    expect(asked({ status: null, error: "reset" })).toBe("proxy-error");
    expect(asked({ status: 500 })).toBe("proxy-error");
    const socks = { ...px1, proxy: { scheme: "socks5" as const, host: "px1.example.org", port: 1080 } };
    const phases = { ...exchangeAnswer(), connect: { ...connect, status: null } };
    expect(verdict(phases, "ews", { route: socks })).toBe("exchange-onprem");
  });

  it("knows silence after TLS, and a server that hangs up", () => {
    const silent = (error: "timeout" | "reset") => ({
      ...exchangeAnswer(),
      http: { ...exchangeAnswer().http!, status: null, error },
    });
    expect(verdict(silent("timeout"))).toBe("http-timeout");
    expect(verdict(silent("reset"))).toBe("tcp-reset");
  });

  it("places a probe that ran out of time where it stood", () => {
    expect(verdict({ ...nothing, dns: dnsOk() }, "ews", { timedOut: true })).toBe("tcp-timeout");
    expect(verdict({ ...nothing, dns: dnsOk(), tcp: tcpOk() }, "ews", { timedOut: true })).toBe("http-timeout");
    expect(verdict(nothing, "ews", { timedOut: true })).toBe("unknown-answer");
  });

  it("proves nothing where nothing was sent or the route is unknown", () => {
    expect(verdict(exchangeAnswer(), "ews", { fenced: true })).toBe("unknown-answer");
    expect(verdict(exchangeAnswer(), "ews", { route: { ...direct, kind: "unknown" } })).toBe("unknown-answer");
    expect(verdict(nothing)).toBe("unknown-answer");
  });
});

describe("the answer", () => {
  it("takes a Via that only the proxied answer shows as the proxy's own", () => {
    const forbidden = answered({ status: 403, headers: { via: "1.1 px1" } });
    const made = facts(forbidden, "ews", { route: px1 });
    expect(classify(made, expectations)).toBe("forbidden");
    expect(classify(made, expectations, facts(exchangeAnswer()))).toBe("proxy-blocked");
    const both = facts(answered({ status: 403, headers: { via: "1.1 balancer" } }));
    expect(classify(made, expectations, both)).toBe("forbidden");
  });

  it("takes a redirect to a proxy vendor's page as a refusal", () => {
    expect(verdict(answered({ status: 302, location: "https://gateway.zscloud.net/auD?x=1" }))).toBe("proxy-blocked");
  });

  it("does not take a redirect within the organisation, to Microsoft or to a declared login host for a portal", () => {
    for (const location of ["https://www.example.org/", "https://login.microsoftonline.com/x", "/somewhere"])
      expect(verdict(answered({ status: 302, location }))).toBe("unknown-answer");
    const sso = facts(answered({ status: 302, location: "https://idp.partner.example/login" }));
    expect(classify(sso, expectations)).toBe("captive-portal");
    expect(classify(sso, { ...expectations, ssoHosts: ["idp.partner.example"] })).toBe("unknown-answer");
  });

  it("does not take another domain's name with the same ending for its own", () => {
    expect(verdict(answered({ status: 302, location: "https://notexample.org/" }))).toBe("captive-portal");
  });

  it("does not take a Front End that reports an error for healthy Lync web services", () => {
    const failing = answered({ status: 503, headers: { "x-ms-server-fqdn": "fe1.example.org" } });
    expect(verdict(failing, "lyncdiscover-example.org")).toBe("server-error");
  });

  it("reads the control page strictly", () => {
    expect(verdict(controlPage(), "control")).toBe("control-ok");
    const page = (bodyClass: "html" | "text", status = 200) =>
      verdict({ ...controlPage(), http: httpAnswer({ status, bodyClass }) }, "control");
    expect(page("html")).toBe("captive-portal");
    expect(page("text")).toBe("unexpected-200");
    expect(page("html", 404)).toBe("not-found");
  });

  it("sees open ports and records", () => {
    expect(verdict(openPort(), "sip-example.org")).toBe("port-open");
    expect(verdict({ ...openPort(), tls: null }, "sip-plain-example.org")).toBe("port-open");
    expect(verdict({ ...openPort(), tls: tlsOk({ ok: false, error: "reset" }) }, "sip-example.org")).toBe("tls-reset");
    expect(verdict(srvRecord("sip.example.org", 5061), "sip-srv-example.org")).toBe("name-found");
    expect(verdict(srvRecord(".", 0), "sip-srv-example.org")).toBe("name-missing");
    expect(verdict(noRecord(), "autodiscover-srv-example.org")).toBe("name-missing");
    expect(verdict({ ...dnsFailure("SERVFAIL"), srv: [] }, "autodiscover-srv-example.org")).toBe("dns-fail");
  });

  it("leaves what it does not know unknown", () => {
    expect(verdict(answered({ status: 401, wwwAuth: [bearer] }))).toBe("unknown-answer");
    expect(verdict(answered({ status: 418 }))).toBe("unknown-answer");
  });
});

describe("the interception flag", () => {
  const none = { direct: null, majority: null, expectedIssuers: [] };
  const seen = (issuerCN: string, spkiSha256 = "bb".repeat(32), over: Over = {}) =>
    facts(exchangeAnswer({ issuerCN, issuerO: issuerCN, spkiSha256 }), "ews", over);
  const company = facts(exchangeAnswer());

  it("names inspection products by whole words only", () => {
    expect(findInterception(seen("Sophos SSL CA_C1"), none)?.by).toBe("vendor");
    expect(findInterception(seen("Kaspersky Anti-Virus Personal Root"), none)?.by).toBe("vendor");
    expect(findInterception(seen("GlobalSign RSA OV SSL CA 2018"), none)).toBeNull();
    expect(findInterception(seen("Preset Assets CA"), none)).toBeNull();
  });

  it("flags another issuer than the direct route shows, but not another key of the same issuer", () => {
    const other = seen("Unknown Box", "bb".repeat(32), { route: px1 });
    expect(findInterception(other, { ...none, direct: company })).toMatchObject({
      by: "direct",
      usual: "Contoso Issuing CA 2",
    });
    const node = seen("Contoso Issuing CA 2", "bb".repeat(32), { route: px1 });
    expect(findInterception(node, { ...none, direct: company })).toBeNull();
  });

  it("flags another issuer than the location's majority sees, and never a declared one", () => {
    const majority = { issuer: "Contoso Issuing CA 2", spki: "aa".repeat(32) };
    expect(findInterception(seen("Unknown Box"), { ...none, majority })?.by).toBe("majority");
    expect(findInterception(seen("Unknown Box"), { ...none, majority, expectedIssuers: ["unknown box"] })).toBeNull();
    expect(findInterception(company, { ...none, majority })).toBeNull();
  });
});
