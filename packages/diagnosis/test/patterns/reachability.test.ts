import { describe, expect, it } from "vitest";
import { emptyFleet } from "../../src/fleet.ts";
import { type Cycle, diagnosisOf, healthyTargets, patternsOf, primaryOf } from "../support/machine.ts";
import {
  answered,
  controlPage,
  dnsFailure,
  exchangeAnswer,
  lyncAnswer,
  noRecord,
  openPort,
  type Phases,
  policy,
  portalPage,
  proxyLogin,
  serviceUnavailable,
  slowExchangeAnswer,
  srvRecord,
  tcpRefused,
  tcpTimeout,
  through,
  tlsFailure,
  tunnelled,
  windowsLogin,
} from "../support/probes.ts";

describe("captive-portal", () => {
  const portal: Cycle = {
    configured: {
      ews: tlsFailure("name"),
      "autodiscover-example.org": tlsFailure("name"),
      control: portalPage(),
      "control-https": tlsFailure("name"),
    },
  };

  it("is found where a login page answers the control and Exchange is bad, and hides all else", () => {
    const diagnosis = diagnosisOf(portal);
    expect(patternsOf(diagnosis)).toEqual(["captive-portal"]);
    expect(primaryOf(diagnosis)).toMatchObject({ severity: "will-prompt", confidence: "high", explains: true });
  });

  it("is not found where the control is right: then the redirect is the address's own", () => {
    const redirect = answered({ status: 302, location: "https://www.partner.example/" });
    expect(patternsOf(diagnosisOf({ configured: { ews: redirect } }))).toEqual(["ews-unexpected-answer"]);
  });

  it("is not found for a proxy's coaching page while Exchange answers through the proxy", () => {
    const answer = tunnelled(exchangeAnswer());
    const page = {
      ...portalPage(),
      http: { ...portalPage().http!, status: 200, location: null, bodyClass: "html" as const },
    };
    const cycle: Cycle = {
      route: through("px1.example.org:8080"),
      configured: { ews: answer, "autodiscover-example.org": answer, control: page },
      direct: { ews: tcpTimeout(), control: page },
    };
    expect(patternsOf(diagnosisOf(cycle))).toEqual([]);
  });

  it("is not found where Exchange was not probed directly", () => {
    const cycle: Cycle = {
      route: through("px1.example.org:8080"),
      configured: { ews: proxyLogin("NTLM"), control: portalPage() },
    };
    expect(patternsOf(diagnosisOf(cycle))).not.toContain("captive-portal");
  });
});

describe("name-resolution-dead", () => {
  const dead = (rcode: string): Cycle => ({
    configured: {
      ews: dnsFailure(rcode),
      "autodiscover-example.org": dnsFailure(rcode, "autodiscover.example.org"),
      control: dnsFailure(rcode, "www.msftconnecttest.com"),
      "control-https": dnsFailure(rcode, "www.msftconnecttest.com"),
    },
  });

  it("is found where every name fails, and the machine cannot be told", () => {
    for (const rcode of ["TIMEOUT", "SERVFAIL", "REFUSED"]) {
      const diagnosis = diagnosisOf(dead(rcode));
      expect(patternsOf(diagnosis)).toEqual(["name-resolution-dead"]);
      expect(primaryOf(diagnosis)).toMatchObject({ severity: "at-risk", confidence: "high" });
      expect(diagnosis.status).toBe("cannot-tell");
    }
  });

  it("is not found where the names do not exist, or one resolves", () => {
    expect(patternsOf(diagnosisOf(dead("NXDOMAIN")))).toEqual([]);
    const one = { configured: { ...dead("SERVFAIL").configured, control: controlPage() } };
    expect(patternsOf(diagnosisOf(one))).toEqual([]);
    expect(diagnosisOf(one).status).toBe("failing");
  });

  it("is not found behind a proxy, where the client resolves nothing", () => {
    const cycle = { ...dead("SERVFAIL"), route: through("px1.example.org:8080") };
    expect(patternsOf(diagnosisOf(cycle))).toEqual([]);
  });

  it("is not found without a control", () => {
    const cycle: Cycle = { configured: { ...dead("TIMEOUT").configured, control: null, "control-https": null } };
    const diagnosis = diagnosisOf(cycle);
    expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
  });
});

