import { writeAudit } from "@lynceus/db/audit";
import type { Database, Reader } from "@lynceus/db/client";
import { getSetting, setSetting } from "@lynceus/db/settings";
import type { Access } from "@lynceus/protocol/access";
import * as z from "zod";

const key = "sign-in";

/** Who, of those with a password, must have a second factor. */
export const secondFactorFor = ["nobody", "admins", "everyone"] as const;
const rulesSchema = z.object({ secondFactor: z.enum(secondFactorFor) });
export type SignInRules = z.infer<typeof rulesSchema>;

/** The installation's rules for signing in with a password. */
export async function readSignInRules(db: Reader): Promise<SignInRules> {
  const stored = rulesSchema.safeParse(await getSetting(db, key));
  return stored.success ? stored.data : { secondFactor: "nobody" };
}

export async function saveSignInRules(db: Database, rules: SignInRules, by: string): Promise<void> {
  await db.prisma.$transaction(async (prisma) => {
    const before = await readSignInRules({ prisma });
    await setSetting({ prisma }, key, rules);
    await writeAudit({ prisma }, { actor: by, action: "sign-in.rules", subject: "sign-in", before, after: rules });
  });
}

/** Whether somebody must have a second factor. */
export const needsSecondFactor = ({ secondFactor }: SignInRules, access: Access): boolean =>
  secondFactor === "everyone" || (secondFactor === "admins" && access.role === "admin");
