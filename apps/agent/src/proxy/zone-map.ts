import type { ZoneInput, ZoneMapEntry } from "@lynceus/proxy-settings/zone";
import { decodeText, type Registry, readKey, valueTypes } from "../platform/windows/registry.ts";
import { internetPolicies, internetSettings } from "./wininet.ts";

/** What of a user's settings decides on zones (domain 4.8). */
export type ZoneSettings = Pick<Required<ZoneInput>, "zoneMap" | "intranetName" | "proxyBypass">;

/** Group policies list some hundred sites; more would only slow down each look. */
const maxEntries = 2048;

function* domainsBelow(registry: Registry, key: string): Generator<ZoneMapEntry> {
  const domains = registry.subkeys(key);
  for (const domain of domains.ok ? domains.value : []) {
    const hosts = registry.subkeys(`${key}\\${domain}`);
    for (const host of ["", ...(hosts.ok ? hosts.value : [])]) {
      const values = readKey(registry, `${key}\\${domain}${host === "" ? "" : `\\${host}`}`, []);
      for (const scheme of values.names()) {
        const zone = values.dword(scheme);
        if (zone === null) continue;
        // A domain without hosts below it stands for itself and for all of them.
        const pattern = host === "" ? `*.${domain}` : `${host}.${domain}`;
        yield { pattern: scheme === "*" ? pattern : `${scheme}://${pattern}`, zone };
      }
    }
  }
}

function* rangesBelow(registry: Registry, key: string): Generator<ZoneMapEntry> {
  const ranges = registry.subkeys(key);
  for (const range of ranges.ok ? ranges.value : []) {
    const values = readKey(registry, `${key}\\${range}`, []);
    const pattern = values.text(":Range");
    if (pattern === null) continue;
    for (const scheme of values.names()) {
      const zone = values.dword(scheme);
      if (zone !== null) yield { pattern: scheme === "*" ? pattern : `${scheme}://${pattern}`, zone };
    }
  }
}

/** `ZoneMapKey` of a policy: the site is the value's name, the zone a digit in its text. */
function* policyEntries(registry: Registry, place: string): Generator<ZoneMapEntry> {
  const values = registry.values(`${place}\\ZoneMapKey`);
  for (const [pattern, value] of values.ok ? values.value : []) {
    if (value.type !== valueTypes.text) continue;
    const zone = /^[0-4]$/.exec(decodeText(value.data).trim())?.[0];
    if (zone !== undefined) yield { pattern, zone: Number(zone) };
  }
}

function* entriesAt(registry: Registry, place: string): Generator<ZoneMapEntry> {
  yield* policyEntries(registry, place);
  // Servers with the enhanced security configuration keep a list of their own.
  const hardened = readKey(registry, `${place}\\ZoneMap`, []).dword("IEHarden") === 1;
  yield* domainsBelow(registry, `${place}\\ZoneMap\\${hardened ? "EscDomains" : "Domains"}`);
  yield* rangesBelow(registry, `${place}\\ZoneMap\\Ranges`);
}

/**
 * Reads the sites of the zones for one user: policy before preference, the machine's before the user's (domain 4.8).
 * Of two entries for one pattern the first stays. Never throws.
 */
export function readZoneSettings(registry: Registry, root: string): ZoneSettings {
  const machineOnly = readKey(registry, `HKLM\\${internetPolicies}`, []).dword("Security_HKLM_only") === 1;
  const machine = [`HKLM\\${internetPolicies}`, `HKLM\\${internetSettings}`];
  const user = [`${root}\\${internetPolicies}`, `${root}\\${internetSettings}`];
  const places = machineOnly ? machine : [machine[0], user[0], user[1], machine[1]];
  const entries = new Map<string, ZoneMapEntry>();
  const isOn = { IntranetName: true, ProxyBypass: true };
  const decided = new Set<string>();
  for (const place of places) {
    if (place === undefined) continue;
    const switches = readKey(registry, `${place}\\ZoneMap`, []);
    for (const name of ["IntranetName", "ProxyBypass"] as const) {
      const value = switches.dword(name);
      if (value === null || decided.has(name)) continue;
      decided.add(name);
      isOn[name] = value !== 0;
    }
    for (const entry of entriesAt(registry, place)) {
      if (entries.size >= maxEntries) break;
      const key = entry.pattern.toLowerCase();
      if (!entries.has(key)) entries.set(key, entry);
    }
  }
  return { zoneMap: [...entries.values()], intranetName: isOn.IntranetName, proxyBypass: isOn.ProxyBypass };
}
