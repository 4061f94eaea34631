import type { SystemFacts } from "@lynceus/protocol/facts";
import type { PatternId, Verdict } from "@lynceus/protocol/names";
import type { MachineState } from "@lynceus/protocol/state";
import { describe, expect, it } from "vitest";
import { none } from "../../src/attribution/types.ts";
import { diagnose } from "../../src/diagnose.ts";
import {
  type FleetContext,
  type FleetGroup,
  type FleetSilence,
  fleetContext,
  summarizeFleet,
} from "../../src/fleet.ts";
import { type Cycle, cycleMs, diagnosisOf, patternsOf, primaryOf, run, script, start } from "../support/machine.ts";
import {
  answered,
  deadProxy,
  direct,
  dnsOk,
  exchangeAnswer,
  type Phases,
  policy,
  portalPage,
  proxyCannotReach,
  proxyLogin,
  serviceUnavailable,
  tcpRefused,
  tcpTimeout,
  through,
} from "../support/probes.ts";

const good = "exchange-onprem" as const;
const group = (machines: number, verdictConfigured: Verdict | null, over: Partial<FleetGroup> = {}): FleetGroup => ({
  site: "Bern",
  location: "inside",
  route: "direct",
  verdictConfigured,
  verdictDirect: null,
  tlsIssuer: null,
  tlsSpki: null,
  machines,
  ...over,
});
const contextOf = (
  groups: readonly FleetGroup[],
  silence: readonly FleetSilence[] = [],
  site: string | null = "Bern",
): FleetContext => fleetContext(summarizeFleet(groups, start, silence), { site, location: "inside" });

/** What this machine is found to have, beside such peers. */
const found = (cycle: Cycle, fleet: FleetContext): PatternId[] => patternsOf(diagnosisOf(cycle, { fleet }));
const primary = (cycle: Cycle, fleet: FleetContext) => primaryOf(diagnosisOf(cycle, { fleet }));

const systemWith = (address: string): SystemFacts => ({
  os: "windows",
  osVersion: "10.0.19045",
  agentVersion: "0.1.0",
  hostname: "LT-1",
  domainJoined: true,
  timeZone: "Europe/Zurich",
  privateAddresses: [address],
  resolvers: [],
  dnsSuffixes: [],
  gatewayHash: null,
  vpnUp: null,
  locationBy: "none",
  clockSkewMs: null,
  lync: { installed: null, running: null, version: null },
  simulated: false,
});

const px1 = "px1.example.org:8080";
const px2 = "px2.example.org:8080";
const behind = (proxy: string, ews: Phases | null): Cycle => ({
  settings: [{ server: proxy }],
  route: through(proxy),
  configured: { ews },
  direct: { ews: exchangeAnswer() },
});

