import { BlockList, isIP } from "node:net";

/** Whether a host name or address means this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    bare === "localhost" || bare.endsWith(".localhost") || (isIP(bare) !== 0 && loopback.check(bare, family(bare)))
  );
}

/**
 * Whether a server must not be looked for at this address: loopback, link-local (where clouds keep their metadata),
 * unspecified, multicast, broadcast, and the IPv6 forms that hide an IPv4 address of these.
 */
export function isForbiddenAddress(address: string): boolean {
  if (isIP(address) === 0) return true;
  const plain = unmapped(address);
  return loopback.check(plain, family(plain)) || forbidden.check(plain, family(plain));
}

/** Whether an address is loopback. */
export function isLoopbackAddress(address: string): boolean {
  const plain = unmapped(address);
  return isIP(plain) !== 0 && loopback.check(plain, family(plain));
}

/** A DNS name of letters, digits and hyphens with a dot in it; neither an address nor a URL. Lower case, no final dot. */
export function parseHostName(text: string): string | null {
  const name = text.trim().toLowerCase().replace(/\.$/, "");
  if (name.length > 253 || !name.includes(".") || isIP(name) !== 0) return null;
  const labels = name.split(".");
  if (!labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label))) return null;
  // A last label of digits alone makes an address of it in some parsers (127.1).
  return /^[0-9]+$/.test(labels.at(-1) ?? "") || /^0x/.test(labels.at(-1) ?? "") ? null : name;
}

/** `host` or `host:port`, as in a list of Exchange servers. */
export function parseHostAndPort(text: string): { host: string; port: number | null } | null {
  const match = /^([^:]+)(?::(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return null;
  const host = parseHostName(match[1] ?? "");
  const port = match[2] === undefined ? null : Number(match[2]);
  if (host === null || (port !== null && (port < 1 || port > 65_535))) return null;
  return { host, port };
}

const family = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** ::ffff:127.0.0.1 is 127.0.0.1. */
function unmapped(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (hex === null) return address;
  const high = Number.parseInt(hex[1] ?? "0", 16);
  const low = Number.parseInt(hex[2] ?? "0", 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const forbidden = new BlockList();
forbidden.addSubnet("0.0.0.0", 8, "ipv4");
forbidden.addSubnet("169.254.0.0", 16, "ipv4");
forbidden.addSubnet("224.0.0.0", 4, "ipv4");
forbidden.addSubnet("240.0.0.0", 4, "ipv4");
// A cloud's metadata server outside the link-local range.
forbidden.addAddress("100.100.100.200", "ipv4");
forbidden.addAddress("::", "ipv6");
forbidden.addSubnet("fe80::", 10, "ipv6");
forbidden.addSubnet("fec0::", 10, "ipv6");
forbidden.addSubnet("ff00::", 8, "ipv6");
forbidden.addAddress("fd00:ec2::254", "ipv6");
// Addresses of IPv4 in other clothes: translated, tunnelled, compatible.
forbidden.addSubnet("64:ff9b::", 96, "ipv6");
forbidden.addSubnet("2002::", 16, "ipv6");
forbidden.addSubnet("::", 96, "ipv6");
