import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAdvProxy, parseNetshProxy } from "../src/winhttp-command.ts";

describe("netsh winhttp show proxy", () => {
  const head = "\r\nCurrent WinHTTP proxy settings:\r\n\r\n";
  test("says direct", () => {
    expect(parseNetshProxy(`${head}    Direct access (no proxy server).\r\n\r\n`)).toBeNull();
  });
  test("names a proxy and its bypass list", () => {
    expect(
      parseNetshProxy(`${head}    Proxy Server(s) :  proxy:8080\r\n    Bypass List     :  *.contoso.com;<local>\r\n`),
    ).toEqual({
      server: "proxy:8080",
      bypass: "*.contoso.com;<local>",
    });
  });
  test("writes (none) for an empty list", () => {
    expect(parseNetshProxy(`${head}    Proxy Server(s) :  proxy:8080\r\n    Bypass List     :  (none)\r\n`)).toEqual({
      server: "proxy:8080",
      bypass: "",
    });
  });
  test("in another language is not understood, rather than direct", () => {
    expect(
      parseNetshProxy("\r\nAktuelle WinHTTP-Proxyeinstellungen:\r\n\r\n    Direktzugriff (kein Proxyserver).\r\n"),
    ).toBeUndefined();
  });
});

describe("netsh winhttp show advproxy", () => {
  const json =
    '{"ProxyIsEnabled": true, "Proxy": "127.0.0.1:7892", "ProxyBypass": "<local>", "AutoConfigIsEnabled": false, "AutoconfigUrl": " ", "AutoDetect": false, "PerUserProxySettings": true}';
  test("is JSON after lines of words", () => {
    expect(parseAdvProxy(`\r\nCurrent WinHTTP advanced proxy settings:\r\n\r\n${json}\r\n`)?.settings).toEqual({
      autoDetect: false,
      pacUrl: null,
      server: "127.0.0.1:7892",
      bypass: "<local>",
      source: "wininet-values",
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
  test.each(["", "no braces", "}{", "{", "[1]", "{]}"])("%j is none", (text) => {
    expect(parseAdvProxy(text)).toBeNull();
  });
});

test("any text of either command is read", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseAdvProxy(text);
      expect([undefined, null]).toContain(parseNetshProxy(text));
    }),
  );
});