describe("fleet-shared-proxy", () => {
  const bad = { route: px1 };
  const others = group(10, good, { route: px2 });
  const machine = behind(px1, deadProxy());

  it("replaces what each machine behind the dead proxy would say by itself", () => {
    const fleet = contextOf([group(5, "proxy-unreachable", bad), others]);
    expect(found(machine, contextOf([others]))).toEqual(["proxy-unreachable"]);
    expect(found(machine, fleet)).toEqual(["fleet-shared-proxy"]);
    expect(primary(machine, fleet)).toMatchObject({
      severity: "prompting",
      confidence: "high",
      explains: true,
      cause: "px1.example.org:8080 fails for all behind it",
      sentence: expect.stringContaining(
        "5 of 5 machines behind px1.example.org:8080 cannot reach Exchange, and 0 of 10",
      ),
    });
  });

  it("is not said of a machine behind another proxy, of a direct one, or of one that is well", () => {
    const fleet = contextOf([group(5, "proxy-unreachable", bad), others]);
    expect(found(behind(px2, deadProxy()), fleet)).toEqual(["proxy-unreachable"]);
    expect(found({ configured: { ews: tcpRefused() } }, fleet)).not.toContain("fleet-shared-proxy");
    expect(found(behind(px1, exchangeAnswer()), fleet)).not.toContain("fleet-shared-proxy");
  });

  it("needs three machines, 60 % of those behind it, and 40 points more than elsewhere", () => {
    const holds = (...groups: FleetGroup[]) => found(machine, contextOf(groups)).includes("fleet-shared-proxy");
    expect(holds(group(2, "proxy-unreachable", bad), others)).toBe(false);
    expect(holds(group(3, "proxy-unreachable", bad), others)).toBe(true);
    expect(holds(group(6, "proxy-unreachable", bad), group(4, good, bad), others)).toBe(true);
    expect(holds(group(59, "proxy-unreachable", bad), group(41, good, bad), others)).toBe(false);
    const elsewhere = (sick: number) => [
      group(sick, "tcp-timeout", { route: px2 }),
      group(100 - sick, good, { route: px2 }),
    ];
    const sixty = [group(60, "proxy-unreachable", bad), group(40, good, bad)];
    expect(holds(...sixty, ...elsewhere(20))).toBe(true);
    expect(holds(...sixty, ...elsewhere(21))).toBe(false);
  });

  it("is medium where not nearly all fail", () => {
    const fleet = contextOf([group(8, "proxy-unreachable", bad), group(2, good, bad), others]);
    expect(primary(machine, fleet)?.confidence).toBe("medium");
  });

  it("names two dead proxies beside a good one, and neither hides the other", () => {
    const fleet = contextOf([
      group(10, "proxy-unreachable", { route: px1 }),
      group(10, "proxy-unreachable", { route: px2 }),
      group(4, good, { route: "direct" }),
    ]);
    expect(found(machine, fleet)).toEqual(["fleet-shared-proxy"]);
    expect(found(behind(px2, deadProxy()), fleet)).toEqual(["fleet-shared-proxy"]);
  });

  it("is never said without machines on other routes, nor of another location's", () => {
    expect(found(machine, contextOf([group(9, "proxy-unreachable", bad)]))).toEqual(["proxy-unreachable"]);
    expect(found(machine, contextOf([group(9, "proxy-unreachable", bad), group(2, good)]))).toEqual([
      "proxy-unreachable",
    ]);
    const vpn = { location: "vpn" } as const;
    expect(
      found(machine, contextOf([group(9, "proxy-unreachable", { ...bad, ...vpn }), { ...others, ...vpn }])),
    ).toEqual(["proxy-unreachable"]);
    expect(found(machine, contextOf([group(9, "proxy-unreachable", bad), { ...others, ...vpn }]))).toEqual([
      "proxy-unreachable",
    ]);
  });

  it("leaves out machines whose proxy asks for a login, as a ratio and as a member", () => {
    const login = contextOf([group(9, "proxy-auth-required", bad), others]);
    expect(found(machine, login)).toEqual(["proxy-unreachable"]);
    const fleet = contextOf([group(5, "proxy-unreachable", bad), others]);
    expect(found(behind(px1, proxyLogin("Basic")), fleet)).toEqual(["proxy-auth-required"]);
    expect(found(behind(px1, proxyLogin("Negotiate")), fleet)).toEqual(["proxy-auth-required"]);
  });

  it("says nothing where the routes or the verdicts are not known", () => {
    expect(found(machine, contextOf([group(9, null, bad), others]))).toEqual(["proxy-unreachable"]);
    expect(found(machine, contextOf([group(9, "proxy-unreachable", { route: null }), others]))).toEqual([
      "proxy-unreachable",
    ]);
    expect(found(behind(px1, null), contextOf([group(5, "proxy-unreachable", bad), others]))).toEqual([]);
  });
});

