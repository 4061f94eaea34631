import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseKioslaverc } from "@lynceus/proxy-settings/kioslaverc";
import { codeOf } from "../probes/errors.ts";
import { type ProxySource, self } from "./source.ts";

const maxBytes = 64 * 1024;

/** KDE's network settings: `kioslaverc` of the agent's own user, other users' homes are not ours (domain 4.10). */
export const readKde: ProxySource = async ({ platform, environment }) => {
  const name = "kde";
  if (platform !== "linux") return { name, outcome: "not on this system", users: [] };
  const { XDG_CONFIG_HOME, HOME } = environment;
  const config = XDG_CONFIG_HOME || (HOME ? join(HOME, ".config") : null);
  if (config === null) return { name, outcome: "absent", users: [] };
  try {
    const bytes = await readFile(join(config, "kioslaverc"));
    if (bytes.length > maxBytes) return { name, outcome: `${bytes.length} bytes; at most ${maxBytes}`, users: [] };
    const inForce = parseKioslaverc(bytes.toString("utf8"));
    return { name, outcome: "read", users: inForce ? [{ user: self, inForce, legacy: null }] : [] };
  } catch (error) {
    return { name, outcome: codeOf(error) === "ENOENT" ? "absent" : codeOf(error) || "unreadable", users: [] };
  }
};
