import { createHmac } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import {
  type ProbeFacts,
  type SettingsFacts,
  type SystemFacts,
  settingsFactsSchema,
  type UserSettings,
} from "@lynceus/protocol/facts";
import { bytes, vectors } from "@lynceus/proxy-settings/testing/vectors";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { type SettingsSampleName, settingsSamples, winHttpSamples } from "../src/settings-samples.ts";
import { soon, startWindowsEndpoint, type WindowsEndpoint } from "../src/windows-endpoint.ts";
import { nodeExe } from "../src/wine.ts";

/*
 * What stands in the registry is what the collector has, field by field: written before the agent is installed, read by
 * the installed service, sent, and stored. What Wine does not prove is in docs/windows.md.
 */

const settingsKey = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const policyKey = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const connectionsKey = `${settingsKey}\\Connections`;
const machine = "HKEY_LOCAL_MACHINE";
const winHttpPlace = (bits: 32 | 64) =>
  `${machine}\\SOFTWARE\\${bits === 32 ? "WOW6432Node\\" : ""}Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections`;
const lsa = `${machine}\\SYSTEM\\CurrentControlSet\\Control\\Lsa`;

const names = Object.keys(settingsSamples) as SettingsSampleName[];
/** Of a domain, and for one sample of Entra ID. */
const sidOf = (name: SettingsSampleName) =>
  name === "D8"
    ? "S-1-12-1-1004336348-1177238915-682003330-2000"
    : `S-1-5-21-1004336348-1177238915-682003330-${2000 + names.indexOf(name)}`;
const sidOfValues = "S-1-5-21-1004336348-1177238915-682003330-1002";

let endpoint: WindowsEndpoint;
beforeAll(async () => {
  endpoint = await startWindowsEndpoint();
  const { wine, world } = endpoint;
  const lync = path.join(wine.prefix, "lync.exe");
  symlinkSync(nodeExe(), lync);
  const office = "Software\\Policies\\Microsoft\\Office\\16.0\\Lync";
  await wine.importRegistry({
    ...Object.fromEntries(
      names.map((name) => [
        `HKEY_USERS\\${sidOf(name)}\\${connectionsKey}`,
        { DefaultConnectionSettings: bytes(vectors[name]), SavedLegacySettings: bytes(vectors[name]) },
      ]),
    ),
    [`HKEY_USERS\\${sidOfValues}\\${settingsKey}`]: {
      ProxyEnable: 1,
      ProxyServer: "user:secret@proxy.contoso.com:8080",
      ProxyOverride: "*.contoso.com;10.*;<local>",
      AutoConfigURL: "http://pac.contoso.com/proxy.pac?token=secret",
      AutoDetect: 0,
    },
    [`HKEY_USERS\\${sidOfValues}\\${connectionsKey}`]: {
      DefaultConnectionSettings: bytes(vectors.D4),
      SavedLegacySettings: bytes(vectors.D2),
      "Contoso VPN": bytes(vectors.D3),
    },
    [`HKEY_USERS\\${sidOfValues}\\${settingsKey}\\Zones\\1`]: { "1A00": 0 },
    [`HKEY_USERS\\${sidOfValues}\\${settingsKey}\\Zones\\3`]: { "1A00": 0x20000 },
    [`HKEY_USERS\\${sidOfValues}\\${office}`]: {
      TrustModelData: "lync.com, outlook.com, contoso.com",
      HttpProxyControlFlags: 3,
      AllowAdalForNonLyncIndependentOfLync: 1,
    },
    [`HKEY_USERS\\${sidOfValues}\\Software\\Microsoft\\Office\\15.0\\Common\\Identity`]: { EnableADAL: 1 },
    [winHttpPlace(64)]: { WinHttpSettings: bytes(vectors.D9) },
    [winHttpPlace(32)]: { WinHttpSettings: bytes(vectors.F6) },
    [`${machine}\\${policyKey}\\ZoneMapKey`]: { "https://mail.example.org": "2" },
    // Nothing of this network is detected.
    [`${machine}\\${settingsKey}\\WinHttp`]: { DisableWpad: 1 },
    [lsa]: { LmCompatibilityLevel: 5 },
    [`${lsa}\\MSV1_0`]: { RestrictSendingNTLMTraffic: 2 },
    [`${machine}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\App Paths\\lync.exe`]: { "": wine.windowsPath(lync) },
  });
  const properties = [`ENROLL_TOKEN=${world.token}`, "ALLOWED_SUFFIXES=example.org,msftconnecttest.com"];
  expect(await endpoint.install(endpoint.installers.msi, ...properties)).toEqual({ code: 0, output: "" });
}, 600_000);
afterAll(() => endpoint?.stop());

async function stored(): Promise<SettingsFacts> {
  const [newest] = await endpoint.world.facts("settings");
  return settingsFactsSchema.parse(newest);
}
const idOf = (sid: string) => {
  const salt = readFileSync(path.join(endpoint.data, "salt"), "utf8").trim();
  return createHmac("sha256", salt).update(sid).digest("hex").slice(0, 16);
};
function userOf({ users }: SettingsFacts, sid: string): UserSettings {
  const user = users.find(({ id }) => id === idOf(sid));
  if (!user) throw new Error(`user ${sid} is not stored`);
  return user;
}
const inForceOf = (facts: SettingsFacts, sid: string) =>
  facts.configurations.find(({ id }) => id === userOf(facts, sid).configuration)?.settings;
const logs = () => onTestFailed(() => console.error(endpoint.logs()));