describe("fleet-shared-pac", () => {
  const pac = script();
  const url = pac.url;
  const fresh = { pacHash: pac.sha256, pacUrl: url, pacNew: true, route: px1 };
  const older = group(20, good, { pacHash: "0a".repeat(32), pacUrl: url, pacNew: false, route: px1 });
  const machine: Cycle = {
    ...behind(px1, proxyCannotReach()),
    settings: [{ pacUrl: url }],
    route: through(px1, "pac"),
    pac,
  };

  it("names the new script, where those with the older one are well", () => {
    const fleet = contextOf([group(12, "proxy-upstream-fail", fresh), older]);
    expect(found(machine, fleet)).toEqual(["fleet-shared-pac"]);
    expect(primary(machine, fleet)).toMatchObject({
      severity: "prompting",
      cause: "the new proxy script 9f3c1e breaks Exchange",
      sentence: expect.stringContaining("12 of 12 machines with the new script"),
    });
  });

  it("stands before the proxy that the new script leads to", () => {
    const fleet = contextOf([group(12, "proxy-unreachable", { ...fresh, route: px2 }), older]);
    const moved: Cycle = { ...behind(px2, deadProxy()), settings: [{ pacUrl: url }], route: through(px2, "pac"), pac };
    expect(found(moved, fleet)).toEqual(["fleet-shared-pac", "fleet-shared-proxy"]);
  });

  it("is the URL where every machine gets a script of its own", () => {
    const own = Array.from({ length: 4 }, (_, index) =>
      group(1, "proxy-upstream-fail", { ...fresh, pacHash: `${index}f`.repeat(32) }),
    );
    expect(found(machine, contextOf([...own, older]))).toEqual(["fleet-shared-pac"]);
    expect(found(machine, contextOf([...own.slice(0, 2), older]))).not.toContain("fleet-shared-pac");
  });

  it("compares with machines that have no script, and never with nobody", () => {
    const sick = group(12, "proxy-upstream-fail", fresh);
    expect(found(machine, contextOf([sick, group(9, good, { pacHash: none })]))).toContain("fleet-shared-pac");
    expect(found(machine, contextOf([sick]))).not.toContain("fleet-shared-pac");
    expect(found(machine, contextOf([sick, group(9, good)]))).not.toContain("fleet-shared-pac");
  });

  it("is not an old script, nor one of unknown age", () => {
    for (const pacNew of [false, null])
      expect(found(machine, contextOf([group(12, "proxy-upstream-fail", { ...fresh, pacNew }), older]))).not.toContain(
        "fleet-shared-pac",
      );
  });

  it("needs three machines and 60 %", () => {
    const holds = (sick: number, well: number) =>
      found(machine, contextOf([group(sick, "proxy-upstream-fail", fresh), group(well, good, fresh), older])).includes(
        "fleet-shared-pac",
      );
    expect([holds(3, 2), holds(3, 3), holds(2, 0)]).toEqual([true, false, false]);
  });

  it("is not said of a machine with the older script, or with none that was seen", () => {
    const fleet = contextOf([group(12, "proxy-upstream-fail", fresh), older]);
    const old = { ...machine, pac: script({ sha256: "0a".repeat(32), url: "http://other.example.org/x.pac" }) };
    expect(found({ ...old, settings: [{ pacUrl: "http://other.example.org/x.pac" }] }, fleet)).not.toContain(
      "fleet-shared-pac",
    );
    const { pac: _, ...unseen } = machine;
    expect(found(unseen, fleet)).not.toContain("fleet-shared-pac");
  });
});

