import { existsSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What makes this machine the one that the collector knows, and what its installer decided. */
const identity = new Set(["machine.key", "machine.json", "config.json", "salt"]);
/** All that the agent ever writes into its data directory. */
const ours =
  /^(?:agent\.lock|agent\.log(?:\.\d+)?|limits\.json|last-users\.json|status\.json|policy\.json|outbox|upgrade\.hold|.*\.tmp)$/;

/** There while a newer version takes over: the removal of the older one must then leave the data alone. */
const holdName = "upgrade.hold";
/** An upgrade that has not ended by then never will: its hold counts no longer. Milliseconds. */
export const holdLifetimeMs = 15 * 60_000;

/** Says that an upgrade has begun. Where there is no data directory, there is nothing to hold. */
export function holdData(dataDir: string): void {
  if (existsSync(dataDir)) writeFileSync(join(dataDir, holdName), "");
}

/** Says that the upgrade has ended. */
export function releaseData(dataDir: string): void {
  rmSync(join(dataDir, holdName), { force: true });
}

/** Whether a newer version is taking over. */
export function isHeld(dataDir: string, now: number): boolean {
  const written = statSync(join(dataDir, holdName), { throwIfNoEntry: false })?.mtimeMs;
  // Also one from the future, where a clock was set back, is stale.
  return written !== undefined && Math.abs(now - written) < holdLifetimeMs;
}

/**
 * Removes what the agent left in a data directory, and the directory when nothing else is in it. Files of others stay,
 * and everything does while an upgrade holds it.
 * @param keepIdentity the key, the id and the configuration stay, so that a later installation is the same machine.
 * @param now milliseconds since 1970.
 */
export function cleanup(dataDir: string, keepIdentity: boolean, now: number): void {
  let names: string[];
  try {
    names = readdirSync(dataDir);
  } catch {
    return;
  }
  if (isHeld(dataDir, now)) return;
  for (const name of names)
    if (ours.test(name) || (identity.has(name) && !keepIdentity))
      rmSync(join(dataDir, name), { recursive: true, force: true });
  try {
    rmdirSync(dataDir);
  } catch {
    // Something stays in it.
  }
}
