import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseKioslaverc } from "../src/kioslaverc.ts";

const file = (type: number) => `[$Version]
update_info=kioslave.upd:kde2.2/r1

[Proxy Settings]
NoProxyFor[$e]=localhost,example.org
Proxy Config Script=http://pac/p.pac
ProxyType=${type}
ReversedException=false
httpProxy=http://px1 3128
httpsProxy=http://px2:8443
socksProxy=socks://px3 1080

[Other]
ProxyType=1
`;

describe("KDE's settings", () => {
  test("manual gives a proxy per scheme and the hosts that go direct", () => {
    expect(parseKioslaverc(file(1))?.settings).toEqual({
      autoDetect: false,
      pacUrl: null,
      server: "http=http://px1:3128;https=http://px2:8443;socks=socks://px3:1080",
      bypass: "localhost,example.org",
      source: "kde",
      dialect: "unix",
    });
  });
  test.each([
    [0, { autoDetect: false, pacUrl: null, server: null }],
    [2, { autoDetect: false, pacUrl: "http://pac/p.pac", server: null }],
    [3, { autoDetect: true, pacUrl: null, server: null }],
  ])("type %i is %j", (type, expected) => {
    expect(parseKioslaverc(file(type))?.settings).toMatchObject(expected);
  });
  test("the environment's type, or a file without the group, leaves it to others", () => {
    expect(parseKioslaverc(file(4))).toBeNull();
    expect(parseKioslaverc("[Other]\nProxyType=1\n")).toBeNull();
  });
  test("a reversed list is none", () => {
    expect(parseKioslaverc(file(1).replace("ReversedException=false", "ReversedException=true"))?.settings.bypass).toBe(
      "",
    );
  });
  test("any text is read", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseKioslaverc(`[Proxy Settings]\nProxyType=1\n${text}`)?.settings.source).toBe("kde");
      }),
    );
  });
});
