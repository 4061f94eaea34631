import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Adapter,
  decodeAdapters,
  fileVersion,
  isVpnUp,
  neighbourOf,
  rasNames,
} from "../src/platform/windows/adapters.ts";
import { splitKey, whyNot } from "../src/platform/windows/advapi.ts";
import { authenticationOf, lyncPath, osVersionOf, suffixesOf } from "../src/platform/windows/machine.ts";
import { decodeText, keyValues, type RegistryValue } from "../src/platform/windows/registry.ts";
import { watchedKeys } from "../src/platform/windows/watched-keys.ts";
import { proxyInfoList } from "../src/platform/windows/winhttp-child.ts";
import { winHttpFacts } from "../src/proxy/winhttp-routes.ts";
import { memoryRegistry } from "./support/memory-registry.ts";

const address = 0x7f00_0000_1000n;

/** A buffer in which structures are laid out as the system does it, with pointers into itself. */
function memory(size = 4096) {
  const bytes = Buffer.alloc(size);
  let end = 1024;
  const put = (data: Buffer): number => {
    data.copy(bytes, end);
    end += Math.ceil(data.length / 8) * 8;
    return end - Math.ceil(data.length / 8) * 8;
  };
  const point = (at: number, to: number) => bytes.writeBigUInt64LE(address + BigInt(to), at);
  return { bytes, put, point, view: { bytes, address } };
}
const text = (value: string) => Buffer.from(`${value}\0`, "utf16le");
const v4 = (value: string) => Buffer.from([2, 0, 0, 0, ...value.split(".").map(Number), 0, 0, 0, 0, 0, 0, 0, 0]);

/** An adapter at `at` whose gateway and resolver are given; the next one is at `next`. */
function adapter(into: ReturnType<typeof memory>, at: number, next: number | null): void {
  const { bytes, put, point } = into;
  if (next !== null) point(at + 8, next);
  for (const [offset, value] of [
    [56, "Corp.Contoso.com."],
    [64, "Intel(R) Ethernet"],
    [72, `Ethernet ${at}`],
  ] as const)
    point(at + offset, put(text(value)));
  bytes.writeUInt32LE(6, at + 100);
  bytes.writeUInt32LE(1, at + 104);
  for (const [offset, value] of [
    [208, "10.1.2.1"],
    [48, "10.1.2.53"],
  ] as const) {
    const entry = put(Buffer.alloc(32));
    point(entry + 16, put(v4(value)));
    point(at + offset, entry);
  }
}

