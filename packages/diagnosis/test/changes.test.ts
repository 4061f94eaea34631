import type { SettingsBlob, SettingsFacts, UserSettings } from "@lynceus/protocol/facts";
import { describe, expect, it } from "vitest";
import { settingsDifferences } from "../src/settings-changes.ts";
import { applyObservation, emptyState } from "../src/state.ts";
import { nothingDetected, observation, script, settingsWith, start } from "./support/machine.ts";
import { exchangeAnswer, type Phases, policy, probe, targetOf } from "./support/probes.ts";

const rules = policy();
type Body = Parameters<typeof observation>[0];

/** Changes of each observation, a minute apart. */
function changesOf(bodies: readonly (Body | [Body, "inside" | "outside"])[]) {
  let state = emptyState();
  const changes = bodies.flatMap((item, index) => {
    const [body, location] = Array.isArray(item) ? item : [item, "inside" as const];
    const at = start + index * 60_000;
    const result = applyObservation(state, observation(body, at, location), { at, replayed: false }, rules);
    state = result.state;
    return result.changes;
  });
  return { changes, state };
}
const texts = (bodies: Parameters<typeof changesOf>[0]) => changesOf(bodies).changes.map(({ text }) => text);

const ews = (phases: Phases, via: "configured" | "direct" = "configured"): Body => ({
  kind: "probe",
  facts: probe(targetOf("ews"), phases, via === "direct" ? { via } : {}),
});
const answer = exchangeAnswer();
const certificate = (change: Partial<NonNullable<Phases["tls"]>>): Phases => ({
  ...answer,
  tls: { ...answer.tls!, ...change },
});
const key = (digit: string) => digit.repeat(64);

describe("the certificate of EWS", () => {
  const first = certificate({
    spkiSha256: key("a"),
    issuerCN: "Example CA",
    issuerO: null,
    notAfter: 1_800_000_000_000,
  });
  const renewed = certificate({
    spkiSha256: key("b"),
    issuerCN: "Example CA",
    issuerO: null,
    notAfter: 1_830_000_000_000,
  });

  it("that is another one is named with what differs, and sets the value that machines are compared by", () => {
    const { changes, state } = changesOf([ews(first), ews(renewed)]);
    expect(changes).toMatchObject([
      {
        kind: "certificate",
        text: "Certificate of EWS, configured: key aaaaaa → bbbbbb, valid until 2027-01-15 → 2027-12-28",
        sets: { key: "tls-spki", value: key("b") },
      },
    ]);
    expect(state.facts.lastSeen?.["c1:ews:configured@inside"]?.certificate).toMatchObject({
      spki: key("b"),
      before: key("a"),
      at: start + 60_000,
    });
  });

  it("is compared with the last one that was seen, also after a time without an answer", () => {
    const dead: Phases = { ...answer, tls: null, http: null, tcp: { ...answer.tcp!, ok: false, error: "timeout" } };
    expect(texts([ews(first), ews(dead), ews(renewed)]).filter((text) => text.startsWith("Certificate"))).toHaveLength(
      1,
    );
    expect(texts([ews(first), ews(dead), ews(first)]).filter((text) => text.startsWith("Certificate"))).toEqual([]);
  });

  it("differs by route and by location without being a change", () => {
    expect(texts([ews(first), ews(renewed, "direct"), [ews(renewed), "outside"], ews(first)])).toEqual([]);
  });
});

describe("the name of a target", () => {
  const at = (...addresses: string[]): Phases => ({ ...answer, dns: { ...answer.dns!, addresses } });

  it("that has another address is a change", () => {
    expect(texts([ews(at("10.4.0.10")), ews(at("10.9.0.10"))])).toEqual([
      "mail.example.org resolves to 10.4.0.10 → 10.9.0.10",
    ]);
  });

  it("whose balancer hands out one of several addresses is none, once they are known", () => {
    const [a, b] = [ews(at("10.4.0.10")), ews(at("10.4.0.11"))];
    expect(texts([a, b, a, b, a])).toHaveLength(1);
    expect(texts([ews(at("10.4.0.10", "10.4.0.11")), ews(at("10.4.0.11", "10.4.0.10")), a, b])).toEqual([]);
  });
});

describe("scripts and detection", () => {
  it("a script that comes back changed after it could not be had is a change of content", () => {
    const other = "41ab0700".repeat(8);
    const gone = script({ sha256: null, fetch: "timeout" });
    expect(
      texts([
        { kind: "pac", facts: script() },
        { kind: "pac", facts: gone },
        { kind: "pac", facts: script({ sha256: other }) },
      ]),
    ).toEqual(["Script download: ok → timeout", "Script content 9f3c1e → 41ab07", "Script download: timeout → ok"]);
  });

  it("automatic detection that finds another server is a change", () => {
    expect(
      texts([
        { kind: "wpad", facts: nothingDetected },
        { kind: "wpad", facts: { ...nothingDetected, dnsHost: "wpad.example.org" } },
      ]),
    ).toEqual(["Automatic detection finds nothing → wpad.example.org"]);
  });
});

