import { readFile, stat } from "node:fs/promises";
import { legacySettingsFacts } from "@lynceus/proxy-settings/effective";
import { parseInternetSettings } from "@lynceus/proxy-settings/internet-settings-json";
import { type ProxySource, self } from "./source.ts";

const maxBytes = 64 * 1024;

/** The JSON file of `--proxy-settings`: values of Windows' Internet Settings key, to examine a given configuration. */
export const readSettingsFile: ProxySource = async ({ settingsFile }) => {
  const name = "file";
  if (settingsFile === null) return { name, outcome: "absent", users: [] };
  try {
    const { size } = await stat(settingsFile);
    if (size > maxBytes) return { name, outcome: `${size} bytes; at most ${maxBytes}`, users: [] };
    const parsed = parseInternetSettings(await readFile(settingsFile, "utf8"));
    if (!parsed.ok) return { name, outcome: parsed.message, users: [] };
    const { inForce, legacy } = parsed;
    return { name, outcome: "read", users: [{ user: self, inForce, legacy: legacySettingsFacts(legacy) }] };
  } catch (error) {
    return { name, outcome: error instanceof Error ? error.message : String(error), users: [] };
  }
};
