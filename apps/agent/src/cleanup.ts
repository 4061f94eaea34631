import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What makes this machine the one that the collector knows, and what its installer decided. */
const identity = new Set(["machine.key", "machine.json", "config.json", "salt"]);
/** All that the agent ever writes into its data directory. */
const ours =
  /^(?:agent\.lock|agent\.log(?:\.\d+)?|limits\.json|last-users\.json|status\.json|policy\.json|outbox|.*\.tmp)$/;

/**
 * Removes what the agent left in a data directory, and the directory when nothing else is in it. Files of others stay.
 * @param keepIdentity the key, the id and the configuration stay, so that a later installation is the same machine.
 */
export function cleanup(dataDir: string, keepIdentity: boolean): void {
  let names: string[];
  try {
    names = readdirSync(dataDir);
  } catch {
    return;
  }
  for (const name of names)
    if (ours.test(name) || (identity.has(name) && !keepIdentity))
      rmSync(join(dataDir, name), { recursive: true, force: true });
  try {
    rmdirSync(dataDir);
  } catch {
    // Something stays in it.
  }
}
