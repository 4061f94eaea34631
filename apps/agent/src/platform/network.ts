import { createHash } from "node:crypto";
import { Resolver } from "node:dns";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces, platform, release, version } from "node:os";
import type { SystemFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { SourceContext } from "../proxy/source.ts";
import { timeZone } from "./time-zone.ts";

/** The part of the system's facts that the network and the machine give; the cycle adds what it measures. */
export type NetworkFacts = Pick<
  SystemFacts,
  | "os"
  | "osVersion"
  | "hostname"
  | "domainJoined"
  | "timeZone"
  | "privateAddresses"
  | "resolvers"
  | "dnsSuffixes"
  | "gatewayHash"
  | "vpnUp"
  | "lync"
  | "authentication"
>;

const oses: Partial<Record<NodeJS.Platform, SystemFacts["os"]>> = { win32: "windows", darwin: "macos", linux: "linux" };

/** RFC 1918, RFC 6598 and IPv6 unique local addresses: all that may be told (domain 6.4). */
export const isPrivateAddress = (address: string): boolean =>
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:)/i.test(
    address,
  );

const read = (path: string) => readFile(path, "utf8").catch(() => "");

/** Suffixes of resolv.conf: the last `search` or `domain` line counts. */
export function parseSearchList(resolvConf: string): string[] {
  const lines = resolvConf.split("\n").map((line) => line.trim().split(/\s+/));
  const last = lines.filter(([word]) => word === "search" || word === "domain").at(-1);
  return (last?.slice(1) ?? [])
    .map((name) => name.toLowerCase().replace(/\.$/, ""))
    .filter((name) => name !== "" && name.length <= limits.hostChars)
    .slice(0, limits.addresses);
}

/** Gateway of the default route in /proc/net/route, whose addresses are little-endian hex. */
export function parseDefaultGateway(table: string): string | null {
  for (const line of table.split("\n").slice(1)) {
    const [, destination, gateway, , , , , mask] = line.trim().split(/\s+/);
    if (destination !== "00000000" || mask !== "00000000" || !/^[0-9A-F]{8}$/i.test(gateway ?? "")) continue;
    return (gateway?.match(/../g) ?? [])
      .reverse()
      .map((byte) => Number.parseInt(byte, 16))
      .join(".");
  }
  return null;
}

/** Hash of the gateway's address and hardware address: the same network looks the same, its values stay here. */
async function gatewayHash(): Promise<string | null> {
  const gateway = parseDefaultGateway(await read("/proc/net/route"));
  if (!gateway) return null;
  const neighbours = await read("/proc/net/arp");
  const mac =
    neighbours
      .split("\n")
      .find((line) => line.startsWith(`${gateway} `))
      ?.split(/\s+/)[3] ?? "";
  return createHash("sha256").update(`${gateway} ${mac}`).digest("hex").slice(0, 16);
}

async function osVersion(): Promise<string> {
  if (platform() !== "linux") return `${version()} ${release()}`.slice(0, 128);
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(await read("/etc/os-release"))?.[1];
  return (name ?? release()).slice(0, 128);
}

/** What the machine is and where it stands; Windows knows some of it better than Node does. */
export async function readSystemFacts(windows?: SourceContext["windows"]): Promise<NetworkFacts> {
  const interfaces = Object.entries(networkInterfaces());
  const resolvConf = await read("/etc/resolv.conf");
  const name = hostname().slice(0, limits.nameChars);
  const own = name.includes(".") ? [name.slice(name.indexOf(".") + 1).toLowerCase()] : [];
  return {
    os: oses[platform()] ?? "other",
    osVersion: await osVersion(),
    hostname: name,
    // Linux and macOS have no one place that says so.
    domainJoined: null,
    timeZone: timeZone(platform(), process.env),
    privateAddresses: interfaces
      .flatMap(([, addresses]) => addresses ?? [])
      .filter(({ internal, address }) => !internal && isPrivateAddress(address))
      .map(({ address }) => address)
      .slice(0, limits.addresses),
    // A new resolver reads the configuration as it is now.
    resolvers: new Resolver()
      .getServers()
      .filter((server) => isIP(server) !== 0)
      .slice(0, limits.addresses),
    dnsSuffixes: [...new Set([...parseSearchList(resolvConf), ...own])].slice(0, limits.addresses),
    gatewayHash: await gatewayHash(),
    vpnUp: interfaces.some(([device]) => /^(?:tun|tap|wg|ppp|utun|ipsec|gpd|cscotun)\d*/.test(device)),
    // The client exists for Windows and macOS; where it runs is told by their own readers.
    lync: { installed: platform() === "linux" ? false : null, running: null, version: null },
    ...(windows && !("why" in windows) ? windows.systemFacts() : {}),
  };
}
