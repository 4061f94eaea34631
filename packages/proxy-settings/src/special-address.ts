import { matchesCidr, parseAddress } from "./ip.ts";

/*
 * Addresses that no proposal may lead to, whatever a name resolves to: the machine itself, its own link, groups, and
 * the services by which clouds hand credentials to machines.
 */
const special = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  // Link-local, and with it the metadata service of most clouds.
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Metadata and agents of clouds that use other addresses.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "::/128",
  "::1/128",
  "fe80::/10",
  "ff00::/8",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];

/** The IPv4 address within an IPv6 one that only wraps it (mapped, compatible, 6to4's well-known NAT64 prefix), or null. */
function wrappedIpv4(bytes: readonly number[]): string | null {
  if (bytes.length !== 16) return null;
  const last = bytes.slice(12).join(".");
  const zeros = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  if (zeros(0, 10) && bytes[10] === 0xff && bytes[11] === 0xff) return last;
  if (zeros(0, 12) && !zeros(12, 15)) return last;
  const nat64 = bytes[0] === 0 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b;
  return nat64 && zeros(4, 12) ? last : null;
}

/**
 * Whether an address is one that is never probed on a proposal's word: loopback, link-local, multicast, unspecified,
 * cloud metadata. What is no address is special too.
 * @example isSpecialAddress("169.254.169.254") // true
 */
export function isSpecialAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  const bytes = parseAddress(bare);
  if (bytes === null) return true;
  const wrapped = wrappedIpv4(bytes);
  if (wrapped !== null) return isSpecialAddress(wrapped);
  return special.some((cidr) => matchesCidr(cidr, bare));
}
