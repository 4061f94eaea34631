import { type EffectiveSettings, routeSchema } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effectiveSettings } from "../src/effective.ts";
import { type PacOutcome, resolveRoute } from "../src/route.ts";
import { parseSettingsBlob } from "../src/settings-blob.ts";
import { zoneOf } from "../src/zone.ts";
import { bytes, vectors } from "./vectors.ts";

const ews = "https://mail.contoso.com/EWS/Exchange.asmx";
const settingsOf = (id: keyof typeof vectors) =>
  effectiveSettings({ user: { blob: parseSettingsBlob(bytes(vectors[id])), legacy: null } }).settings;
const none = { autoDetect: null, pac: null };
const got = (result: string): PacOutcome => ({ ok: true, result });
const failed = (why: string): PacOutcome => ({ ok: false, why });
const proxyText = (id: keyof typeof vectors, url = ews) => {
  const { route } = resolveRoute(url, settingsOf(id), none);
  return route.proxy ? `${route.proxy.host}:${route.proxy.port}` : route.kind;
};

describe("the route of EWS for the sample blobs", () => {
  test("D5 sends it to the https entry", () => {
    expect(proxyText("D5")).toBe("px2.contoso.com:8443");
    expect(proxyText("D5", "http://mail.contoso.com/")).toBe("px1.contoso.com:8080");
    expect(proxyText("D5", "ftp://mail.contoso.com/")).toBe("px3.contoso.com:1080");
  });
  test("D4 sends it direct by its bypass list, and another host to the proxy", () => {
    expect(resolveRoute(ews, settingsOf("D4"), none).route).toEqual({
      kind: "direct",
      proxy: null,
      by: "bypass",
      list: "*.contoso.com",
    });
    expect(proxyText("D4", "https://mail.fabrikam.com/")).toBe("proxy.contoso.com:8080");
  });
  test("D1 and D7 are direct because nothing is set", () => {
    for (const id of ["D1", "D7"] as const)
      expect(resolveRoute(ews, settingsOf(id), none)).toEqual({
        route: { kind: "direct", proxy: null, by: "none", list: "" },
        fellThrough: [],
      });
  });
});

describe("the order of domain 4.6", () => {
  const all = settingsOf("D6");
  test("loopback is direct before anything is asked", () => {
    expect(resolveRoute("https://localhost/", all, { autoDetect: got("PROXY px:1"), pac: null }).route).toMatchObject({
      kind: "direct",
      by: "implicit",
    });
  });
  test("<-loopback> sends loopback the way of the others", () => {
    const settings = { ...settingsOf("D4"), bypass: "<-loopback>" };
    expect(resolveRoute("https://localhost/", settings, none).route).toMatchObject({ kind: "proxy", by: "manual" });
  });
  test("auto-detect comes before the script, the script before the manual proxy", () => {
    const scripts = { autoDetect: got("PROXY wpad:1"), pac: got("PROXY pac:2") };
    expect(resolveRoute(ews, all, scripts).route).toMatchObject({
      by: "auto-detect",
      proxy: { host: "wpad", port: 1 },
    });
    expect(resolveRoute(ews, all, { ...scripts, autoDetect: failed("dns") })).toMatchObject({
      route: { by: "pac", proxy: { host: "pac", port: 2 } },
      fellThrough: ["auto-detect: dns"],
    });
    expect(resolveRoute(ews, all, { autoDetect: null, pac: failed("http-404") })).toMatchObject({
      route: { by: "manual", proxy: { host: "proxy.contoso.com", port: 8080 } },
      fellThrough: ["auto-detect: no script", "pac: http-404"],
    });
  });
  test("the bypass list does not touch what a script says", () => {
    const settings = { ...all, bypass: "*.contoso.com" };
    expect(resolveRoute(ews, settings, { autoDetect: got("PROXY px:1"), pac: null }).route.kind).toBe("proxy");
  });
  test("a script that says DIRECT, or nothing, ends the search", () => {
    for (const result of ["DIRECT", ""])
      expect(resolveRoute(ews, all, { autoDetect: got(result), pac: null })).toEqual({
        route: { kind: "direct", proxy: null, by: "auto-detect", list: result },
        fellThrough: [],
      });
  });
  test("the first choice of a script counts", () => {
    const { route } = resolveRoute(ews, all, { autoDetect: got("DIRECT; PROXY px:1"), pac: null });
    expect(route).toMatchObject({ kind: "direct", list: "DIRECT; PROXY px:1" });
  });
  test("a script with nothing usable is direct, and that is told", () => {
    const { route, fellThrough } = resolveRoute(ews, all, { autoDetect: got("FOO bar"), pac: null });
    expect(route).toMatchObject({ kind: "direct", by: "auto-detect" });
    expect(fellThrough).toEqual(["auto-detect: the script returned nothing usable, which means direct: FOO bar"]);
  });
  test("steps that are off are not told as passed over", () => {
    expect(resolveRoute(ews, settingsOf("D4"), { autoDetect: failed("dns"), pac: failed("dns") }).fellThrough).toEqual(
      [],
    );
  });
  test("a proxy for http only leaves EWS direct by the manual setting, whose list shows why", () => {
    const settings = { ...settingsOf("D4"), server: "http=px1:8080", bypass: "" };
    expect(resolveRoute(ews, settings, none).route).toEqual({
      kind: "direct",
      proxy: null,
      by: "manual",
      list: "http=px1:8080",
    });
  });
  test("a script's result leaves the machine without its login", () => {
    const { route } = resolveRoute(ews, all, { autoDetect: got("PROXY user:secret@px:8080; DIRECT"), pac: null });
    expect(route).toMatchObject({ proxy: { host: "px" }, list: "PROXY px:8080; DIRECT" });
  });
});

