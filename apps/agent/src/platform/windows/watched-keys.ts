import { internetSettings, userHives } from "../../proxy/wininet.ts";
import type { WindowsMachine } from "./machine.ts";
import type { WatchedKey } from "./watch.ts";

const policies = "Software\\Policies\\Microsoft";
const lsa = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa";
const of = (below: boolean, ...keys: string[]): WatchedKey[] => keys.map((key) => ({ key, below }));

/**
 * The keys whose values decide what the agent reports: few and narrow, because the Internet Settings key holds much
 * that changes with every page (caches), and 200 users are watched as one is.
 */
export function watchedKeys({ registry, scope }: WindowsMachine): WatchedKey[] {
  const roots = scope === "self" ? ["HKCU"] : userHives(registry).sids.map((sid) => `HKU\\${sid}`);
  const placesOf = (root: string) => [
    ...of(false, `${root}\\${internetSettings}`, `${root}\\${internetSettings}\\Connections`),
    ...of(true, `${root}\\${internetSettings}\\ZoneMap`, `${root}\\${internetSettings}\\Zones`, `${root}\\${policies}`),
  ];
  return [
    // Who signs in or out loads or unloads a hive.
    ...of(false, "HKU"),
    ...[...roots, "HKLM"].flatMap(placesOf),
    ...of(false, `HKU\\.DEFAULT\\${internetSettings}\\Connections`, `HKLM\\${internetSettings}\\WinHttp`),
    ...of(false, "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections"),
    ...of(false, lsa, `${lsa}\\MSV1_0`),
  ];
}