describe("fleet-site-outage", () => {
  const elsewhere = group(30, good, { site: "Genf" });
  const cut: Cycle = { configured: { ews: tcpTimeout() } };

  it("names the site whose machines fail by several ways", () => {
    const fleet = contextOf([
      group(5, "proxy-upstream-fail", { route: px1 }),
      group(5, "proxy-upstream-fail", { route: px2 }),
      elsewhere,
    ]);
    const machine = behind(px1, proxyCannotReach());
    expect(found(machine, fleet)).toEqual(["fleet-site-outage"]);
    expect(primary(machine, fleet)).toMatchObject({ severity: "prompting", cause: "Bern cannot reach Exchange" });
  });

  it("holds where they all go direct, also when their control target fails with Exchange", () => {
    const fleet = contextOf([group(5, "tcp-timeout"), elsewhere]);
    expect(found(cut, fleet)).toEqual(["fleet-site-outage"]);
    const all = { configured: { ews: tcpTimeout(), control: tcpTimeout(), "control-https": tcpTimeout() } };
    const result = diagnosisOf(
      { configured: { ...all.configured, "autodiscover-example.org": tcpTimeout() } },
      { fleet },
    );
    expect(result.status).toBe("failing");
    expect(primaryOf(result)?.pattern).toBe("fleet-site-outage");
  });

  it("is the proxy where one proxy is the way of the whole site", () => {
    const fleet = contextOf([
      group(19, "proxy-unreachable", { route: px1 }),
      group(1, "tcp-timeout", { route: "direct" }),
      elsewhere,
    ]);
    expect(found(behind(px1, deadProxy()), fleet)).toEqual(["fleet-shared-proxy"]);
  });

  it("is one network of a site whose other networks are well", () => {
    const fleet = contextOf([
      group(4, "tcp-timeout", { subnet: "10.40.12.0/24" }),
      group(30, good, { subnet: "10.40.13.0/24" }),
    ]);
    const { state } = run([cut], { fleet });
    const at = (address: string): MachineState["facts"] => ({
      ...state.facts,
      system: {
        digest: "00000001",
        since: start,
        at: start,
        location: "inside",
        seq: 1,
        facts: systemWith(address),
      },
    });
    const judge = (facts: MachineState["facts"]) =>
      patternsOf(
        diagnose({
          facts,
          persistence: {},
          policy: policy(),
          fleet,
          now: start,
          newCycle: true,
          waivePersistence: true,
        }).diagnosis,
      );
    expect(judge(at("10.40.12.7"))).toEqual(["fleet-site-outage"]);
    expect(judge(at("10.40.13.7"))).not.toContain("fleet-site-outage");
    expect(judge(state.facts)).not.toContain("fleet-site-outage");
  });

  it("needs three machines and 60 % of the site, and other sites that are well", () => {
    const holds = (...groups: FleetGroup[]) => found(cut, contextOf(groups)).includes("fleet-site-outage");
    expect(holds(group(2, "tcp-timeout"), elsewhere)).toBe(false);
    expect(holds(group(3, "tcp-timeout"), group(2, good), elsewhere)).toBe(true);
    expect(holds(group(3, "tcp-timeout"), group(3, good), elsewhere)).toBe(false);
    expect(holds(group(9, "tcp-timeout"), group(9, "tcp-timeout", { site: "Genf" }))).toBe(false);
    expect(holds(group(9, "tcp-timeout"), group(2, good, { site: "Genf" }))).toBe(false);
  });

  it("leaves a portal what it is", () => {
    const fleet = contextOf([group(5, "tcp-timeout"), elsewhere]);
    expect(found({ configured: { ews: tcpTimeout(), control: portalPage() } }, fleet)).toEqual(["captive-portal"]);
  });

  it("is never said of machines without a site, or outside", () => {
    expect(found(cut, contextOf([group(9, "tcp-timeout", { site: null }), elsewhere], [], null))).not.toContain(
      "fleet-site-outage",
    );
    const outside = summarizeFleet(
      [group(9, "tcp-timeout", { location: "outside" }), { ...elsewhere, location: "outside" }],
      start,
    );
    expect(outside.locations.get("outside")?.shared.sites.size).toBe(0);
  });
});

