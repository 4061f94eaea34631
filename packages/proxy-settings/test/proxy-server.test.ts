import { proxyAddressSchema } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProxy } from "../src/host-port.ts";
import { parsePacResult, readPacResult } from "../src/pac-result.ts";
import { type Dialect, parseProxyServer, proxiesFor } from "../src/proxy-server.ts";

const https = (value: string, dialect: Dialect = "windows") =>
  proxiesFor(parseProxyServer(value, dialect), "https").map(formatProxy);

describe("ProxyServer, for an https URL", () => {
  test.each([
    ["proxy.contoso.com:8080", ["proxy.contoso.com:8080"]],
    ["http=px1:8080;https=px2:8443;socks=px3:1080", ["px2:8443"]],
    ["http=px1:8080;other:3128", ["other:3128"]],
    ["http=px1 other", ["other:80"]],
    ["http=px1:8080;socks=px3", ["socks4://px3:1080"]],
    ["http=px1:8080", []],
    ["ftp=px1:8080", []],
    ["", []],
    ["  ;; ", []],
    ["https=https://px:443", ["px:443"]],
    ["http://proxy:8080/", ["proxy:8080"]],
    ["HTTPS=PX2.Contoso.COM", ["px2.contoso.com:80"]],
    ["[2001:db8::1]:3128", ["[2001:db8::1]:3128"]],
    ["p1:1;p2:2", ["p1:1", "p2:2"]],
    ["user:secret@px:8080", ["px:8080"]],
  ])("%j gives %j", (value, expected) => {
    expect(https(value)).toEqual(expected);
  });
  test("https= is spoken in plain HTTP, also where https:// is written", () => {
    expect(parseProxyServer("https=https://px:8443").entries[0]?.proxy.scheme).toBe("http");
  });
  test("elsewhere https:// is TLS to the proxy, and socks is version 5", () => {
    expect(https("https=https://px", "unix")).toEqual(["https://px:443"]);
    expect(https("socks=px", "unix")).toEqual(["socks5://px:1080"]);
    expect(https("socks5h://px", "unix")).toEqual(["socks5://px:1080"]);
  });
  test("an http URL takes http=, then the bare entry, then socks=", () => {
    const http = (value: string) => proxiesFor(parseProxyServer(value), "http").map(formatProxy);
    expect(http("http=px1:8080;https=px2:8443")).toEqual(["px1:8080"]);
    expect(http("https=px2:8443")).toEqual([]);
    expect(http("https=px2:8443 socks=px3")).toEqual(["socks4://px3:1080"]);
  });
  test.each(["px:99999", "px:0", "px:abc", "gopher=px:80", "quic://px:443", "=px", "a=b=c", "http=", "[::1", "a,b:80"])(
    "%j is no entry, is skipped and told",
    (value) => {
      expect(parseProxyServer(value)).toEqual({ entries: [], skipped: [value] });
    },
  );
  test("what is skipped is told without its password", () => {
    expect(parseProxyServer("user:secret@px:0").skipped).toEqual(["px:0"]);
  });
});

describe("results of a script", () => {
  const choices = (text: string) =>
    parsePacResult(text).map((choice) => (choice.kind === "direct" ? "direct" : formatProxy(choice.proxy)));
  test.each([
    ["DIRECT", ["direct"]],
    ["", ["direct"]],
    ["   ", ["direct"]],
    [";;", ["direct"]],
    ["PROXY px:8080; DIRECT", ["px:8080", "direct"]],
    ["proxy px", ["px:80"]],
    ["HTTP px", ["px:80"]],
    ["HTTPS px", ["https://px:443"]],
    ["SOCKS px", ["socks4://px:1080"]],
    ["SOCKS4 px:1", ["socks4://px:1"]],
    ["SOCKS5 px:1", ["socks5://px:1"]],
    ["QUIC px:443; PROXY px:8080", ["px:8080"]],
    ["FOO bar", ["direct"]],
    ["PROXY", ["direct"]],
    ["PROXY px:0;DIRECT", ["direct"]],
    ["PROXY [::1]:3128", ["[::1]:3128"]],
    ["PROXY\tpx:8080 ;DIRECT", ["px:8080", "direct"]],
    ["PROXY http://px:8080", ["direct"]],
    ["__proto__ px", ["direct"]],
    ["constructor px", ["direct"]],
  ])("%j gives %j", (text, expected) => {
    expect(choices(text)).toEqual(expected);
  });
  test("what is no entry is told, without a password", () => {
    expect(readPacResult("FOO u:secret@bar; DIRECT").invalid).toEqual(["bar"]);
  });
});

describe("hostile text", () => {
  const dialects = fc.constantFrom<Dialect>("windows", "unix");
  const pieces = fc.array(
    fc.constantFrom(
      "http=",
      "https=",
      "socks=",
      "socks5://",
      "https://",
      "px",
      ":",
      "8080",
      ";",
      " ",
      "@",
      "[",
      "]",
      "/",
      "DIRECT",
      "PROXY ",
      "SOCKS ",
    ),
    { maxLength: 20 },
  );
  const text = fc.oneof(
    fc.string(),
    pieces.map((parts) => parts.join("")),
  );
  test("any value gives proxies that fit the wire", () => {
    fc.assert(
      fc.property(text, dialects, (value, dialect) => {
        for (const { proxy } of parseProxyServer(value, dialect).entries)
          expect(proxyAddressSchema.safeParse(proxy).success).toBe(true);
        for (const choice of parsePacResult(value))
          if (choice.kind === "proxy") expect(proxyAddressSchema.safeParse(choice.proxy).success).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
  test("a proxy as it is written is read again", () => {
    const proxy = fc.record({
      scheme: fc.constantFrom("http" as const, "https" as const, "socks4" as const, "socks5" as const),
      host: fc.constantFrom("px", "px1.contoso.com", "10.0.0.1", "2001:db8::1"),
      port: fc.integer({ min: 1, max: 65_535 }),
    });
    fc.assert(
      fc.property(proxy, (address) => {
        expect(proxiesFor(parseProxyServer(formatProxy(address), "unix"), "https")).toEqual([address]);
      }),
    );
  });
  test("a megabyte of separators or of one entry is read", () => {
    for (const value of [";".repeat(1e6), "a".repeat(1e6), "/".repeat(1e6), "a=".repeat(5e5), "[".repeat(1e6)]) {
      expect(parseProxyServer(value).entries.length).toBeLessThanOrEqual(1);
      expect(parsePacResult(value)).toEqual([{ kind: "direct" }]);
    }
  });
});
