import { type Location, locations, type PatternId } from "@lynceus/protocol/names";
import { once } from "./once.ts";
import type { Machine, OpenCause } from "./types.ts";

/** What machines have in common that may be one incident. */
export interface GroupName {
  readonly key: string;
  /** 1 a shared cause, 2 a pattern of the fleet, 3 what the machine shows by itself. */
  readonly rank: 1 | 2 | 3;
  readonly cause: OpenCause | null;
  readonly scope: string;
}

/** Patterns whose cause text holds a measured value of the machine: they are one thing whatever the value. */
const byPatternAlone: ReadonlySet<PatternId> = new Set(["clock-skew", "fleet-config-wave"]);
const isFleet = (pattern: PatternId) => pattern.startsWith("fleet-");

/**
 * What tells two faults of one pattern apart. A bracket at the end holds how it was noticed ("refused", "7 of 10 probes
 * good"), which is not another fault.
 */
const discriminator = (pattern: PatternId, cause: string): string =>
  byPatternAlone.has(pattern) ? "" : cause.replace(/ \([^()]*\)$/, "");

/** Real and simulated machines, and locations, are never in one group (domain 5.0 rule 3). */
export const scopeOf = ({ simulated, location }: { simulated: boolean; location: Location }): string =>
  scopes[simulated ? "simulated" : "real"][location];
const scopesOf = (half: string) =>
  Object.fromEntries(locations.map((location) => [location, `${half}|${location}`])) as Record<Location, string>;
const scopes = { real: scopesOf("real"), simulated: scopesOf("simulated") };

/** Open causes, so that the ones that may explain a machine are found without asking all. */
export interface CauseIndex {
  explaining(machine: Machine): OpenCause | null;
}

export function indexCauses(causes: readonly OpenCause[]): CauseIndex {
  const byScope = new Map<string, OpenCause[]>();
  // The one that explains most first; of equal ones the order is that of their names.
  const sorted = [...causes].sort(
    (a, b) => b.explains - a.explains || (`${a.key} ${a.value}` < `${b.key} ${b.value}` ? -1 : 1),
  );
  for (const cause of sorted) {
    const scope = scopeOf(cause);
    const list = byScope.get(scope);
    if (list) list.push(cause);
    else byScope.set(scope, [cause]);
  }
  return {
    explaining(machine) {
      for (const cause of byScope.get(scopeOf(machine)) ?? []) {
        const own = machine.values[cause.key];
        // A machine that began to fail a moment ago is not among the members yet, but shares the value.
        if (own === undefined ? cause.members?.has(machine.id) : own === cause.value) return cause;
      }
      return null;
    },
  };
}

export const causeKey = (cause: OpenCause): string => `cause|${scopeOf(cause)}|${cause.key}|${cause.value}`;

/** What decides about groups beside the machine. */
export interface GroupContext {
  readonly causes: CauseIndex;
  readonly now: number;
  /** Milliseconds that a machine fails before it counts without a pattern that explains it: two cycles (domain 5). */
  readonly unexplainedAfter: number;
}

/** The finding that says why the machine fails. One that is at risk alone does not (domain 5.0 rule 9). */
export const explainedBy = ({ primary }: Machine): Machine["primary"] =>
  primary?.severity === "at-risk" ? null : primary;

/** The names of one turn, each made once: a fleet has few of them, and many machines under each. */
export interface Namer {
  /** Of a failing machine. Null: nothing passed its hold time yet. */
  failing(machine: Machine): GroupName | null;
  /** Of a machine of a silent site; null where it is none. */
  silent(machine: Machine): GroupName | null;
}

/**
 * The group of a failing machine: the open cause that explains it; else its pattern and what tells two faults of it
 * apart; else what its probe of EWS shows, since a fault that nobody knew of is a fault.
 */
export function createNamer({ causes, now, unexplainedAfter }: GroupContext): Namer {
  // By what the name is made of, without putting strings together for every machine.
  const ofCause = new Map<OpenCause, GroupName>();
  const byScope = new Map<string, Map<string, Map<string, GroupName>>>();
  // Two causes that differ in how the fault was noticed alone are one name.
  const byKey = new Map<string, GroupName>();
  const nameOf = (scope: string, kind: string, text: string, make: () => GroupName): GroupName => {
    const byKind = once(byScope, scope, () => new Map<string, Map<string, GroupName>>());
    const byText = once(byKind, kind, () => new Map<string, GroupName>());
    return once(byText, text, () => {
      const name = make();
      return once(byKey, name.key, () => name);
    });
  };
  return {
    failing(machine) {
      const finding = explainedBy(machine);
      if (!finding && now - machine.since < unexplainedAfter) return null;
      const scope = scopeOf(machine);
      const cause = causes.explaining(machine);
      if (cause) return once(ofCause, cause, () => ({ key: causeKey(cause), rank: 1, cause, scope }));
      if (!finding)
        return nameOf(scope, "unexplained", machine.verdict ?? "", () => ({
          key: `own|${scope}|unexplained|${machine.verdict}`,
          rank: 3,
          cause: null,
          scope,
        }));
      return nameOf(scope, finding.pattern, finding.cause, () => {
        const rank = isFleet(finding.pattern) ? 2 : 3;
        const what = discriminator(finding.pattern, finding.cause);
        return { key: `${rank === 2 ? "fleet" : "own"}|${scope}|${finding.pattern}|${what}`, rank, cause: null, scope };
      });
    },
    silent(machine) {
      const { site } = machine;
      if (machine.status !== "stale" || site === null || !machine.patterns.includes("fleet-blind")) return null;
      const scope = scopeOf(machine);
      return nameOf(scope, "silent", site, () => ({ key: `silent|${scope}|${site}`, rank: 2, cause: null, scope }));
    },
  };
}
