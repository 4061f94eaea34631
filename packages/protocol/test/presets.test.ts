import { describe, expect, test } from "vitest";
import { limits } from "../src/limits.ts";
import type { Location } from "../src/names.ts";
import { expectationsOf, policySchema } from "../src/policy.ts";
import { buildPolicy, type PresetInput, parseDomain, parseHostPort } from "../src/presets.ts";

const contoso: PresetInput = { ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: ["contoso.com"] };
const policy = (input: Partial<PresetInput> = {}) => buildPolicy({ ...contoso, ...input }, 7);
const target = (id: string, input: Partial<PresetInput> = {}) => policy(input).targets.find((item) => item.id === id);
const group = (id: string, input: Partial<PresetInput> = {}) => policy(input).groups.find((item) => item.id === id);

describe("the policy of an organisation", () => {
  test("fits the wire, and every member of a group is a target", () => {
    const built = policy({
      ews: ["a.b", "c.d:8443"],
      smtpDomains: ["a.b", "c.d"],
      sipDomains: ["a.b", "c.d"],
      lyncWeb: ["w.a.b"],
      exchangeOnline: true,
    });
    expect(policySchema.parse(built)).toEqual(built);
    expect(built.version).toBe(7);
    const ids = built.targets.map((item) => item.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const member of built.groups.flatMap((item) => item.anyOf)) expect(ids).toContain(member);
  });
  test("probes these names", () => {
    expect(
      policy({ lyncWeb: ["lyncweb.contoso.com"] }).targets.map(
        ({ id, kind, host, port, path }) => `${id} ${kind} ${host}:${port}${path ?? ""}`,
      ),
    ).toEqual([
      "ews https mail.contoso.com:443/EWS/Exchange.asmx",
      "exchange-health https mail.contoso.com:443/ews/healthcheck.htm",
      "mapi https mail.contoso.com:443/mapi/emsmdb",
      "oab https mail.contoso.com:443/OAB/",
      "autodiscover-contoso.com https autodiscover.contoso.com:443/autodiscover/autodiscover.xml",
      "apex-contoso.com https contoso.com:443/autodiscover/autodiscover.xml",
      "autodiscover-srv-contoso.com srv _autodiscover._tcp.contoso.com:null",
      "lyncdiscoverinternal-contoso.com https lyncdiscoverinternal.contoso.com:443/",
      "lyncdiscover-contoso.com https lyncdiscover.contoso.com:443/",
      "sip-srv-contoso.com srv _sipinternaltls._tcp.contoso.com:null",
      "sip-contoso.com tls sip.contoso.com:5061",
      "sip-internal-contoso.com tls sipinternal.contoso.com:5061",
      "sip-plain-contoso.com tcp sip.contoso.com:5060",
      "lync-rgs https lyncweb.contoso.com:443/RgsClients/",
      "lync-abs https lyncweb.contoso.com:443/abs/",
      "control http www.msftconnecttest.com:80/connecttest.txt",
      "control-https tls www.msftconnecttest.com:443",
    ]);
  });
  test("asks each cycle for what decides the status, and for the rest now and then", () => {
    expect(
      policy()
        .targets.filter((item) => item.cadence === "cycle")
        .map((item) => item.id),
    ).toEqual(["ews", "autodiscover-contoso.com", "control", "control-https"]);
  });
  test("asks for names of the internal zone only where they must resolve", () => {
    const within: Location[] = ["inside", "vpn", "unknown"];
    for (const { id, locations } of policy().targets)
      expect(locations.toSorted(), id).toEqual(
        (/^(lyncdiscoverinternal|sip-internal|sip-srv)-/.test(id)
          ? within
          : [...within, "outside" as const]
        ).toSorted(),
      );
  });
  test("requires EWS and autodiscover, and no more", () => {
    expect(policy().groups.map(({ id, required, anyOf }) => [id, required, anyOf])).toEqual([
      ["ews", true, ["ews"]],
      ["autodiscover", true, ["autodiscover-contoso.com", "apex-contoso.com", "autodiscover-srv-contoso.com"]],
      ["lync-web", false, ["lyncdiscoverinternal-contoso.com", "lyncdiscover-contoso.com"]],
      ["sip", false, ["sip-internal-contoso.com", "sip-contoso.com"]],
      ["control", false, ["control"]],
    ]);
  });
  test("takes two EWS hosts as one service, but two domains as two", () => {
    expect(group("ews", { ews: ["in.contoso.com", "out.contoso.com"] })?.anyOf).toEqual(["ews", "ews-2"]);
    const smtpDomains = ["contoso.com", "fabrikam.com"];
    expect(group("autodiscover", { smtpDomains })?.anyOf).toContain("autodiscover-contoso.com");
    expect(group("autodiscover-fabrikam.com", { smtpDomains })).toMatchObject({ required: true });
  });
  test("accepts Windows authentication of plain IIS for Lync's web services, not for EWS", () => {
    expect(target("lync-rgs", { lyncWeb: ["w.contoso.com"] })?.accept).toEqual(["iis-windows-auth"]);
    expect(target("ews")?.accept).toEqual([]);
  });
  test("takes ports and control addresses of a test network", () => {
    const input = {
      port: 8443,
      control: "http://control.lab:8081/x.txt?y",
      controlHttps: "control.lab:9443",
      ews: ["mail.contoso.com", "10.0.0.1:444"],
    };
    expect(target("ews", input)).toMatchObject({ port: 8443 });
    expect(target("ews-2", input)).toMatchObject({ host: "10.0.0.1", port: 444 });
    expect(target("autodiscover-contoso.com", input)).toMatchObject({ port: 8443 });
    expect(target("control", input)).toMatchObject({ kind: "http", host: "control.lab", port: 8081, path: "/x.txt" });
    expect(target("control-https", input)).toMatchObject({ host: "control.lab", port: 9443 });
  });
  test("names Exchange Online only where mailboxes are there, and never as an alternative of the own server", () => {
    expect(target("exchange-online")).toBeUndefined();
    expect(target("exchange-online", { exchangeOnline: true })).toMatchObject({ host: "outlook.office365.com" });
    expect(group("ews", { exchangeOnline: true })?.anyOf).toEqual(["ews"]);
  });
  test("keeps what was said about the network", () => {
    expect(
      policy({ requiresProxy: true, extendedProtection: "on", ssoHosts: ["SSO.contoso.com"], responseGroups: true })
        .expectations,
    ).toEqual({
      smtpDomains: ["contoso.com"],
      sipDomains: ["contoso.com"],
      requiresProxy: true,
      extendedProtection: "on",
      ssoHosts: ["sso.contoso.com"],
      require5060: false,
      responseGroups: true,
      exchangeOnline: false,
    });
  });
  test("is empty but for the controls when nothing is known yet", () => {
    const built = buildPolicy({ ews: [], smtpDomains: [], sipDomains: [] }, 0);
    expect(built.targets.map((item) => item.id)).toEqual(["control", "control-https"]);
    expect(built.groups.map((item) => item.id)).toEqual(["control"]);
  });
  test("writes names as DNS compares them, each once", () => {
    expect(
      policy({ smtpDomains: ["Contoso.COM.", "contoso.com", "münchen.example"] }).expectations.smtpDomains,
    ).toEqual(["contoso.com", "xn--mnchen-3ya.example"]);
  });
  test("refuses more targets than agents take", () => {
    const sipDomains = Array.from({ length: 60 }, (_, i) => `d${i}.example`);
    expect(() => policy({ sipDomains })).toThrow(new RegExp(`at most ${limits.targets}.*such as`));
  });
});

