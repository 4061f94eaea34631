import { type AlertingChange, currentAlerting, type StoredAlertingConfig, saveAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import type { By } from "@lynceus/db/machines-admin";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { receiverSecretPlace, SealedSecretError, sealSecret } from "@lynceus/notify/sealed-secret";
import { type AlertingConfig, type AlertingProblem, heartbeatSecrets } from "@lynceus/protocol/alerting";
import { secretIssues } from "@lynceus/protocol/receiver-secrets";
import { secretsOf } from "./deliver.ts";

/** Secrets in the clear, as they were typed, by receiver and name; null takes one away. */
export type GivenSecrets = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

/** A secret that breaks its rule, or of a receiver that is not there. No message holds a value. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** The secrets of a receiver after this change; those that cannot be opened any more count as there. */
async function secretsAfter(
  db: Database,
  keys: KeyRing,
  receiver: string,
  given: Readonly<Record<string, string | null>>,
): Promise<Record<string, string>> {
  let before: Record<string, string> = {};
  try {
    before = await secretsOf(db, keys, receiver);
  } catch (error) {
    if (!(error instanceof SealedSecretError)) throw error;
  }
  const after: Record<string, string> = { ...before };
  for (const [name, value] of Object.entries(given))
    if (value === null) delete after[name];
    else after[name] = value;
  return after;
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
  const { config, secrets = {} } = change;
  const sealed: Record<string, Record<string, string | null>> = {};
  const missing: AlertingProblem[] = [];
  for (const id of Object.keys(secrets))
    if (id !== heartbeatSecrets && !config.receivers.some((receiver) => receiver.id === id))
      throw new SecretError(`secrets of "${id.slice(0, 64)}": there is no such receiver in the configuration`);
  for (const [index, receiver] of config.receivers.entries()) {
    const given = secrets[receiver.id] ?? {};
    for (const { name, message } of secretIssues(receiver, await secretsAfter(db, keys, receiver.id, given))) {
      if (typeof given[name] === "string") throw new SecretError(`secret ${name} of "${receiver.id}": ${message}`);
      missing.push({ path: `receivers.${index}`, message: `${receiver.name}: ${message}` });
    }
  }
  const heartbeat = secrets[heartbeatSecrets]?.url;
  if (typeof heartbeat === "string" && !/^https?:\/\//.test(heartbeat))
    throw new SecretError("secret url of the heartbeat is not an http address; use e.g. https://hc-ping.com/…");
  for (const [receiver, own] of Object.entries(secrets))
    sealed[receiver] = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [
        name,
        value === null ? null : sealSecret(keys, receiverSecretPlace(receiver, name), value),
      ]),
    );
  return { stored: await saveAlerting(db, { ...change, secrets: sealed }, by), missing };
}

/** The configuration that is proposed, or the one in force. */
export const configOr = async (db: Database, proposed: AlertingConfig | null): Promise<AlertingConfig> =>
  proposed ?? (await currentAlerting(db)).config;
