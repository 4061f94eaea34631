import type { GroupName } from "./group.ts";
import { scopeOf } from "./group.ts";
import type { Incident, Machine } from "./types.ts";

/** Machines that have one thing in common now, and the incidents that they are members of. */
export interface Group {
  readonly name: GroupName;
  readonly machines: Machine[];
  /** Machines of it by the incident that they are in. */
  readonly from: Map<number, number>;
  /** One of them is enough for an incident. */
  important: boolean;
}

export interface AssignInput {
  readonly now: number;
  readonly groups: readonly Group[];
  /** Open ones, and those closed by hand whose machines still fail. */
  readonly live: readonly Incident[];
  /** Resolved a moment ago: what comes back under their name goes on in them. */
  readonly recent: readonly Incident[];
  /** Failing members by incident, those without a group included. */
  readonly failing: ReadonlyMap<number, number>;
  readonly openMachines: number;
  readonly splitHoldMs: number;
  readonly nextNumber: number;
}

export interface Assignment {
  /** By key of the group. Groups that are in none are too small for an incident. */
  readonly incidentOf: ReadonlyMap<string, number>;
  /** The group that an incident is now; the others within it stand apart, or are the same by another name. */
  readonly own: ReadonlyMap<number, Group>;
  readonly merged: ReadonlyMap<number, number>;
  readonly reopened: ReadonlySet<number>;
  /** Numbers that are new, with the group and the incident that they were part of. */
  readonly opened: readonly { readonly number: number; readonly group: Group; readonly splitFrom: number | null }[];
  /** By incident: groups that stand apart within it, and since when. */
  readonly apart: ReadonlyMap<number, Readonly<Record<string, number>>>;
}

const byWeight = (a: Group, b: Group): number =>
  a.name.rank - b.name.rank || b.machines.length - a.machines.length || (a.name.key < b.name.key ? -1 : 1);

/** The one that goes on when several are one: open before closed, acknowledged before not, then the oldest. */
const bySeniority = (a: Incident, b: Incident): number =>
  Number(a.ended !== null) - Number(b.ended !== null) ||
  Number(b.acknowledged !== null) - Number(a.acknowledged !== null) ||
  a.number - b.number;

/**
 * Which group goes on in which incident. Identity survives a change of name: a pattern of single machines that becomes a
 * pattern of the fleet and then a named cause is one incident all the time, since it is looked for by name, by every
 * name that it had, and by its members. The order of the input does not matter.
 */
export function assign(input: AssignInput): Assignment {
  const { groups, live, now } = input;
  const byNumber = new Map(live.map((incident) => [incident.number, incident]));
  const byName = new Map<string, Incident[]>();
  for (const incident of live) for (const key of incident.keys) byName.set(key, [...(byName.get(key) ?? []), incident]);
  const sorted = [...groups].sort(byWeight);
  const incidentOf = new Map<string, number>();
  const merged = new Map<number, number>();
  const reopened = new Set<number>();
  const opened: { number: number; group: Group; splitFrom: number | null }[] = [];
  let next = input.nextNumber;

  const resolve = (number: number): number => {
    let at = number;
    for (let into = merged.get(at); into !== undefined; into = merged.get(at)) at = into;
    return at;
  };
  const isEnough = (group: Group) => group.machines.length >= input.openMachines || group.important;

  for (const group of sorted) {
    const { key, scope } = group.name;
    const same = (byName.get(key) ?? []).filter((incident) => scopeOf(incident) === scope);
    let most: Incident | null = null;
    let mostOfIt = 0;
    for (const [number, machines] of group.from) {
      const incident = byNumber.get(number);
      if (!incident || scopeOf(incident) !== scope) continue;
      if (2 * machines >= (input.failing.get(number) ?? 0) && !same.includes(incident)) same.push(incident);
      if (2 * machines < group.machines.length) continue;
      if (machines > mostOfIt || (machines === mostOfIt && number < (most?.number ?? Number.POSITIVE_INFINITY)))
        [most, mostOfIt] = [incident, machines];
    }
    const present = [...new Set(same.map(({ number }) => resolve(number)))].flatMap(
      (number) => byNumber.get(number) ?? [],
    );
    const [first, ...others] = present.sort(bySeniority);
    if (first) {
      // What was closed by hand stays closed; only open ones become one.
      for (const other of others) if (other.ended === null) merged.set(other.number, first.number);
      incidentOf.set(key, first.number);
    } else if (most) incidentOf.set(key, resolve(most.number));
    else {
      const back = input.recent
        .filter(
          (incident) => incident.keys.includes(key) && scopeOf(incident) === scope && !reopened.has(incident.number),
        )
        .sort((a, b) => b.number - a.number)[0];
      if (back && isEnough(group)) {
        reopened.add(back.number);
        incidentOf.set(key, back.number);
      } else if (isEnough(group)) {
        opened.push({ number: next, group, splitFrom: null });
        incidentOf.set(key, next++);
      }
    }
  }

  const within = new Map<number, Group[]>();
  for (const group of sorted) {
    const assigned = incidentOf.get(group.name.key);
    if (assigned === undefined) continue;
    const number = resolve(assigned);
    incidentOf.set(group.name.key, number);
    within.set(number, [...(within.get(number) ?? []), group]);
  }

  const own = new Map<number, Group>();
  const apart = new Map<number, Readonly<Record<string, number>>>();
  for (const number of [...within.keys()].sort((a, b) => a - b)) {
    const members = within.get(number) ?? [];
    const incident = byNumber.get(number);
    const largest = Math.max(...members.map(({ machines }) => machines.length));
    const present = members.find(({ name }) => name.key === incident?.key);
    const chosen =
      present && 2 * present.machines.length >= largest
        ? present
        : (members.find(({ machines }) => machines.length === largest) as Group);
    own.set(number, chosen);
    if (!incident || incident.ended !== null) continue;
    const timers: Record<string, number> = {};
    for (const group of members) {
      const { key, rank } = group.name;
      // The same, not yet named as specifically: seen a moment ago, or a value of it is not known.
      const isOlderName = rank > chosen.name.rank && incident.keys.includes(key);
      if (group === chosen || isOlderName || !isEnough(group)) continue;
      const since = incident.apart[key] ?? now;
      if (now - since < input.splitHoldMs) timers[key] = since;
      else {
        opened.push({ number: next, group, splitFrom: number });
        incidentOf.set(key, next);
        own.set(next++, group);
      }
    }
    apart.set(number, timers);
  }
  return { incidentOf, own, merged, reopened, opened, apart };
}
