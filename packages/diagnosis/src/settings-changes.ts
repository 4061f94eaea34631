import type {
  EffectiveSettings,
  LegacySettings,
  SettingsBlob,
  SettingsFacts,
  UserSettings,
} from "@lynceus/protocol/facts";

/** One field of one source of proxy settings that differs between two readings. */
export interface SettingsDifference {
  /** Where it stands, as people call it: `in force`, `Windows settings`, `connection Corp VPN`, `WinHTTP 64-bit`. */
  readonly source: string;
  /** "Script address". */
  readonly field: string;
  /** Values as shown: "none" where there is none, "not set" where nobody set it, "not read" where it was not looked for. */
  readonly before: string;
  readonly after: string;
  /** Ids of the users for whom it differs, sorted; empty for what is the machine's own. */
  readonly users: readonly string[];
}

/** Name and value of each field of a source, in the order of the Windows dialog. */
type Fields = readonly (readonly [string, string])[];

export const inForce = "in force";
const onOff = (value: boolean): string => (value ? "on" : "off");
const orNone = (value: string | null): string => (value === null || value === "" ? "none" : value);
const orNotSet = (value: string | number | boolean | null | undefined): string =>
  value === null || value === undefined ? "not set" : String(value);

const effectiveFields = (settings: EffectiveSettings): Fields => [
  ["Automatically detect settings", onOff(settings.autoDetect)],
  ["Script address", orNone(settings.pacUrl)],
  ["Proxy server", orNone(settings.server)],
  ["Bypass list", orNone(settings.bypass)],
  ["Source", settings.source],
];

/** A value that is kept while its switch is off (domain 4.2). */
const switched = (on: boolean, value: string): string =>
  value === "" ? (on ? "on, empty" : "none") : on ? value : `off (${value})`;

const blobFields = (blob: SettingsBlob | null | undefined): Fields | null => {
  if (blob === undefined) return null;
  if (blob === null || !blob.ok) return [["Settings", blob === null ? "none" : "unreadable"]];
  return [
    ["Settings", "present"],
    ["Automatically detect settings", onOff(blob.autoDetect)],
    ["Script address", switched(blob.pac, blob.pacUrl)],
    ["Proxy server", switched(blob.manual, blob.server)],
    ["Bypass list", orNone(blob.bypass)],
  ];
};

const legacyFields = (legacy: LegacySettings | null): Fields =>
  legacy === null
    ? [["Values", "none"]]
    : [
        ["Values", "present"],
        ["AutoDetect", orNotSet(legacy.AutoDetect)],
        ["AutoConfigURL", orNotSet(legacy.AutoConfigURL)],
        ["ProxyEnable", orNotSet(legacy.ProxyEnable)],
        ["ProxyServer", orNotSet(legacy.ProxyServer)],
        ["ProxyOverride", orNotSet(legacy.ProxyOverride)],
      ];

/** Zones 1 to 4 (domain 4.8). */
const zones = ["intranet", "trusted sites", "internet", "restricted sites"];

/** Sources of one user beside what is in force; null: not read. */
function userSources(user: UserSettings): Map<string, Fields | null> {
  const { windows } = user;
  const sources = new Map<string, Fields | null>([
    ["Windows settings", blobFields(user.blob)],
    ["older values", legacyFields(user.legacy)],
  ]);
  if (!windows) return sources;
  sources.set("saved settings", blobFields(windows.savedLegacy));
  for (const { name, blob } of windows.connections) sources.set(`connection ${name}`, blobFields(blob));
  sources.set("Windows", [
    ["Connection in force", orNone(windows.activeConnection)],
    ["HTTP proxy control flags", orNotSet(windows.httpProxyControlFlags)],
    ...windows.zoneLogon.map((value, index) => [`Logon, ${zones[index] ?? "zone"}`, orNotSet(value)] as const),
  ]);
  sources.set("Lync", [
    ["TrustModelData", orNotSet(windows.trustModelData)],
    ["AllowAdalForNonLyncIndependentOfLync", orNotSet(windows.allowAdalForNonLync)],
    ["EnableADAL", orNotSet(windows.enableAdal)],
  ]);
  return sources;
}

const winhttpFields = (value: SettingsFacts["winhttp64"]): Fields => [
  ["Proxy", value ? value.server || "direct" : "none"],
  ["Bypass list", orNone(value?.bypass ?? null)],
];

const wpadSwitch = (value: boolean | null): string => (value === null ? "not set" : onOff(!value));