describe("any settings and any script", () => {
  const outcome = fc.option(
    fc.oneof(
      fc.record({ ok: fc.constant(true as const), result: fc.string() }),
      fc.record({ ok: fc.constant(false as const), why: fc.string() }),
    ),
  );
  const settings: fc.Arbitrary<EffectiveSettings> = fc.record({
    autoDetect: fc.boolean(),
    pacUrl: fc.option(fc.string()),
    server: fc.option(fc.string()),
    bypass: fc.string(),
    source: fc.constantFrom("wininet-blob" as const, "environment" as const),
    dialect: fc.constantFrom("windows" as const, "unix" as const),
  });
  test("give a route that fits the wire, and a zone", () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), settings, outcome, outcome, (url, set, autoDetect, pac) => {
        const { route } = resolveRoute(url, set, { autoDetect, pac });
        expect(routeSchema.safeParse(route).success).toBe(true);
        expect(["intranet", "trusted", "internet", "unknown"]).toContain(zoneOf({ url, route, settings: set }));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("the zone (domain 4.8)", () => {
  const zone = (url: string, set: EffectiveSettings, extra: Partial<Parameters<typeof zoneOf>[0]> = {}) =>
    zoneOf({ url, settings: set, route: resolveRoute(url, set, none).route, zoneMap: [], ...extra });
  const manual = settingsOf("D4");
  test("a host without a dot is intranet, unless that is switched off", () => {
    expect(zone("https://mail/", settingsOf("D1"))).toBe("intranet");
    expect(zone("https://mail/", settingsOf("D1"), { intranetName: false })).toBe("internet");
  });
  test("a host on the fixed bypass list is intranet, through the proxy it is Internet", () => {
    expect(zone(ews, manual)).toBe("intranet");
    expect(zone(ews, manual, { proxyBypass: false })).toBe("internet");
    expect(zone("https://mail.fabrikam.com/", manual)).toBe("internet");
  });
  test("a script that says DIRECT makes intranet, one that names a proxy does not", () => {
    const pac = settingsOf("D3");
    const by = (result: string) => resolveRoute(ews, pac, { autoDetect: null, pac: got(result) }).route;
    expect(zoneOf({ url: ews, settings: pac, route: by("DIRECT") })).toBe("intranet");
    expect(zoneOf({ url: ews, settings: pac, route: by("PROXY px:1"), zoneMap: [] })).toBe("internet");
  });
  test("is not called Internet where ZoneMap was not read", () => {
    const unread = (set: EffectiveSettings, url = ews) =>
      zoneOf({ url, settings: set, route: resolveRoute(url, set, none).route });
    expect(unread(settingsOf("D1"))).toBe("unknown");
    expect(unread(manual, "https://mail.fabrikam.com/")).toBe("unknown");
    expect(unread(manual)).toBe("intranet");
  });
  test("direct without proxy and script is Internet, whatever the address", () => {
    expect(zone(ews, settingsOf("D1"))).toBe("internet");
    expect(zone("https://10.1.2.3/", settingsOf("D1"))).toBe("internet");
  });
  test.each([
    ["https://mail.contoso.com", 2, "trusted"],
    ["*.contoso.com", 1, "intranet"],
    ["https://*.contoso.com", 1, "intranet"],
    ["http://*.contoso.com", 1, "internet"],
    ["*.mail.contoso.com", 2, "trusted"],
    ["contoso.com", 1, "internet"],
    ["*.contoso.com", 4, "internet"],
    ["*.contoso.com", 77, "unknown"],
  ])("ZoneMap %s = %i gives %s", (pattern, number, expected) => {
    expect(zone(ews, settingsOf("D1"), { zoneMap: [{ pattern, zone: number }] })).toBe(expected);
  });
  test("ZoneMap ranges hold addresses, and the most specific entry rules", () => {
    const range = [{ pattern: "10.1.0.0-10.1.255.255", zone: 1 }];
    expect(zone("https://10.1.2.3/", settingsOf("D1"), { zoneMap: range })).toBe("intranet");
    expect(zone("https://10.2.2.3/", settingsOf("D1"), { zoneMap: range })).toBe("internet");
    const zoneMap = [
      { pattern: "*.contoso.com", zone: 1 },
      { pattern: "https://mail.contoso.com", zone: 2 },
    ];
    expect(zone(ews, settingsOf("D1"), { zoneMap })).toBe("trusted");
  });
  test("only Windows has zones", () => {
    expect(zone(ews, { ...manual, dialect: "unix" })).toBe("unknown");
    expect(zone("no url", manual)).toBe("unknown");
  });
});
