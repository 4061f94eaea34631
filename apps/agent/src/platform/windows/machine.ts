import { createHash } from "node:crypto";
import { release } from "node:os";
import type { SystemFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { type Koffi, loadKoffi } from "../koffi.ts";
import { type Adapter, decodeAdapters, fileVersion, isVpnUp, neighbourOf, rasNames } from "./adapters.ts";
import { openRegistry } from "./advapi.ts";
import { processList } from "./processes.ts";
import { type Registry, readKey } from "./registry.ts";

/** This Windows machine as the readers need it; made of the system's own calls, or of a test's. */
export interface WindowsMachine {
  readonly registry: Registry;
  /** `all`: every loaded hive, for the service. `self`: the user who runs us, for a console. */
  readonly scope: "all" | "self";
  /** Names of VPN and dial-up connections that are up, best first, and how that was learnt (domain 4.2). */
  connectionsUp(): { readonly names: readonly string[]; readonly outcome: string };
  /** Whose policies count first: the installed client's. Null: none is installed. */
  officeVersion(): "15.0" | "16.0" | null;
  /** Gateways, resolvers and suffixes of the adapters that are up: a text that changes when the network does. */
  networkState(): string;
  /** What of the system's facts Node does not give, or gives wrongly. */
  systemFacts(): Partial<SystemFacts>;
}

const moreData = 111;
const rasBufferTooSmall = 603;
/** Bytes of RASCONNW on 64-bit Windows since Vista. */
const rasSize = 1388;
const includeGateways = 0x80;
const skipUnneeded = 0x2 | 0x4;
const domainMember = 3;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The calls of the system; those whose library may be missing throw. */
interface Calls {
  adapters(): Adapter[];
  ras(): { readonly names: readonly string[]; readonly outcome: string };
  neighbour(address: string): string;
  joinedDomain(): boolean | null;
  versionOf(path: string): string | null;
  isRunning(program: string): boolean | null;
}

function systemCalls(koffi: Koffi): Calls {
  const number = koffi.inout(koffi.pointer("uint32"));
  const view = (bytes: Buffer) => ({ bytes, address: BigInt(koffi.address(bytes)) });
  const iphlpapi = koffi.load("iphlpapi.dll");
  const getAdapters = iphlpapi.func("__stdcall", "GetAdaptersAddresses", "uint32", [
    "uint32",
    "uint32",
    "void *",
    "void *",
    number,
  ]);
  const getNeighbours = iphlpapi.func("__stdcall", "GetIpNetTable", "uint32", ["void *", number, "int32"]);
  const pidsOf = processList(koffi);
  // Libraries that a small Windows may lack, loaded when first asked for and then kept.
  const ras = once(() =>
    koffi.load("rasapi32.dll").func("__stdcall", "RasEnumConnectionsW", "uint32", ["void *", number, number]),
  );
  const netapi = once(() => {
    const lib = koffi.load("netapi32.dll");
    const outPointer = koffi.out(koffi.pointer("void *"));
    return {
      joined: lib.func("__stdcall", "NetGetJoinInformation", "uint32", ["str16", outPointer, number]),
      free: lib.func("__stdcall", "NetApiBufferFree", "uint32", ["void *"]),
    };
  });
  const version = koffi.load("version.dll");
  const versionSize = version.func("__stdcall", "GetFileVersionInfoSizeW", "uint32", ["str16", "void *"]);
  const versionInfo = version.func("__stdcall", "GetFileVersionInfoW", "int32", [
    "str16",
    "uint32",
    "uint32",
    "void *",
  ]);

  /** Asks until the buffer is large enough; others may add to the list in between. */
  function sized(ask: (buffer: Buffer, size: number[]) => number, tooSmall: number, from = 16 * 1024): Buffer | null {
    let length = from;
    for (let attempt = 0; attempt < 4; attempt++) {
      const buffer = Buffer.alloc(length);
      const size = [length];
      const code = ask(buffer, size);
      if (code === 0) return buffer;
      if (code !== tooSmall || (size[0] ?? 0) > 4 * 1024 * 1024) return null;
      length = Math.max(length + 4096, size[0] ?? 0);
    }
    return null;
  }

  return {
    adapters() {
      const found = sized(
        (buffer, size) => getAdapters(0, includeGateways | skipUnneeded, null, buffer, size),
        moreData,
      );
      return found ? decodeAdapters(view(found)) : [];
    },
    ras() {
      let code = 0;
      let count = 0;
      const found = sized(
        (buffer, size) => {
          const counted = [0];
          buffer.writeUInt32LE(rasSize, 0);
          code = ras()(buffer, size, counted);
          count = counted[0] ?? 0;
          return code;
        },
        rasBufferTooSmall,
        8 * rasSize,
      );
      if (!found) return { names: [], outcome: `RAS: error ${code}` };
      return { names: rasNames(view(found), count, rasSize), outcome: "read" };
    },
    neighbour(address) {
      const found = sized((buffer, size) => getNeighbours(buffer, size, 0), 122);
      return found ? neighbourOf(view(found), address) : "";
    },
    joinedDomain() {
      const { joined, free } = netapi();
      const name: unknown[] = [null];
      const status = [0];
      if (joined(null, name, status) !== 0) return null;
      if (name[0]) free(name[0]);
      return status[0] === domainMember;
    },
    versionOf(path) {
      const size: number = versionSize(path, null);
      if (size === 0 || size > 1024 * 1024) return null;
      const buffer = Buffer.alloc(size);
      return versionInfo(path, 0, size, buffer) === 0 ? null : fileVersion(buffer);
    },
    isRunning(program) {
      const pids = pidsOf(program);
      return pids === null ? null : pids.length > 0;
    },
  };
}

/** What is asked of the system may be missing on an old or odd Windows: then it is not known. */
function tried<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

const appPaths = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\App Paths\\lync.exe";
const lyncPlaces = [`HKLM\\${appPaths}`, `HKLM\\${appPaths.replace("SOFTWARE", "SOFTWARE\\WOW6432Node")}`];

/** Where lync.exe is, as its installer registered it (32-bit or 64-bit Office); null where it is not installed. */
export function lyncPath(registry: Registry): string | null {
  for (const place of lyncPlaces) {
    const path = readKey(registry, place, []).text("")?.trim().replace(/^"|"$/g, "");
    if (path) return path;
  }
  return null;
}

const windowsVersion = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";

/** `Windows 11 Enterprise 23H2 (10.0.22631.4460)`. ProductName says 10 on Windows 11 too: the build tells them apart. */
export function osVersionOf(registry: Registry, kernel: string): string {
  const values = readKey(registry, windowsVersion, []);
  const build = Number(kernel.split(".")[2] ?? 0);
  const product = values.text("ProductName") ?? "Windows";
  const name = build >= 22_000 ? product.replace(/^(Microsoft )?Windows 10\b/, "Windows 11") : product;
  const revision = values.dword("UBR");
  const parts = [name, values.text("DisplayVersion") ?? values.text("ReleaseId") ?? ""].filter(Boolean).join(" ");
  return `${parts} (${kernel}${revision === null ? "" : `.${revision}`})`.slice(0, 128);
}

const lsa = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa";
const tcpip = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
const dnsPolicy = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient";

/** Names under which this machine looks up short names: policy's list, its own, its domain, its adapters' suffixes. */
export function suffixesOf(registry: Registry, adapters: readonly Adapter[]): string[] {
  const own = readKey(registry, tcpip, []);
  const policy = readKey(registry, dnsPolicy, []);
  const lists = [policy.text("SearchList"), own.text("SearchList")].flatMap((list) => list?.split(/[,\s]+/) ?? []);
  const names = [
    ...lists,
    own.text("NV Domain") ?? "",
    own.text("Domain") ?? "",
    ...adapters.map(({ up, suffix }) => (up ? suffix : "")),
  ];
  const clean = names.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^\.|\.$/g, ""),
  );
  return [...new Set(clean)]
    .filter((name) => name !== "" && name.length <= limits.hostChars)
    .slice(0, limits.addresses);
}

