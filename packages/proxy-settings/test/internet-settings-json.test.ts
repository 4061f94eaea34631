import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInternetSettings } from "../src/internet-settings-json.ts";

const settings = (value: unknown) => {
  const parsed = parseInternetSettings(JSON.stringify(value));
  return parsed.ok ? parsed.inForce.settings : parsed.message;
};

describe("the file of --proxy-settings", () => {
  test("holds values of the Internet Settings key", () => {
    expect(
      settings({
        AutoDetect: 0,
        ProxyEnable: 1,
        ProxyServer: "px:8080",
        ProxyOverride: "*.contoso.com;<local>",
        AutoConfigURL: "http://pac/p.pac",
      }),
    ).toEqual({
      autoDetect: false,
      pacUrl: "http://pac/p.pac",
      server: "px:8080",
      bypass: "*.contoso.com;<local>",
      source: "file",
      dialect: "windows",
    });
  });
  test("what is absent or null is off", () => {
    for (const value of [
      {},
      { AutoDetect: null, ProxyServer: null },
      { ProxyServer: "px:8080" },
      { ProxyEnable: 0, ProxyServer: "px:8080" },
    ])
      expect(settings(value)).toMatchObject({ autoDetect: false, pacUrl: null, server: null });
  });
  test("switches may be true and false, names in any case, and a byte order mark may stand first", () => {
    expect(settings({ autodetect: true })).toMatchObject({ autoDetect: true });
    expect(parseInternetSettings('\uFEFF{"PROXYENABLE": true, "proxyserver": "px"}')).toMatchObject({
      ok: true,
      legacy: { ProxyEnable: 1, ProxyServer: "px", AutoDetect: null },
    });
  });
  test.each(["file://C:/pac/proxy.pac", "C:\\pac\\proxy.pac", "\\\\server\\pac\\proxy.pac", "https://pac/p.pac"])(
    "a script at %s is taken: whether it works is a finding",
    (AutoConfigURL) => {
      expect(settings({ AutoConfigURL })).toMatchObject({ pacUrl: AutoConfigURL });
    },
  );
  test.each([
    [{ ProxyEnable: 2 }, 'ProxyEnable is 2; it is 0 or 1, such as {"ProxyEnable": 1}'],
    [{ AutoDetect: "yes" }, 'AutoDetect is yes; it is 0 or 1, such as {"AutoDetect": 1}'],
    [{ ProxyServ: "px" }, /^"ProxyServ" is no known value; use AutoDetect, ProxyEnable, .* such as \{/],
    [{ ProxyServer: 5 }, /^ProxyServer is 5; it is a text, such as \{/],
    [{ ProxyServer: "px:99999" }, /^ProxyServer holds "px:99999"; entries are .* such as "http=px1/],
    [{ ProxyServer: "user:secret@px:99999" }, /^ProxyServer holds "px:99999"/],
    [
      { AutoConfigURL: "pac.contoso.com" },
      /^AutoConfigURL is "pac.contoso.com"; it is the address of a script, such as/,
    ],
    [{ ProxyOverride: "x".repeat(20_000) }, /^ProxyOverride has 20000 characters; at most 16384, such as/],
    [[], /^the proxy settings are \[\]; give one JSON object, such as \{/],
    ["text", /^the proxy settings are text; give one JSON object/],
    [null, /^the proxy settings are null; give one JSON object/],
  ])("%j is refused with the value, the rule and an example", (value, message) => {
    expect(settings(value)).toMatch(message);
  });
  test("what is no JSON is refused", () => {
    expect(parseInternetSettings("{")).toMatchObject({
      ok: false,
      message: expect.stringContaining("are no JSON; give one object, such as"),
    });
  });
  test("keys of the object's own making change nothing", () => {
    expect(parseInternetSettings('{"__proto__": {"ProxyEnable": 1}}')).toMatchObject({ ok: false });
    expect(parseInternetSettings('{"constructor": 1}')).toMatchObject({ ok: false });
  });
  test("any text and any JSON give settings or one line", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = parseInternetSettings(text);
        if (!parsed.ok) expect(parsed.message).toMatch(/such as/);
      }),
      { numRuns: 500 },
    );
  });
});
