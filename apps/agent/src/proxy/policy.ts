import type { SettingsFacts } from "@lynceus/protocol/facts";
import { type Registry, readKey } from "../platform/windows/registry.ts";
import { internetPolicies, internetSettings, legacyOf } from "./wininet.ts";

export interface PolicyReading {
  readonly facts: SettingsFacts["policy"];
  readonly outcome: string;
}

/**
 * What policy says about proxy settings (domain 4.4, 5.0 rule 7).
 * @param userPolicies whether the hive of a user holds proxy values of policy.
 */
export function readPolicy(registry: Registry, userPolicies: boolean): PolicyReading {
  const problems: string[] = [];
  const machine = readKey(registry, `HKLM\\${internetPolicies}`, problems);
  const winhttp = readKey(registry, `HKLM\\${internetSettings}\\WinHttp`, problems);
  const perUser = machine.dword("ProxySettingsPerUser");
  const values = Object.values(legacyOf(machine));
  const disableWpad = winhttp.dword("DisableWpad");
  const readable = machine.why === null || machine.why === "absent";
  return {
    facts: {
      ProxySettingsPerUser: perUser,
      gpoManaged:
        readable || userPolicies ? perUser !== null || userPolicies || values.some((one) => one !== null) : null,
      DisableWpad: winhttp.why === null || winhttp.why === "absent" ? (disableWpad ?? 0) !== 0 : null,
    },
    outcome: problems.length > 0 ? problems.join("; ") : machine.why === null ? "read" : "absent",
  };
}
