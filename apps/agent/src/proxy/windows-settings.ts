import type { SettingsFacts } from "@lynceus/protocol/facts";
import {
  effectiveSettings,
  legacySettingsFacts,
  type SettingsPlace,
  settingsMismatch,
} from "@lynceus/proxy-settings/effective";
import { settingsBlobFacts } from "@lynceus/proxy-settings/settings-blob";
import type { WindowsMachine } from "../platform/windows/machine.ts";
import { withMachineKeysOnce } from "../platform/windows/registry.ts";
import { readPolicy } from "./policy.ts";
import { type SourceReading, self, type UserReading } from "./source.ts";
import { readWinHttp } from "./winhttp.ts";
import { type HiveReading, readHive, userHives, windowsFacts } from "./wininet.ts";
import { readZoneSettings, type ZoneSettings } from "./zone-map.ts";

/** Everything that Windows' own places say about proxy settings. */
export interface WindowsSettings {
  /** Those who are signed in; the agent's own user alone where only that one is looked at. */
  readonly users: readonly UserReading[];
  /** The settings of the machine where policy makes them those of everyone, else null: they hold with nobody signed in. */
  readonly machineWide: UserReading["inForce"] | null;
  readonly sources: readonly SourceReading[];
  readonly facts: Pick<
    SettingsFacts,
    "winhttp64" | "winhttp32" | "policy" | "systemBlob" | "machineBlob" | "advancedProxy"
  >;
  /** The zones as the user with this key has them. */
  readonly zones: (user: string) => ZoneSettings;
}

const source = (name: string, outcome: string): SourceReading => ({ name, outcome, users: [] });

const outcomeOf = (hive: HiveReading) =>
  hive.ok ? ["read", ...new Set(hive.problems)].join("; ").slice(0, 256) : hive.why;

/** "read 198 of 200 hives; 2 vanished; ProxyEnable is REG_SZ, not REG_DWORD (3)": which user it is stays here. */
function summary(hives: readonly HiveReading[]): string {
  const read = hives.filter(({ ok }) => ok).length;
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const hive of hives) {
    if (!hive.ok) count(hive.why);
    else for (const problem of new Set(hive.problems)) count(problem);
  }
  const noted = [...counts].map(([what, times]) => (times === 1 ? what : `${what} (${times})`));
  return [`read ${read} of ${hives.length} hives`, ...noted].join("; ").slice(0, 256);
}

/**
 * Reads every loaded user's hive, SYSTEM's, the machine's, policy and both WinHTTP values (domain 4). A user who signs
 * out meanwhile is left out. What is absent or broken is a source's outcome. Never throws.
 */
export function readWindowsSettings(machine: WindowsMachine): WindowsSettings {
  const registry = withMachineKeysOnce(machine.registry);
  const system = readHive(registry, "HKU\\.DEFAULT");
  const local = readHive(registry, "HKLM");
  const places = machine.scope === "self" ? { sids: [self], why: null } : userHives(registry);
  const rootOf = (user: string) => (user === self ? "HKCU" : `HKU\\${user}`);
  const connectionsUp = machine.connectionsUp();
  const officeVersion = machine.officeVersion();
  const hives = places.sids.map((user) => {
    const hive = readHive(registry, rootOf(user));
    if (!hive.ok) return { user, hive, facts: null };
    const problems = [...hive.problems];
    const active =
      connectionsUp.names.find((name) => hive.settings.connections.some((one) => one.name === name)) ?? null;
    const facts = windowsFacts(registry, rootOf(user), hive.settings, active, officeVersion, problems);
    return { user, hive: { ...hive, problems }, facts };
  });
  const userPolicies = hives.some(({ hive }) => hive.ok && hive.settings.policyValues);
  const policy = readPolicy(registry, userPolicies);
  const perUser = policy.facts.ProxySettingsPerUser;
  const machinePlace: SettingsPlace = local.ok ? local.settings : { blob: null, legacy: null };
  const empty: SettingsPlace = { blob: null, legacy: null };

  const users = hives.flatMap(({ user, hive, facts }): UserReading[] => {
    if (!hive.ok || !facts) return [];
    const { blob, legacy, connections } = hive.settings;
    const connection = connections.find(({ name }) => name === facts.activeConnection)?.blob ?? null;
    return [
      {
        user,
        inForce: effectiveSettings({
          user: { blob, legacy },
          machine: machinePlace,
          proxySettingsPerUser: perUser,
          connection,
        }),
        blob: blob && settingsBlobFacts(blob),
        legacy: legacy && legacySettingsFacts(legacy),
        mismatch: settingsMismatch({ blob, legacy }),
        windows: facts,
      },
    ];
  });
  const winhttp64 = readWinHttp(registry, "winhttp64");
  const winhttp32 = readWinHttp(registry, "winhttp32");
  const blobFacts = (hive: HiveReading) =>
    hive.ok && hive.settings.blob ? settingsBlobFacts(hive.settings.blob) : null;
  return {
    users,
    machineWide:
      perUser === 0 ? effectiveSettings({ user: empty, machine: machinePlace, proxySettingsPerUser: 0 }) : null,
    sources: [
      source("wininet", places.why === null ? summary(hives.map(({ hive }) => hive)) : `HKEY_USERS: ${places.why}`),
      source("wininet-system", outcomeOf(system)),
      source("wininet-machine", outcomeOf(local)),
      source("winhttp64", winhttp64.outcome),
      source("winhttp32", winhttp32.outcome),
      source("policy", policy.outcome),
      source("connections", connectionsUp.outcome),
    ],
    facts: {
      winhttp64: winhttp64.facts,
      winhttp32: winhttp32.facts,
      policy: policy.facts,
      systemBlob: blobFacts(system),
      machineBlob: blobFacts(local),
      advancedProxy: null,
    },
    zones: (user) => readZoneSettings(registry, rootOf(user)),
  };
}