describe("fleet-ews-degraded", () => {
  const other = group(30, good, { backEnd: "EX01" });
  const machine: Cycle = {
    configured: { ews: answered({ status: 503, headers: { "x-feserver": "EX03", server: "Microsoft-IIS/10.0" } }) },
  };

  it("names the server that the failing machines share", () => {
    const fleet = contextOf([group(4, "exchange-down", { backEnd: "EX03" }), other]);
    const finding = primary(machine, fleet);
    expect(finding).toMatchObject({
      pattern: "fleet-ews-degraded",
      severity: "will-prompt",
      cause: "Exchange server EX03 fails",
    });
    expect(found(machine, contextOf([other]))).toEqual(["ews-service-down"]);
  });

  it("knows a silent server by the one that answered last", () => {
    const fleet = contextOf([group(4, "tcp-timeout", { backEnd: "EX03" }), other]);
    const { diagnoses } = run([{}, { configured: { ews: tcpTimeout() } }, { configured: { ews: tcpTimeout() } }], {
      fleet,
    });
    expect(primaryOf(diagnoses[2]!)).toMatchObject({
      pattern: "fleet-ews-degraded",
      evidence: expect.arrayContaining([
        expect.objectContaining({ text: "The server that answered last was EX03; the failing answer names none" }),
      ]),
    });
  });

  it("is known by its address where names were never sent", () => {
    const at = (address: string) => ({ address });
    const fleet = contextOf([group(4, "tcp-timeout", at("10.1.20.15")), group(9, good, at("10.1.20.16"))]);
    expect(found({ configured: { ews: tcpTimeout() } }, fleet)).toEqual(["fleet-ews-degraded"]);
    expect(found({ configured: { ews: tcpTimeout("10.1.20.16") } }, fleet)).not.toContain("fleet-ews-degraded");
  });

  it("is not the balancer's address that all share", () => {
    const vip = { address: "10.1.20.15" };
    const fleet = contextOf([group(4, "tcp-timeout", vip), group(40, good, { ...vip, backEnd: "EX01" })]);
    expect(found({ configured: { ews: tcpTimeout() } }, fleet)).not.toContain("fleet-ews-degraded");
  });

  it("needs three machines and four in five of the failing ones", () => {
    const holds = (here: number, there: number) =>
      found(
        machine,
        contextOf([
          group(here, "exchange-down", { backEnd: "EX03" }),
          group(there, "exchange-down", { backEnd: "EX01" }),
          other,
        ]),
      ).includes("fleet-ews-degraded");
    expect([holds(2, 0), holds(3, 0), holds(8, 2), holds(7, 2)]).toEqual([false, true, true, false]);
  });

  it("is not said where every server fails, or where it is the only one", () => {
    const sick = group(9, "exchange-down", { backEnd: "EX03" });
    expect(found(machine, contextOf([sick]))).toEqual(["ews-service-down"]);
    expect(found(machine, contextOf([sick, group(9, "exchange-down", { backEnd: "EX01" })]))).not.toContain(
      "fleet-ews-degraded",
    );
    expect(found(machine, contextOf([group(9, "exchange-down"), group(30, good)]))).toEqual(["ews-service-down"]);
  });

  it("is not said of a machine at another server", () => {
    const fleet = contextOf([group(4, "exchange-down", { backEnd: "EX03" }), other]);
    const atEx01 = {
      configured: { ews: answered({ status: 503, headers: { "x-feserver": "EX01", server: "Microsoft-IIS/10.0" } }) },
    };
    expect(found(atEx01, fleet)).toEqual(["ews-service-down"]);
  });
});

