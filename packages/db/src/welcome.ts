import { createHash, randomBytes } from "node:crypto";
import type { Database } from "./client.ts";
import { setSetting } from "./settings.ts";

/** How long a one-time link is good. */
const lifetimeMs = 24 * 3_600_000;

/**
 * Makes the code of the one-time link that makes the first admin, `/welcome?code=…` of the dashboard; a code made
 * before is void. Only its SHA-256 is stored. Null when somebody can log in already.
 */
export async function createWelcome(db: Database, now: Date): Promise<string | null> {
  if ((await db.prisma.user.count()) > 0) return null;
  const code = randomBytes(24).toString("base64url");
  await setSetting(db, "welcome", {
    hash: createHash("sha256").update(code).digest("hex"),
    expiresAt: new Date(now.getTime() + lifetimeMs).toISOString(),
  });
  return code;
}
