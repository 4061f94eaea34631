import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findBypass, isImplicitBypass, matchesBypass } from "../src/bypass-list.ts";
import { matchesCidr } from "../src/ip.ts";
import { matchesWildcard } from "../src/wildcard.ts";

const url = (host: string) => `https://${host}/EWS/Exchange.asmx`;

describe("Windows' bypass list (domain 4.1)", () => {
  test.each([
    ["*.contoso.com", "mail.contoso.com", true],
    ["*.contoso.com", "contoso.com", false],
    ["*contoso.com", "contoso.com", true],
    ["*contoso.com", "evilcontoso.com", true],
    ["<local>", "mail", true],
    ["<local>", "mail.contoso.com", false],
    ["<local>", "mail.", false],
    ["10.*", "10.2.3.4", true],
    ["10.*", "mail.contoso.com", false],
    ["*int*", "printer.contoso.com", true],
    ["*int*", "internet", true],
    ["https://mail.contoso.com:443", "mail.contoso.com", true],
    ["MAIL.CONTOSO.COM", "mail.contoso.com", true],
    ["", "localhost", true],
    ["<-loopback>", "localhost", false],
    // Beyond the table of the domain.
    ["mail.contoso.com", "MAIL.contoso.com", true],
    ["http://mail.contoso.com", "mail.contoso.com", false],
    ["mail.contoso.com:8443", "mail.contoso.com", false],
    ["mail.contoso.com:8443", "mail.contoso.com:8443", true],
    ["mail.contoso.com", "mail.contoso.com:8443", true],
    ["a;b mail.contoso.com", "mail.contoso.com", true],
    ["a,mail.contoso.com", "mail.contoso.com", false],
    ["contoso.com", "mail.contoso.com", false],
    ["<local>", "[2001:db8::1]", false],
    ["2001:db8::1", "[2001:db8::1]", true],
    ["[2001:db8::1]:443", "[2001:db8::1]", true],
    ["*", "mail.contoso.com", true],
    ["<local>", "LOCALHOST", true],
    ["<-loopback>;<local>", "localhost", true],
    ["", "127.0.0.1", true],
    ["", "[::1]", true],
    ["", "loopback", true],
    ["", "mail.contoso.com", false],
    ["<nonsense>", "mail", false],
    ["10.0.0.0/8", "10.1.2.3", false],
  ])("%j and %s: %s", (list, host, expected) => {
    expect(matchesBypass(list, url(host), "windows")).toBe(expected);
  });
  test("the entry that matched is told as written", () => {
    expect(findBypass("a;*.Contoso.COM", url("mail.contoso.com"), "windows")).toBe("*.Contoso.COM");
    expect(findBypass("", url("localhost"), "windows")).toBe("<loopback>");
  });
  test("loopback is implicit for itself only", () => {
    expect(isImplicitBypass(url("localhost"))).toBe(true);
    expect(isImplicitBypass(url("localhost.contoso.com"))).toBe(false);
    expect(isImplicitBypass("no url")).toBe(false);
  });
});

describe("the other systems' list (domain 4.10)", () => {
  test.each([
    ["example.com", "example.com", true],
    ["example.com", "mail.example.com", true],
    [".example.com", "example.com", true],
    [".example.com", "mail.example.com", true],
    ["example.com", "badexample.com", false],
    ["EXAMPLE.com", "mail.example.COM", true],
    ["*", "mail.example.com", true],
    ["a, example.com", "mail.example.com", true],
    ["a example.com", "example.com", true],
    ["example.com:443", "example.com", true],
    ["example.com:8443", "example.com", false],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.0.0.0/8", "mail.example.com", false],
    ["169.254/16", "169.254.7.7", true],
    ["169.254/16", "169.255.7.7", false],
    ["2001:db8::/32", "[2001:db8:1::1]", true],
    ["2001:db8::/32", "[2001:db9::1]", false],
    ["::1", "[::1]", true],
    ["1.2.3.4", "1.2.3.4", true],
    ["2.3.4", "1.2.3.4", false],
    ["*.local", "printer.local", true],
    ["*.local", "local", false],
    ["10.*", "10.1.2.3", true],
    ["<local>", "mail", true],
    ["example.com.", "mail.example.com", true],
    ["example.com", "mail.example.com.", true],
    [".", "mail.example.com", false],
    ["", "mail.example.com", false],
    ["", "localhost", true],
    ["0.0.0.0/0", "10.1.2.3", true],
    ["10.0.0.0/33", "10.0.0.0", false],
    ["/8", "10.0.0.0", false],
  ])("%j and %s: %s", (list, host, expected) => {
    expect(matchesBypass(list, url(host), "unix")).toBe(expected);
  });
});

describe("hostile lists", () => {
  const dialect = fc.constantFrom("windows" as const, "unix" as const);
  test("any list and any URL give an answer", () => {
    const entry = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[*.:/<>[\]a-c0-9-]{0,20}$/),
      fc.constantFrom("<local>", "<-loopback>", "*", "10.0.0.0/8", "::/0"),
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 10 }),
        fc.oneof(fc.webUrl(), fc.string()),
        dialect,
        (list, target, which) => {
          expect(typeof matchesBypass(list.join(";"), target, which)).toBe("boolean");
        },
      ),
      { numRuns: 1000 },
    );
  });
  test("wildcards match as the plain rule says", () => {
    // A second, slower way to say the same: what is left of the text after each way to spend the first star.
    const simple = (pattern: string, text: string): boolean => {
      if (pattern === "") return text === "";
      if (pattern[0] !== "*") return pattern[0] === text[0] && simple(pattern.slice(1), text.slice(1));
      for (let i = 0; i <= text.length; i++) if (simple(pattern.slice(1), text.slice(i))) return true;
      return false;
    };
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*]{0,8}$/), fc.stringMatching(/^[ab]{0,8}$/), (pattern, text) => {
        expect(matchesWildcard(pattern, text)).toBe(simple(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });
  test("a list made to hang a regular expression is answered", () => {
    const host = `${"a".repeat(200)}b.contoso.com`;
    const pattern = `${"*a".repeat(8000)}*c`;
    expect(matchesBypass(pattern, url(host), "windows")).toBe(false);
    expect(matchesBypass(Array(4000).fill("*a*a*a*a*a*a*a*c").join(";"), url(host), "unix")).toBe(false);
    expect(matchesBypass("*".repeat(100_000), url(host), "windows")).toBe(true);
    expect(matchesBypass("/".repeat(1_000_000), url(host), "windows")).toBe(false);
    expect(matchesBypass(`x${":".repeat(1_000_000)}`, url(host), "unix")).toBe(false);
  });
  test("an address lies in each of its own subnets", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, bits) => {
        const most = address.includes(":") ? 128 : 32;
        expect(matchesCidr(`${address}/${Math.min(bits, most)}`, address)).toBe(true);
      }),
    );
  });
});
