import { type AlertingConfig, type AlertingProblem, heartbeatSecrets } from "@lynceus/protocol/alerting";
import { secretIssues } from "@lynceus/protocol/receiver-secrets";
import type { KeyRing } from "./key-ring.ts";
import { receiverSecretPlace, sealSecret } from "./sealed-secret.ts";

/** Secrets in the clear, as they were typed, by receiver and name; null takes one away. */
export type GivenSecrets = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

/** A secret that cannot be right. No message holds a value. */
export interface WrongSecret {
  readonly receiver: string;
  /** Null: of the receiver itself. */
  readonly name: string | null;
  readonly message: string;
}

export interface SealedGiven {
  /** As they are stored; null takes one away. */
  readonly sealed: Record<string, Record<string, string | null>>;
  readonly wrong: readonly WrongSecret[];
  /** Receivers that cannot work yet, since a secret of theirs is not set: no reason not to save, as after an import. */
  readonly missing: readonly AlertingProblem[];
}

/**
 * Checks secrets that were typed by the rules of their receivers and seals them. `set`: names of those that are stored, by
 * receiver; they were checked when they were typed, and are not opened here.
 */
export function sealGiven(
  keys: KeyRing,
  config: AlertingConfig,
  set: Readonly<Record<string, readonly string[]>>,
  given: GivenSecrets,
): SealedGiven {
  const wrong: WrongSecret[] = [];
  const missing: AlertingProblem[] = [];
  for (const receiver of Object.keys(given))
    if (receiver !== heartbeatSecrets && !config.receivers.some(({ id }) => id === receiver))
      wrong.push({ receiver, name: null, message: "there is no such receiver in the configuration" });
  for (const [index, receiver] of config.receivers.entries()) {
    const own = given[receiver.id] ?? {};
    const typed = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null)) as Record<
      string,
      string
    >;
    const stays = (set[receiver.id] ?? []).filter((name) => !Object.hasOwn(own, name));
    for (const { name, message } of secretIssues(receiver, typed))
      if (Object.hasOwn(typed, name)) wrong.push({ receiver: receiver.id, name, message });
      else if (!stays.includes(name))
        missing.push({ path: `receivers.${index}`, message: `${receiver.name}: ${message}` });
  }
  const heartbeat = given[heartbeatSecrets]?.url;
  if (typeof heartbeat === "string" && !/^https?:\/\/[^/]/.test(heartbeat))
    wrong.push({
      receiver: heartbeatSecrets,
      name: "url",
      message: "this is not an http address; use e.g. https://hc-ping.com/…",
    });
  const sealed =
    wrong.length > 0
      ? {}
      : Object.fromEntries(
          Object.entries(given).map(([receiver, own]) => [
            receiver,
            Object.fromEntries(
              Object.entries(own).map(([name, value]) => [
                name,
                value === null ? null : sealSecret(keys, receiverSecretPlace(receiver, name), value),
              ]),
            ),
          ]),
        );
  return { sealed, wrong, missing };
}
