import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isForbiddenAddress, isLoopbackHost, parseHostAndPort, parseHostName } from "../src/lib/hosts.ts";

describe("parseHostName", () => {
  test.each([
    ["mail.example.org", "mail.example.org"],
    ["  Mail.Example.ORG. ", "mail.example.org"],
    ["xn--mnchen-3ya.de", "xn--mnchen-3ya.de"],
    ["_sip.example.org", "_sip.example.org"],
  ])("takes %s", (text, name) => expect(parseHostName(text)).toBe(name));

  test.each([
    "localhost",
    "mail",
    "127.0.0.1",
    "127.1",
    "0x7f.0x1",
    "[::1]",
    "::1",
    "https://mail.example.org",
    "mail.example.org/ews",
    "mail.example.org:443",
    "user@mail.example.org",
    "mail example.org",
    "-mail.example.org",
    "mail..example.org",
    `${"a".repeat(64)}.example.org`,
    `${"a.".repeat(130)}org`,
    "",
  ])("refuses %j", (text) => expect(parseHostName(text)).toBeNull());

  test("gives a name that it takes again unchanged, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = parseHostName(text);
        expect(name === null || parseHostName(name) === name).toBe(true);
      }),
    );
  });
});

test("parseHostAndPort takes a port between 1 and 65535 and nothing after it", () => {
  expect(parseHostAndPort("mail.example.org:8443")).toEqual({ host: "mail.example.org", port: 8443 });
  expect(parseHostAndPort("mail.example.org")).toEqual({ host: "mail.example.org", port: null });
  for (const text of ["mail.example.org:0", "mail.example.org:65536", "mail.example.org:1:2", "mail.example.org:"])
    expect(parseHostAndPort(text)).toBeNull();
});

describe("isForbiddenAddress", () => {
  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:a9fe:a9fe",
    "::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "not an address",
  ])("holds for %s", (address) => expect(isForbiddenAddress(address)).toBe(true));

  test.each(["10.40.8.21", "192.168.1.1", "172.16.0.1", "203.0.113.9", "fd12::1", "2001:db8::1", "::ffff:10.0.0.1"])(
    "does not hold for %s",
    (address) => expect(isForbiddenAddress(address)).toBe(false),
  );
});

test("isLoopbackHost knows this machine by name and by address", () => {
  for (const host of ["localhost", "127.0.0.1", "127.3.2.1", "[::1]", "dash.localhost"])
    expect(isLoopbackHost(host)).toBe(true);
  for (const host of ["lynceus.example.org", "10.0.0.1", "localhost.example.org"])
    expect(isLoopbackHost(host)).toBe(false);
});
