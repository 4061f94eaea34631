import {
  type AlertingChange,
  currentAlerting,
  type StoredAlertingConfig,
  saveAlerting,
  secretNames,
} from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import type { By } from "@lynceus/db/machines-admin";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { type GivenSecrets, sealGiven } from "@lynceus/notify/seal-given";
import { type AlertingConfig, type AlertingProblem, heartbeatSecrets } from "@lynceus/protocol/alerting";

/** A secret that breaks its rule, or of a receiver that is not there. No message holds a value. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/**
 * Saves a configuration with secrets that were typed: checked by each receiver's rules, sealed, and stored with it.
 * Throws a SecretError for one that cannot be right. `missing` says which receivers cannot work yet, since a secret of
 * theirs is not set: that is no reason not to save, as after an import.
 */
export async function saveWithSecrets(
  db: Database,
  keys: KeyRing,
  change: Omit<AlertingChange, "secrets"> & { readonly secrets?: GivenSecrets },
  by: By,
): Promise<{ stored: StoredAlertingConfig; missing: AlertingProblem[] }> {
  const { sealed, wrong, missing } = sealGiven(keys, change.config, await secretNames(db), change.secrets ?? {});
  const [first] = wrong;
  if (first) {
    const owner = first.receiver === heartbeatSecrets ? "the heartbeat" : `"${first.receiver.slice(0, 64)}"`;
    throw new SecretError(`${first.name === null ? "secrets" : `secret ${first.name}`} of ${owner}: ${first.message}`);
  }
  return { stored: await saveAlerting(db, { ...change, secrets: sealed }, by), missing: [...missing] };
}

/** The configuration that is proposed, or the one in force. */
export const configOr = async (db: Database, proposed: AlertingConfig | null): Promise<AlertingConfig> =>
  proposed ?? (await currentAlerting(db)).config;
