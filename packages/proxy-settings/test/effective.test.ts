import { createHash } from "node:crypto";
import { effectiveSettingsSchema, type LegacySettings } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configurationId } from "../src/configuration.ts";
import { effectiveSettings, inForce, legacySettingsFacts, settingsMismatch } from "../src/effective.ts";
import { parseSettingsBlob } from "../src/settings-blob.ts";
import { bytes, vectors } from "./vectors.ts";

const blob = (id: keyof typeof vectors) => parseSettingsBlob(bytes(vectors[id]));
const legacy = (values: Partial<LegacySettings> = {}): LegacySettings => ({
  ProxyEnable: null,
  ProxyServer: null,
  ProxyOverride: null,
  AutoConfigURL: null,
  AutoDetect: null,
  ...values,
});
const nothing = { blob: null, legacy: null };
const hash = (text: string) => createHash("sha256").update(text).digest("hex");

describe("what is in force for a Windows user", () => {
  test("D7, a remembered proxy whose flag is off, is direct", () => {
    expect(effectiveSettings({ user: { blob: blob("D7"), legacy: null } }).settings).toEqual({
      autoDetect: false,
      pacUrl: null,
      server: null,
      bypass: "",
      source: "wininet-blob",
      dialect: "windows",
    });
  });
  test("D6 has all three ways on", () => {
    expect(effectiveSettings({ user: { blob: blob("D6"), legacy: null } }).settings).toMatchObject({
      autoDetect: true,
      pacUrl: "http://pac.contoso.com/proxy.pac",
      server: "proxy.contoso.com:8080",
      bypass: "<local>",
    });
  });
  test("the blob rules over separate values that say otherwise", () => {
    const place = { blob: blob("D1"), legacy: legacy({ ProxyEnable: 1, ProxyServer: "px:8080" }) };
    expect(effectiveSettings({ user: place }).settings.server).toBeNull();
    expect(settingsMismatch(place)).toBe(true);
  });
  test("a blob that cannot be read, or none at all, means auto-detect", () => {
    for (const user of [{ blob: blob("D11"), legacy: null }, nothing, { blob: null, legacy: legacy() }])
      expect(effectiveSettings({ user }).settings).toMatchObject({ autoDetect: true, pacUrl: null, server: null });
  });
  test("without a blob the separate values count, with detection on unless it is off", () => {
    const values = legacy({ ProxyEnable: 1, ProxyServer: "px:8080", ProxyOverride: "*.contoso.com" });
    expect(effectiveSettings({ user: { blob: null, legacy: values } }).settings).toMatchObject({
      autoDetect: true,
      server: "px:8080",
      bypass: "*.contoso.com",
      source: "wininet-values",
    });
    const off = { blob: null, legacy: { ...values, AutoDetect: 0, ProxyEnable: 0 } };
    expect(effectiveSettings({ user: off }).settings).toMatchObject({ autoDetect: false, server: null, bypass: "" });
  });
  test("only ProxySettingsPerUser 0 makes the machine's settings rule", () => {
    const sources = { user: { blob: blob("D1"), legacy: null }, machine: { blob: blob("D4"), legacy: null } };
    expect(effectiveSettings({ ...sources, proxySettingsPerUser: 0 }).settings).toMatchObject({
      server: "proxy.contoso.com:8080",
      source: "policy",
    });
    for (const proxySettingsPerUser of [1, 2, null])
      expect(effectiveSettings({ ...sources, proxySettingsPerUser }).settings.source).toBe("wininet-blob");
    expect(effectiveSettings({ user: sources.user, proxySettingsPerUser: 0 }).settings).toMatchObject({
      autoDetect: true,
      source: "policy",
    });
  });
  test("the connection that is up wins over policy and user", () => {
    expect(
      effectiveSettings({
        user: { blob: blob("D1"), legacy: null },
        machine: { blob: blob("D2"), legacy: null },
        proxySettingsPerUser: 0,
        connection: blob("D5"),
      }).settings,
    ).toMatchObject({ source: "vpn", autoDetect: false, bypass: "<local>" });
  });
});

