import { writeAudit } from "@lynceus/db/audit";
import type { Database, Reader } from "@lynceus/db/client";
import { getSetting, setSetting } from "@lynceus/db/settings";
import { accessSchema } from "@lynceus/protocol/access-schema";
import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import * as z from "zod";

const key = "sign-on";

/** One line of the table from groups to access: who has the group gets it. */
export const groupLineSchema = accessSchema.extend({ group: z.string().trim().min(1).max(300) });
export type GroupLine = z.infer<typeof groupLineSchema>;

/** How people sign in through a company's own identity provider (OpenID Connect). */
export const signOnSchema = z.object({
  enabled: z.boolean(),
  /** On the button: "Sign in with Contoso". */
  name: z.string().trim().min(1).max(60),
  /** As its tokens name it; `/.well-known/openid-configuration` below it says the rest. */
  issuer: z.string().max(2048),
  clientId: z.string().trim().min(1).max(400),
  scopes: z.array(z.string().min(1).max(100)).max(20),
  /** Claim of the token, or of the user-info answer, that lists groups. */
  groupsClaim: z.string().trim().min(1).max(100),
  /** The first line whose group somebody has decides. */
  lines: z.array(groupLineSchema).max(200),
  /** Who has none of the groups; null: is not let in. */
  others: accessSchema.nullable(),
  /**
   * An address that the provider gives is its owner's even where the provider does not say that it verified it: then it may
   * take over an account with a password of the same address.
   */
  trustsAddresses: z.boolean(),
});
export type SignOn = z.infer<typeof signOnSchema>;

/** As it is stored: the client's secret encrypted with the installation's own. */
const storedSchema = signOnSchema.extend({ sealedSecret: z.string() });
type Stored = z.infer<typeof storedSchema>;

/** The settings, without the secret; null before the first. What is stored in another shape is none. */
export async function readSignOn(db: Reader): Promise<(SignOn & { sealedSecret: string }) | null> {
  const stored = storedSchema.safeParse(await getSetting(db, key));
  return stored.success ? stored.data : null;
}

/** Stores the settings. A secret of null keeps the one that is there. Audited, without the secret. */
export async function saveSignOn(
  db: Database,
  settings: SignOn,
  secret: string | null,
  by: { actor: string; authSecret: string },
): Promise<void> {
  const sealed = secret === null ? null : await symmetricEncrypt({ key: by.authSecret, data: secret });
  await db.prisma.$transaction(async (prisma) => {
    const before = await readSignOn({ prisma });
    const stored: Stored = { ...settings, sealedSecret: sealed ?? before?.sealedSecret ?? "" };
    await setSetting({ prisma }, key, stored);
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "sign-on.save",
        subject: settings.issuer,
        before: before && shown(before),
        after: { ...shown(stored), ...(secret === null ? {} : { secret: "changed" }) },
      },
    );
  });
}

const shown = ({ sealedSecret: _, ...settings }: Stored): SignOn => settings;

export const openSecret = (sealedSecret: string, authSecret: string): Promise<string> =>
  symmetricDecrypt({ key: authSecret, data: sealedSecret });
