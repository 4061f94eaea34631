import type { SettingsBlob, SettingsFacts } from "@lynceus/protocol/facts";
import type { Baseline } from "@lynceus/protocol/policy";
import { describe, expect, it } from "vitest";
import { type Cycle, diagnosisOf, nothingDetected, patternsOf, primaryOf, script } from "../support/machine.ts";
import {
  answered,
  controlPage,
  deadProxy,
  exchangeAnswer,
  exchangeOnlineAnswer,
  healthPage,
  lyncAnswer,
  policy,
  proxyLogin,
  proxyRefusal,
  tcpTimeout,
  through,
  tunnelled,
} from "../support/probes.ts";

const px1 = through("px1.example.org:8080");
const byScript = through("px1.example.org:8080", "pac");
const found = (cycle: Cycle, options: Parameters<typeof diagnosisOf>[1] = {}) =>
  patternsOf(diagnosisOf(cycle, options));
/** A machine on which everything goes through the proxy and answers. */
const proxied = (over: Cycle = {}): Cycle => ({
  route: px1,
  settings: [{ server: "px1.example.org:8080" }],
  ...over,
  configured: {
    ews: tunnelled(exchangeAnswer()),
    "autodiscover-example.org": tunnelled(exchangeAnswer()),
    ...over.configured,
  },
});

describe("exchange-through-proxy", () => {
  it("is found where on-premises Exchange answers through the proxy in the Internet zone", () => {
    const diagnosis = diagnosisOf(proxied({ zone: "internet" }));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "exchange-through-proxy",
      severity: "will-prompt",
      confidence: "medium",
      explains: false,
    });
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: true });
    expect(diagnosis.sentence).toContain("Credential prompts expected");
  });

  it("is at risk only where policy puts Exchange into the intranet zone, or trusted sites log on in silence", () => {
    const silent = { windows: { zoneLogon: [null, 0, null, null] } };
    for (const cycle of [proxied({ zone: "intranet" }), proxied({ zone: "trusted", ...silent })])
      expect(primaryOf(diagnosisOf(cycle))).toMatchObject({ pattern: "exchange-through-proxy", severity: "at-risk" });
    expect(primaryOf(diagnosisOf(proxied({ zone: "trusted" })))?.severity).toBe("will-prompt");
    const prompts = { windows: { zoneLogon: [null, 0x20000, null, null] } };
    expect(primaryOf(diagnosisOf(proxied({ zone: "trusted", ...prompts })))?.severity).toBe("will-prompt");
  });

  it("is not found where the zone is not known, the route is direct, or Exchange Online answers", () => {
    expect(found(proxied({ zone: "unknown" }))).toEqual([]);
    expect(found({ zone: "internet" })).toEqual([]);
    expect(found(proxied({ zone: "internet", location: "outside" }))).toEqual([]);
    const online = { ews: tunnelled(exchangeOnlineAnswer()) };
    expect(found(proxied({ zone: "internet", configured: online }))).not.toContain("exchange-through-proxy");
  });

  it("is not found where another login is offered besides, or the proxy asks for its own", () => {
    const modern = answered({
      status: 401,
      wwwAuth: ["Negotiate", "Bearer"],
      headers: { "x-feserver": "EX03", server: "Microsoft-IIS/10.0" },
    });
    expect(found(proxied({ zone: "internet", configured: { ews: tunnelled(modern) } }))).toEqual([]);
    expect(found(proxied({ zone: "internet", configured: { ews: proxyLogin("negotiate") } }))).not.toContain(
      "exchange-through-proxy",
    );
  });
});