describe("fleet-config-wave", () => {
  const changed: Cycle = { settings: [{ server: px1 }], route: through(px1) };
  const wave = (machines: number, rest: number) =>
    contextOf([group(machines, good, { changedTo: "c1" }), group(rest, good, { changedTo: null })]);
  /** Before the change, and two cycles after it. */
  const changedWith = (fleet: FleetContext) => patternsOf(run([{}, changed, changed], { fleet }).diagnoses[2]!);

  it("is told to a machine that changed with the others, and takes nothing from its state", () => {
    const { diagnoses } = run([{}, changed, changed], { fleet: wave(6, 30) });
    expect(diagnoses[2]).toMatchObject({ status: "healthy", atRisk: true });
    expect(diagnoses[2]?.findings.find(({ pattern }) => pattern === "fleet-config-wave")).toMatchObject({
      severity: "at-risk",
      confidence: "medium",
      explains: false,
      cause: "new proxy settings roll through 6 machines",
    });
  });

  it("leaves the finding that explains a failing machine its place", () => {
    const fails = { ...changed, configured: { ews: deadProxy() } };
    const fleet = contextOf([
      group(6, "proxy-unreachable", { changedTo: "c1", route: px1 }),
      group(30, good, { changedTo: null, route: px1 }),
    ]);
    const { diagnoses } = run([{}, fails, fails], { fleet });
    expect(patternsOf(diagnoses[2]!)).toEqual(["proxy-unreachable", "fleet-config-wave"]);
    expect(diagnoses[2]?.findings[1]).toMatchObject({
      confidence: "high",
      sentence: expect.stringContaining("6 of them fail"),
    });
  });

  it("needs five machines and a tenth", () => {
    expect(changedWith(wave(5, 45))).toContain("fleet-config-wave");
    expect(changedWith(wave(4, 4))).not.toContain("fleet-config-wave");
    expect(changedWith(wave(5, 46))).not.toContain("fleet-config-wave");
  });

  it("counts machines behind a proxy that asks for a login, which say as much about settings as others", () => {
    const fleet = contextOf([
      group(6, "proxy-auth-required", { changedTo: "c1" }),
      group(30, "proxy-auth-required", { changedTo: null }),
    ]);
    expect(changedWith(fleet)).toContain("fleet-config-wave");
  });

  it("is not told to a machine that has had these settings for long, nor half an hour after its change", () => {
    const fleet = wave(6, 30);
    expect(found(changed, fleet)).not.toContain("fleet-config-wave");
    const { diagnoses } = run([{}, ...Array.from({ length: 7 }, () => changed)], { fleet });
    expect(patternsOf(diagnoses[2]!)).toContain("fleet-config-wave");
    expect(patternsOf(diagnoses[7]!)).not.toContain("fleet-config-wave");
  });

  it("is not seen where changes are not known", () => {
    expect(changedWith(contextOf([group(6, good), group(30, good)]))).not.toContain("fleet-config-wave");
  });
});

describe("fleet-cert-change", () => {
  const old = "bb".repeat(32);
  const now = "aa".repeat(32);
  const changed = (machines: number) =>
    group(machines, good, { tlsSpki: now, tlsSpkiBefore: old, tlsIssuer: "Contoso CA" });

  it("is told to the machines that see the new certificate", () => {
    const fleet = contextOf([changed(5), group(5, good, { tlsSpki: old })]);
    expect(primary({}, fleet)).toMatchObject({
      pattern: "fleet-cert-change",
      severity: "at-risk",
      explains: false,
      cause: "the certificate of mail.example.org changed (bbbbbb → aaaaaa)",
    });
    const seesOld = { configured: { ews: exchangeAnswer({ spkiSha256: old }) } };
    expect(found(seesOld, fleet)).not.toContain("fleet-cert-change");
  });

  it("needs half of the machines, and three", () => {
    expect(found({}, contextOf([changed(5), group(6, good, { tlsSpki: old })]))).toEqual([]);
    expect(found({}, contextOf([changed(2)]))).toEqual([]);
    expect(found({}, contextOf([changed(3)]))).toEqual(["fleet-cert-change"]);
  });

  it("is not a certificate that is not trusted, nor several new ones, nor one that did not change", () => {
    expect(found({}, contextOf([group(9, "tls-untrusted", { tlsSpki: now, tlsSpkiBefore: old })]))).toEqual([]);
    const many = Array.from({ length: 9 }, (_, index) =>
      group(1, good, { tlsSpki: `${index}`.repeat(64), tlsSpkiBefore: old }),
    );
    expect(found({}, contextOf(many))).toEqual([]);
    expect(found({}, contextOf([group(9, good, { tlsSpki: now, tlsSpkiBefore: now })]))).toEqual([]);
    const untrusted = { configured: { ews: exchangeAnswer({ chainOk: false }) } };
    expect(found(untrusted, contextOf([changed(9)]))).not.toContain("fleet-cert-change");
  });

  it("is not seen where the certificate before is not known", () => {
    expect(found({}, contextOf([group(9, good, { tlsSpki: now })]))).toEqual([]);
  });
});