describe("mismatch between blob and separate values", () => {
  test("values that agree, that are absent, or a blob that is not ok are none", () => {
    const agreeing = legacy({
      ProxyEnable: 1,
      ProxyServer: "proxy.contoso.com:8080",
      ProxyOverride: "*.contoso.com;10.*;<local>",
    });
    expect(settingsMismatch({ blob: blob("D4"), legacy: agreeing })).toBe(false);
    expect(settingsMismatch({ blob: blob("D4"), legacy: legacy() })).toBe(false);
    expect(settingsMismatch({ blob: blob("D11"), legacy: agreeing })).toBe(false);
    expect(settingsMismatch({ blob: null, legacy: agreeing })).toBe(false);
    expect(settingsMismatch({ blob: blob("D7"), legacy: legacy({ ProxyEnable: 0 }) })).toBe(false);
  });
  test.each([
    ["ProxyEnable", { ProxyEnable: 0 }],
    ["ProxyServer", { ProxyServer: "other:8080" }],
    ["ProxyOverride", { ProxyOverride: "<local>" }],
    ["AutoConfigURL", { AutoConfigURL: "http://pac/p.pac" }],
    ["AutoDetect", { AutoDetect: 1 }],
  ])("another %s is one", (_, values) => {
    expect(settingsMismatch({ blob: blob("D4"), legacy: legacy(values) })).toBe(true);
  });
});

describe("what leaves the machine", () => {
  const raw = {
    autoDetect: false,
    pacUrl: " http://user:secret@pac.contoso.com/proxy.pac?site=7 ",
    server: "http=user:secret@px1:8080;https=px2:8443",
    bypass: "<local>",
    source: "wininet-blob",
    dialect: "windows",
  } as const;
  test("holds no userinfo and no query, while the script is fetched with its query and without the login", () => {
    const { settings, scriptUrl } = inForce(raw);
    expect(settings.pacUrl).toBe("http://pac.contoso.com/proxy.pac");
    expect(settings.server).toBe("http=px1:8080;https=px2:8443");
    expect(scriptUrl).toBe("http://pac.contoso.com/proxy.pac?site=7");
    expect(
      JSON.stringify(legacySettingsFacts(legacy({ ProxyServer: raw.server, AutoConfigURL: raw.pacUrl }))),
    ).not.toContain("secret");
  });
  test("a way that is on with an empty value is off", () => {
    expect(inForce({ ...raw, pacUrl: " ", server: "" }).settings).toMatchObject({
      pacUrl: null,
      server: null,
      bypass: "",
    });
  });
  test("any texts give settings that fit the wire", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (pacUrl, server, bypass) => {
        expect(effectiveSettingsSchema.safeParse(inForce({ ...raw, pacUrl, server, bypass }).settings).success).toBe(
          true,
        );
      }),
    );
    const long = "x".repeat(100_000);
    expect(
      effectiveSettingsSchema.safeParse(inForce({ ...raw, pacUrl: long, server: long, bypass: long }).settings).success,
    ).toBe(true);
  });
});

describe("the id of a configuration", () => {
  const settings = effectiveSettings({ user: { blob: blob("D4"), legacy: null } }).settings;
  const id = (change: Partial<typeof settings> = {}) => configurationId({ ...settings, ...change }, hash);
  test("is 16 hex digits and does not depend on where the settings were read, nor on spaces and case", () => {
    expect(id()).toMatch(/^[0-9a-f]{16}$/);
    expect(id({ source: "policy" })).toBe(id());
    expect(id({ bypass: " <LOCAL> ; *.contoso.com  10.*" })).toBe(id());
    expect(id({ server: "PROXY.contoso.com:8080 ;" })).toBe(id());
  });
  test.each([
    ["auto-detect", { autoDetect: true }],
    ["the script", { pacUrl: "http://pac/p.pac" }],
    ["the proxy", { server: "other:8080" }],
    ["no proxy", { server: null }],
    ["the bypass list", { bypass: "<local>" }],
    ["the dialect", { dialect: "unix" as const }],
  ])("changes with %s", (_, change) => {
    expect(id(change)).not.toBe(id());
  });
  test("changes with the query of the script's address, which is not in the settings", () => {
    const one = configurationId({ ...settings, pacUrl: "http://pac/p" }, hash, "http://pac/p?site=1");
    const two = configurationId({ ...settings, pacUrl: "http://pac/p" }, hash, "http://pac/p?site=2");
    expect(one).not.toBe(two);
  });
});
