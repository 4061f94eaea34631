import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsFactsSchema } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { bytes, vectors } from "@lynceus/proxy-settings/testing/vectors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WindowsMachine } from "../src/platform/windows/machine.ts";
import { maxValueBytes, type Registry } from "../src/platform/windows/registry.ts";
import { lastUsersIn } from "../src/proxy/last-users.ts";
import { type LastUsers, readSettings, type SettingsContext } from "../src/proxy/settings.ts";
import { memoryRegistry, type Values } from "./support/memory-registry.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const settingsKey = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const policyKey = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const lyncKey = (version: string) => `Software\\Policies\\Microsoft\\Office\\${version}\\Lync`;
const sid = (n: number) => `S-1-5-21-1111111111-222222222-3333333333-${n}`;

/** Keys of one hive, written below its root. */
const hive = (root: string, keys: Record<string, Values>) =>
  Object.fromEntries(Object.entries(keys).map(([key, values]) => [key === "" ? root : `${root}\\${key}`, values]));
const withBlob = (root: string, hex: string, legacy: Values = {}) =>
  hive(root, { [settingsKey]: legacy, [`${settingsKey}\\Connections`]: { DefaultConnectionSettings: bytes(hex) } });

const machineOf = (registry: Registry, more: Partial<WindowsMachine> = {}): WindowsMachine => ({
  registry,
  scope: "all",
  connectionsUp: () => ({ names: [], outcome: "none" }),
  officeVersion: () => null,
  networkState: () => "",
  systemFacts: () => ({}),
  ...more,
});

const context = (machine: SettingsContext["windows"], more: Partial<SettingsContext> = {}): SettingsContext => ({
  platform: "win32",
  environment: { https_proxy: "http://px1:3128" },
  settingsFile: null,
  run: async () => "",
  uid: null,
  salt: "salt",
  windows: machine ?? null,
  ...more,
});

async function read(machine: SettingsContext["windows"], more: Partial<SettingsContext> = {}) {
  const result = await readSettings(context(machine, more));
  expect(settingsFactsSchema.safeParse(result.facts).error).toBeUndefined();
  return result;
}
const factsOf = async (keys: Record<string, Values>, more: Partial<WindowsMachine> = {}) =>
  (await read(machineOf(memoryRegistry(keys), more))).facts;
const outcome = (facts: { sources: { name: string; outcome: string }[] }, name: string) =>
  facts.sources.find((one) => one.name === name)?.outcome;