describe("fleet-dns-split", () => {
  const outsideAnswer = "52.96.0.1 52.96.0.2";
  const publicBern = group(4, good, { dnsAnswer: outsideAnswer });
  const internalGenf = group(4, good, { site: "Genf", dnsAnswer: "10.1.20.15" });
  const resolves = (...addresses: string[]): Cycle => ({
    route: direct,
    configured: { ews: { ...exchangeAnswer(), dns: dnsOk("mail.example.org", addresses) } },
  });

  it("is told to the site whose resolver gives the public addresses", () => {
    const fleet = contextOf([publicBern, internalGenf]);
    expect(primary(resolves("52.96.0.1", "52.96.0.2"), fleet)).toMatchObject({
      pattern: "fleet-dns-split",
      severity: "at-risk",
      confidence: "medium",
      cause: "Bern gets public addresses for mail.example.org",
    });
    const more = contextOf([publicBern, internalGenf, { ...internalGenf, site: "Zürich" }]);
    expect(primary(resolves("52.96.0.1"), more)?.confidence).toBe("high");
  });

  it("is not told to the other site, nor to a machine of the site that gets the internal ones", () => {
    const groups = [publicBern, internalGenf];
    expect(found(resolves("10.1.20.15"), contextOf(groups, [], "Genf"))).toEqual([]);
    expect(found(resolves("10.1.20.15"), contextOf(groups))).toEqual([]);
  });

  it("is not sites with internal addresses of their own, nor public ones that differ", () => {
    expect(found(resolves("10.2.0.9"), contextOf([group(4, good, { dnsAnswer: "10.2.0.9" }), internalGenf]))).toEqual(
      [],
    );
    const publicGenf = { ...internalGenf, dnsAnswer: "40.96.0.9" };
    expect(found(resolves("52.96.0.1"), contextOf([publicBern, publicGenf]))).toEqual([]);
  });

  it("needs three machines a site, most of which agree", () => {
    expect(found(resolves("52.96.0.1"), contextOf([{ ...publicBern, machines: 2 }, internalGenf]))).toEqual([]);
    expect(found(resolves("52.96.0.1"), contextOf([publicBern, { ...internalGenf, machines: 2 }]))).toEqual([]);
    const mixed = [{ ...publicBern, machines: 3 }, group(3, good, { dnsAnswer: "10.1.20.15" }), internalGenf];
    expect(found(resolves("52.96.0.1"), contextOf(mixed))).toEqual([]);
  });

  it("is not seen where the answers are not known", () => {
    expect(found(resolves("52.96.0.1"), contextOf([group(4, good), group(4, good, { site: "Genf" })]))).toEqual([]);
    expect(found(behind(px1, exchangeAnswer()), contextOf([publicBern, internalGenf]))).not.toContain(
      "fleet-dns-split",
    );
  });
});

