import { currentAlerting } from "@lynceus/db/alerting";
import { installationId } from "@lynceus/db/installation";
import { shortTextOf } from "@lynceus/diagnosis/texts";
import type { ComposeContext } from "@lynceus/incidents/compose";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { cache } from "react";
import { database } from "./db.ts";
import { environment } from "./env.ts";

/** The alerting configuration in force; read once a request. */
export const alerting = cache(() => currentAlerting(database()));

/** Whether a route names anybody; if none does, incidents appear in the dashboard and nobody is told. */
export const tellsSomebody = ({ routes }: AlertingConfig): boolean =>
  routes.some(({ receivers, escalation }) => receivers.length > 0 || escalation !== null);

/** What a message about an incident is made with. */
export async function composeContext(): Promise<Omit<ComposeContext, "now">> {
  return {
    dashboardUrl: environment().publicUrl.href.replace(/\/$/, ""),
    installation: await installationId(database()),
    textsOf: shortTextOf,
  };
}

/** Somebody, or some place, that can be told by hand. */
export interface Reachable {
  /** `person:l-tan`, `receiver:proxy-team`: as a form sends it. */
  readonly id: string;
  readonly name: string;
}

/** Everybody who can be handed an incident, and every receiver that can be told; names alone, and no settings. */
export function reachable({ people, receivers }: AlertingConfig): { people: Reachable[]; receivers: Reachable[] } {
  return {
    people: people.map(({ id, name }) => ({ id: `person:${id}`, name })),
    receivers: receivers.map(({ id, name }) => ({ id: `receiver:${id}`, name })),
  };
}

/** The receivers behind what a form sent; null for what the configuration does not name. */
export function contactsOf(
  config: AlertingConfig,
  id: string,
): { name: string; contacts: { receiver: string; person: string | null }[] } | null {
  const [kind, own = ""] = id.split(":", 2);
  if (kind === "person") {
    const person = config.people.find((one) => one.id === own);
    return (
      (person && {
        name: person.name,
        contacts: person.receivers.map((receiver) => ({ receiver, person: person.id })),
      }) ??
      null
    );
  }
  const receiver = kind === "receiver" ? config.receivers.find((one) => one.id === own) : undefined;
  return receiver ? { name: receiver.name, contacts: [{ receiver: receiver.id, person: null }] } : null;
}

/** Who somebody is in the alerting configuration, by the address that they sign in with. */
export const personOf = (config: AlertingConfig, email: string): AlertingConfig["people"][number] | null =>
  config.people.find((person) => person.email?.toLowerCase() === email.toLowerCase()) ?? null;
