import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressKind, isSpecialAddress } from "../src/special-address.ts";
import { targetUrl } from "../src/target-url.ts";

describe("a special address", () => {
  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "localhost",
    "",
    "0x7f000001",
    "2130706433",
    "127.1",
  ])("is %s", (address) => {
    expect(isSpecialAddress(address)).toBe(true);
  });

  it.each(["10.40.8.21", "192.168.0.1", "172.16.4.4", "8.8.8.8", "fd12:3456::1", "2001:db8::1", "64:ff9b::8.8.8.8"])(
    "is not %s",
    (address) => {
      expect(isSpecialAddress(address)).toBe(false);
    },
  );

  it("is the same wrapped into IPv6 as alone", () => {
    fc.assert(fc.property(fc.ipV4(), (address) => isSpecialAddress(`::ffff:${address}`) === isSpecialAddress(address)));
  });

  it("is told for any text without a throw", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isSpecialAddress(text) === "boolean"));
  });
});

describe("the kind of an address", () => {
  it.each([
    ["8.8.8.8", "public"],
    ["2001:db8::1", "public"],
    ["2002:808:808::1", "public"],
    ["10.40.8.21", "private"],
    ["172.31.0.1", "private"],
    ["172.32.0.1", "public"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["100.100.100.200", "special"],
    ["fd12:3456::1", "private"],
    ["::ffff:10.0.0.1", "private"],
    ["64:ff9b::10.0.0.1", "private"],
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.9.9.9", "loopback"],
    ["169.254.169.254", "special"],
    ["fe80::1", "special"],
    ["0.0.0.0", "special"],
    ["255.255.255.255", "special"],
    ["mail.contoso.com", "special"],
  ])("of %s is %s", (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });
});

describe("a target's address", () => {
  it.each([
    [
      { kind: "https", host: "mail.contoso.com", port: 443, path: "/EWS/Exchange.asmx" },
      "https://mail.contoso.com/EWS/Exchange.asmx",
    ],
    [{ kind: "tls", host: "sip.contoso.com", port: 5061, path: null }, "https://sip.contoso.com:5061/"],
    [
      { kind: "http", host: "www.msftconnecttest.com", port: 80, path: "/connecttest.txt" },
      "http://www.msftconnecttest.com/connecttest.txt",
    ],
    [{ kind: "https", host: "fd12::1", port: 8443, path: "/" }, "https://[fd12::1]:8443/"],
    [{ kind: "https", host: "fd12::1", port: 443, path: "/" }, "https://[fd12::1]/"],
  ] as const)("is as a client would ask: %o", (target, url) => {
    expect(targetUrl(target)).toBe(url);
  });
});