describe("what the registry holds when the agent is installed is stored:", () => {
  let facts: SettingsFacts;
  beforeAll(async () => {
    facts = await soon(stored).catch((error: Error) => {
      throw new Error(`${error.message}\n${endpoint.logs()}`);
    });
  });

  test.each(names)("%s, in a hive of its own", (name) => {
    const { blob, inForce } = settingsSamples[name];
    const { configuration, ...user } = userOf(facts, sidOf(name));
    expect(user).toEqual({
      id: idOf(sidOf(name)),
      blob,
      legacy: { ProxyEnable: null, ProxyServer: null, ProxyOverride: null, AutoConfigURL: null, AutoDetect: null },
      mismatch: false,
      windows: {
        savedLegacy: blob,
        connections: [],
        activeConnection: null,
        httpProxyControlFlags: null,
        zoneLogon: [null, null, null, null],
        trustModelData: null,
        allowAdalForNonLync: null,
        enableAdal: null,
      },
    });
    expect(inForceOf(facts, sidOf(name))).toEqual(inForce);
    expect(configuration).not.toBe("");
  });

  test("separate values that contradict the blob, a VPN entry, zones and Lync's policies, without their secrets", () => {
    const { id, configuration, ...user } = userOf(facts, sidOfValues);
    expect(user).toEqual({
      blob: settingsSamples.D4.blob,
      legacy: {
        ProxyEnable: 1,
        ProxyServer: "proxy.contoso.com:8080",
        ProxyOverride: "*.contoso.com;10.*;<local>",
        AutoConfigURL: "http://pac.contoso.com/proxy.pac",
        AutoDetect: 0,
      },
      // The values name a script that the blob does not use.
      mismatch: true,
      windows: {
        savedLegacy: settingsSamples.D2.blob,
        connections: [{ name: "Contoso VPN", blob: settingsSamples.D3.blob }],
        activeConnection: null,
        httpProxyControlFlags: 3,
        zoneLogon: [0, null, 0x20000, null],
        trustModelData: "lync.com, outlook.com, contoso.com",
        allowAdalForNonLync: 1,
        enableAdal: 1,
      },
    });
    // The same in force as of the user who has nothing else.
    expect(configuration).toBe(userOf(facts, sidOf("D4")).configuration);
    expect(JSON.stringify(facts)).not.toMatch(/secret|S-1-/);
  });

  test("each user once, by the settings in force", () => {
    // Wine's own user has settings too.
    expect(facts.users).toHaveLength(names.length + 2);
    expect(facts.nobodySignedIn).toBe(false);
    for (const { id, users } of facts.configurations)
      expect(facts.users.filter(({ configuration }) => configuration === id)).toHaveLength(users);
  });

  test("the machine's WinHTTP proxies, policy, and where all of it was found", () => {
    const { users: _users, configurations: _configurations, sources, ...places } = facts;
    expect(places).toEqual({
      nobodySignedIn: false,
      winhttp64: winHttpSamples.D9,
      winhttp32: winHttpSamples.F6,
      policy: { ProxySettingsPerUser: null, gpoManaged: false, DisableWpad: true },
      systemBlob: null,
      machineBlob: null,
      advancedProxy: null,
    });
    const hives = names.length + 2;
    expect(Object.fromEntries(sources.map(({ name, outcome }) => [name, outcome]))).toEqual({
      wininet: `read ${hives} of ${hives} hives`,
      "wininet-system": "read",
      "wininet-machine": "read",
      winhttp64: "read",
      winhttp32: "read",
      policy: "read",
      connections: expect.any(String),
    });
  });

  test("the zone that policy gives a probed site", async () => {
    logs();
    const probes = await soon(async () => {
      const found = ((await endpoint.world.facts("probe")) as ProbeFacts[]).filter(
        ({ endpoint: { host } }) => host === "mail.example.org",
      );
      expect(found).not.toEqual([]);
      return found;
    });
    for (const { endpoint: where, zone } of probes) if (where.kind === "https") expect(zone).toBe("trusted");
  });

  test("Windows, NTLM's restrictions and the installed Lync client", async () => {
    logs();
    const system = await soon(async () => {
      const [newest] = await endpoint.world.facts("system");
      expect(newest).toBeDefined();
      return newest as SystemFacts;
    });
    expect(system).toMatchObject({
      os: "windows",
      osVersion: expect.stringMatching(/^Microsoft Windows 10 .*\(10\.0\.\d{5}/),
      domainJoined: false,
      authentication: { lmCompatibilityLevel: 5, restrictSendingNtlmTraffic: 2 },
      lync: { installed: true, running: false, version: "22.23.3.0" },
    });
  });
});

test("what policy changes for everyone is stored after it, without a cycle in between", async () => {
  logs();
  await endpoint.wine.importRegistry({
    [`${machine}\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D3) },
    [`HKEY_USERS\\.DEFAULT\\${connectionsKey}`]: { DefaultConnectionSettings: bytes(vectors.D6) },
    [winHttpPlace(64)]: { WinHttpSettings: bytes(vectors.D10) },
    [winHttpPlace(32)]: { WinHttpSettings: bytes(vectors.F7) },
    [`${machine}\\${policyKey}`]: { ProxySettingsPerUser: 0 },
  });
  // A reading may fall between two of these values.
  await soon(async () => {
    const facts = await stored();
    expect(facts).toMatchObject({
      winhttp64: winHttpSamples.D10,
      winhttp32: winHttpSamples.F7,
      policy: { ProxySettingsPerUser: 0, gpoManaged: true, DisableWpad: true },
      machineBlob: settingsSamples.D3.blob,
      systemBlob: settingsSamples.D6.blob,
    });
    const settings = { ...settingsSamples.D3.inForce, source: "policy" };
    expect(facts.configurations).toEqual([{ id: expect.any(String), settings, users: names.length + 2, probed: true }]);
    for (const name of names) expect(userOf(facts, sidOf(name)).blob).toEqual(settingsSamples[name].blob);
  });
});
