import type { HttpPhase } from "@lynceus/protocol/facts";
import { describe, expect, it } from "vitest";
import { type Cycle, diagnosisOf, patternsOf, primaryOf } from "../support/machine.ts";
import {
  answered,
  controlPage,
  deadProxy,
  dnsFailure,
  exchangeAnswer,
  type Phases,
  policy,
  portalPage,
  proxyLogin,
  proxyRefusal,
  tcpRefused,
  tcpTimeout,
  through,
  tlsFailure,
  tunnelled,
  webSite,
} from "../support/probes.ts";

const found = (cycle: Cycle, options: Parameters<typeof diagnosisOf>[1] = {}) =>
  patternsOf(diagnosisOf(cycle, options));

describe("apex-site-answers-autodiscover", () => {
  const apex = (phases: Phases, rest: Record<string, Phases> = {}): Cycle => ({
    configured: { "apex-example.org": phases, ...rest },
  });
  const login = answered({ status: 401, wwwAuth: ['Basic realm="Restricted"'], headers: { server: "nginx" } });

  it("makes prompts expected where the web site asks for a login", () => {
    const diagnosis = diagnosisOf(apex(login));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "apex-site-answers-autodiscover",
      severity: "prompting",
      confidence: "high",
      explains: false,
    });
    expect(diagnosis.status).toBe("healthy");
    const digest = answered({ status: 401, wwwAuth: ['Digest realm="a"'], headers: { server: "Apache" } });
    expect(primaryOf(diagnosisOf(apex(digest)))?.severity).toBe("prompting");
  });

  it("is at risk for a page, a form, a foreign redirect or a certificate of another name", () => {
    for (const phases of [
      webSite(),
      answered({ status: 302, location: "https://example.org/owa/auth/logon.aspx" }),
      answered({ status: 301, location: "https://www.fabrikam.example/" }),
      tlsFailure("name"),
    ])
      expect(primaryOf(diagnosisOf(apex(phases)))).toMatchObject({
        pattern: "apex-site-answers-autodiscover",
        severity: "at-risk",
        confidence: "medium",
      });
  });

  it("is not found for a 404, a redirect within the organisation, nobody listening, no name, or Exchange itself", () => {
    for (const phases of [
      answered({ status: 404, bodyClass: "html", headers: { server: "nginx" } }),
      answered({ status: 301, location: "https://www.example.org/" }),
      tcpRefused(),
      tcpTimeout(),
      dnsFailure("NXDOMAIN", "example.org"),
      exchangeAnswer(),
    ])
      expect(found(apex(phases))).toEqual([]);
  });

  it("is not found behind a portal, which answers everything, nor where the apex was not asked", () => {
    expect(found(apex(login, { control: portalPage() }))).not.toContain("apex-site-answers-autodiscover");
    expect(found({})).toEqual([]);
  });
});