describe("adapters", () => {
  test("are read with name, suffix, gateway and resolver, along their list", () => {
    const into = memory();
    adapter(into, 0, 448);
    adapter(into, 448, null);
    const expected: Adapter = {
      name: "Ethernet 0",
      description: "Intel(R) Ethernet",
      suffix: "corp.contoso.com",
      type: 6,
      up: true,
      gateways: ["10.1.2.1"],
      resolvers: ["10.1.2.53"],
    };
    expect(decodeAdapters(into.view)).toEqual([expected, { ...expected, name: "Ethernet 448" }]);
  });

  test("in a list that turns in a circle come to an end", () => {
    const into = memory();
    adapter(into, 0, 448);
    adapter(into, 448, 448);
    expect(decodeAdapters(into.view).length).toBeLessThanOrEqual(256);
  });

  test("of any bytes and pointers harm nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), fc.array(fc.nat(1000)), (noise, pointers) => {
        const bytes = Buffer.from(noise);
        for (const [i, to] of pointers.entries())
          if (8 * i + 8 <= bytes.length) bytes.writeBigUInt64LE(address + BigInt(to), 8 * i);
        const view = { bytes, address };
        expect(Array.isArray(decodeAdapters(view))).toBe(true);
        expect(typeof neighbourOf(view, "10.1.2.1")).toBe("string");
        expect(Array.isArray(rasNames(view, 1000, 1388))).toBe(true);
        fileVersion(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("of a VPN are told by type or name, and only while they are up", () => {
    const one: Adapter = {
      name: "Ethernet",
      description: "Intel",
      suffix: "",
      type: 6,
      up: true,
      gateways: [],
      resolvers: [],
    };
    expect(isVpnUp([one])).toBe(false);
    expect(isVpnUp([{ ...one, name: "Contoso", type: 23 }])).toBe(true);
    expect(isVpnUp([{ ...one, description: "Cisco AnyConnect Virtual Miniport Adapter" }])).toBe(true);
    expect(isVpnUp([{ ...one, description: "Cisco AnyConnect", up: false }])).toBe(false);
    // A virtual switch of a hypervisor is none.
    expect(isVpnUp([{ ...one, description: "Hyper-V Virtual Ethernet Adapter", name: "vEthernet (Default)" }])).toBe(
      false,
    );
  });

  test("have their gateway's hardware address from the table of neighbours", () => {
    const bytes = Buffer.alloc(4 + 48);
    bytes.writeUInt32LE(9, 0);
    bytes.writeUInt32LE(6, 4 + 24 + 4);
    bytes.set([0xaa, 0xbb, 0xcc, 0, 1, 2], 4 + 24 + 8);
    bytes.set([10, 1, 2, 1], 4 + 24 + 16);
    expect(neighbourOf({ bytes, address }, "10.1.2.1")).toBe("aabbcc000102");
    expect(neighbourOf({ bytes, address }, "10.1.2.2")).toBe("");
  });
});

test("names of dial-up connections stand at their place in each structure", () => {
  const bytes = Buffer.alloc(2 * 1388);
  text("Contoso VPN").copy(bytes, 12);
  text("Other").copy(bytes, 1388 + 12);
  expect(rasNames({ bytes, address }, 2, 1388)).toEqual(["Contoso VPN", "Other"]);
  expect(rasNames({ bytes, address }, 99, 1388)).toEqual(["Contoso VPN", "Other"]);
});

test("a file's version is found in its resource by the mark", () => {
  const bytes = Buffer.alloc(100);
  bytes.writeUInt32LE(0xfeef04bd, 40);
  bytes.writeUInt32LE(0x0010_0000, 48);
  bytes.writeUInt32LE((5266 << 16) + 1000, 52);
  expect(fileVersion(bytes)).toBe("16.0.5266.1000");
  expect(fileVersion(bytes.subarray(0, 50))).toBeNull();
  expect(fileVersion(Buffer.alloc(100))).toBeNull();
});

describe("values of the registry", () => {
  test("are texts to their first NUL, with or without one, and lose half a character", () => {
    expect(decodeText(Buffer.from("proxy\0behind", "utf16le"))).toBe("proxy");
    expect(decodeText(Buffer.from("proxy", "utf16le"))).toBe("proxy");
    expect(decodeText(Buffer.from("proxy", "utf16le").subarray(0, 9))).toBe("prox");
    expect(decodeText(new Uint8Array())).toBe("");
  });

  test("compare names without case, and never throw whatever they hold", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(1_000_000),
        (type, data, more) => {
          const value: RegistryValue = { type, data, size: data.length + more };
          const values = keyValues(new Map([["ProxyServer", value]]), []);
          const dword = values.dword("PROXYSERVER");
          expect(dword === null || Number.isInteger(dword)).toBe(true);
          expect(["string", "object"]).toContain(typeof values.text("proxyserver"));
          values.binary("proxyServer");
        },
      ),
    );
  });

  test("are asked for below roots that there are", () => {
    expect(splitKey("HKLM\\SOFTWARE\\A")).toEqual({ root: -0x7ffffffe, path: "SOFTWARE\\A" });
    expect(splitKey("HKU")).toEqual({ root: -0x7ffffffd, path: "" });
    expect(splitKey("HKXX\\A")).toBeNull();
    expect([2, 5, 1018, 6].map(whyNot)).toEqual(["absent", "access denied", "vanished", "error 6"]);
  });
});