describe("the users of a Windows machine", () => {
  test("are those of the loaded hives of people, not services, SYSTEM or classes", async () => {
    const facts = await factsOf({
      ...withBlob(`HKU\\${sid(1001)}`, vectors.D4),
      ...withBlob(`HKU\\${sid(1001)}_Classes`, vectors.D3),
      ...withBlob("HKU\\S-1-12-1-1-2-3-4", vectors.D2),
      ...withBlob("HKU\\S-1-5-18", vectors.D3),
      ...withBlob("HKU\\S-1-5-19", vectors.D3),
      ...withBlob("HKU\\.DEFAULT", vectors.D6),
    });
    expect(facts.users.map(({ blob }) => blob?.counter)).toEqual([12, 4]);
    expect(facts.systemBlob).toMatchObject({ counter: 0x21, flags: 0x0f });
    expect(facts.nobodySignedIn).toBe(false);
    expect(JSON.stringify(facts)).not.toContain("S-1-");
  });

  test("share one configuration where their settings are the same, whatever else differs", async () => {
    const keys = [1, 2, 3].map((n) => withBlob(`HKU\\${sid(n)}`, n === 3 ? vectors.D2 : vectors.D4));
    const facts = await factsOf(Object.assign({}, ...keys));
    expect(facts.configurations.map(({ users }) => users)).toEqual([2, 1]);
    expect(facts.configurations[0]?.settings).toMatchObject({
      source: "wininet-blob",
      dialect: "windows",
      server: "proxy.contoso.com:8080",
      bypass: "*.contoso.com;10.*;<local>",
    });
  });

  test("detect where they have no blob and no values, and variables of the environment say nothing", async () => {
    const facts = await factsOf(hive(`HKU\\${sid(1)}`, { "": {} }));
    expect(facts.configurations).toMatchObject([{ settings: { autoDetect: true, server: null } }]);
    expect(JSON.stringify(facts)).not.toContain("px1");
  });

  test("keep their legacy values, and a contradiction to the blob is told", async () => {
    const facts = await factsOf(
      withBlob(`HKU\\${sid(1)}`, vectors.D4, { ProxyEnable: 0, ProxyServer: "other:1", ProxyOverride: "" }),
    );
    expect(facts.users[0]).toMatchObject({ mismatch: true, legacy: { ProxyEnable: 0, ProxyServer: "other:1" } });
    expect(facts.configurations[0]?.settings.server).toBe("proxy.contoso.com:8080");
  });

  test("use the entry of a VPN connection while it is up", async () => {
    const keys = hive(`HKU\\${sid(1)}`, {
      [`${settingsKey}\\Connections`]: {
        DefaultConnectionSettings: bytes(vectors.D2),
        SavedLegacySettings: bytes(vectors.D1),
        "Contoso VPN": bytes(vectors.D4),
      },
    });
    const down = await factsOf(keys);
    expect(down.users[0]?.windows).toMatchObject({
      activeConnection: null,
      savedLegacy: { counter: 2, flags: 1 },
      connections: [{ name: "Contoso VPN", blob: { counter: 12 } }],
    });
    expect(down.configurations[0]?.settings.source).toBe("wininet-blob");
    const up = await factsOf(keys, { connectionsUp: () => ({ names: ["Contoso VPN"], outcome: "read" }) });
    expect(up.users[0]?.windows?.activeConnection).toBe("Contoso VPN");
    expect(up.configurations[0]?.settings).toMatchObject({ source: "vpn", server: "proxy.contoso.com:8080" });
  });

  test("have the machine's settings where policy says so", async () => {
    const keys = {
      ...withBlob(`HKU\\${sid(1)}`, vectors.D4),
      ...withBlob("HKLM", vectors.D3),
      [`HKLM\\${policyKey}`]: { ProxySettingsPerUser: 0 },
    };
    const facts = await factsOf(keys);
    expect(facts.policy).toEqual({ ProxySettingsPerUser: 0, gpoManaged: true, DisableWpad: false });
    expect(facts.configurations[0]?.settings).toMatchObject({
      source: "policy",
      pacUrl: "http://pac.contoso.com/proxy.pac",
    });
    expect(facts.machineBlob).toMatchObject({ counter: 7 });
    expect(facts.users[0]?.blob).toMatchObject({ counter: 12 });
  });

  test("are told with what decides on prompts", async () => {
    const root = `HKU\\${sid(1)}`;
    const keys = {
      ...hive(root, {
        [settingsKey]: {},
        [`${settingsKey}\\Zones\\1`]: { "1A00": 0x20000 },
        [`${settingsKey}\\Zones\\3`]: { "1A00": 0x10000 },
        [lyncKey("16.0")]: {
          TrustModelData: "lync.com, contoso.com",
          HttpProxyControlFlags: 1,
          AllowAdalForNonLyncIndependentOfLync: 1,
        },
        [lyncKey("15.0")]: { TrustModelData: "old.example", HttpProxyControlFlags: 2 },
        "Software\\Microsoft\\Office\\15.0\\Common\\Identity": { EnableADAL: 1 },
      }),
      [`HKLM\\${policyKey}\\Zones\\1`]: { "1A00": 0 },
    };
    expect((await factsOf(keys)).users[0]?.windows).toMatchObject({
      trustModelData: "lync.com, contoso.com",
      httpProxyControlFlags: 1,
      allowAdalForNonLync: 1,
      enableAdal: 1,
      zoneLogon: [0, null, 0x10000, null],
    });
    const older = await factsOf(keys, { officeVersion: () => "15.0" });
    expect(older.users[0]?.windows).toMatchObject({ trustModelData: "old.example", httpProxyControlFlags: 2 });
  });

  test("have their own zones, policy before preference", async () => {
    const root = `HKU\\${sid(1)}`;
    const { zones } = await read(
      machineOf(
        memoryRegistry({
          ...hive(root, {
            [`${settingsKey}\\ZoneMap`]: { IntranetName: 1, ProxyBypass: 0 },
            [`${settingsKey}\\ZoneMap\\Domains\\contoso.com`]: { https: 1 },
            [`${settingsKey}\\ZoneMap\\Domains\\contoso.com\\mail`]: { "*": 2 },
            [`${settingsKey}\\ZoneMap\\Ranges\\Range1`]: { ":Range": "10.1.*.*", http: 1 },
            [`${policyKey}\\ZoneMapKey`]: { "https://mail.contoso.com": "1", "bad.example": "nine" },
          }),
        }),
      ),
    );
    expect([...zones.values()]).toEqual([
      {
        zoneMap: [
          { pattern: "https://mail.contoso.com", zone: 1 },
          { pattern: "https://*.contoso.com", zone: 1 },
          { pattern: "mail.contoso.com", zone: 2 },
          { pattern: "http://10.1.*.*", zone: 1 },
        ],
        intranetName: true,
        proxyBypass: false,
      },
    ]);
  });
});

