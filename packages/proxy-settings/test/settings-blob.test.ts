import { settingsBlobSchema } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSettingsBlob, settingsBlobFacts } from "../src/settings-blob.ts";
import { parseWinHttpBlob } from "../src/winhttp-blob.ts";
import { bytes, vectors } from "./vectors.ts";

const parse = (id: keyof typeof vectors) => parseSettingsBlob(bytes(vectors[id]));
const off = { manual: false, pac: false, autoDetect: false };

describe("settings blobs found in public places decode to what their authors say", () => {
  test("F1 is direct only, counter 10, in 56 bytes", () => {
    expect(bytes(vectors.F1)).toHaveLength(56);
    expect(parse("F1")).toMatchObject({ ok: true, signature: 0x46, counter: 10, flags: 1, direct: true, ...off });
  });
  test("F2 is manual and auto-detect with a local bypass, in 75 bytes", () => {
    expect(bytes(vectors.F2)).toHaveLength(75);
    expect(parse("F2")).toMatchObject({
      ok: true,
      counter: 81,
      flags: 0x0b,
      direct: true,
      manual: true,
      pac: false,
      autoDetect: true,
      server: "127.0.0.1:80",
      bypass: "<local>",
      pacUrl: "",
    });
  });
  test("F3 is manual and script without a bypass, in 103 bytes", () => {
    expect(bytes(vectors.F3)).toHaveLength(103);
    expect(parse("F3")).toMatchObject({
      ok: true,
      flags: 7,
      manual: true,
      pac: true,
      autoDetect: false,
      server: "192.168.1.1:80",
      bypass: "",
      pacUrl: "http://xduotai.com/pRsO3NGR3-.pac",
    });
  });
  test("F4 is auto-detect only, with discovery flags", () => {
    expect(parse("F4")).toMatchObject({ ok: true, flags: 9, autoDetect: true, manual: false, tail: { flags: 1 } });
  });
  test("F5, of IE 5's shape, proves the order of the tail", () => {
    expect(parse("F5")).toMatchObject({
      ok: true,
      signature: 0x3c,
      counter: 30,
      ...off,
      tail: {
        flags: 1,
        lastKnownGoodUrl: "",
        interfaces: ["192.168.0.189"],
        secondaryPacUrl: "",
        reloadMinutes: 0,
      },
    });
    const detected = parse("F5").tail?.lastDetection ?? 0;
    expect(new Date(detected).toISOString()).toMatch(/^2004-11-20T10:05:19/);
  });
});

describe("settings blobs derived from the layout", () => {
  test.each([
    ["D1", { counter: 2, flags: 1, ...off, server: "", bypass: "", pacUrl: "" }],
    ["D2", { counter: 4, flags: 9, manual: false, pac: false, autoDetect: true }],
    ["D3", { counter: 7, flags: 5, manual: false, pac: true, pacUrl: "http://pac.contoso.com/proxy.pac" }],
    [
      "D4",
      {
        counter: 12,
        flags: 3,
        manual: true,
        server: "proxy.contoso.com:8080",
        bypass: "*.contoso.com;10.*;<local>",
        pacUrl: "",
      },
    ],
    [
      "D5",
      {
        counter: 20,
        manual: true,
        server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443;socks=px3.contoso.com:1080",
        bypass: "<local>",
      },
    ],
    [
      "D6",
      {
        counter: 33,
        flags: 0x0f,
        manual: true,
        pac: true,
        autoDetect: true,
        server: "proxy.contoso.com:8080",
        bypass: "<local>",
        pacUrl: "http://pac.contoso.com/proxy.pac",
      },
    ],
    ["D7", { counter: 41, flags: 1, ...off, server: "oldproxy.contoso.com:3128", bypass: "<local>" }],
    ["D8", { counter: 9, flags: 5, pac: true, pacUrl: "file://C:/pac/proxy.pac" }],
  ] as const)("%s decodes whole", (id, expected) => {
    expect(parse(id)).toMatchObject({ ok: true, signature: 0x46, direct: true, ...expected });
  });
  test("D11, cut before the flags, is not ok and counts as auto-detect", () => {
    expect(parse("D11")).toMatchObject({
      ok: false,
      flags: 0,
      autoDetect: true,
      manual: false,
      pac: false,
      tail: null,
    });
  });
  test("D12, whose length overflows, is clipped and not ok", () => {
    expect(parse("D12")).toMatchObject({ ok: false, flags: 3, manual: true, server: "a", bypass: "", pacUrl: "" });
  });
  test("a structure older than IE 5 counts as not configured", () => {
    const blob = bytes(vectors.D4);
    blob[0] = 59;
    expect(parseSettingsBlob(blob)).toMatchObject({ ok: false, autoDetect: true, manual: false, server: "" });
  });
  test("any version from 60 on is read", () => {
    const blob = bytes(vectors.D4);
    blob[0] = 0x50;
    expect(parseSettingsBlob(blob)).toMatchObject({ ok: true, server: "proxy.contoso.com:8080" });
  });
  test("text that is no UTF-8 is read as Latin-1, and trailing NULs go", () => {
    const blob = Uint8Array.from([
      ...bytes("46000000010000000300000003000000"),
      0xfc,
      0x62,
      0,
      ...bytes("0000000000000000"),
    ]);
    expect(parseSettingsBlob(blob)).toMatchObject({ ok: true, server: "üb" });
  });
});