/** What is the machine's own. */
function machineSources(facts: SettingsFacts): Map<string, Fields | null> {
  return new Map<string, Fields | null>([
    ["WinHTTP 64-bit", winhttpFields(facts.winhttp64)],
    ["WinHTTP 32-bit", winhttpFields(facts.winhttp32)],
    ["SYSTEM's settings", blobFields(facts.systemBlob)],
    ["machine-wide settings", blobFields(facts.machineBlob)],
    [
      "policy",
      [
        ["Proxy settings per user", orNotSet(facts.policy.ProxySettingsPerUser)],
        ["WPAD in WinHTTP", wpadSwitch(facts.policy.DisableWpad)],
        ...(facts.advancedProxy === undefined
          ? []
          : [["Advanced proxy setting", orNone(facts.advancedProxy)] as const]),
      ],
    ],
  ]);
}

interface Difference {
  readonly source: string;
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

const unset: ReadonlySet<string> = new Set(["off", "none", "not set"]);

/** Fields of a source that differ. One that was not read before, or is not read now, did not change. */
function compare(source: string, before: Fields | null | undefined, after: Fields | null | undefined): Difference[] {
  if (!before && !after) return [];
  if (before === null || after === null) return [];
  const old = new Map(before ?? []);
  const now = new Map(after ?? []);
  const found: Difference[] = [];
  for (const field of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(field) ?? "none", now.get(field) ?? "none"];
    // What comes or goes as a whole is told by what it sets.
    const idle = old.has(field) ? !now.has(field) && unset.has(was) : unset.has(is);
    if (was !== is && !idle) found.push({ source, field, before: was, after: is });
  }
  // A source that came or went as a whole is told by its fields, where it has any.
  return found.length > 1 ? found.filter(({ field }) => field !== "Settings" && field !== "Values") : found;
}

/** @param all whether a source that is in one reading only came or went; else it was not looked for in the other. */
function compareSources(
  before: Map<string, Fields | null>,
  after: Map<string, Fields | null>,
  all = true,
): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((source) => all || (before.has(source) && after.has(source)))
    .flatMap((source) => compare(source, before.get(source), after.get(source)));
}

interface UserReading {
  readonly effective: EffectiveSettings;
  readonly user: UserSettings | null;
}

/** Readings by user id; without users, the first configuration stands for all. */
function readings(facts: SettingsFacts): Map<string, UserReading> {
  const byId = new Map(facts.configurations.map(({ id, settings }) => [id, settings]));
  const users = facts.users.flatMap((user) => {
    const effective = byId.get(user.configuration);
    return effective ? [[user.id, { effective, user }] as const] : [];
  });
  const first = facts.configurations[0];
  return users.length > 0 || !first ? new Map(users) : new Map([["", { effective: first.settings, user: null }]]);
}

const older: Record<string, string> = {
  AutoDetect: "Automatically detect settings",
  AutoConfigURL: "Script address",
  ProxyServer: "Proxy server",
  ProxyOverride: "Bypass list",
};

/**
 * What differs between two readings of the proxy settings: per user and source, field by field. Users are compared
 * with themselves; the same difference for several is one. A source that differs only as what is in force does, by the
 * same values, says nothing of its own and is left out.
 */
export function settingsDifferences(before: SettingsFacts, after: SettingsFacts): SettingsDifference[] {
  const found = new Map<string, { difference: Difference; users: Set<string> }>();
  const add = (difference: Difference, user: string) => {
    const key = JSON.stringify(difference);
    const entry = found.get(key) ?? { difference, users: new Set<string>() };
    if (user !== "") entry.users.add(user);
    found.set(key, entry);
  };
  const was = readings(before);
  for (const [id, is] of readings(after)) {
    const earlier = was.get(id);
    if (!earlier) continue;
    const effective = compare(inForce, effectiveFields(earlier.effective), effectiveFields(is.effective));
    const told = new Set(effective.map(({ field, before, after }) => JSON.stringify([field, before, after])));
    for (const difference of effective) add(difference, id);
    if (!earlier.user || !is.user) continue;
    const bothRead = Boolean(earlier.user.windows && is.user.windows);
    for (const difference of compareSources(userSources(earlier.user), userSources(is.user), bothRead)) {
      const { field, before, after } = difference;
      const value = (text: string) => (text === "not set" || text === "" ? "none" : text);
      const same = JSON.stringify([older[field] ?? field, value(before), value(after)]);
      if (!told.has(same)) add(difference, id);
    }
  }
  for (const difference of compareSources(machineSources(before), machineSources(after))) add(difference, "");
  return [...found.values()].map(({ difference, users }) => ({ ...difference, users: [...users].sort() }));
}

/** A difference as the timeline tells it: "Script address: none → http://…", with the source where it is not in force. */
export const differenceText = ({ source, field, before, after }: SettingsDifference): string =>
  `${source === inForce ? "" : `${source.charAt(0).toUpperCase()}${source.slice(1)}, `}${field}: ${before} → ${after}`;
