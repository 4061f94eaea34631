import { createHash } from "node:crypto";
import type { Database } from "@lynceus/db/client";
import { getSetting } from "@lynceus/db/settings";
import { insertUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import * as z from "zod";
import { isUniqueViolation } from "./prisma-errors.ts";

/** Where the one-time link of the first admin is kept: the code's SHA-256, never the code. */
const settingKey = "welcome";
const welcomeSchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  expiresAt: z.iso.datetime({ offset: true }),
});

const hashOf = (code: string) => createHash("sha256").update(code).digest("hex");

/** Whether this code would make an admin at `now` (ms). It changes nothing. */
export async function isWelcome(db: Database, code: string, now: number): Promise<boolean> {
  const welcome = welcomeSchema.safeParse(await getSetting(db, settingKey));
  return welcome.success && welcome.data.hash === hashOf(code) && Date.parse(welcome.data.expiresAt) > now;
}

export interface NewAdmin {
  name: string;
  /** Lower case. */
  email: string;
  /** Made by the auth library. */
  passwordHash: string;
}

/**
 * Uses the code up and makes the admin, both or neither: of two at the same moment one finds the row gone.
 * `refused`: the code is wrong, expired or used. `taken`: an account has this address, and the code is still good.
 */
export async function redeemWelcome(
  db: Database,
  code: string,
  admin: NewAdmin,
  now: number,
): Promise<"made" | "refused" | "taken"> {
  if (!(await isWelcome(db, code, now))) return "refused";
  try {
    return await db.prisma.$transaction(async (tx) => {
      const used = await tx.setting.deleteMany({
        where: { key: settingKey, value: { path: ["hash"], equals: hashOf(code) } },
      });
      if (used.count === 0) return "refused";
      await insertUser({ prisma: tx }, { ...admin, access: { role: "admin", ...everyMachine } }, "one-time link");
      return "made";
    });
  } catch (error) {
    if (isUniqueViolation(error)) return "taken";
    throw error;
  }
}