describe("WinHTTP blobs", () => {
  const winhttp = (id: keyof typeof vectors) => parseWinHttpBlob(bytes(vectors[id]));
  test("F6, Windows' default, is direct", () => {
    expect(winhttp("F6")).toEqual({ ok: true, signature: 0x18, flags: 1, named: false, server: "", bypass: "" });
  });
  test("F7, a published prefix, gives the proxy and says that it ends early", () => {
    expect(winhttp("F7")).toMatchObject({
      ok: false,
      flags: 3,
      named: true,
      server: "http=192.168.5.45:3128",
      bypass: "",
    });
  });
  test("D9 is a named proxy with a bypass list", () => {
    expect(winhttp("D9")).toMatchObject({
      ok: true,
      named: true,
      server: "proxy.contoso.com:8080",
      bypass: "<local>;*.contoso.com",
    });
  });
  test("D10 has a proxy per scheme and an empty bypass list", () => {
    expect(winhttp("D10")).toMatchObject({
      ok: true,
      server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443",
      bypass: "",
    });
  });
});

describe("hostile bytes", () => {
  const schema = settingsBlobSchema;
  test("every prefix of every vector is read without a throw, and its facts fit the wire", () => {
    for (const hex of Object.values(vectors)) {
      const whole = bytes(hex);
      for (let length = 0; length <= whole.length; length++) {
        const blob = parseSettingsBlob(whole.subarray(0, length));
        expect(schema.safeParse(settingsBlobFacts(blob)).success).toBe(true);
        parseWinHttpBlob(whole.subarray(0, length));
      }
    }
  });
  test("any bytes are read without a throw, and their facts fit the wire", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (random) => {
        expect(schema.safeParse(settingsBlobFacts(parseSettingsBlob(random))).success).toBe(true);
        parseWinHttpBlob(random);
      }),
    );
  });
  test("a mutated vector is read without a throw", () => {
    const ids = Object.keys(vectors) as (keyof typeof vectors)[];
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.nat(), fc.nat(255), (id, at, byte) => {
        const blob = bytes(vectors[id]);
        blob[at % blob.length] = byte;
        expect(schema.safeParse(settingsBlobFacts(parseSettingsBlob(blob))).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
  test("what was written is read again", () => {
    const field = fc.string({ maxLength: 60 }).filter((text) => !text.endsWith("\0") && !text.includes("\uFFFD"));
    const u32 = (value: number) => {
      const out = new Uint8Array(4);
      new DataView(out.buffer).setUint32(0, value, true);
      return out;
    };
    const text = (value: string) => {
      const encoded = new TextEncoder().encode(value);
      return [...u32(encoded.length), ...encoded];
    };
    fc.assert(
      fc.property(field, field, field, fc.nat(15), fc.nat(), (server, bypass, pacUrl, flags, counter) => {
        const blob = Uint8Array.from([
          ...u32(0x46),
          ...u32(counter),
          ...u32(flags),
          ...text(server),
          ...text(bypass),
          ...text(pacUrl),
          ...new Uint8Array(32),
        ]);
        expect(parseSettingsBlob(blob)).toMatchObject({ ok: true, counter, flags, server, bypass, pacUrl });
      }),
    );
  });
  test("strings longer than the wire allows are cut, and the blob is no longer ok", () => {
    const facts = settingsBlobFacts({ ...parse("D4"), bypass: "a".repeat(20_000) });
    expect(facts.ok).toBe(false);
    expect(facts.bypass).toHaveLength(16 * 1024);
  });
  test("facts hold no tail and no password", () => {
    const facts = settingsBlobFacts({
      ...parse("F5"),
      server: "user:secret@p:8080",
      pacUrl: "http://u:secret@h/p.pac?k=secret",
    });
    expect(JSON.stringify(facts)).not.toContain("secret");
    expect(facts).not.toHaveProperty("tail");
  });
});