describe("https-egress-blocked", () => {
  const blocked = (phases = tcpTimeout()): Cycle => ({
    configured: { ews: phases, "autodiscover-example.org": phases, "control-https": phases, control: controlPage() },
  });

  it("is found where every https server fails and plain http works", () => {
    expect(primaryOf(diagnosisOf(blocked()))).toMatchObject({ pattern: "https-egress-blocked", confidence: "medium" });
    expect(primaryOf(diagnosisOf(blocked(tcpRefused())))).toMatchObject({
      pattern: "https-egress-blocked",
      confidence: "high",
      severity: "prompting",
    });
  });

  it("is not claimed where plain http fails too: the network may be dead", () => {
    const cycle = { configured: { ...blocked().configured, control: tcpTimeout() } };
    expect(diagnosisOf(cycle)).toMatchObject({ status: "cannot-tell", findings: [] });
  });

  it("is not found where the https control or Autodiscover answers", () => {
    const control = { configured: { ...blocked().configured, "control-https": openPort() } };
    expect(patternsOf(diagnosisOf(control))).toEqual([]);
    const neighbour = { configured: { ...blocked().configured, "autodiscover-example.org": exchangeAnswer() } };
    expect(patternsOf(diagnosisOf(neighbour))).toEqual([]);
  });

  it("is not found where the network is closed on purpose", () => {
    expect(patternsOf(diagnosisOf(blocked(), { policy: policy({ requiresProxy: true }) }))).not.toContain(
      "https-egress-blocked",
    );
  });
});

describe("ews-port-blocked", () => {
  const blocked = (phases = tcpTimeout(), neighbour = openPort()): Cycle => ({
    configured: { ews: phases, "sip-example.org": neighbour },
  });

  it("is found where only Exchange's port fails", () => {
    expect(primaryOf(diagnosisOf(blocked()))).toMatchObject({ pattern: "ews-port-blocked", confidence: "medium" });
    expect(primaryOf(diagnosisOf(blocked(tcpRefused())))).toMatchObject({
      pattern: "ews-port-blocked",
      confidence: "high",
      severity: "prompting",
      explains: true,
    });
  });

  it("says so when half of the site fails alike", () => {
    const fleet = { ...emptyFleet, site: { judged: 10, ok: 4, bad: 6, okThroughProxy: 0 } };
    expect(primaryOf(diagnosisOf(blocked(), { fleet }))?.sentence).toContain("6 of 10 machines of this site");
  });

  it("is not found without a neighbour on another address that answers", () => {
    const alone = {
      configured: { ews: tcpTimeout(), "sip-example.org": tcpTimeout(), "autodiscover-example.org": tcpTimeout() },
    };
    expect(patternsOf(diagnosisOf(alone))).toEqual([]);
    expect(diagnosisOf(alone).status).toBe("failing");
  });

  it("is not found behind a proxy, where direct is closed by design", () => {
    const cycle: Cycle = {
      route: through("px1.example.org:8080"),
      configured: { ews: tunnelled(serviceUnavailable()), "sip-example.org": openPort() },
      direct: { ews: tcpTimeout() },
    };
    expect(patternsOf(diagnosisOf(cycle))).not.toContain("ews-port-blocked");
  });
});