describe("bypass-list-partial", () => {
  const partly = (over: Cycle = {}): Cycle => ({
    ...over,
    configured: { "autodiscover-example.org": tunnelled(exchangeAnswer()), ...over.configured },
    routes: { "autodiscover-example.org": px1, ...over.routes },
  });

  it("is found where Exchange goes direct and Autodiscover through the proxy", () => {
    const diagnosis = diagnosisOf(partly());
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "bypass-list-partial",
      severity: "at-risk",
      confidence: "high",
    });
    expect(primaryOf(diagnosis)?.cause).toBe("mail.example.org bypasses the proxy, autodiscover.example.org does not");
  });

  it("makes prompts expected where the one behind the proxy fails", () => {
    const bad = partly({ configured: { "autodiscover-example.org": proxyRefusal() } });
    const finding = diagnosisOf(bad).findings.find(({ pattern }) => pattern === "bypass-list-partial");
    expect(finding).toMatchObject({ severity: "will-prompt" });
    expect(finding?.sentence).toContain("autodiscover.example.org goes through px1.example.org:8080 and fails");
  });

  it("sees the bare domain only where Exchange answers there: else it is the web site", () => {
    const apex = (phases: ReturnType<typeof exchangeAnswer>) =>
      found({
        configured: { "apex-example.org": tunnelled(phases) },
        routes: { "apex-example.org": px1 },
      });
    expect(apex(exchangeAnswer())).toEqual(["bypass-list-partial"]);
    expect(apex(answered({ status: 404 }))).toEqual([]);
  });

  it("is not found where all names go one way", () => {
    expect(found(proxied())).toEqual([]);
    expect(found({})).toEqual([]);
  });

  it("does not compare the external name of a service whose internal name is in use", () => {
    const lync = {
      "lyncdiscoverinternal-example.org": lyncAnswer(),
      "lyncdiscover-example.org": tunnelled(lyncAnswer()),
    };
    const routes = { "lyncdiscover-example.org": px1 };
    expect(found({ configured: lync, routes })).toEqual([]);
    expect(found({ configured: { ...lync, "lyncdiscoverinternal-example.org": null }, routes })).toEqual([
      "bypass-list-partial",
    ]);
  });

  it("is not found beside Exchange Online through the proxy, nor where nothing but Exchange was seen", () => {
    const built = policy();
    const cloud = {
      ...built,
      targets: built.targets.map((target) =>
        target.id === "ews" ? { ...target, host: "outlook.office365.com" } : target,
      ),
    };
    const cycle = { configured: { ews: tunnelled(exchangeOnlineAnswer()) }, routes: { ews: px1 } };
    expect(found(cycle, { policy: cloud })).toEqual([]);
    expect(found({ configured: { "autodiscover-example.org": null } })).toEqual([]);
  });
});

describe("proxy-strips-auth", () => {
  const basic = answered({ status: 401, wwwAuth: ['Basic realm="mail"'], headers: { "x-feserver": "EX03" } });
  const stripped = (over: Cycle = {}): Cycle =>
    proxied({ ...over, configured: { ews: tunnelled(basic) }, direct: { ews: exchangeAnswer() }, ...over });

  it("is found where only the direct answer offers a Windows login", () => {
    const diagnosis = diagnosisOf(stripped());
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "proxy-strips-auth",
      severity: "prompting",
      confidence: "high",
      explains: true,
    });
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.sentence).toContain("Direct, Exchange offers negotiate, ntlm");
  });

  it("is found with less confidence where the proxy alone ends the connection", () => {
    const closed = answered({
      status: 401,
      wwwAuth: ["Negotiate", "NTLM"],
      headers: { server: "Microsoft-IIS/10.0", "x-feserver": "EX03", connection: "Keep-Alive, Close" },
    });
    const cycle = stripped({ configured: { ews: tunnelled(closed) } });
    expect(primaryOf(diagnosisOf(cycle))).toMatchObject({ pattern: "proxy-strips-auth", confidence: "medium" });
    expect(found({ ...cycle, direct: { ews: closed } })).toEqual([]);
  });

  it("is not found where direct lacks the offer too: then Exchange offers Basic only", () => {
    const diagnosis = diagnosisOf(stripped({ direct: { ews: basic } }));
    expect(patternsOf(diagnosis)).toEqual(["ews-basic-only"]);
  });

  it("is not found without a direct probe, nor for a 407, nor on a direct route", () => {
    expect(found(stripped({ direct: {} }))).not.toContain("proxy-strips-auth");
    expect(found(stripped({ configured: { ews: proxyLogin("basic") } }))).not.toContain("proxy-strips-auth");
    expect(found({ configured: { ews: basic } })).not.toContain("proxy-strips-auth");
  });
});

