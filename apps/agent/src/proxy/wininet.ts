import type { LegacySettings, SettingsBlob, UserSettings } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { SettingsPlace } from "@lynceus/proxy-settings/effective";
import { redactProxyList } from "@lynceus/proxy-settings/redact";
import { parseSettingsBlob, settingsBlobFacts } from "@lynceus/proxy-settings/settings-blob";
import { type KeyValues, type Registry, readKey, type WhyNot } from "../platform/windows/registry.ts";

/** Below any hive: where WinINET keeps its settings, and where policy does (domain 4.1, 4.4). */
export const internetSettings = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
export const internetPolicies = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
/** Names in `Connections` that are no VPN or dial-up entry. */
const noConnection = new Set(["defaultconnectionsettings", "savedlegacysettings", "winhttpsettings", ""]);
const maxConnections = 16;
const maxConnectionName = 128;

/** Users' hives: accounts of a domain or of the machine, and of Entra ID. */
const userSid = /^S-1-(?:5-21|12-1)(?:-\d{1,10}){1,14}$/i;

/** Everything of one hive that decides routes and prompts, as written: strings may hold secrets. */
export interface HiveSettings extends SettingsPlace {
  readonly savedLegacy: SettingsBlob | null;
  /** Entries named after VPN and dial-up connections (domain 4.2). */
  readonly connections: readonly { readonly name: string; readonly blob: SettingsBlob }[];
  /** Whether policy writes proxy values into this hive. */
  readonly policyValues: boolean;
}

/** What came of a hive: its settings, or why there are none. `problems` say what in it was not as it should be. */
export type HiveReading =
  | { readonly ok: true; readonly settings: HiveSettings; readonly problems: readonly string[] }
  | { readonly ok: false; readonly why: WhyNot };

const blobOf = (values: KeyValues, name: string): SettingsBlob | null => {
  const bytes = values.binary(name);
  return bytes === null ? null : parseSettingsBlob(bytes);
};

export function legacyOf(values: KeyValues): LegacySettings {
  return {
    ProxyEnable: values.dword("ProxyEnable"),
    ProxyServer: values.text("ProxyServer"),
    ProxyOverride: values.text("ProxyOverride"),
    AutoConfigURL: values.text("AutoConfigURL"),
    AutoDetect: values.dword("AutoDetect"),
  };
}

const proxyValues = ["ProxyEnable", "ProxyServer", "ProxyOverride", "AutoConfigURL", "AutoDetect"].map((name) =>
  name.toLowerCase(),
);
const holdsProxyValues = (values: KeyValues) => values.names().some((name) => proxyValues.includes(name.toLowerCase()));

/**
 * Reads one hive, such as `HKU\S-1-5-21-…`, `HKU\.DEFAULT` or `HKLM` (domain 4.1, 4.2, 4.4). A hive that is unloaded
 * meanwhile is no hive: what is missing of it would else look like Windows' default. Never throws.
 */
export function readHive(registry: Registry, root: string): HiveReading {
  const problems: string[] = [];
  const values = readKey(registry, `${root}\\${internetSettings}`, problems);
  const legacy = legacyOf(values);
  const stored = readKey(registry, `${root}\\${internetSettings}\\Connections`, problems);
  const policies = readKey(registry, `${root}\\${internetPolicies}`, problems);
  const connections = stored
    .names()
    .filter((name) => !noConnection.has(name.toLowerCase()) && name.length <= maxConnectionName)
    .flatMap((name) => {
      const blob = blobOf(stored, name);
      return blob ? [{ name, blob }] : [];
    })
    .slice(0, maxConnections);
  const settings: HiveSettings = {
    blob: blobOf(stored, "DefaultConnectionSettings"),
    legacy,
    savedLegacy: blobOf(stored, "SavedLegacySettings"),
    connections,
    policyValues: holdsProxyValues(policies),
  };
  const still = registry.values(root);
  if (!still.ok) return { ok: false, why: still.why === "absent" ? "vanished" : still.why };
  const why = [values.why, stored.why].find((one) => one !== null && one !== "absent");
  return why ? { ok: false, why } : { ok: true, settings, problems };
}

/** SIDs of the loaded user hives (domain 4.4): not SYSTEM and the services, not the `_Classes` beside each user's. */
export function userHives(registry: Registry): { readonly sids: readonly string[]; readonly why: WhyNot | null } {
  const keys = registry.subkeys("HKU");
  if (!keys.ok) return { sids: [], why: keys.why };
  return { sids: keys.value.filter((name) => userSid.test(name)).slice(0, limits.users), why: null };
}

const clip = (text: string | null) => (text === null ? null : text.slice(0, limits.listTextChars));

/** The first value that is set, in the order in which Windows and Office look: the user's policy, then the machine's. */
function firstOf<T>(places: readonly KeyValues[], read: (values: KeyValues) => T | null): T | null {
  for (const place of places) {
    const value = read(place);
    if (value !== null) return value;
  }
  return null;
}

export type WindowsFacts = NonNullable<UserSettings["windows"]>;

/** Logon option (URLACTION 1A00) of the zones 1 to 4; policy before preference, the machine's policy first (domain 4.8). */
function zoneLogon(registry: Registry, root: string, problems: string[]): (number | null)[] {
  const places = [`HKLM\\${internetPolicies}`, `${root}\\${internetPolicies}`, `${root}\\${internetSettings}`];
  return [1, 2, 3, 4].map((zone) => {
    const keys = places.map((place) => readKey(registry, `${place}\\Zones\\${zone}`, problems));
    return firstOf(keys, (values) => values.dword("1A00"));
  });
}

/**
 * The facts beside the proxy settings of one user (domain 2.4, 2.8, 4.8).
 * @param officeVersion of the installed client: whose policies count first; the newer one where it is not known.
 */
export function windowsFacts(
  registry: Registry,
  root: string,
  hive: HiveSettings,
  active: string | null,
  officeVersion: "15.0" | "16.0" | null,
  problems: string[],
): WindowsFacts {
  const versions = officeVersion === "15.0" ? ["15.0", "16.0"] : ["16.0", "15.0"];
  const lync = versions.flatMap((version) =>
    [root, "HKLM"].map((place) =>
      readKey(registry, `${place}\\Software\\Policies\\Microsoft\\Office\\${version}\\Lync`, problems),
    ),
  );
  const identity = versions.map((version) =>
    readKey(registry, `${root}\\Software\\Microsoft\\Office\\${version}\\Common\\Identity`, problems),
  );
  const trustModelData = firstOf(lync, (values) => values.text("TrustModelData"));
  return {
    savedLegacy: hive.savedLegacy && settingsBlobFacts(hive.savedLegacy),
    connections: hive.connections.map(({ name, blob }) => ({ name, blob: settingsBlobFacts(blob) })),
    activeConnection: active,
    httpProxyControlFlags: firstOf(lync, (values) => values.dword("HttpProxyControlFlags")),
    zoneLogon: zoneLogon(registry, root, problems),
    trustModelData: clip(trustModelData === null ? null : redactProxyList(trustModelData)),
    allowAdalForNonLync: firstOf(lync, (values) => values.dword("AllowAdalForNonLyncIndependentOfLync")),
    enableAdal: firstOf(identity, (values) => values.dword("EnableADAL")),
  };
}