describe("what Windows is", () => {
  const current = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
  test("is its product, release and build; the product's name alone calls 11 still 10", () => {
    const registry = memoryRegistry({
      [current]: { ProductName: "Windows 10 Enterprise", DisplayVersion: "23H2", UBR: 4460 },
    });
    expect(osVersionOf(registry, "10.0.22631")).toBe("Windows 11 Enterprise 23H2 (10.0.22631.4460)");
    expect(osVersionOf(registry, "10.0.19045")).toBe("Windows 10 Enterprise 23H2 (10.0.19045.4460)");
    expect(osVersionOf(memoryRegistry({}), "10.0.19045")).toBe("Windows (10.0.19045)");
  });

  test("is where Lync is registered, also by a 32-bit Office", () => {
    const appPaths = "Microsoft\\Windows\\CurrentVersion\\App Paths\\lync.exe";
    const path = "C:\\Program Files\\Microsoft Office\\Office16\\lync.exe";
    expect(lyncPath(memoryRegistry({ [`HKLM\\SOFTWARE\\${appPaths}`]: { "": `"${path}"` } }))).toBe(path);
    expect(lyncPath(memoryRegistry({ [`HKLM\\SOFTWARE\\WOW6432Node\\${appPaths}`]: { "": path } }))).toBe(path);
    expect(lyncPath(memoryRegistry({ "HKLM\\SOFTWARE": {} }))).toBeNull();
  });

  test("is what NTLM may do, and absent values stay absent", () => {
    const lsa = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa";
    expect(
      authenticationOf(
        memoryRegistry({ [lsa]: { LmCompatibilityLevel: 1 }, [`${lsa}\\MSV1_0`]: { RestrictSendingNTLMTraffic: 2 } }),
      ),
    ).toEqual({ lmCompatibilityLevel: 1, restrictSendingNtlmTraffic: 2 });
    expect(authenticationOf(memoryRegistry({}))).toEqual({
      lmCompatibilityLevel: null,
      restrictSendingNtlmTraffic: null,
    });
  });

  test("is the list of its suffixes, policy's before its own, each once", () => {
    const registry = memoryRegistry({
      "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters": {
        Domain: "corp.contoso.com",
        SearchList: "a.example, B.example",
      },
      "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient": { SearchList: "policy.example" },
    });
    const adapters = [
      { up: true, suffix: "home.arpa" },
      { up: false, suffix: "down.example" },
    ] as Adapter[];
    expect(suffixesOf(registry, adapters)).toEqual([
      "policy.example",
      "a.example",
      "b.example",
      "corp.contoso.com",
      "home.arpa",
    ]);
  });
});

test("the keys that are watched are few a user, and none is watched whole that changes with every page", () => {
  const registry = memoryRegistry({
    "HKU\\S-1-5-21-1-2-3-1001": {},
    "HKU\\S-1-5-21-1-2-3-1001_Classes": {},
    "HKU\\S-1-5-18": {},
  });
  const machine = { registry, scope: "all" } as Parameters<typeof watchedKeys>[0];
  const keys = watchedKeys(machine);
  expect(keys.filter(({ key }) => key.includes("-1001"))).toHaveLength(5);
  expect(keys.some(({ key }) => key.includes("_Classes") || key.includes("S-1-5-18"))).toBe(false);
  expect(keys.filter(({ key, below }) => below && /Internet Settings$/.test(key))).toEqual([]);
  expect(keys).toContainEqual({ key: "HKU", below: false });
  expect(watchedKeys({ ...machine, scope: "self" }).some(({ key }) => key.startsWith("HKCU\\"))).toBe(true);
});

describe("WinHTTP's answer", () => {
  test("is a list of proxies without words, or the access type of no proxy", () => {
    expect(proxyInfoList(1, null)).toBe("DIRECT");
    expect(proxyInfoList(3, "px1.contoso.com:8080;px2:81 px3")).toBe(
      "PROXY px1.contoso.com:8080; PROXY px2:81; PROXY px3",
    );
    expect(proxyInfoList(3, "")).toBeNull();
    expect(proxyInfoList(0, "px1:1")).toBeNull();
  });

  test("agrees with ours where the first way is the same", () => {
    const answer = (list: string) => ({ ok: true, list }) as const;
    expect(winHttpFacts(answer("PROXY px1:80"), null, "PROXY PX1; DIRECT")).toEqual({
      list: "PROXY px1:80",
      agrees: true,
      error: null,
    });
    expect(winHttpFacts(answer("DIRECT"), null, "PROXY px1:8080").agrees).toBe(false);
    expect(winHttpFacts(answer("DIRECT"), null, null).agrees).toBeNull();
    expect(winHttpFacts({ ok: false, error: "error 12167" }, null, "DIRECT")).toEqual({
      list: null,
      agrees: null,
      error: "error 12167",
    });
    expect(winHttpFacts(null, "timeout", "DIRECT").error).toBe("timeout");
    expect(winHttpFacts(answer("PROXY user:secret@px1:80"), null, "DIRECT").list).not.toContain("secret");
  });
});