describe("autodiscover-redirect-loop", () => {
  const redirect = (location: string, redirects: string[] = [], over: Partial<HttpPhase> = {}): Cycle => {
    const phases = answered({ status: 302, location, headers: { server: "Microsoft-IIS/10.0" } });
    return {
      configured: { "autodiscover-example.org": { ...phases, http: { ...phases.http!, redirects, ...over } } },
    };
  };
  const id = "autodiscover-redirect-loop";

  it("is found for plain http, for ever more hops, for a circle, and for another organisation", () => {
    for (const cycle of [
      redirect("http://autodiscover.example.org/autodiscover/autodiscover.xml"),
      redirect("https://d.example.org/", ["a.example.org", "b.example.org", "c.example.org"]),
      redirect("https://autodiscover.example.org/x", ["a.example.org"]),
      redirect("https://autodiscover.fabrikam.example/autodiscover/autodiscover.xml"),
    ]) {
      const finding = diagnosisOf(cycle).findings.find(({ pattern }) => pattern === id);
      expect(finding).toMatchObject({ severity: "will-prompt", confidence: "medium", explains: false });
    }
  });

  it("is found for Exchange Online where the mailboxes are on premises, and only there", () => {
    const online = redirect("https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml");
    expect(found(online)).toContain(id);
    for (const expectations of [{ exchangeOnline: true }, { mailboxInExchangeOnline: true }])
      expect(found(online, { policy: policy(expectations) })).not.toContain(id);
  });

  it("is found where the end does not verify", () => {
    const phases = exchangeAnswer();
    const end = { ...phases, http: { ...phases.http!, redirects: ["old.example.org"], untrusted: true } };
    expect(found({ configured: { "autodiscover-example.org": end } })).toContain(id);
  });

  it("is not found where the redirect ended at Exchange, stays within the organisation, or leads to a form", () => {
    const phases = exchangeAnswer();
    const end = { ...phases, http: { ...phases.http!, redirects: ["mail.example.org"] } };
    expect(found({ configured: { "autodiscover-example.org": end } })).toEqual([]);
    expect(found(redirect("https://mail.example.org/autodiscover/autodiscover.xml"))).not.toContain(id);
    expect(found(redirect("https://mail.example.org/owa/auth/logon.aspx"))).toEqual(["preauth-form-in-front"]);
    const sso = policy({ ssoHosts: ["login.fabrikam.example"] });
    expect(found(redirect("https://login.fabrikam.example/"), { policy: sso })).not.toContain(id);
  });

  it("is not claimed where nothing shows that no portal redirects everything", () => {
    const cycle = redirect("https://login.hotel.example/");
    const configured = { ...cycle.configured, ews: tlsFailure("name"), control: portalPage(), "control-https": null };
    expect(found({ configured })).not.toContain(id);
  });
});

describe("revocation-blocked", () => {
  const page = answered({ status: 404 });
  const at = (revocation: Record<string, Phases>, over: Cycle = {}): Cycle => ({ ...over, revocation });

  it("is at risk where none of the certificate's servers is reached while Exchange is", () => {
    const diagnosis = diagnosisOf(at({ "crl.example.org": tcpTimeout(), "ocsp.example.org": tcpRefused() }));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "revocation-blocked",
      severity: "at-risk",
      confidence: "medium",
      explains: false,
    });
    expect(primaryOf(diagnosis)?.cause).toContain("crl.example.org, ocsp.example.org");
    expect(diagnosis.status).toBe("healthy");
  });

  it("is found for a proxy that refuses, cannot reach, is dead, or asks for a Basic login", () => {
    const route = through("px1.example.org:8080");
    const configured = { ews: tunnelled(exchangeAnswer()), "autodiscover-example.org": tunnelled(exchangeAnswer()) };
    const refusal = answered({ status: 403, headers: { "x-squid-error": "ERR_ACCESS_DENIED 0" } });
    for (const phases of [proxyRefusal(), refusal, deadProxy(), proxyLogin("basic")])
      expect(found(at({ "crl.example.org": phases }, { route, configured }))).toContain("revocation-blocked");
    expect(found(at({ "crl.example.org": proxyLogin("negotiate") }, { route, configured }))).toEqual([]);
  });

  it("is not found where one of them answers anything at all: they are alternatives", () => {
    for (const phases of [page, answered({ status: 500 }), answered({ status: 302, location: "https://ca.example/" })])
      expect(found(at({ "crl.example.org": tcpTimeout(), "ocsp.example.org": phases }))).toEqual([]);
    expect(found(at({ "crl.example.org": page }))).toEqual([]);
  });

  it("is not found where nothing was asked, or Exchange's certificate was not seen", () => {
    expect(found(at({}))).toEqual([]);
    const dark = { ews: tcpTimeout(), control: controlPage() };
    expect(found(at({ "crl.example.org": tcpTimeout() }, { configured: dark }))).not.toContain("revocation-blocked");
  });
});
