import { readFile, stat } from "node:fs/promises";
import { parseAdvProxy } from "@lynceus/proxy-settings/advanced-proxy";
import { legacySettingsFacts } from "@lynceus/proxy-settings/effective";
import { parseInternetSettings } from "@lynceus/proxy-settings/internet-settings-json";
import { type ProxySource, self } from "./source.ts";

const maxBytes = 64 * 1024;
const utf16 = Buffer.from([0xff, 0xfe]);

/**
 * The file of `--proxy-settings`, to examine a given configuration: JSON with values of Windows' Internet Settings key, or
 * what `netsh winhttp show advproxy` printed on another machine.
 */
export const readSettingsFile: ProxySource = async ({ settingsFile }) => {
  const name = "file";
  if (settingsFile === null) return { name, outcome: "absent", users: [] };
  try {
    const { size } = await stat(settingsFile);
    if (size > maxBytes) return { name, outcome: `${size} bytes; at most ${maxBytes}`, users: [] };
    const bytes = await readFile(settingsFile);
    // PowerShell writes what a program prints as UTF-16.
    const text = bytes.toString(bytes.subarray(0, 2).equals(utf16) ? "utf16le" : "utf8");
    const advanced = parseAdvProxy(text);
    if (advanced) return { name, outcome: "read", users: [{ user: self, inForce: advanced, legacy: null }] };
    const parsed = parseInternetSettings(text);
    if (!parsed.ok) return { name, outcome: parsed.message, users: [] };
    const { inForce, legacy } = parsed;
    return { name, outcome: "read", users: [{ user: self, inForce, legacy: legacySettingsFacts(legacy) }] };
  } catch (error) {
    return { name, outcome: error instanceof Error ? error.message : String(error), users: [] };
  }
};