describe("pac-case-mismatch", () => {
  const scripted = (pac: Parameters<typeof script>[0], over: Cycle = {}): Cycle => ({
    settings: [{ pacUrl: "http://pac.example.org/proxy.pac" }],
    pac: script(pac),
    route: { kind: "direct", proxy: null, by: "pac", list: "DIRECT" },
    ...over,
  });
  const capitals = { capitalHostLiterals: true, caseDecides: ["ews"] };

  it("is at risk where Exchange answers, and explains where it does not", () => {
    expect(primaryOf(diagnosisOf(scripted(capitals)))).toMatchObject({
      pattern: "pac-case-mismatch",
      severity: "at-risk",
      confidence: "medium",
    });
    const bad = scripted(capitals, { configured: { ews: deadProxy() }, route: byScript });
    const diagnosis = diagnosisOf({ ...bad, configured: { ...bad.configured, control: controlPage() } });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "pac-case-mismatch", severity: "prompting", explains: true });
  });

  it("is found for Autodiscover and Lync's web services as well, and named by host", () => {
    const cause = (id: string) => primaryOf(diagnosisOf(scripted({ ...capitals, caseDecides: [id] })))?.cause;
    expect(cause("autodiscover-example.org")).toContain("autodiscover.example.org");
    expect(cause("lync-abs")).toContain("web.example.org");
  });

  it("is not found where the capitals change nothing, concern others, or were not asked", () => {
    for (const caseDecides of [[], ["control"], ["of-an-older-policy"]])
      expect(found(scripted({ capitalHostLiterals: true, caseDecides }))).toEqual([]);
    expect(found(scripted({ capitalHostLiterals: true }))).toEqual([]);
  });

  it("tells of a script that decides by the path, with low confidence", () => {
    expect(primaryOf(diagnosisOf(scripted({ urlFormsDiffer: ["ews"] })))).toMatchObject({
      pattern: "pac-case-mismatch",
      severity: "at-risk",
      confidence: "low",
    });
    expect(found(scripted({ urlFormsDiffer: ["control"] }))).toEqual([]);
  });

  it("is not found for a script that is not in force, or that cannot be evaluated", () => {
    expect(found(scripted(capitals, { settings: [{}] }))).toEqual([]);
    expect(found(scripted({ ...capitals, evalOk: false }))).not.toContain("pac-case-mismatch");
    expect(found(scripted({ ...capitals, evalOk: null, fetch: "dns" }))).not.toContain("pac-case-mismatch");
  });
});

describe("wpad-foreign", () => {
  const detected = (over: Partial<typeof nothingDetected>, rest: Cycle = {}): Cycle => ({
    settings: [{ autoDetect: true }],
    wpad: { ...nothingDetected, fetch: "ok", ...over },
    ...rest,
  });
  const foreign = { dnsHost: "wpad.hotel.example", addresses: ["10.9.0.1"] };

  it("is found for a host outside the organisation, by DNS and by the lease", () => {
    const diagnosis = diagnosisOf(detected(foreign));
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "wpad-foreign", severity: "at-risk", confidence: "high" });
    expect(diagnosis.sentence).toContain("lies outside the organisation's domains");
    expect(found(detected({ dhcp252Url: "http://wpad.hotel.example/wpad.dat" }))).toEqual(["wpad-foreign"]);
    expect(found(detected({ dhcp252Url: "http://203.0.113.9/wpad.dat" }))).toEqual(["wpad-foreign"]);
  });

  it("is found where the organisation's own name has a public address", () => {
    expect(found(detected({ dnsHost: "wpad.example.org", addresses: ["198.51.100.7"] }))).toEqual(["wpad-foreign"]);
    expect(found(detected({ dnsHost: "wpad.example.org", addresses: ["2a00:1450:4001::1"] }))).toEqual([
      "wpad-foreign",
    ]);
  });

  it("is not found for the organisation's own host with a private address", () => {
    for (const addresses of [["10.0.0.9"], ["172.31.0.1"], ["192.168.1.1"], ["fd00::1"], ["100.64.0.1"], []])
      expect(found(detected({ dnsHost: "wpad.example.org", addresses }))).toEqual([]);
    expect(found(detected({ dhcp252Url: "http://10.0.0.9/wpad.dat" }))).toEqual([]);
    expect(found(detected({ dnsHost: "wpad", addresses: ["10.0.0.9"] }))).toEqual([]);
  });

  it("is not found where the policy allows the host or the address, or the domain is declared", () => {
    for (const expectations of [
      { wpadHosts: ["hotel.example"] },
      { wpadHosts: ["10.9.0.1"] },
      { organisationDomains: ["hotel.example"] },
    ])
      expect(found(detected(foreign), { policy: policy(expectations) })).toEqual([]);
  });

  it("is not found where nobody answers, nothing was tried, or detection is off", () => {
    expect(found(detected({}))).toEqual([]);
    expect(found(detected({ ...foreign, tried: false }))).toEqual([]);
    expect(found({ ...detected(foreign), settings: [{}] })).toEqual([]);
    const { wpad: _, ...unobserved } = detected(foreign);
    expect(found(unobserved)).toEqual([]);
  });

  it("names nobody foreign by its domain where the policy declares no domain", () => {
    const none = policy({ smtpDomains: [], sipDomains: [] });
    expect(found(detected(foreign), { policy: none })).toEqual([]);
    expect(found(detected({ ...foreign, addresses: ["203.0.113.5"] }), { policy: none })).toEqual(["wpad-foreign"]);
  });
});