describe("fleet-blind", () => {
  const silence = (silent: number, reporting: number, usuallySilent: number | null = null): FleetSilence => ({
    site: "Bern",
    location: "inside",
    silent,
    reporting,
    usuallySilent,
  });
  const others: FleetSilence = { ...silence(1, 40), site: "Genf" };
  const fleetOf = (...sites: FleetSilence[]) => contextOf([], sites);
  const failing: Cycle = { configured: { ews: serviceUnavailable() } };
  const rules = policy();

  /** A machine that failed in two cycles, judged again so long after without a word from it. */
  const later = (fleet: FleetContext, intervals: number, newCycle = false) => {
    const { state } = run([failing, failing], { policy: rules });
    return diagnose({ ...state, policy: rules, fleet, now: start + cycleMs * (1 + intervals), newCycle });
  };

  it("is told of the silent machines at once, and closes nothing that was found before", () => {
    const { state } = run([failing, failing], { policy: rules });
    const before = patternsOf(state.diagnosis);
    expect(before.length).toBeGreaterThan(0);
    const { diagnosis, persistence } = later(fleetOf(silence(6, 4), others), 4);
    expect(diagnosis.status).toBe("stale");
    expect(patternsOf(diagnosis).sort()).toEqual([...before, "fleet-blind"].sort());
    expect(diagnosis.findings.find(({ pattern }) => pattern === "fleet-blind")).toMatchObject({
      severity: "at-risk",
      explains: false,
      cause: "6 of 10 machines at Bern are silent",
    });
    let memory = persistence;
    for (let sweep = 0; sweep < 5; sweep++) {
      const next = diagnose({
        ...state,
        persistence: memory,
        policy: rules,
        fleet: fleetOf(silence(6, 4), others),
        now: start + cycleMs * (6 + sweep),
        newCycle: true,
      });
      expect(patternsOf(next.diagnosis)).toEqual(expect.arrayContaining([...before, "fleet-blind"]));
      memory = next.persistence;
    }
  });

  it("is over at once when the machine is heard again", () => {
    const fleet = fleetOf(silence(6, 4), others);
    const { state } = run([failing, failing], { policy: rules });
    const blind = diagnose({ ...state, policy: rules, fleet, now: start + 5 * cycleMs, newCycle: false });
    const heard = diagnose({ ...state, ...blind, policy: rules, fleet, now: start + cycleMs + 1000, newCycle: true });
    expect(patternsOf(blind.diagnosis)).toContain("fleet-blind");
    expect(patternsOf(heard.diagnosis)).not.toContain("fleet-blind");
  });

  const holds = (...sites: FleetSilence[]) => patternsOf(later(fleetOf(...sites), 4).diagnosis).includes("fleet-blind");

  it("needs three machines and 30 % of the site beyond what is usual at this hour", () => {
    expect([holds(silence(3, 7), others), holds(silence(3, 8), others), holds(silence(2, 0), others)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([holds(silence(9, 1, 0.5), others), holds(silence(9, 1, 0.7), others)]).toEqual([true, false]);
  });

  it("is not said where nobody reports, or every site is silent", () => {
    expect(holds(silence(9, 1))).toBe(false);
    expect(holds(silence(9, 1), { ...others, silent: 40, reporting: 1 })).toBe(false);
    expect(holds(silence(9, 1), { ...others, silent: 0, reporting: 2 })).toBe(false);
  });

  it("is not said of a machine that reports, nor of one without a site", () => {
    const fleet = fleetOf(silence(6, 4), others);
    expect(patternsOf(later(fleet, 3).diagnosis)).not.toContain("fleet-blind");
    expect(holds({ ...silence(9, 1), site: null }, others)).toBe(false);
  });

  it("is not seen where silence was not counted", () => {
    expect(patternsOf(later(contextOf([group(9, good)]), 4).diagnosis)).not.toContain("fleet-blind");
  });
});

describe("a machine that waits for approval", () => {
  it("is found to have none of the fleet's faults", () => {
    const fleet = contextOf([group(5, "proxy-unreachable", { route: px1 }), group(10, good, { route: px2 })]);
    const diagnosis = diagnosisOf(behind(px1, deadProxy()), { fleet, approved: false });
    expect(patternsOf(diagnosis)).toEqual(["proxy-unreachable"]);
  });
});

describe("Exchange down for everyone", () => {
  it("stands before the faults of a proxy and a site", () => {
    const down = { verdictDirect: "exchange-down" } as const;
    const fleet = contextOf([
      group(40, "exchange-down", down),
      group(40, "exchange-down", { ...down, site: "Genf", route: px1 }),
      group(9, good, { site: "Zürich", route: px2 }),
    ]);
    const sick = { configured: { ews: serviceUnavailable() } };
    expect(found(sick, fleet)[0]).toBe("fleet-ews-down");
  });
});