describe("hosts and domains", () => {
  test.each([
    ["mail.contoso.com", { host: "mail.contoso.com", port: 443 }],
    [" MAIL.contoso.com:8443 ", { host: "mail.contoso.com", port: 8443 }],
    ["[::1]:99", { host: "::1", port: 99 }],
    ["::1", { host: "::1", port: 443 }],
  ])("%s", (text, expected) => {
    expect(parseHostPort(text, 443)).toEqual(expected);
  });
  test.each([
    "",
    "https://mail.contoso.com/EWS",
    "mail.contoso.com/x",
    "user@mail",
    "mail contoso",
    "mail:0",
    "mail:99999",
    "a:b",
    "*.contoso.com",
    "a!b",
  ])("%j is no host, and the message shows the value and an example", (text) => {
    expect(() => parseHostPort(text, 443)).toThrow(/^".*" is no host: .*such as mail\.example\.org/);
  });
  test.each(["", "alice@contoso.com", "contoso.com:443", "*.contoso.com", "a".repeat(107)])(
    "%j is no domain",
    (text) => {
      expect(() => parseDomain(text)).toThrow(/^".*" is no domain: .*such as example\.org$/);
    },
  );
  test("a control address is an http or https URL", () => {
    for (const control of ["control.lab", "ftp://control.lab/x", ""])
      expect(() => policy({ control })).toThrow(/is no control address: .*such as http:/);
  });
});

describe("what a policy expects beyond its first version", () => {
  test("is undeclared where nobody said so, and a policy without it is a policy as before", () => {
    const built = policy();
    expect(built.expectations).not.toHaveProperty("baseline");
    expect(policySchema.parse(built)).toEqual(built);
    expect(expectationsOf(built)).toMatchObject({
      smtpDomains: ["contoso.com"],
      baseline: null,
      organisationDomains: [],
      trustedDomains: [],
      wpadHosts: [],
      mailboxInExchangeOnline: false,
      tenantEws: "unknown",
      kerberos: "unknown",
    });
  });
  test("is kept as the admin said it, names in their canonical form", () => {
    const baseline = {
      mode: "manual" as const,
      pacUrl: null,
      proxy: "px1.contoso.com:8080",
      bypass: ["*.contoso.com", "<local>"],
      locations: ["inside" as const, "vpn" as const],
    };
    const built = policy({
      baseline,
      organisationDomains: ["Contoso.NET", "contoso.net"],
      trustedDomains: ["Fabrikam.com"],
      wpadHosts: ["WPAD.fabrikam.com", "203.0.113.5"],
      mailboxInExchangeOnline: true,
      tenantEws: "disabled",
      kerberos: "absent",
    });
    expect(policySchema.parse(built)).toEqual(built);
    expect(expectationsOf(built)).toMatchObject({
      baseline,
      organisationDomains: ["contoso.net"],
      trustedDomains: ["fabrikam.com"],
      wpadHosts: ["wpad.fabrikam.com", "203.0.113.5"],
      mailboxInExchangeOnline: true,
      tenantEws: "disabled",
      kerberos: "absent",
    });
  });
  test("refuses a domain that is none", () => {
    for (const bad of [
      { organisationDomains: ["contoso.com/x"] },
      { trustedDomains: ["a b"] },
      { wpadHosts: ["http://x"] },
    ])
      expect(() => policy(bad)).toThrow(RangeError);
  });
});