describe("the machine's own places", () => {
  test("are both WinHTTP values, and WinHTTP's switch for detection", async () => {
    const connections = "Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections";
    const facts = await factsOf({
      [`HKLM\\SOFTWARE\\${connections}`]: { WinHttpSettings: bytes(vectors.D9) },
      [`HKLM\\SOFTWARE\\WOW6432Node\\${connections}`]: { WinHttpSettings: bytes(vectors.F6) },
      [`HKLM\\${settingsKey}\\WinHttp`]: { DisableWpad: 1 },
    });
    expect(facts.winhttp64).toEqual({ flags: 3, server: "proxy.contoso.com:8080", bypass: "<local>;*.contoso.com" });
    expect(facts.winhttp32).toEqual({ flags: 1, server: "", bypass: "" });
    expect(facts.policy.DisableWpad).toBe(true);
  });

  test("are told as absent where there are none", async () => {
    const facts = await factsOf({ "HKU\\S-1-5-18": {} });
    expect(facts).toMatchObject({ winhttp64: null, winhttp32: null, machineBlob: null, systemBlob: null });
    expect(outcome(facts, "winhttp64")).toBe("absent");
    expect(outcome(facts, "policy")).toBe("absent");
  });
});

describe("with nobody signed in", () => {
  const signedIn = machineOf(memoryRegistry(withBlob(`HKU\\${sid(1)}`, vectors.D4)));
  const empty = { "HKU\\.DEFAULT": {}, "HKLM\\SOFTWARE": {} };

  test("the settings of the last user are kept and marked", async () => {
    const lastUsers: LastUsers = { users: [] };
    const before = await read(signedIn, { lastUsers });
    const after = await read(machineOf(memoryRegistry(empty)), { lastUsers });
    expect(before.facts.nobodySignedIn).toBe(false);
    expect(after.facts).toMatchObject({ nobodySignedIn: true, configurations: before.facts.configurations });
    expect(after.configurations).toEqual(before.configurations);
  });

  test("they are kept over a restart, whatever became of the file", async () => {
    const directory = temporaryDirectory();
    const before = await read(signedIn, { lastUsers: lastUsersIn(directory) });
    const after = await read(machineOf(memoryRegistry(empty)), { lastUsers: lastUsersIn(directory) });
    expect(after.facts).toMatchObject({ nobodySignedIn: true, configurations: before.facts.configurations });
    expect(after.facts.users.map(({ id }) => id)).toEqual(before.facts.users.map(({ id }) => id));
    for (const damaged of ['[{"user":1}]', '[{"user":"a","inForce":{"settings":{}}}]', "{}", "[nul", ""]) {
      writeFileSync(join(directory, "last-users.json"), damaged);
      expect(lastUsersIn(directory).users).toEqual([]);
    }
  });

  test("nothing is known of a machine that never saw anyone", async () => {
    expect((await read(machineOf(memoryRegistry(empty)))).facts).toMatchObject({
      nobodySignedIn: true,
      users: [],
      configurations: [],
    });
  });

  test("machine-wide settings hold all the same", async () => {
    const facts = await factsOf({
      ...empty,
      ...withBlob("HKLM", vectors.D3),
      [`HKLM\\${policyKey}`]: { ProxySettingsPerUser: 0 },
    });
    expect(facts).toMatchObject({
      nobodySignedIn: true,
      users: [],
      configurations: [{ users: 0, settings: { source: "policy", pacUrl: "http://pac.contoso.com/proxy.pac" } }],
    });
  });
});