describe("sfb-ports-blocked", () => {
  const record = { "sip-srv-example.org": srvRecord("sip.example.org.", 5061) };
  const closed = { "sip-example.org": tcpTimeout("10.1.30.5") };

  it("is found where the port of the record is closed", () => {
    const diagnosis = diagnosisOf({ configured: { ...record, ...closed } });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "sfb-ports-blocked",
      severity: "at-risk",
      confidence: "high",
    });
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: true });
  });

  it("is found inside without a record, by the well-known name", () => {
    const noSrv = { ...closed, "sip-srv-example.org": noRecord("_sipinternaltls._tcp.example.org") };
    const noName = { "sip-internal-example.org": dnsFailure("NXDOMAIN", "sipinternal.example.org") };
    expect(patternsOf(diagnosisOf({ configured: { ...noSrv, ...noName } }))).toEqual(["sfb-ports-blocked"]);
    expect(patternsOf(diagnosisOf({ configured: noSrv }))).toEqual([]);
  });

  describe("with the server that the agent visits beside the record", () => {
    const visited = (over: Partial<Phases>, extra: { host: string; port: number }[] = []): Cycle => {
      const found = srvRecord("pool01.example.org", 5061);
      const records = extra.map((one) => ({ ...one, priority: 10, weight: 0 }));
      return {
        configured: { "sip-srv-example.org": { ...found, srv: [...(found.srv ?? []), ...records], ...over } },
      };
    };
    const refused = { ...tcpRefused("10.1.30.9").tcp!, port: 5061 };

    it("is found where its port is closed, though no target names it", () => {
      const diagnosis = diagnosisOf(visited({ tcp: refused }));
      expect(primaryOf(diagnosis)).toMatchObject({ pattern: "sfb-ports-blocked", confidence: "high" });
      expect(primaryOf(diagnosis)?.cause).toBe("SIP port 5061 of pool01.example.org is closed (tcp-refused)");
    });

    it("is found with less confidence where the port accepts and TLS is cut, not where TLS merely fails", () => {
      const open = openPort("10.1.30.9");
      const cut = visited({ tcp: open.tcp, tls: { ...open.tls!, ok: false, error: "reset" } });
      expect(primaryOf(diagnosisOf(cut))).toMatchObject({ pattern: "sfb-ports-blocked", confidence: "medium" });
      const name = visited({ tcp: open.tcp, tls: { ...open.tls!, ok: false, error: "name" } });
      expect(patternsOf(diagnosisOf(name))).toEqual([]);
    });

    it("is not found where it accepts, even beside a closed target of the same name", () => {
      expect(patternsOf(diagnosisOf(visited(openPort("10.1.30.9"))))).toEqual([]);
      const open = openPort("10.1.30.9");
      const cycle = { "sip-srv-example.org": { ...record["sip-srv-example.org"], tcp: open.tcp, tls: open.tls } };
      expect(patternsOf(diagnosisOf({ configured: { ...closed, ...cycle } }))).toEqual([]);
    });

    it("is not claimed while another published server was not visited", () => {
      const second = [{ host: "pool02.example.org", port: 5061 }];
      expect(patternsOf(diagnosisOf(visited({ tcp: refused }, second)))).toEqual([]);
      const known = [{ host: "sip.example.org", port: 5061 }];
      const both = visited({ tcp: refused }, known);
      expect(patternsOf(diagnosisOf({ configured: { ...both.configured, ...closed } }))).toEqual(["sfb-ports-blocked"]);
    });
  });

  it("is not found where a published port is open, or the record leads to a server that is not probed", () => {
    expect(patternsOf(diagnosisOf({ configured: { ...record, "sip-example.org": openPort() } }))).toEqual([]);
    const elsewhere = { ...closed, "sip-srv-example.org": srvRecord("pool01.example.org", 5061) };
    expect(patternsOf(diagnosisOf({ configured: elsewhere }))).toEqual([]);
  });

  it("is not found where the record was not looked up, the name does not exist, or the machine is outside", () => {
    expect(patternsOf(diagnosisOf({ configured: closed }))).toEqual([]);
    const noName = { ...record, "sip-example.org": dnsFailure("NXDOMAIN", "sip.example.org") };
    expect(patternsOf(diagnosisOf({ configured: noName }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ configured: closed, location: "outside" }))).toEqual([]);
  });

  it("counts 5060 only where the policy requires it", () => {
    const cycle = { configured: { "sip-plain-example.org": tcpRefused() } };
    expect(patternsOf(diagnosisOf(cycle))).toEqual([]);
    expect(patternsOf(diagnosisOf(cycle, { policy: policy({ require5060: true }) }))).toEqual(["sfb-ports-blocked"]);
  });
});

