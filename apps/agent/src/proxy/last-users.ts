import { readFileSync } from "node:fs";
import { join } from "node:path";
import { effectiveSettingsSchema } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { replaceFile } from "../atomic-file.ts";
import type { LastUsers } from "./settings.ts";
import type { UserReading } from "./source.ts";

/** One user as kept: what is in force, without what else was read. */
function parseUser(value: unknown): UserReading[] {
  if (typeof value !== "object" || value === null || !("user" in value) || !("inForce" in value)) return [];
  const { user, inForce } = value as { user: unknown; inForce: unknown };
  if (typeof user !== "string" || typeof inForce !== "object" || inForce === null) return [];
  const { settings, scriptUrl } = inForce as { settings?: unknown; scriptUrl?: unknown };
  const parsed = effectiveSettingsSchema.safeParse(settings);
  if (!parsed.success || (scriptUrl !== null && typeof scriptUrl !== "string")) return [];
  return [{ user, inForce: { settings: parsed.data, scriptUrl }, legacy: null }];
}

function load(path: string): UserReading[] {
  try {
    const users: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(users) ? users.slice(0, limits.users).flatMap(parseUser) : [];
  } catch {
    // None yet, or damaged: then nobody is known until somebody signs in.
    return [];
  }
}

/**
 * The users who were signed in last, kept in the data directory, so that a restart in the night does not lose them
 * (domain 5.0 rule 5). Written when they change. A full disk loses only that.
 */
export function lastUsersIn(dataDir: string): LastUsers {
  const path = join(dataDir, "last-users.json");
  let users: readonly UserReading[] = load(path);
  let kept = "";
  return {
    get users() {
      return users;
    },
    set users(next) {
      users = next;
      const text = JSON.stringify(next.map(({ user, inForce }) => ({ user, inForce })));
      if (text === kept) return;
      kept = text;
      try {
        replaceFile(path, text);
      } catch {
        // Kept in memory.
      }
    },
  };
}