describe("bad input", () => {
  test("of a wrong type counts as absent and is told", async () => {
    const facts = await factsOf(
      hive(`HKU\\${sid(1)}`, {
        [settingsKey]: { ProxyEnable: "1", ProxyServer: 7, AutoConfigURL: "http://pac.contoso.com/a.pac" },
        [`${settingsKey}\\Connections`]: { DefaultConnectionSettings: "46000000" },
      }),
    );
    expect(facts.users[0]).toMatchObject({
      blob: null,
      legacy: { ProxyEnable: null, ProxyServer: null, AutoConfigURL: "http://pac.contoso.com/a.pac" },
    });
    expect(outcome(facts, "wininet")).toBe(
      "read 1 of 1 hives; ProxyEnable is REG_SZ, not REG_DWORD; ProxyServer is REG_DWORD, not REG_SZ; DefaultConnectionSettings is REG_SZ, not REG_BINARY",
    );
  });

  test("of a short number, an overlong value or a truncated blob is told and harms nobody", async () => {
    const facts = await factsOf({
      ...hive(`HKU\\${sid(1)}`, {
        [settingsKey]: { ProxyEnable: { type: 4, data: Uint8Array.of(1), size: 1 } },
        [`${settingsKey}\\Connections`]: {
          DefaultConnectionSettings: { type: 3, data: new Uint8Array(), size: maxValueBytes + 1 },
        },
      }),
      ...withBlob(`HKU\\${sid(2)}`, vectors.D12),
    });
    expect(facts.users.map(({ blob }) => blob?.ok)).toEqual([false, false]);
    expect(facts.configurations.map(({ settings }) => settings.autoDetect)).toContain(true);
    expect(outcome(facts, "wininet")).toContain("ProxyEnable holds 1 bytes; a REG_DWORD has 4");
    expect(outcome(facts, "wininet")).toContain(`holds ${maxValueBytes + 1} bytes`);
  });

  test.each([
    ["the key is deleted", "Connections", "vanished"],
    ["there are no rights", "Internet Settings", "access denied"],
  ])("leaves a user out while %s", async (_what, key, why) => {
    const keys = { ...withBlob(`HKU\\${sid(1)}`, vectors.D4), ...withBlob(`HKU\\${sid(2)}`, vectors.D3) };
    const failing = (path: string) => (path.includes(sid(2)) && path.endsWith(key) ? why : null);
    const { facts } = await read(machineOf(memoryRegistry(keys, failing)));
    expect(facts.users).toHaveLength(1);
    expect(outcome(facts, "wininet")).toBe(`read 1 of 2 hives; ${why}`);
  });

  test("does not take a hive that is unloaded while it is read for one without settings", async () => {
    const keys = { ...withBlob(`HKU\\${sid(1)}`, vectors.D4), ...withBlob(`HKU\\${sid(2)}`, vectors.D3) };
    const failing = (path: string) => (path.includes(sid(2)) ? "absent" : null);
    const { facts } = await read(machineOf(memoryRegistry(keys, failing)));
    expect(facts.users).toHaveLength(1);
    expect(outcome(facts, "wininet")).toBe("read 1 of 2 hives; vanished");
  });

  test("is a registry that cannot be read at all: nothing is claimed", async () => {
    const { facts } = await read(machineOf(memoryRegistry({}, () => "access denied")));
    expect(facts).toMatchObject({ users: [], configurations: [], nobodySignedIn: false });
    expect(outcome(facts, "wininet")).toBe("HKEY_USERS: access denied");
    const { facts: none } = await read({ why: "koffi cannot be loaded" });
    expect(none).toMatchObject({ users: [], configurations: [] });
    expect(none.sources).toEqual([{ name: "windows", outcome: "koffi cannot be loaded" }]);
  });

  test("of 512 users with long lists still fits one message, and no configuration loses its detail first", async () => {
    const hex = Buffer.from(bytes(vectors.D4));
    const long = Buffer.concat([
      hex.subarray(0, 38),
      Buffer.from(Uint32Array.of(3000).buffer),
      Buffer.alloc(3000, "a"),
    ]);
    const keys = Array.from({ length: 600 }, (_, n) =>
      withBlob(`HKU\\${sid(n)}`, n % 2 === 0 ? long.toString("hex") : vectors.D3),
    );
    const facts = await factsOf(Object.assign({}, ...keys));
    expect(facts.users).toHaveLength(limits.users);
    expect(facts.configurations.map(({ users }) => users)).toEqual([256, 256]);
    expect(JSON.stringify(facts).length).toBeLessThan(limits.messageBytes / 2);
    for (const { id } of facts.configurations)
      expect(facts.users.find(({ configuration, blob }) => configuration === id && blob)).toBeDefined();
  });

  test("of any types, lengths and bytes gives facts that the wire takes", async () => {
    const value = fc
      .record({ type: fc.integer({ min: 0, max: 12 }), data: fc.uint8Array({ maxLength: 300 }) })
      .map(({ type, data }) => ({ type, data, size: data.length }));
    const blob = fc.oneof(
      value,
      fc
        .tuple(
          fc.constantFrom(...Object.values(vectors)),
          fc.integer({ min: 0, max: 120 }),
          fc.integer({ min: 0, max: 255 }),
        )
        .map(([hex, at, byte]) => {
          const data = bytes(hex);
          if (at < data.length) data[at] = byte;
          return { type: 3, data, size: data.length };
        }),
    );
    const name = fc.constantFrom(
      "ProxyEnable",
      "ProxyServer",
      "ProxyOverride",
      "AutoConfigURL",
      "AutoDetect",
      "1A00",
      ":Range",
      "*",
    );
    const values = fc.dictionary(name, value);
    const root = `HKU\\${sid(1)}`;
    await fc.assert(
      fc.asyncProperty(values, values, blob, blob, fc.string(), async (a, b, c, d, connection) => {
        await factsOf(
          {
            ...hive(root, {
              [settingsKey]: a as Values,
              [`${settingsKey}\\Zones\\1`]: b as Values,
              [`${settingsKey}\\ZoneMap`]: b as Values,
              [`${settingsKey}\\ZoneMap\\Ranges\\Range1`]: b as Values,
              [`${settingsKey}\\ZoneMap\\Domains\\contoso.com`]: b as Values,
              [lyncKey("16.0")]: { TrustModelData: c, HttpProxyControlFlags: d },
              [`${settingsKey}\\Connections`]: {
                DefaultConnectionSettings: c,
                SavedLegacySettings: d,
                [connection]: c,
              },
            }),
            [`HKLM\\${settingsKey}\\Connections`]: { WinHttpSettings: c, DefaultConnectionSettings: d },
            [`HKLM\\${policyKey}`]: { ProxySettingsPerUser: d },
          },
          { connectionsUp: () => ({ names: [connection], outcome: "read" }) },
        );
      }),
      { numRuns: 300 },
    );
  });
});