describe("the sources of proxy settings", () => {
  const blob = (change: Partial<SettingsBlob>): SettingsBlob => ({
    ok: true,
    signature: 70,
    counter: 3,
    flags: 1,
    direct: true,
    manual: false,
    pac: false,
    autoDetect: false,
    server: "",
    bypass: "",
    pacUrl: "",
    ...change,
  });
  const windows = (change: Partial<NonNullable<UserSettings["windows"]>> = {}): UserSettings["windows"] => ({
    savedLegacy: null,
    connections: [],
    activeConnection: null,
    httpProxyControlFlags: null,
    zoneLogon: [null, null, null, null],
    trustModelData: null,
    allowAdalForNonLync: null,
    enableAdal: null,
    ...change,
  });
  const facts = (user: Partial<UserSettings>, over: Partial<SettingsFacts> = {}, settings = {}): SettingsFacts => {
    const made = settingsWith([settings], over);
    return { ...made, users: made.users.map((one) => ({ ...one, ...user })) };
  };
  const lines = (before: SettingsFacts, after: SettingsFacts) =>
    settingsDifferences(before, after).map(
      ({ source, field, before: was, after: is }) => `${source} | ${field} | ${was} | ${is}`,
    );

  it("that differ as what is in force does are left out", () => {
    const before = facts({ blob: blob({}) });
    const after = facts({ blob: blob({ manual: true, server: "px1:8080", counter: 4 }) }, {}, { server: "px1:8080" });
    expect(lines(before, after)).toEqual(["in force | Proxy server | none | px1:8080"]);
  });

  it("that say something of their own are named, with values that are kept while they are off", () => {
    const before = facts({ blob: blob({ manual: true, server: "px1:8080" }) });
    const after = facts({ blob: blob({ manual: false, server: "px1:8080" }) });
    expect(lines(before, after)).toEqual(["Windows settings | Proxy server | px1:8080 | off (px1:8080)"]);
  });

  it("are those of connections, zones and Lync too", () => {
    const before = facts({ windows: windows({ connections: [{ name: "Corp VPN", blob: blob({}) }] }) });
    const after = facts({
      windows: windows({
        connections: [{ name: "Corp VPN", blob: blob({ pac: true, pacUrl: "http://pac.example.org/p.pac" }) }],
        activeConnection: "Corp VPN",
        zoneLogon: [0x20000, null, null, null],
        trustModelData: "mail.example.org",
      }),
    });
    expect(lines(before, after)).toEqual([
      "connection Corp VPN | Script address | none | http://pac.example.org/p.pac",
      "Windows | Connection in force | none | Corp VPN",
      "Windows | Logon, intranet | not set | 131072",
      "Lync | TrustModelData | not set | mail.example.org",
    ]);
  });

  it("are the machine's own as well: WinHTTP, SYSTEM's and the machine-wide settings, policies", () => {
    const before = facts({}, { systemBlob: blob({}), machineBlob: null, advancedProxy: null });
    const after = facts(
      {},
      {
        winhttp64: { flags: 3, server: "px9:80", bypass: "*.example.org" },
        systemBlob: blob({ autoDetect: true }),
        machineBlob: blob({ manual: true, server: "px2:80" }),
        advancedProxy: '{"Proxy":"px3:80"}',
        policy: { ProxySettingsPerUser: 0, gpoManaged: true, DisableWpad: true },
      },
    );
    expect(lines(before, after)).toEqual([
      "WinHTTP 64-bit | Proxy | none | px9:80",
      "WinHTTP 64-bit | Bypass list | none | *.example.org",
      "SYSTEM's settings | Automatically detect settings | off | on",
      "machine-wide settings | Proxy server | none | px2:80",
      "policy | Proxy settings per user | not set | 0",
      "policy | WPAD in WinHTTP | not set | off",
      'policy | Advanced proxy setting | none | {"Proxy":"px3:80"}',
    ]);
  });

  it("that were not read before, or are not read now, did not change", () => {
    expect(lines(facts({}), facts({}, { systemBlob: blob({}) }))).toEqual([]);
    expect(lines(facts({ windows: windows({ enableAdal: 1 }) }), facts({}))).toEqual([]);
  });

  it("are compared user by user: one who came or went changed nothing", () => {
    const [one, two] = [settingsWith([{ users: 1 }]), settingsWith([{ users: 2 }])];
    expect(settingsDifferences(one, two)).toEqual([]);
    const both = settingsWith([{ users: 2, server: "px1:8080" }]);
    expect(settingsDifferences(two, both)).toMatchObject([{ users: ["user-c1-0", "user-c1-1"] }]);
  });
});
