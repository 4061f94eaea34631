import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { type VerifiedAcknowledge, verifyAcknowledgeToken } from "@lynceus/notify/acknowledge-link";
import { allows } from "@lynceus/protocol/access";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { database } from "./db.ts";
import { environment } from "./env.ts";
import type { Presser } from "./incident-act.ts";
import type { SessionUser } from "./session.ts";
import { personOf } from "./told.ts";

/*
 * Who stands before an incident's short page: somebody signed in, or whoever holds the signed link of a notice. The link is
 * one person's, for one incident, until its end; it lets them see it and act on it, and nothing else.
 */

export interface Visitor {
  /** What they see. Who holds a link sees what the notice said: the incident as a whole. */
  readonly fleet: Fleet;
  /** Null: they see it, and their role lets them do nothing. */
  readonly presser: Presser | null;
  /** Of the alerting configuration, where they are of its people. */
  readonly person: AlertingConfig["people"][number] | null;
  readonly signedIn: boolean;
}

export type LinkProblem = "expired" | "wrong";

/** What the token of an address is worth. Null: there is none. */
export function judgeLink(token: unknown, incident: number, now: number): VerifiedAcknowledge | null {
  const { secretKeys } = environment();
  if (typeof token !== "string" || token === "") return null;
  if (secretKeys === null) return { ok: false, reason: "wrong" };
  return verifyAcknowledgeToken(secretKeys, token, { incident, now });
}

/** Who it is. Who is signed in acts as themselves, whatever link they hold; null where nobody is known. */
export function visitorOf(
  user: SessionUser | null,
  link: VerifiedAcknowledge | null,
  config: AlertingConfig,
): Visitor | null {
  if (user !== null && user.must === null && (allows(user.access, "operate") || !link?.ok)) {
    const person = personOf(config, user.email);
    const presser: Presser = {
      fleet: user.fleet,
      actor: user.email,
      name: person?.name ?? user.name,
      person: person?.id ?? null,
      via: "dashboard",
    };
    return { fleet: user.fleet, presser: allows(user.access, "operate") ? presser : null, person, signedIn: true };
  }
  if (!link?.ok) return null;
  const person = config.people.find(({ id }) => id === link.claim.person) ?? null;
  // Somebody who was taken out of the configuration holds nothing any more.
  if (person === null) return null;
  const fleet = wholeFleet(database());
  const presser: Presser = { fleet, actor: `link of ${person.id}`, name: person.name, person: person.id, via: "link" };
  return { fleet, presser, person, signedIn: false };
}
