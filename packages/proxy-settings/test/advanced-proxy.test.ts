import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAdvProxy } from "../src/advanced-proxy.ts";

describe("netsh winhttp show advproxy", () => {
  const json =
    '{"ProxyIsEnabled": true, "Proxy": "127.0.0.1:7892", "ProxyBypass": "<local>", "AutoConfigIsEnabled": false, "AutoconfigUrl": " ", "AutoDetect": false, "PerUserProxySettings": true}';
  test("is JSON after lines of words", () => {
    expect(parseAdvProxy(`\r\nCurrent WinHTTP advanced proxy settings:\r\n\r\n${json}\r\n`)?.settings).toEqual({
      autoDetect: false,
      pacUrl: null,
      server: "127.0.0.1:7892",
      bypass: "<local>",
      source: "file",
      dialect: "windows",
    });
  });
  test("what is switched off is not in force although it is written", () => {
    const off = json.replace('"ProxyIsEnabled": true', '"ProxyIsEnabled": false').replace('" "', '"http://pac/p.pac"');
    expect(parseAdvProxy(off)?.settings).toMatchObject({ server: null, pacUrl: null });
    expect(
      parseAdvProxy(off.replace('"AutoConfigIsEnabled": false', '"AutoConfigIsEnabled": true'))?.settings,
    ).toMatchObject({
      pacUrl: "http://pac/p.pac",
    });
  });
  test.each(["", "no braces", "}{", "{", "[1]", "{]}", '{"ProxyEnable": 1}'])("%j is none", (text) => {
    expect(parseAdvProxy(text)).toBeNull();
  });
});

test("any text is read", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseAdvProxy(text);
    }),
  );
});
