import { createHmac, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type SettingsFacts, type SystemFacts, settingsFactsSchema, type UserSettings } from "@lynceus/protocol/facts";
import { bytes, vectors } from "@lynceus/proxy-settings/testing/vectors";
import type { ZoneInput } from "@lynceus/proxy-settings/zone";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bundleForWindows, nodeExe, type RegistryKeys, startWine, type Wine } from "../src/wine.ts";

/*
 * The agent's own code under a real node.exe reads what was written into the registry of a Wine Windows, field by
 * field. What Wine does not prove is in docs/windows.md.
 */

interface Observed {
  readonly facts: SettingsFacts;
  readonly zones: readonly (readonly [string, Partial<ZoneInput>])[];
  readonly system: Partial<SystemFacts>;
  readonly certificates: readonly string[];
}

const settingsKey = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const policyKey = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const connectionsKey = `${settingsKey}\\Connections`;
const machine = "HKEY_LOCAL_MACHINE";
const sidOf = (n: number) => `S-1-5-21-1004336348-1177238915-682003330-${n}`;
const hiveOf = (n: number) => `HKEY_USERS\\${sidOf(n)}`;
const idOf = (n: number) => createHmac("sha256", "salt").update(sidOf(n)).digest("hex").slice(0, 16);

let wine: Wine;
let directory: string;
let program: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-windows-"));
  wine = startWine();
  program = await bundleForWindows(path.join(import.meta.dirname, "../windows/observe.ts"), directory);
});
afterAll(() => {
  wine?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

async function observe(): Promise<Observed> {
  const output = path.join(directory, "observed.json");
  const { code, output: said } = await wine.run(nodeExe(), [wine.windowsPath(program), wine.windowsPath(output)]);
  expect(`${code} ${said}`).toBe("0 ");
  const observed = JSON.parse(readFileSync(output, "utf8")) as Observed;
  expect(settingsFactsSchema.safeParse(observed.facts).error).toBeUndefined();
  return observed;
}

/** Writes keys for one test; afterwards they are gone. */
async function written(keys: RegistryKeys): Promise<void> {
  await wine.importRegistry(keys);
  onTestFinished(() => wine.importRegistry(Object.fromEntries(Object.keys(keys).map((key) => [key, null]))));
}

function userOf({ facts }: Observed, n: number): UserSettings {
  const user = facts.users.find(({ id }) => id === idOf(n));
  if (!user) throw new Error(`user ${n} was not observed`);
  return user;
}
const inForceOf = (observed: Observed, n: number) =>
  observed.facts.configurations.find(({ id }) => id === userOf(observed, n).configuration)?.settings;
const outcome = ({ facts }: Observed, name: string) => facts.sources.find((one) => one.name === name)?.outcome;

/** What domain 4.9 says of each sample, as flags, counter and strings; and what is in force. */
const samples = {
  F1: { signature: 0x46, counter: 10, flags: 1, server: "", bypass: "", pacUrl: "" },
  F2: { signature: 0x46, counter: 81, flags: 0x0b, server: "127.0.0.1:80", bypass: "<local>", pacUrl: "" },
  F3: {
    signature: 0x46,
    counter: 3,
    flags: 7,
    server: "192.168.1.1:80",
    bypass: "",
    pacUrl: "http://xduotai.com/pRsO3NGR3-.pac",
  },
  F4: { signature: 0x46, counter: 10, flags: 9, server: "", bypass: "", pacUrl: "" },
  F5: { signature: 0x3c, counter: 30, flags: 1, server: "", bypass: "", pacUrl: "" },
  D1: { signature: 0x46, counter: 2, flags: 1, server: "", bypass: "", pacUrl: "" },
  D2: { signature: 0x46, counter: 4, flags: 9, server: "", bypass: "", pacUrl: "" },
  D3: { signature: 0x46, counter: 7, flags: 5, server: "", bypass: "", pacUrl: "http://pac.contoso.com/proxy.pac" },
  D4: {
    signature: 0x46,
    counter: 12,
    flags: 3,
    server: "proxy.contoso.com:8080",
    bypass: "*.contoso.com;10.*;<local>",
    pacUrl: "",
  },
  D5: {
    signature: 0x46,
    counter: 20,
    flags: 3,
    server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443;socks=px3.contoso.com:1080",
    bypass: "<local>",
    pacUrl: "",
  },
  D6: {
    signature: 0x46,
    counter: 33,
    flags: 15,
    server: "proxy.contoso.com:8080",
    bypass: "<local>",
    pacUrl: "http://pac.contoso.com/proxy.pac",
  },
  D7: { signature: 0x46, counter: 41, flags: 1, server: "oldproxy.contoso.com:3128", bypass: "<local>", pacUrl: "" },
  D8: { signature: 0x46, counter: 9, flags: 5, server: "", bypass: "", pacUrl: "file://C:/pac/proxy.pac" },
} as const;
const negative = {
  D11: { ok: false, signature: 0x46, counter: 1, flags: 0, autoDetect: true, server: "", pacUrl: "" },
  D12: { ok: false, signature: 0x46, counter: 1, flags: 3, manual: true, server: "a", bypass: "", pacUrl: "" },
} as const;

describe("every sample blob of the domain, one user's hive each", () => {
  const all = [...Object.keys(samples), ...Object.keys(negative)] as (keyof typeof samples | keyof typeof negative)[];
  const user = (name: (typeof all)[number]) => 2000 + all.indexOf(name);
  let observed: Observed;
  beforeAll(async () => {
    await wine.importRegistry(
      Object.fromEntries(
        all.map((name) => [
          `${hiveOf(user(name))}\\${connectionsKey}`,
          { DefaultConnectionSettings: bytes(vectors[name]), SavedLegacySettings: bytes(vectors[name]) },
        ]),
      ),
    );
    observed = await observe();
  });
  afterAll(() => wine.importRegistry(Object.fromEntries(all.map((name) => [hiveOf(user(name)), null]))));

  test.each(Object.entries(samples))("%s", (name, expected) => {
    const { flags } = expected;
    const blob = {
      ok: true,
      ...expected,
      direct: true,
      manual: (flags & 2) !== 0,
      pac: (flags & 4) !== 0,
      autoDetect: (flags & 8) !== 0,
    };
    const who = user(name as keyof typeof samples);
    expect(userOf(observed, who).blob).toEqual(blob);
    expect(userOf(observed, who).windows?.savedLegacy).toEqual(blob);
    expect(inForceOf(observed, who)).toEqual({
      autoDetect: blob.autoDetect,
      pacUrl: blob.pac ? expected.pacUrl : null,
      server: blob.manual ? expected.server : null,
      bypass: blob.manual ? expected.bypass : "",
      source: "wininet-blob",
      dialect: "windows",
    });
  });
  test.each(Object.entries(negative))("%s, which is damaged", (name, expected) => {
    expect(userOf(observed, user(name as keyof typeof negative)).blob).toMatchObject(expected);
  });
  test("and each user counts once, under a name that is none", () => {
    expect(outcome(observed, "wininet")).toMatch(/^read (\d+) of \1 hives$/);
    expect(JSON.stringify(observed.facts)).not.toMatch(/S-1-5/);
  });
});

describe("the machine's places", () => {
  const place = (bits: 32 | 64) =>
    `${machine}\\SOFTWARE\\${bits === 32 ? "WOW6432Node\\" : ""}Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections`;

  test.each([
    [
      "D9",
      "F6",
      { flags: 3, server: "proxy.contoso.com:8080", bypass: "<local>;*.contoso.com" },
      { flags: 1, server: "", bypass: "" },
    ],
    [
      "D10",
      "F7",
      { flags: 3, server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443", bypass: "" },
      { flags: 3, server: "http=192.168.5.45:3128", bypass: "" },
    ],
  ] as const)("WinHTTP: %s for 64-bit, %s for 32-bit programs", async (wide, narrow, expected64, expected32) => {
    await written({
      [place(64)]: { WinHttpSettings: bytes(vectors[wide]) },
      [place(32)]: { WinHttpSettings: bytes(vectors[narrow]) },
    });
    const observed = await observe();
    expect(observed.facts.winhttp64).toEqual(expected64);
    expect(observed.facts.winhttp32).toEqual(expected32);
  });

  test("policy makes the machine's blob everyone's; SYSTEM's own is told apart", async () => {
    await written({
      [`${hiveOf(1001)}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D4) },
      [`${machine}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D3) },
      [`HKEY_USERS\\.DEFAULT\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D6) },
      [`${machine}\\${policyKey}`]: { ProxySettingsPerUser: 0 },
      [`${machine}\\${settingsKey}\\WinHttp`]: { DisableWpad: 1 },
    });
    const observed = await observe();
    expect(observed.facts.policy).toEqual({ ProxySettingsPerUser: 0, gpoManaged: true, DisableWpad: true });
    expect(observed.facts.machineBlob).toMatchObject({ counter: 7, flags: 5 });
    expect(observed.facts.systemBlob).toMatchObject({ counter: 33, flags: 15 });
    expect(userOf(observed, 1001).blob).toMatchObject({ counter: 12 });
    expect(inForceOf(observed, 1001)).toMatchObject({ source: "policy", pacUrl: "http://pac.contoso.com/proxy.pac" });
  });

  test("authentication, Windows and the Lync client are told", async () => {
    const lync = path.join(directory, "lync.exe");
    mkdirSync(path.dirname(lync), { recursive: true });
    symlinkSync(nodeExe(), lync);
    const lsa = `${machine}\\SYSTEM\\CurrentControlSet\\Control\\Lsa`;
    const appPath = `${machine}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\App Paths\\lync.exe`;
    await wine.importRegistry({ [lsa]: { LmCompatibilityLevel: 5 } });
    await written({
      [`${lsa}\\MSV1_0`]: { RestrictSendingNTLMTraffic: 2 },
      [appPath]: { "": wine.windowsPath(lync) },
    });
    const { system } = await observe();
    expect(system.authentication).toEqual({ lmCompatibilityLevel: 5, restrictSendingNtlmTraffic: 2 });
    expect(system.osVersion).toMatch(/^Microsoft Windows 10 .*\(10\.0\.\d{5}/);
    expect(system.domainJoined).toBe(false);
    expect(system.lync).toEqual({ installed: true, running: false, version: "22.23.3.0" });

    const up = path.join(directory, "up");
    const script = `require("fs").writeFileSync(${JSON.stringify(wine.windowsPath(up))}, ""); setInterval(() => {}, 1000)`;
    const running = wine.start(wine.windowsPath(lync), ["-e", script]);
    onTestFinished(() => void running.process.kill("SIGKILL"));
    const ended = running.ended.then(({ code, output }) => {
      throw new Error(`the program ended with ${code}: ${output}`);
    });
    ended.catch(() => {});
    await Promise.race([ended, expect.poll(() => existsSync(up), { timeout: 60_000 }).toBe(true)]);
    expect((await observe()).system.lync?.running).toBe(true);
  });
});

test("the certificates are those of Windows' own store, readable ones", async () => {
  const { certificates } = await observe();
  expect(certificates.length).toBeGreaterThan(0);
  expect(new Set(certificates).size).toBe(certificates.length);
  for (const pem of certificates) expect(() => new X509Certificate(pem)).not.toThrow();
});

describe("one user's own values", () => {
  test("legacy values beside the blob, a VPN entry, zones and Lync's policies, field by field", async () => {
    const lync = (version: string) => `Software\\Policies\\Microsoft\\Office\\${version}\\Lync`;
    await written({
      [`${hiveOf(1002)}\\${settingsKey}`]: {
        ProxyEnable: 1,
        ProxyServer: "user:secret@proxy.contoso.com:8080",
        ProxyOverride: "*.contoso.com;10.*;<local>",
        AutoConfigURL: "http://pac.contoso.com/proxy.pac?token=secret",
        AutoDetect: 0,
      },
      [`${hiveOf(1002)}\\${connectionsKey}`]: {
        DefaultConnectionSettings: bytes(vectors.D4),
        SavedLegacySettings: bytes(vectors.D2),
        "Contoso VPN": bytes(vectors.D3),
      },
      [`${hiveOf(1002)}\\${settingsKey}\\Zones\\1`]: { "1A00": 0 },
      [`${hiveOf(1002)}\\${settingsKey}\\Zones\\3`]: { "1A00": 0x20000 },
      [`${hiveOf(1002)}\\${settingsKey}\\ZoneMap`]: { IntranetName: 0 },
      [`${hiveOf(1002)}\\${settingsKey}\\ZoneMap\\Domains\\contoso.com\\mail`]: { https: 1 },
      [`${hiveOf(1002)}\\${policyKey}\\ZoneMapKey`]: { "https://autodiscover.contoso.com": "2" },
      [`${hiveOf(1002)}\\${lync("16.0")}`]: {
        TrustModelData: "lync.com, outlook.com, contoso.com",
        HttpProxyControlFlags: 3,
        AllowAdalForNonLyncIndependentOfLync: 1,
      },
      [`${hiveOf(1002)}\\Software\\Microsoft\\Office\\15.0\\Common\\Identity`]: { EnableADAL: 1 },
    });
    const observed = await observe();
    const user = userOf(observed, 1002);
    expect(user.legacy).toEqual({
      ProxyEnable: 1,
      ProxyServer: "proxy.contoso.com:8080",
      ProxyOverride: "*.contoso.com;10.*;<local>",
      AutoConfigURL: "http://pac.contoso.com/proxy.pac",
      AutoDetect: 0,
    });
    // The values name a script that the blob does not use.
    expect(user.mismatch).toBe(true);
    expect(JSON.stringify(observed)).not.toContain("secret");
    expect(user.windows).toMatchObject({
      savedLegacy: { counter: 4, flags: 9 },
      connections: [{ name: "Contoso VPN", blob: { counter: 7, pacUrl: "http://pac.contoso.com/proxy.pac" } }],
      activeConnection: null,
      httpProxyControlFlags: 3,
      zoneLogon: [0, null, 0x20000, null],
      trustModelData: "lync.com, outlook.com, contoso.com",
      allowAdalForNonLync: 1,
      enableAdal: 1,
    });
    expect(observed.zones.find(([id]) => id === user.configuration)?.[1]).toEqual({
      zoneMap: [
        { pattern: "https://autodiscover.contoso.com", zone: 2 },
        { pattern: "https://mail.contoso.com", zone: 1 },
      ],
      intranetName: false,
      proxyBypass: true,
    });
  });
});

describe("bad input", () => {
  test("of wrong types and of lengths that are none is told, and the rest is read", async () => {
    await written({
      [`${hiveOf(1003)}\\${settingsKey}`]: {
        ProxyEnable: "yes",
        ProxyServer: 1,
        ProxyOverride: { type: 7, data: Buffer.from("a\0b\0\0", "utf16le") },
        AutoDetect: { type: 4, data: Uint8Array.of(1, 0) },
      },
      [`${hiveOf(1003)}\\${connectionsKey}`]: {
        DefaultConnectionSettings: Buffer.alloc(300 * 1024, 0x46),
        SavedLegacySettings: "none",
      },
      [`${hiveOf(1004)}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D4) },
    });
    const observed = await observe();
    expect(userOf(observed, 1003)).toMatchObject({
      blob: { ok: false, autoDetect: true },
      legacy: { ProxyEnable: null, ProxyServer: null, ProxyOverride: null, AutoDetect: null },
      windows: { savedLegacy: null },
    });
    expect(userOf(observed, 1004).blob).toMatchObject({ ok: true, counter: 12 });
    expect(outcome(observed, "wininet")).toContain("ProxyEnable is REG_SZ, not REG_DWORD");
  });

  test("of 200 users is read in one go", async () => {
    const users = Array.from({ length: 200 }, (_, n) => 5000 + n);
    await wine.importRegistry(
      Object.fromEntries(
        users.map((n) => [
          `${hiveOf(n)}\\${connectionsKey}`,
          { DefaultConnectionSettings: bytes(n % 4 === 0 ? vectors.D3 : vectors.D4) },
        ]),
      ),
    );
    onTestFinished(() => wine.importRegistry(Object.fromEntries(users.map((n) => [hiveOf(n), null]))));
    const observed = await observe();
    const mine = new Set(users.map(idOf));
    expect(observed.facts.users.filter(({ id }) => mine.has(id))).toHaveLength(200);
    expect(observed.facts.configurations.map((one) => one.users).slice(0, 2)).toEqual([150, 50]);
  });
});
