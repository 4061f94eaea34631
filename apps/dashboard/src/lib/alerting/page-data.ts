import { secretNames } from "@lynceus/db/alerting";
import { type AlertingConfig, heartbeatSecrets } from "@lynceus/protocol/alerting";
import { secretIssues, secretsOfType } from "@lynceus/protocol/receiver-secrets";
import type { Receiver } from "@lynceus/protocol/receivers";
import type { Choices } from "../../components/alerting/piece-fields.tsx";
import type { SecretField } from "../../components/alerting/secret-fields.tsx";
import { typeNames } from "../../components/alerting/words.ts";
import { database } from "../db.ts";

/** Names that choices of a form offer. */
export function choicesOf(config: AlertingConfig): Choices {
  const named = (list: readonly { readonly id: string; readonly name: string }[]) =>
    list.map(({ id, name }) => ({ value: id, label: name === id ? name : `${name} (${id})` }));
  const receivers = config.receivers.map(({ id, name, type }) => ({
    value: id,
    label: `${name} (${typeNames[type]}, ${id})`,
  }));
  const targets = (kind: string, word: string, list: readonly { readonly id: string; readonly name: string }[]) =>
    list.map(({ id, name }) => ({ value: `${kind}:${id}`, label: `${word} ${name}` }));
  return {
    receivers,
    people: named(config.people),
    schedules: named(config.schedules),
    escalations: named(config.escalations),
    targets: [
      ...targets("schedule", "on call:", config.schedules),
      ...targets("person", "person", config.people),
      ...targets("receiver", "receiver", config.receivers),
    ],
  };
}

/** The secrets of a receiver as its form asks for them; values are not read. */
export function secretFields(receiver: Pick<Receiver, "id" | "type">, set: readonly string[]): SecretField[] {
  return Object.entries(secretsOfType(receiver.type)).map(([name, { title, rule, required }]) => ({
    name,
    title,
    rule,
    required,
    isSet: set.includes(name),
  }));
}

export const heartbeatFields = (set: readonly string[]): SecretField[] => [
  {
    name: "url",
    title: "Address of the heartbeat",
    rule: "asked by GET, such as https://hc-ping.com/…",
    required: true,
    isSet: set.includes("url"),
  },
];

/** Names of the secrets that are set, by receiver; the heartbeat's under its own name. */
export const secretsSet = () => secretNames(database());
export { heartbeatSecrets };

/** What is missing for a receiver to work; null where nothing is. */
export function missingOf(receiver: Receiver, set: readonly string[]): string | null {
  const issue = secretIssues(receiver, {}).find(({ name }) => !set.includes(name));
  return issue?.message ?? null;
}