describe("winhttp-proxy-wrong", () => {
  const winhttp = (server: string, bypass = "", flags = 3) => ({ flags, server, bypass });
  const straight = winhttp("", "", 1);
  const machine = (winhttp64: SettingsFacts["winhttp64"], winhttp32 = winhttp64, over: Cycle = {}): Cycle => ({
    settings: [{}],
    settingsFacts: { winhttp64, winhttp32 },
    ...over,
  });

  it("is at risk where WinHTTP sends Exchange through a proxy and the user goes direct", () => {
    const diagnosis = diagnosisOf(machine(winhttp("px9.example.org:8080")));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "winhttp-proxy-wrong",
      severity: "at-risk",
      confidence: "medium",
    });
    expect(primaryOf(diagnosis)?.sentence).toContain("px9.example.org:8080");
  });

  it("makes prompts expected where a probe of this machine failed through that proxy", () => {
    const cycle = machine(winhttp("px9.example.org:8080"), undefined, {
      configured: { "lync-abs": deadProxy() },
      routes: { "lync-abs": through("px9.example.org:8080") },
    });
    const finding = diagnosisOf(cycle).findings.find(({ pattern }) => pattern === "winhttp-proxy-wrong");
    expect(finding).toMatchObject({ severity: "will-prompt", confidence: "high" });
  });

  it("is found where 64-bit and 32-bit differ", () => {
    const differ = machine(straight, winhttp("px1.example.org:8080", "*.example.org"));
    expect(primaryOf(diagnosisOf(differ))).toMatchObject({
      pattern: "winhttp-proxy-wrong",
      severity: "at-risk",
      confidence: "high",
    });
  });

  it("is not found for identical values, in whatever order and case, nor for a bypass that covers Exchange", () => {
    const same = machine(winhttp("PX1.example.org:8080", "*.example.org;<local>"), {
      ...winhttp("px1.example.org:8080", "<local>;*.EXAMPLE.org"),
    });
    expect(found(same)).toEqual([]);
    expect(found(machine(straight))).toEqual([]);
    // The remembered proxy of a flag that is off is not in use.
    expect(found(machine(straight, winhttp("old.example.org:3128", "", 1)))).toEqual([]);
  });

  it("is not found where the user goes through a proxy as well, nor where a value was not read", () => {
    expect(found(proxied({ settingsFacts: { winhttp64: winhttp("px1.example.org:8080"), winhttp32: null } }))).toEqual(
      [],
    );
    expect(found(machine(straight, null))).toEqual([]);
    expect(found(machine(null))).toEqual([]);
  });
});

describe("proxy-settings-shadowed", () => {
  const blob = (over: Partial<SettingsBlob> = {}): SettingsBlob => ({
    ok: true,
    signature: 70,
    counter: 4,
    flags: 1,
    direct: true,
    manual: false,
    pac: false,
    autoDetect: false,
    server: "",
    bypass: "",
    pacUrl: "",
    ...over,
  });
  const legacy = {
    ProxyEnable: 1,
    ProxyServer: "px1.example.org:8080",
    ProxyOverride: null,
    AutoConfigURL: null,
    AutoDetect: null,
  };
  const user = (over = {}) => ({ id: "u", configuration: "c1", blob: blob(), legacy, mismatch: true, ...over });
  const machine = (users: SettingsFacts["users"], over: Cycle = {}): Cycle => ({
    settings: [{}],
    settingsFacts: { users },
    ...over,
  });

  it("is at risk where the values disagree with the blob", () => {
    const diagnosis = diagnosisOf(machine([user()]));
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "proxy-settings-shadowed", severity: "at-risk" });
    expect(primaryOf(diagnosis)?.cause).toBe(
      "the registry shows the proxy px1.example.org:8080, but no proxy is in force",
    );
  });

  it("makes prompts expected where Exchange is not reached by what is in force, which it does not explain", () => {
    const bad = machine([user()], { configured: { ews: tcpTimeout() } });
    const finding = diagnosisOf(bad).findings.find(({ pattern }) => pattern === "proxy-settings-shadowed");
    expect(finding).toMatchObject({ severity: "will-prompt", explains: false });
  });

  it("is not found where they agree, where policy makes the machine's setting the one for all, or nothing was read", () => {
    expect(found(machine([user({ mismatch: false })]))).toEqual([]);
    const perMachine = { ProxySettingsPerUser: 0, gpoManaged: true, DisableWpad: null };
    const cycle = machine([user()]);
    expect(found({ ...cycle, settingsFacts: { ...cycle.settingsFacts, policy: perMachine } })).toEqual([]);
    expect(found(machine([user({ blob: null })]))).toEqual([]);
    expect(found(machine([user({ legacy: null })]))).toEqual([]);
    expect(found(machine([user({ configuration: "of-another-user" })]))).toEqual([]);
  });
});

