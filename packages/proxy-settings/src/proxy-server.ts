import type { EffectiveSettings, ProxyAddress } from "@lynceus/protocol/facts";
import { splitHostPort, withoutUserinfo } from "./host-port.ts";

/** WinINET's rules, or those of the other systems' variables and settings (domain 4.1, 4.10). */
export type Dialect = EffectiveSettings["dialect"];

export interface ProxyServerEntry {
  /** The URL scheme it serves; null for a bare entry, which serves those without one of their own. */
  readonly for: "http" | "https" | "ftp" | "socks" | null;
  readonly proxy: ProxyAddress;
}

export interface ProxyServer {
  readonly entries: readonly ProxyServerEntry[];
  /** Entries that are none, as written but without userinfo; they are skipped, as Windows does. */
  readonly skipped: readonly string[];
}

const urlSchemes = new Set(["http", "https", "ftp", "socks"]);

/** Upper bound of entries that are looked at: a list is hostile text. */
const maxEntries = 256;

/** How one talks to a proxy. Windows speaks plain HTTP to all but socks, whatever is written before `://`. */
function proxyScheme(
  served: ProxyServerEntry["for"],
  written: string | null,
  dialect: Dialect,
): ProxyAddress["scheme"] | null {
  switch (written) {
    case null:
      return served === "socks" ? (dialect === "windows" ? "socks4" : "socks5") : "http";
    case "http":
      return "http";
    case "https":
      return dialect === "windows" ? "http" : "https";
    case "socks":
      return dialect === "windows" ? "socks4" : "socks5";
    case "socks4":
    case "socks4a":
      return "socks4";
    case "socks5":
    case "socks5h":
      return "socks5";
    default:
      return null;
  }
}

const defaultPorts = { http: 80, https: 443, socks4: 1080, socks5: 1080 } as const;

function parseEntry(text: string, dialect: Dialect): ProxyServerEntry | null {
  const match = /^(?:([a-z]{1,16})=)?(?:([a-z0-9]{1,16}):\/\/)?([^/]+)\/*$/i.exec(text);
  if (!match) return null;
  const served = match[1]?.toLowerCase() ?? null;
  if (served !== null && !urlSchemes.has(served)) return null;
  const serves = served as ProxyServerEntry["for"];
  const scheme = proxyScheme(serves, match[2]?.toLowerCase() ?? null, dialect);
  const address = splitHostPort(withoutUserinfo(match[3] as string));
  if (scheme === null || address === null) return null;
  return { for: serves, proxy: { scheme, host: address.host, port: address.port ?? defaultPorts[scheme] } };
}

/**
 * Parses a `ProxyServer` value: entries `[<scheme>=][<scheme>://]<host>[:<port>]` separated by `;` or space
 * (domain 4.1). What is no entry is skipped and told. Never throws.
 */
export function parseProxyServer(value: string, dialect: Dialect = "windows"): ProxyServer {
  const entries: ProxyServerEntry[] = [];
  const skipped: string[] = [];
  for (const text of value.split(/[;\s]+/, maxEntries)) {
    if (text === "") continue;
    const entry = parseEntry(text, dialect);
    if (entry) entries.push(entry);
    else skipped.push(withoutUserinfo(text).slice(0, 256));
  }
  return { entries, skipped };
}

/**
 * The proxies for a URL of this scheme, in order: its own entries, else the bare ones, else `socks=`. Empty means the
 * manual setting does not concern it and it goes direct: so it is with https where only `http=` is set (domain 4.1).
 */
export function proxiesFor(server: ProxyServer, scheme: string): ProxyAddress[] {
  for (const wanted of [scheme, null, "socks"]) {
    const found = server.entries.filter((entry) => entry.for === wanted);
    if (found.length > 0) return found.map((entry) => entry.proxy);
  }
  return [];
}
