import type { EffectiveSettings, LegacySettings, SettingsBlob } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { Dialect } from "./proxy-server.ts";
import { redactProxyList, redactProxyUrl } from "./redact.ts";

/** Settings as any source has them, before secrets are removed. Null = that way is off. */
export interface RawSettings {
  readonly autoDetect: boolean;
  readonly pacUrl: string | null;
  readonly server: string | null;
  readonly bypass: string;
  readonly source: EffectiveSettings["source"];
  readonly dialect: Dialect;
}

/** What is in force, and the one thing that may not leave the machine beside it. */
export interface InForce {
  /** May leave the machine: no userinfo, no query. */
  readonly settings: EffectiveSettings;
  /** Where to fetch the script: with its query, without userinfo. Never sent anywhere but there. */
  readonly scriptUrl: string | null;
}

/** A URL without userinfo; the query stays. What is no URL is left to the fetcher to refuse. */
function withoutCredentials(text: string): string {
  try {
    const url = new URL(text);
    if (url.username === "" && url.password === "") return text;
    url.username = "";
    url.password = "";
    return url.href;
  } catch {
    return redactProxyUrl(text);
  }
}

/** Makes settings of any source fit to leave the machine. A way that is on with an empty value is off. */
export function inForce(raw: RawSettings): InForce {
  const pacUrl = raw.pacUrl?.trim() || null;
  const server = raw.server?.trim() || null;
  return {
    settings: {
      autoDetect: raw.autoDetect,
      pacUrl: pacUrl === null ? null : redactProxyUrl(pacUrl).slice(0, limits.urlChars),
      server: server === null ? null : redactProxyList(server).slice(0, limits.listTextChars),
      // The list belongs to the manual proxy (domain 4.6, step 5); a remembered one is not in force.
      bypass: server === null ? "" : raw.bypass.trim().slice(0, limits.listTextChars),
      source: raw.source,
      dialect: raw.dialect,
    },
    scriptUrl: pacUrl === null ? null : withoutCredentials(pacUrl),
  };
}

/** One place where WinINET keeps settings: a user's hive, or the machine's. */
export interface SettingsPlace {
  /** `DefaultConnectionSettings`, null when the value is missing. */
  readonly blob: SettingsBlob | null;
  readonly legacy: LegacySettings | null;
}

export interface WindowsSources {
  readonly user: SettingsPlace;
  /** HKLM's, which rule when `proxySettingsPerUser` is 0 (domain 4.4). */
  readonly machine?: SettingsPlace;
  readonly proxySettingsPerUser?: number | null;
  /** The blob named after the VPN or dial-up connection that is up; it wins (domain 4.2). */
  readonly connection?: SettingsBlob | null;
}

const fromBlob = (blob: SettingsBlob, source: EffectiveSettings["source"]): InForce =>
  inForce({
    autoDetect: blob.autoDetect,
    pacUrl: blob.pac ? blob.pacUrl : null,
    server: blob.manual ? blob.server : null,
    bypass: blob.bypass,
    source,
    dialect: "windows",
  });

const isSet = (legacy: LegacySettings | null): legacy is LegacySettings =>
  legacy !== null &&
  [legacy.ProxyEnable, legacy.ProxyServer, legacy.ProxyOverride, legacy.AutoConfigURL, legacy.AutoDetect].some(
    (value) => value !== null,
  );

/** Settings from the separate values of the Internet Settings key. `autoDetectByDefault`: what no `AutoDetect` means. */
export const fromLegacy = (
  legacy: LegacySettings,
  source: EffectiveSettings["source"],
  autoDetectByDefault: boolean,
): InForce =>
  inForce({
    autoDetect: legacy.AutoDetect === null ? autoDetectByDefault : legacy.AutoDetect !== 0,
    pacUrl: legacy.AutoConfigURL,
    server: (legacy.ProxyEnable ?? 0) !== 0 ? legacy.ProxyServer : null,
    bypass: legacy.ProxyOverride ?? "",
    source,
    dialect: "windows",
  });

/** What of the separate values may leave the machine. */
export const legacySettingsFacts = (legacy: LegacySettings): LegacySettings => ({
  ProxyEnable: legacy.ProxyEnable,
  ProxyServer: legacy.ProxyServer && redactProxyList(legacy.ProxyServer).slice(0, limits.listTextChars),
  ProxyOverride: legacy.ProxyOverride?.slice(0, limits.listTextChars) ?? null,
  AutoConfigURL: legacy.AutoConfigURL && redactProxyUrl(legacy.AutoConfigURL).slice(0, limits.urlChars),
  AutoDetect: legacy.AutoDetect,
});

function fromPlace(place: SettingsPlace, machineWide: boolean): InForce {
  if (place.blob) return fromBlob(place.blob, machineWide ? "policy" : "wininet-blob");
  // Without a blob Windows makes one of the values, with detection on.
  if (isSet(place.legacy)) return fromLegacy(place.legacy, machineWide ? "policy" : "wininet-values", true);
  return inForce({
    autoDetect: true,
    pacUrl: null,
    server: null,
    bypass: "",
    source: machineWide ? "policy" : "wininet-blob",
    dialect: "windows",
  });
}

/**
 * What WinINET uses for one user (domain 4.2, 4.4): the connection that is up, else the machine's settings where policy
 * says so, else the user's. Of one place the blob rules; missing altogether, Windows detects.
 */
export function effectiveSettings(sources: WindowsSources): InForce {
  if (sources.connection) return fromBlob(sources.connection, "vpn");
  const machineWide = sources.proxySettingsPerUser === 0;
  return fromPlace(machineWide ? (sources.machine ?? { blob: null, legacy: null }) : sources.user, machineWide);
}

/**
 * Whether the separate values say something else than the blob: someone wrote the registry without the API, and what
 * the registry editor shows is not what is in force (domain 4.4). Values that are absent contradict nothing.
 */
export function settingsMismatch(place: SettingsPlace): boolean {
  const { blob, legacy } = place;
  if (!blob?.ok || legacy === null) return false;
  const differs = (value: string | null, stored: string) => value !== null && value.trim() !== stored.trim();
  return (
    (legacy.ProxyEnable !== null && (legacy.ProxyEnable !== 0) !== blob.manual) ||
    differs(legacy.ProxyServer, blob.server) ||
    // The blob remembers addresses whose flag is off; only one that is in force counts.
    (legacy.AutoConfigURL !== null && legacy.AutoConfigURL.trim() !== (blob.pac ? blob.pacUrl.trim() : "")) ||
    (blob.manual && differs(legacy.ProxyOverride, blob.bypass)) ||
    (legacy.AutoDetect !== null && (legacy.AutoDetect !== 0) !== blob.autoDetect)
  );
}
