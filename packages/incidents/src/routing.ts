import type { AlertingConfig, EscalationTarget, Route } from "@lynceus/protocol/alerting";
import type { NoticeKind } from "@lynceus/protocol/notice";
import { carriesKind } from "@lynceus/protocol/receivers";
import { type Matcher, matcherOf } from "./match.ts";
import { onCallAt } from "./on-call.ts";
import type { Incident, Machine } from "./types.ts";

/** One way to reach somebody: a receiver, and the person whose it is. */
export interface Contact {
  readonly receiver: string;
  readonly person: string | null;
  /** "M. Huber (on call, Operations)", "Proxy team". */
  readonly name: string;
}

interface CompiledRoute {
  readonly route: Route;
  readonly matcher: Matcher;
}

export interface Routing {
  /** Routes of an incident: the first that matches, and those after it while they say so. */
  routesOf(incident: Incident, failing: readonly Machine[]): Route[];
  route(id: string): Route | null;
  /** The receivers of a route, and of one step of its escalation. Without a step: the route's own alone. */
  contacts(route: Route): Contact[];
  stepContacts(route: Route, step: number, at: number): Contact[];
  /** Steps and minutes of a route's escalation. */
  steps(route: Route): readonly { readonly minutes: number }[];
  repeats(route: Route): number;
  fallback(): Contact[];
  receiverName(id: string): string;
  personName(id: string): string;
  /** Whose receivers these are. */
  receiversOf(person: string): readonly string[];
  /** What a receiver holds until it is told otherwise: an alert that stays open. */
  keepsState(receiver: string): boolean;
  cap(receiver: string): number;
  /** Whether it has a form for such a notice. */
  carries(receiver: string, kind: NoticeKind): boolean;
}

const stateful: ReadonlySet<string> = new Set(["pagerduty", "alertmanager"]);

/** The configuration, ready to be asked. */
export function createRouting(config: AlertingConfig): Routing {
  const routes: CompiledRoute[] = config.routes.map((route) => ({ route, matcher: matcherOf(route.match) }));
  const receivers = new Map(config.receivers.map((receiver) => [receiver.id, receiver]));
  const people = new Map(config.people.map((person) => [person.id, person]));
  const schedules = new Map(config.schedules.map((schedule) => [schedule.id, schedule]));
  const escalations = new Map(config.escalations.map((escalation) => [escalation.id, escalation]));
  const receiverName = (id: string) => receivers.get(id)?.name ?? id;
  const ofPerson = (id: string, how: string): Contact[] => {
    const person = people.get(id);
    return (person?.receivers ?? [])
      .filter((receiver) => receivers.has(receiver))
      .map((receiver) => ({ receiver, person: id, name: `${person?.name ?? id}${how}` }));
  };
  const ofReceiver = (id: string): Contact[] =>
    receivers.has(id) ? [{ receiver: id, person: null, name: receiverName(id) }] : [];
  const ofTarget = (target: EscalationTarget, at: number): Contact[] => {
    if ("receiver" in target) return ofReceiver(target.receiver);
    if ("person" in target) return ofPerson(target.person, "");
    const schedule = schedules.get(target.schedule);
    const person = schedule ? onCallAt(schedule, at).person : null;
    return person === null ? [] : ofPerson(person, ` (on call, ${schedule?.name})`);
  };
  const escalationOf = (route: Route) => (route.escalation === null ? undefined : escalations.get(route.escalation));

  return {
    routesOf(incident, failing) {
      const found: Route[] = [];
      for (const { route, matcher } of routes) {
        // Nobody is woken for machines that do not exist, unless the route says so.
        if (incident.simulated && !matcher.speaksOf("simulated")) continue;
        const { number, urgency } = incident;
        if (!failing.some((machine) => matcher.member({ machine, incident: number, urgency }))) continue;
        found.push(route);
        if (!route.continue) break;
      }
      return found;
    },
    route: (id) => routes.find(({ route }) => route.id === id)?.route ?? null,
    contacts: (route) => route.receivers.flatMap(ofReceiver),
    stepContacts: (route, step, at) =>
      (escalationOf(route)?.steps[step]?.targets ?? []).flatMap((target) => ofTarget(target, at)),
    steps: (route) => escalationOf(route)?.steps ?? [],
    repeats: (route) => escalationOf(route)?.repeat ?? 0,
    fallback: () => config.settings.fallback.flatMap(ofReceiver),
    receiverName,
    personName: (id) => people.get(id)?.name ?? id,
    receiversOf: (person) => people.get(person)?.receivers ?? [],
    keepsState: (receiver) => stateful.has(receivers.get(receiver)?.type ?? ""),
    cap: (receiver) => receivers.get(receiver)?.capPerHour ?? 0,
    carries: (receiver, kind) => {
      const type = receivers.get(receiver)?.type;
      return type !== undefined && carriesKind(type, kind);
    },
  };
}