describe("autodiscover-dns-missing", () => {
  const missing: Cycle = {
    configured: {
      "autodiscover-example.org": dnsFailure("NXDOMAIN", "autodiscover.example.org"),
      "autodiscover-srv-example.org": noRecord(),
      "apex-example.org": answered({ status: 404, bodyClass: "html", headers: { server: "nginx" } }),
    },
  };

  it("is found where none of the three ways exists", () => {
    const diagnosis = diagnosisOf(missing);
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "autodiscover-dns-missing",
      severity: "will-prompt",
      confidence: "high",
      explains: false,
    });
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.groups.find(({ id }) => id === "autodiscover")?.state).toBe("bad");
  });

  it("is not found where the record, the SRV record or the bare domain leads to Exchange", () => {
    for (const one of [
      { "autodiscover-example.org": exchangeAnswer() },
      { "autodiscover-srv-example.org": srvRecord("mail.example.org", 443) },
      { "apex-example.org": exchangeAnswer() },
    ])
      expect(diagnosisOf({ configured: { ...missing.configured, ...one } })).toMatchObject({
        status: "healthy",
        findings: [],
      });
  });

  it("is not claimed before all three were looked at", () => {
    for (const id of ["autodiscover-srv-example.org", "apex-example.org"])
      expect(diagnosisOf({ configured: { ...missing.configured, [id]: null } })).toMatchObject({
        status: "cannot-tell",
        findings: [],
      });
  });

  it("is not found for a resolver that fails, nor outside while Exchange is not published there", () => {
    const servfail = { "autodiscover-example.org": dnsFailure("SERVFAIL", "autodiscover.example.org") };
    expect(patternsOf(diagnosisOf({ configured: { ...missing.configured, ...servfail } }))).toEqual([]);
    const atHome = {
      ...missing,
      configured: { ...missing.configured, ews: dnsFailure("NXDOMAIN") },
      location: "outside" as const,
    };
    expect(patternsOf(diagnosisOf(atHome))).toEqual([]);
  });
});

describe("lync-web-services-unreachable", () => {
  it("is found where the address book fails while Exchange answers", () => {
    const diagnosis = diagnosisOf({ configured: { "lync-abs": serviceUnavailable() } });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "lync-web-services-unreachable",
      severity: "prompting",
      confidence: "high",
    });
    expect(diagnosis.status).toBe("healthy");
    expect(diagnosis.sentence).toContain("Credential prompts expected for address book");
  });

  it("counts Response Group only where it is declared", () => {
    const cycle = { configured: { "lync-rgs": serviceUnavailable() } };
    expect(patternsOf(diagnosisOf(cycle))).toEqual([]);
    expect(patternsOf(diagnosisOf(cycle, { policy: policy({ responseGroups: true }) }))).toHaveLength(1);
  });

  it("takes a Windows login for the healthy answer of both", () => {
    const cycle = { configured: { "lync-rgs": windowsLogin(), "lync-abs": windowsLogin() } };
    expect(patternsOf(diagnosisOf(cycle, { policy: policy({ responseGroups: true }) }))).toEqual([]);
  });

  it("takes internal and external discovery as alternatives, and an unpublished name for no fault", () => {
    const gone = dnsFailure("NXDOMAIN", "lyncdiscoverinternal.example.org");
    const external = { "lyncdiscoverinternal-example.org": tcpTimeout(), "lyncdiscover-example.org": lyncAnswer() };
    expect(patternsOf(diagnosisOf({ configured: external }))).toEqual([]);
    const unpublished = { "lyncdiscoverinternal-example.org": gone, "lyncdiscover-example.org": gone };
    expect(patternsOf(diagnosisOf({ configured: unpublished }))).toEqual([]);
    const both = { "lyncdiscoverinternal-example.org": tcpRefused(), "lyncdiscover-example.org": gone };
    expect(patternsOf(diagnosisOf({ configured: both }))).toEqual(["lync-web-services-unreachable"]);
  });

  it("is not found where Exchange is bad as well", () => {
    const cycle = { configured: { ews: serviceUnavailable(), "lync-abs": serviceUnavailable() } };
    expect(patternsOf(diagnosisOf(cycle))).toEqual(["ews-service-down"]);
  });
});

describe("a machine at home", () => {
  it("is not judged by names that only the inside knows", () => {
    const diagnosis = diagnosisOf({
      location: "outside",
      configured: { ews: dnsFailure("NXDOMAIN"), "autodiscover-example.org": dnsFailure("NXDOMAIN") },
    });
    expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
  });

  it("is healthy where Exchange is published, whatever the inside's script does", () => {
    const diagnosis = diagnosisOf({ location: "outside", configured: healthyTargets() });
    expect(diagnosis).toMatchObject({ status: "healthy", findings: [] });
  });

  it("fails where others outside reach Exchange and it does not", () => {
    const fleet = { ...emptyFleet, location: { judged: 5, ok: 4, bad: 1, okThroughProxy: 0 } };
    expect(diagnosisOf({ location: "outside", configured: { ews: tcpRefused() } }, { fleet }).status).toBe("failing");
  });
});

describe("ews-slow", () => {
  const slow = (ms: number) => ({ configured: { ews: slowExchangeAnswer(ms) } });

  it("is left to the ring: two late answers are not three", () => {
    expect(patternsOf(diagnosisOf(slow(2600)))).toEqual([]);
  });
});
