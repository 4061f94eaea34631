import { matchesCidr, parseAddress } from "@lynceus/proxy-settings/ip";

/** Network of an address as people say it: /24, or /64. Null for what is no address. */
export function networkOf(address: string): string | null {
  const bytes = parseAddress(address);
  if (!bytes) return null;
  if (bytes.length === 4) return `${bytes.slice(0, 3).join(".")}.0/24`;
  const groups = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return `${groups.join(":")}::/64`;
}

/** Not reachable from the internet: private, shared (100.64/10), link-local, loopback. */
const internal = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
];

/** Whether it is an address that the internet may reach. False for what is no address. */
export const isPublicAddress = (address: string): boolean =>
  parseAddress(address) !== null && !internal.some((cidr) => matchesCidr(cidr, address));