describe("proxy-baseline-drift", () => {
  const rolledOut = (over: Partial<Baseline>): Parameters<typeof diagnosisOf>[1] => ({
    policy: policy({
      baseline: {
        mode: "pac",
        pacUrl: null,
        proxy: null,
        bypass: [],
        locations: ["inside", "vpn"],
        ...over,
      },
    }),
  });
  const manual = { mode: "manual" as const, proxy: "px1.example.org:8080", bypass: ["*.example.org", "<local>"] };
  const asRolledOut = { server: "PX1.example.org:8080", bypass: "<local>;*.Example.org;10.*" };

  /** The route of a script that was read: nothing can be told behind one of which nothing is known. */
  const byScript = ({ pacUrl }: NonNullable<Cycle["settings"]>[0]): Partial<Cycle> =>
    pacUrl ? { route: { kind: "direct", proxy: null, by: "pac", list: "DIRECT" } } : {};

  it("is found for another mode, script, proxy, or a bypass list that lacks an entry", () => {
    const cases: [Partial<Baseline>, NonNullable<Cycle["settings"]>[0]][] = [
      [{ mode: "auto-detect" }, {}],
      [{ mode: "pac", pacUrl: "http://pac.example.org/a.pac" }, { pacUrl: "http://pac.example.org/b.pac" }],
      [manual, { ...asRolledOut, server: "px2.example.org:8080" }],
      [manual, { ...asRolledOut, bypass: "<local>" }],
      [{ mode: "direct" }, { autoDetect: true }],
    ];
    for (const [baseline, settings] of cases)
      expect(
        primaryOf(diagnosisOf({ settings: [settings], ...byScript(settings) }, rolledOut(baseline))),
      ).toMatchObject({
        pattern: "proxy-baseline-drift",
        severity: "at-risk",
        confidence: "high",
        explains: false,
      });
  });

  it("is not found for the setting that is rolled out, with further bypass entries or another spelling", () => {
    const cases: [Partial<Baseline>, NonNullable<Cycle["settings"]>[0]][] = [
      [{ mode: "auto-detect" }, { autoDetect: true }],
      [{ mode: "pac", pacUrl: "http://PAC.example.org/a.pac?x=1" }, { pacUrl: "http://pac.example.org/a.pac" }],
      [{ mode: "pac" }, { pacUrl: "http://anywhere.example.org/a.pac" }],
      [manual, asRolledOut],
      [manual, { ...asRolledOut, server: "http=px9:80;https=px1.example.org:8080" }],
      [{ mode: "direct" }, {}],
    ];
    for (const [baseline, settings] of cases)
      expect(found({ settings: [settings] }, rolledOut(baseline))).not.toContain("proxy-baseline-drift");
  });

  it("is not found where none is declared, for another location, where Exchange fails, or settings were not seen", () => {
    const drifted: Cycle = { settings: [{}] };
    const options = rolledOut({ mode: "auto-detect" });
    expect(found(drifted)).toEqual([]);
    expect(found({ ...drifted, location: "outside" }, options)).toEqual([]);
    expect(found({ ...drifted, configured: { ews: tcpTimeout() } }, options)).not.toContain("proxy-baseline-drift");
    expect(found({ ...drifted, settings: [] }, options)).toEqual([]);
  });
});

describe("a policy that was stored before these were known", () => {
  it("finds none of them by expectation alone", () => {
    expect(
      found({
        settings: [{ pacUrl: "http://pac.example.org/a.pac" }],
        configured: { "exchange-health": healthPage() },
      }),
    ).toEqual([]);
  });
});
