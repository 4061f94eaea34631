import { AlertingConflictError, currentAlerting, getAlerting, saveAlerting, secretNames } from "@lynceus/db/alerting";
import { type GivenSecrets, sealGiven } from "@lynceus/notify/seal-given";
import { type AlertingConfig, type AlertingProblem, defaultAlerting, parseAlerting } from "@lynceus/protocol/alerting";
import { database } from "../db.ts";
import { environment } from "../env.ts";

/* How the pages change the alerting configuration: read, change, check as a whole, save as the next version. */

export type Saved =
  | { readonly outcome: "saved"; readonly version: number; readonly missing: readonly AlertingProblem[] }
  /** Nothing is stored. `document` is what the problems were found in. */
  | { readonly outcome: "wrong"; readonly problems: readonly AlertingProblem[]; readonly document: unknown }
  /** Secrets alone are wrong; by name of the secret. */
  | { readonly outcome: "wrong-secrets"; readonly errors: Readonly<Record<string, string>> }
  /** Somebody saved at this very moment. */
  | { readonly outcome: "raced"; readonly version: number };

/** Why secrets cannot be set where the dashboard has no key to seal them with. */
export const noKeyText =
  "LYNCEUS_SECRET_KEY is not set for the dashboard, so that no secret can be stored here; use the key of the collectors (docs/receivers.md).";

/** Checks a document and saves it as the version after `version`, with secrets as they were typed. */
export async function saveDocument(
  document: unknown,
  change: { readonly version: number; readonly actor: string; readonly note?: string; readonly secrets?: GivenSecrets },
): Promise<Saved> {
  const { config, problems } = parseAlerting(document);
  if (config === null) return { outcome: "wrong", problems, document };
  const { secretKeys } = environment();
  const secrets = change.secrets ?? {};
  const db = database();
  const named = Object.values(secrets).flatMap((own) => Object.keys(own));
  if (secretKeys === null && named.length > 0)
    return { outcome: "wrong-secrets", errors: Object.fromEntries(named.map((name) => [name, noKeyText])) };
  const checked = secretKeys === null ? null : sealGiven(secretKeys, config, await secretNames(db), secrets);
  if (checked !== null && checked.wrong.length > 0)
    return {
      outcome: "wrong-secrets",
      errors: Object.fromEntries(checked.wrong.map(({ name, message }) => [name ?? "", message])),
    };
  try {
    const stored = await saveAlerting(
      db,
      { config, baseVersion: change.version, note: change.note ?? "", ...(checked && { secrets: checked.sealed }) },
      { actor: change.actor, now: new Date() },
    );
    return { outcome: "saved", version: stored.version, missing: checked?.missing ?? [] };
  } catch (error) {
    if (error instanceof AlertingConflictError) return { outcome: "raced", version: error.version };
    throw error;
  }
}

/** The version that somebody edited, where it can still be read. */
export async function versionAt(version: number): Promise<AlertingConfig | null> {
  if (version === 0) return defaultAlerting;
  return (await getAlerting(database(), version))?.config ?? null;
}

/** The configuration in force, read anew: an act does not use what its page read. */
export const inForce = () => currentAlerting(database());
