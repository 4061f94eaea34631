import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactProxyList, redactProxyUrl } from "../src/redact.ts";

describe("addresses of scripts and proxies", () => {
  test.each([
    ["http://pac.contoso.com/proxy.pac", "http://pac.contoso.com/proxy.pac"],
    ["http://user:pw@pac.contoso.com:8080/proxy.pac?k=v#f", "http://pac.contoso.com:8080/proxy.pac"],
    ["http://user@pac/p.pac", "http://pac/p.pac"],
    ["http://pac?k=user@home", "http://pac"],
    ["http://user:p@ss@pac/p.pac", "http://pac/p.pac"],
    ["http://user:p/ss@pac/p.pac", "http://pac/p.pac"],
    ["http://user:p?ss@pac/p.pac", "http://pac/p.pac"],
    ["http://user:p#ss@pac/p.pac?x", "http://pac/p.pac"],
    ["http://user:p@s/s@pac/p.pac", "http://…"],
    ["http://pac/p@ss.pac", "http://pac/…"],
    ["user:pw@proxy:8080", "proxy:8080"],
    ["file://C:/pac/proxy.pac", "file://C:/pac/proxy.pac"],
    ["C:\\pac\\proxy.pac", "C:\\pac\\proxy.pac"],
    ["\\\\server@SSL\\pac\\proxy.pac", "\\\\server@SSL\\pac\\proxy.pac"],
    ["", ""],
  ])("%j is shown as %j", (text, expected) => {
    expect(redactProxyUrl(text)).toBe(expected);
  });
});

describe("lists of proxies", () => {
  test.each([
    ["http=px1:8080;https=px2:8443", "http=px1:8080;https=px2:8443"],
    ["http=u:pw@px1:8080;https=px2:8443", "http=px1:8080;https=px2:8443"],
    ["https=http://u:pw@px:8443/?x=y", "https=http://px:8443"],
    ["PROXY u:pw@px:8080; DIRECT", "PROXY px:8080; DIRECT"],
    ["PROXY a:1; SOCKS u:1 2@px:8080; DIRECT", "PROXY a:1; SOCKS … px:8080; DIRECT"],
    ["http=u:1;2@px:8080", "http=…;px:8080"],
    ["u:p;w@px:8080", "…;px:8080"],
    ["px:abc", "px:abc"],
    ["px:abc u@other:1", "… other:1"],
    ["", ""],
  ])("%j is shown as %j", (text, expected) => {
    expect(redactProxyList(text)).toBe(expected);
  });
});

describe("a password", () => {
  // Of letters that the rest of the text does not hold.
  const secret = fc.stringMatching(/^[ZQ]{4}[ZQ;:/?#@ %=]{0,8}[ZQ]{4}$/);
  const clean = (text: string) => !/[ZQ]/.test(text);
  test("is not in a shown address, whatever it is made of", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom("http://", "https://", ""), (password, scheme) => {
        expect(redactProxyUrl(`${scheme}user:${password}@pac.contoso.com:8080/proxy.pac`)).toSatisfy(clean);
      }),
      { numRuns: 2000 },
    );
  });
  test("is not in a shown list, whatever it is made of", () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom("http=", "https=http://", "PROXY ", "a:80;http://", ""),
        (password, prefix) => {
          expect(redactProxyList(`${prefix}user:${password}@px.contoso.com:8080; DIRECT`)).toSatisfy(clean);
        },
      ),
      { numRuns: 2000 },
    );
  });
  test("any text is shown without a mark of userinfo or query, but for a path of Windows", () => {
    const piece = fc.constantFrom("@", "/", ":", "?", "#", " ", "http://", "http=", "a", "80", "\\", "…");
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (address) => {
        if (!/^\s*(?:[a-z]:[\\/]|\\\\)/i.test(address)) expect(redactProxyUrl(address)).not.toMatch(/[@?#]/);
        const list = redactProxyList(address);
        expect(list).not.toMatch(/[@?#]/);
        expect(redactProxyList(list)).toBe(list);
      }),
      { numRuns: 2000 },
    );
  });
  test("a megabyte of any mark is read", () => {
    for (const mark of ["@", "/", ":", "?", ";", "a=", "http://", "[", "\\"]) {
      expect(redactProxyUrl(mark.repeat(1e6)).length).toBeLessThanOrEqual(1e7);
      expect(redactProxyList(mark.repeat(1e6)).length).toBeLessThanOrEqual(1e7);
    }
  });
});
