import { matchesCidr, parseAddress } from "./ip.ts";

/* What an address is for whoever is about to connect to it on somebody else's word. */

const loopback = ["127.0.0.0/8", "::1/128"];

/** Never asked, whatever a name resolves to: unspecified, the own link, groups, and what hands credentials to machines. */
const forbidden = [
  "0.0.0.0/8",
  // Link-local, and with it the metadata service of most clouds.
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Metadata and agents of clouds that use other addresses.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "::/128",
  "fe80::/10",
  "ff00::/8",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];

/** Networks that the internet does not route: RFC 1918, 6598, 2544, 4193, and the old site-local addresses. */
const privateNetworks = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "198.18.0.0/15",
  "fc00::/7",
  "fec0::/10",
];

/** The IPv4 address within an IPv6 one that only wraps it (mapped, compatible, 6to4, NAT64's well-known prefix), or null. */
function wrappedIpv4(bytes: readonly number[]): string | null {
  if (bytes.length !== 16) return null;
  const last = bytes.slice(12).join(".");
  const zeros = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  if (zeros(0, 10) && bytes[10] === 0xff && bytes[11] === 0xff) return last;
  if (zeros(0, 12) && !zeros(12, 15)) return last;
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return bytes.slice(2, 6).join(".");
  const nat64 = bytes[0] === 0 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b;
  return nat64 && zeros(4, 12) ? last : null;
}

/** `special` is what is no address at all, or one that nobody is asked at; see above. */
export type AddressKind = "public" | "private" | "loopback" | "special";

/**
 * What an address literal is. An IPv4 address wrapped into IPv6 is what it is alone.
 * @example addressKind("169.254.169.254") // "special"
 */
export function addressKind(address: string): AddressKind {
  const bare = address.replace(/%.*$/, "");
  const bytes = parseAddress(bare);
  if (bytes === null) return "special";
  const wrapped = wrappedIpv4(bytes);
  if (wrapped !== null) return addressKind(wrapped);
  const within = (networks: readonly string[]) => networks.some((cidr) => matchesCidr(cidr, bare));
  if (within(forbidden)) return "special";
  if (within(loopback)) return "loopback";
  return within(privateNetworks) ? "private" : "public";
}

/**
 * Whether an address is one that is never probed on a proposal's word: loopback, link-local, multicast, unspecified,
 * cloud metadata. What is no address is special too.
 * @example isSpecialAddress("169.254.169.254") // true
 */
export function isSpecialAddress(address: string): boolean {
  const kind = addressKind(address);
  return kind === "special" || kind === "loopback";
}
