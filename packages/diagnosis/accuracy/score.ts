import { type MachineStatus, machineStatuses, type PatternId, patternIds } from "@lynceus/protocol/names";
import { type Case, diagnosisOf, type Outcome, outcomeOf } from "../fixtures/judge.ts";

/** A labelled machine, and what the diagnosis said of it. */
export interface Judged {
  readonly labelled: Case;
  readonly outcome: Outcome;
}

/** How often a pattern was found where it is, where it is not, and missed; shown at all, primary or beside. */
export interface PatternScore {
  readonly pattern: PatternId;
  readonly right: number;
  readonly wrong: number;
  readonly missed: number;
  /** Cases that are labelled as resembling it, and how many of them it was found on. */
  readonly lookAlikes: number;
  readonly deceived: number;
  /** Null where nothing was found, or nothing was to be found. */
  readonly precision: number | null;
  readonly recall: number | null;
}

export interface Scores {
  readonly judged: readonly Judged[];
  readonly patterns: readonly PatternScore[];
  /** Cases by expected and given status. */
  readonly statuses: ReadonlyMap<MachineStatus, ReadonlyMap<MachineStatus, number>>;
  /** Cases by expected and given primary pattern; `null` is none. */
  readonly primaries: ReadonlyMap<PatternId | null, ReadonlyMap<PatternId | null, number>>;
  /** Cases whose label was not met in full. */
  readonly wrong: readonly Judged[];
}

export const shownOf = ({
  primary,
  contributing = [],
}: Pick<Case, "primary" | "contributing">): readonly PatternId[] =>
  primary === null ? [] : [primary, ...contributing];

const same = (a: readonly PatternId[], b: readonly PatternId[]) =>
  a.length === b.length && a.every((pattern) => b.includes(pattern));

/** Whether status, primary pattern and the set of contributing ones are as labelled. */
export const isAsLabelled = ({ labelled, outcome }: Judged): boolean =>
  outcome.status === labelled.status &&
  outcome.primary === labelled.primary &&
  same(outcome.contributing, labelled.contributing ?? []);

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function scoreOf(pattern: PatternId, judged: readonly Judged[]): PatternScore {
  const count = (test: (expected: boolean, found: boolean, each: Judged) => boolean) =>
    judged.filter((each) =>
      test(shownOf(each.labelled).includes(pattern), shownOf(each.outcome).includes(pattern), each),
    ).length;
  const right = count((expected, found) => expected && found);
  const wrong = count((expected, found) => !expected && found);
  const missed = count((expected, found) => expected && !found);
  const resembles = ({ labelled }: Judged) => labelled.resembles?.includes(pattern) ?? false;
  return {
    pattern,
    right,
    wrong,
    missed,
    lookAlikes: count((_expected, _found, each) => resembles(each)),
    deceived: count((_expected, found, each) => found && resembles(each)),
    precision: ratio(right, right + wrong),
    recall: ratio(right, right + missed),
  };
}

function matrix<K>(pairs: readonly (readonly [K, K])[], order: readonly K[]): Map<K, Map<K, number>> {
  const table = new Map(order.map((row) => [row, new Map<K, number>()]));
  for (const [expected, given] of pairs) {
    const row = table.get(expected);
    row?.set(given, (row.get(given) ?? 0) + 1);
  }
  return table;
}

/** Judges every case and counts. */
export function score(cases: readonly Case[]): Scores {
  const judged = cases.map((labelled): Judged => ({ labelled, outcome: outcomeOf(diagnosisOf(labelled.machine)) }));
  return {
    judged,
    patterns: patternIds.map((pattern) => scoreOf(pattern, judged)),
    statuses: matrix(
      judged.map(({ labelled, outcome }) => [labelled.status, outcome.status] as const),
      machineStatuses,
    ),
    primaries: matrix<PatternId | null>(
      judged.map(({ labelled, outcome }) => [labelled.primary, outcome.primary] as const),
      [null, ...patternIds],
    ),
    wrong: judged.filter((each) => !isAsLabelled(each)),
  };
}
