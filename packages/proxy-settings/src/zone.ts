import type { EffectiveSettings, Route } from "@lynceus/protocol/facts";
import { findBypass } from "./bypass-list.ts";
import { parseAddress } from "./ip.ts";
import { matchesWildcard } from "./wildcard.ts";

export type Zone = "intranet" | "trusted" | "internet" | "unknown";

/** An entry of ZoneMap or of the policy ZoneMapKey, as one writes it (domain 4.8). */
export interface ZoneMapEntry {
  /** `[scheme://]host`, `*.domain`, or an address range `10.1.0.0-10.1.255.255` or `10.1.*.*`. */
  readonly pattern: string;
  /** 0 computer, 1 intranet, 2 trusted, 3 internet, 4 restricted. */
  readonly zone: number;
}

export interface ZoneInput {
  readonly url: string;
  readonly route: Route;
  readonly settings: EffectiveSettings;
  /** Absent: it was not read, so that a host which nothing else puts into a zone is in none that we know. */
  readonly zoneMap?: readonly ZoneMapEntry[];
  /** `IntranetName` and `ProxyBypass` of the intranet zone; on unless they are 0. */
  readonly intranetName?: boolean;
  readonly proxyBypass?: boolean;
}

/** Restricted sites get no silent logon, as the Internet's; the computer's own zone gets it, as the intranet's. */
const zoneNames: Readonly<Record<number, Zone>> = {
  0: "intranet",
  1: "intranet",
  2: "trusted",
  3: "internet",
  4: "internet",
};

const addressNumber = (text: string): number | null => {
  const bytes = text.includes(":") ? null : parseAddress(text);
  return bytes === null ? null : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
};

function matchesRange(range: string, host: string): boolean {
  const [low, high, ...rest] = range.split("-");
  if (low === undefined || high === undefined || rest.length > 0) return false;
  const [from, to, address] = [addressNumber(low), addressNumber(high), addressNumber(host)];
  return from !== null && to !== null && address !== null && address >= from && address <= to;
}

function matchesEntry(pattern: string, scheme: string, host: string): boolean {
  const [, wanted, name = ""] = /^(?:([a-z*]{1,16}):(?:\/\/)?)?([^/]*)/i.exec(pattern.trim().toLowerCase()) ?? [];
  if (name === "" || (wanted !== undefined && wanted !== "*" && wanted !== scheme)) return false;
  return matchesRange(name, host) || matchesWildcard(name, host) || name === `*.${host}`;
}

/**
 * The zone that decides on silent Windows logon (domain 4.8): ZoneMap, host without a dot, host on the fixed bypass
 * list, script that answered DIRECT, else Internet. Address ranges play no role unless ZoneMap names them. Only Windows
 * has zones: elsewhere unknown, and "Internet" is said only where ZoneMap was read.
 */
export function zoneOf(input: ZoneInput): Zone {
  const { settings, route } = input;
  if (settings.dialect !== "windows") return "unknown";
  let url: URL;
  try {
    url = new URL(input.url);
  } catch {
    return "unknown";
  }
  const scheme = url.protocol.slice(0, -1);
  const host = url.hostname;
  const mapped = (input.zoneMap ?? [])
    .filter((entry) => matchesEntry(entry.pattern, scheme, host))
    // The most specific entry rules: the one with the fewest wildcards, then the longest.
    .sort(
      (a, b) => a.pattern.split("*").length - b.pattern.split("*").length || b.pattern.length - a.pattern.length,
    )[0];
  if (mapped) return zoneNames[mapped.zone] ?? "unknown";
  if (input.intranetName !== false && !host.includes(".") && !host.startsWith("[")) return "intranet";
  if (
    input.proxyBypass !== false &&
    settings.server !== null &&
    findBypass(settings.bypass, input.url, settings.dialect) !== null
  )
    return "intranet";
  const byScript = route.by === "pac" || route.by === "auto-detect";
  if (input.proxyBypass !== false && byScript && route.kind === "direct") return "intranet";
  return route.kind === "unknown" || input.zoneMap === undefined ? "unknown" : "internet";
}
