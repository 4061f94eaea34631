import { parseScutilProxy } from "@lynceus/proxy-settings/scutil";
import { type ProxySource, self } from "./source.ts";

/** The network settings of macOS, asked of `scutil --proxy` (domain 4.10). */
export const readMacos: ProxySource = async ({ platform, run }) => {
  const name = "macos";
  if (platform !== "darwin") return { name, outcome: "not on this system", users: [] };
  try {
    const inForce = parseScutilProxy(await run("/usr/sbin/scutil", ["--proxy"], { env: {} }));
    return { name, outcome: "read", users: [{ user: self, inForce, legacy: null }] };
  } catch (error) {
    return { name, outcome: (error instanceof Error ? error.message : String(error)).slice(0, 256), users: [] };
  }
};
