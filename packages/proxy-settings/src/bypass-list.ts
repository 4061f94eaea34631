import { isIP, matchesCidr } from "./ip.ts";
import type { Dialect } from "./proxy-server.ts";
import { matchesWildcard } from "./wildcard.ts";

/** Bound of entries that are looked at: a list is hostile text. */
const maxEntries = 4096;

interface Target {
  readonly scheme: string;
  /** As in the URL: lower case, IPv6 in brackets. */
  readonly host: string;
  readonly port: string;
}

const defaultPorts: Readonly<Record<string, string>> = { http: "80", https: "443", ftp: "21" };

function parseTarget(url: string): Target | null {
  try {
    const { protocol, hostname, port } = new URL(url);
    const scheme = protocol.slice(0, -1);
    return hostname === "" ? null : { scheme, host: hostname, port: port || (defaultPorts[scheme] ?? "") };
  } catch {
    return null;
  }
}

const loopbackHosts = new Set(["localhost", "loopback", "127.0.0.1", "[::1]"]);

/** Hosts that never go through a proxy unless `<-loopback>` is in the list (domain 4.1). */
export function isImplicitBypass(url: string): boolean {
  const target = parseTarget(url);
  return target !== null && loopbackHosts.has(target.host);
}

/** Entries of a Windows list: separated by `;` or space. */
export const bypassEntries = (list: string, dialect: Dialect): string[] =>
  list.split(dialect === "windows" ? /[;\s]+/ : /[,;\s]+/, maxEntries).filter((entry) => entry !== "");

/** Whether the list takes the implicit loopback entries away. */
export const removesLoopback = (list: string): boolean =>
  bypassEntries(list, "windows").some((entry) => entry.toLowerCase() === "<-loopback>");

/** Splits `[scheme://]host[:port]` as a pattern: any part may hold `*`. An IPv6 address may stand without brackets. */
function splitPattern(entry: string): { scheme: string | null; host: string; port: string | null } {
  const at = entry.indexOf("://");
  const scheme = at < 0 ? null : entry.slice(0, at);
  const rest = (at < 0 ? entry : entry.slice(at + 3)).split("/", 1)[0] ?? "";
  const port = /:(\d{1,5}|\*)$/.exec(rest);
  if (rest.startsWith("[") || rest.indexOf(":") === rest.lastIndexOf(":"))
    return port
      ? { scheme, host: rest.slice(0, port.index), port: port[1] as string }
      : { scheme, host: rest, port: null };
  return { scheme, host: `[${rest}]`, port: null };
}

const portMatches = (pattern: string | null, port: string) => pattern === null || pattern === "*" || pattern === port;

/** A host without a period, and no address: what `<local>` means. */
const isLocal = (host: string) => !host.includes(".") && !host.startsWith("[");

/** Compared with the literal host of the URL, never with what it resolves to. */
function matchesWindows(entry: string, target: Target): boolean {
  if (entry === "<local>") return isLocal(target.host);
  if (entry.startsWith("<")) return false;
  const pattern = splitPattern(entry);
  return (
    (pattern.scheme === null || pattern.scheme === target.scheme) &&
    portMatches(pattern.port, target.port) &&
    matchesWildcard(pattern.host, target.host)
  );
}

const withoutRootDot = (host: string) => (host.endsWith(".") ? host.slice(0, -1) : host);

/** The agent's rule where no standard is (domain 4.10): a domain with its sub-domains, `*`, `:port`, CIDR for literals. */
function matchesUnix(entry: string, target: Target): boolean {
  if (entry === "*") return true;
  if (entry === "<local>") return isLocal(target.host);
  const bareHost = withoutRootDot(target.host.replace(/^\[|\]$/g, ""));
  if (entry.includes("/") && !entry.includes("://")) return matchesCidr(entry, bareHost);
  const pattern = splitPattern(entry);
  if (pattern.scheme !== null && pattern.scheme !== target.scheme) return false;
  if (!portMatches(pattern.port, target.port)) return false;
  const host = withoutRootDot(pattern.host.replace(/^\[|\]$/g, ""));
  if (host === "") return false;
  if (host.includes("*")) return matchesWildcard(host, bareHost);
  const domain = host.startsWith(".") ? host.slice(1) : host;
  if (domain === "") return false;
  // An address has no sub-domains.
  return bareHost === domain || (!isIP(bareHost) && bareHost.endsWith(`.${domain}`));
}

/**
 * The entry of a bypass list that sends this URL direct, or null. `<loopback>` stands for the implicit entries.
 * Windows (domain 4.1): `;` or space, `*` anywhere, `<local>`, `<-loopback>`. Unix (4.10): `,` or space, domains with
 * their sub-domains, CIDR. Never throws; a URL that is none is bypassed by nothing.
 */
export function findBypass(list: string, url: string, dialect: Dialect): string | null {
  const target = parseTarget(url);
  if (target === null) return null;
  if (loopbackHosts.has(target.host) && !(dialect === "windows" && removesLoopback(list))) return "<loopback>";
  const matches = dialect === "windows" ? matchesWindows : matchesUnix;
  return bypassEntries(list, dialect).find((entry) => matches(entry.toLowerCase(), target)) ?? null;
}

/** Whether a bypass list sends this URL direct. See `findBypass`. */
export const matchesBypass = (list: string, url: string, dialect: Dialect): boolean =>
  findBypass(list, url, dialect) !== null;
