import { everyMachine, mayRead, type Scope } from "@lynceus/protocol/access";
import type { Maintenance } from "@lynceus/protocol/alerting";
import { windowAt } from "./maintenance.ts";
import { type Matcher, type Member, matcherOf } from "./match.ts";
import type { Silence } from "./types.ts";

/** A silence or a maintenance window in force: nobody is told of the machines that it covers. */
export interface Muter {
  readonly id: string;
  readonly kind: "silence" | "maintenance";
  readonly name: string;
  readonly until: number;
  covers(member: Member): boolean;
}

/** Those in force at an instant, in the order of their ids. */
export function mutersAt(silences: readonly Silence[], windows: readonly Maintenance[], now: number): Muter[] {
  const muter = (
    kind: Muter["kind"],
    id: string,
    name: string,
    until: number,
    match: string,
    scope: Scope = everyMachine,
  ): Muter => {
    const matcher: Matcher = matcherOf(match);
    const covers = (member: Member) => mayRead(scope, member.machine) && matcher.member(member);
    return { id: `${kind}:${id}`, kind, name, until, covers };
  };
  const found = silences
    .filter(({ startsAt, endsAt }) => startsAt <= now && now < endsAt)
    .map(({ id, author, comment, endsAt, match, scope }) =>
      muter("silence", id, comment ? `${author}: ${comment}` : author, endsAt, match, scope),
    );
  for (const window of windows) {
    const span = windowAt(window, now);
    if (span) found.push(muter("maintenance", window.id, window.name, span.to, window.match));
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}