/** The facts that decide whether NTLM can work (domain 2.8, 5.4). Absent values mean Windows' default. */
export function authenticationOf(registry: Registry): NonNullable<SystemFacts["authentication"]> {
  return {
    lmCompatibilityLevel: readKey(registry, lsa, []).dword("LmCompatibilityLevel"),
    restrictSendingNtlmTraffic: readKey(registry, `${lsa}\\MSV1_0`, []).dword("RestrictSendingNTLMTraffic"),
  };
}

/** This machine by the system's own calls. @throws Error where koffi cannot be loaded. */
export function windowsMachine(scope: WindowsMachine["scope"]): WindowsMachine {
  const koffi = loadKoffi();
  const registry = openRegistry(koffi);
  const calls = systemCalls(koffi);
  const lyncVersion = () => {
    const path = lyncPath(registry);
    return path === null ? null : tried(() => calls.versionOf(path), null);
  };
  return {
    registry,
    scope,
    connectionsUp() {
      const ras = tried(() => calls.ras(), { names: [], outcome: "RAS: not on this system" });
      // The adapter of a VPN bears its connection's name, also where RAS does not tell us of another user's.
      const adapters = tried(() => calls.adapters(), []).filter(({ up }) => up);
      return { names: [...new Set([...ras.names, ...adapters.map(({ name }) => name)])], outcome: ras.outcome };
    },
    officeVersion() {
      if (lyncPath(registry) === null) return null;
      return lyncVersion()?.startsWith("15.") ? "15.0" : "16.0";
    },
    networkState: () =>
      tried(() => calls.adapters(), [])
        .filter(({ up }) => up)
        .map(({ name, gateways, resolvers, suffix }) => [name, ...gateways, ...resolvers, suffix].join(" "))
        .sort()
        .join("\n"),
    systemFacts() {
      const adapters = tried(() => calls.adapters(), []);
      const up = adapters.filter((one) => one.up);
      const gateway = up.flatMap(({ gateways }) => gateways)[0];
      const mac = gateway === undefined ? "" : tried(() => calls.neighbour(gateway), "");
      return {
        osVersion: osVersionOf(registry, release()),
        domainJoined: tried(() => calls.joinedDomain(), null),
        dnsSuffixes: suffixesOf(registry, adapters),
        gatewayHash:
          gateway === undefined ? null : createHash("sha256").update(`${gateway} ${mac}`).digest("hex").slice(0, 16),
        vpnUp: isVpnUp(adapters),
        authentication: authenticationOf(registry),
        lync: {
          installed: lyncPath(registry) !== null,
          running: tried(() => calls.isRunning("lync.exe"), null),
          version: lyncVersion(),
        },
      };
    },
  };
}
