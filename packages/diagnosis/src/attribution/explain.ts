import { type AttributionKey, attributionKeys, type Confidence, type Location } from "@lynceus/protocol/names";
import { fisherLogP, lowestLogP, taroneDivisor } from "./fisher.ts";
import { onsetOf, precedingChange } from "./preceding-change.ts";
import { type Column, type Store, sides } from "./store.ts";
import {
  type AttributeOptions,
  type Attribution,
  type Candidate,
  type Cause,
  type Counts,
  maxCounterExamples,
  type NoCause,
  none,
} from "./types.ts";

/*
 * Causes one after the other: the value that separates best is named, the failing machines that it explains are taken
 * out, and the rest is compared again with the same healthy ones.
 */

/** Chance that any cause of a round is false where nothing separates. */
const alpha = 0.005;
/** Failing machines that a cause needs at least (domain 5.5). */
const minimum = 3;
/** Percent of the machines with the value that fail (domain 5.5). */
const minimumPercent = 60;
/** More than this many causes at once is no explanation. */
const maxCauses = 12;
/** Of equal explanations, those that are compared. */
const maxTwins = 32;

/** A value of this round, its counts those of the failing machines that are not explained yet. */
interface Test extends Counts {
  readonly column: Column;
  readonly code: number;
  readonly logP: number;
}

/** Failing machines per column and code. */
type Tallies = readonly (readonly number[])[];

const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);

function tallyRows({ columns }: Store, rows: readonly number[]): number[][] {
  return columns.map(({ codes, values }) => {
    const counts = new Array<number>(values.length).fill(0);
    for (const row of rows) {
      const code = codes[row] ?? 0;
      counts[code] = (counts[code] ?? 0) + 1;
    }
    return counts;
  });
}

/** The counts of a value (not of code 0). */
function countsOf({ healthy }: Column, failing: readonly number[], code: number): Counts {
  const failingWith = failing[code] ?? 0;
  const healthyWith = healthy[code] ?? 0;
  const [failingUnknown = 0] = failing;
  const [healthyUnknown = 0] = healthy;
  return {
    failingWith,
    failingWithout: sum(failing) - failingUnknown - failingWith,
    failingUnknown,
    healthyWith,
    healthyWithout: sum(healthy) - healthyUnknown - healthyWith,
    healthyUnknown,
  };
}

/** Every value that a failing machine has, and what a test of it can at most show. */
function testsOf(store: Store, tallies: Tallies): { tests: Test[]; lowest: number[] } {
  const tests: Test[] = [];
  const lowest: number[] = [];
  store.columns.forEach((column, index) => {
    const failing = tallies[index] ?? [];
    const [failingUnknown = 0] = failing;
    const [healthyUnknown = 0] = column.healthy;
    const failingKnown = sum(failing) - failingUnknown;
    const healthyKnown = sum(column.healthy) - healthyUnknown;
    if (failingKnown === 0 || healthyKnown === 0) return;
    const total = failingKnown + healthyKnown;
    const byMargin = new Map<number, number>();
    for (let code = 1; code < column.values.length; code++) {
      const failingWith = failing[code] ?? 0;
      const healthyWith = column.healthy[code] ?? 0;
      const withValue = failingWith + healthyWith;
      // A value that every machine has, or none, compares nothing.
      if (withValue === 0 || withValue === total) continue;
      const least = byMargin.get(withValue) ?? lowestLogP({ failing: failingKnown, withValue, total });
      byMargin.set(withValue, least);
      lowest.push(least);
      if (failingWith === 0) continue;
      const failingWithout = failingKnown - failingWith;
      const healthyWithout = healthyKnown - healthyWith;
      const more = failingWith * total > failingKnown * withValue;
      tests.push({
        column,
        code,
        failingWith,
        failingWithout,
        failingUnknown,
        healthyWith,
        healthyWithout,
        healthyUnknown,
        logP: more ? fisherLogP(failingWith, failingWithout, healthyWith, healthyWithout) : 0,
      });
    }
  });
  return { tests, lowest };
}

/**
 * Whether it is worth a name beside being significant: most with it fail, and having it at least halves the chance to be
 * healthy. At the least share of 60 % that is the 40 points of domain 5.5.
 */
function matters({ failingWith, failingWithout, healthyWith, healthyWithout }: Counts): boolean {
  const withValue = failingWith + healthyWith;
  const without = failingWithout + healthyWithout;
  if (failingWith < minimum || 100 * failingWith < minimumPercent * withValue || healthyWithout === 0) return false;
  return 2 * healthyWith * without <= healthyWithout * withValue;
}

const rankOf = ({ column, code }: Pick<Test, "column" | "code">): number =>
  attributionKeys.indexOf(column.key) + (column.values[code] === none ? attributionKeys.length : 0);
const textOf = ({ column, code }: Pick<Test, "column" | "code">): string => column.values[code] ?? "";
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const bySpecificity = (a: Test, b: Test): number => rankOf(a) - rankOf(b) || byText(textOf(a), textOf(b));
/** Strongest first; of equal ones, the more specific. */
const byStrength = (a: Test, b: Test): number => a.logP - b.logP || bySpecificity(a, b);

const share = ({ failingWith, healthyWith }: Counts): number =>
  failingWith + healthyWith === 0 ? 0 : failingWith / (failingWith + healthyWith);

/**
 * Whether the two hold for the same machines, but for what noise explains: they share nine in ten of the failing, their
 * shares differ by less than five points, and what only one of them has does not fail more than what neither has.
 */
function areTwins(store: Store, explained: Uint8Array, inScope: Uint8Array, a: Test, b: Test): boolean {
  if (Math.abs(share(a) - share(b)) > 0.05) return false;
  const most = Math.max(a.failingWith, b.failingWith);
  if (Math.min(a.failingWith, b.failingWith) < 0.9 * most) return false;
  const [codesA, codesB] = [a.column.codes, b.column.codes];
  let both = 0;
  const onlyA = [0, 0];
  const onlyB = [0, 0];
  const neither = [0, 0];
  const bump = (pair: number[], at: number) => {
    pair[at] = (pair[at] ?? 0) + 1;
  };
  const sideOfRow = store.sides;
  for (let row = 0; row < store.ids.length; row++) {
    const side = sideOfRow[row];
    const failing = side === sides.failing;
    if (failing ? explained[row] === 1 || inScope[row] !== 1 : side !== sides.healthy) continue;
    const inA = codesA[row] === a.code;
    const inB = codesB[row] === b.code;
    const at = failing ? 0 : 1;
    if (inA && inB) both += failing ? 1 : 0;
    else bump(inA ? onlyA : inB ? onlyB : neither, at);
  }
  if (both < 0.9 * most) return false;
  const [neitherFailing = 0, neitherHealthy = 0] = neither;
  const fails = ([failing = 0, healthy = 0]: number[]) =>
    fisherLogP(failing, neitherFailing, healthy, neitherHealthy) < Math.log(alpha);
  return !fails(onlyA) && !fails(onlyB);
}

/** Keys that say the same kind of thing: equal explanations of one family are no doubt about the cause. */
const families: Record<AttributionKey, "settings" | "server" | "place" | "software"> = {
  "settings-wave": "settings",
  "pac-hash": "settings",
  "pac-url": "settings",
  proxy: "settings",
  "back-end": "server",
  address: "server",
  "tls-spki": "server",
  "tls-issuer": "server",
  resolver: "place",
  subnet: "place",
  site: "place",
  "policy-version": "software",
  "agent-version": "software",
  "os-build": "software",
  "route-kind": "settings",
};

/** High: practically all with it fail, and chance is out of the question. Never where an equal of another kind exists. */
function confidenceOf(test: Test, divisor: number, twins: readonly Test[]): Confidence {
  const corrected = test.logP + Math.log(divisor);
  const ambiguous = twins.some(({ column }) => families[column.key] !== families[test.column.key]);
  if (corrected <= Math.log(1e-4) && share(test) >= 0.9 && !ambiguous) return "high";
  return corrected <= Math.log(1e-3) && share(test) >= 0.75 ? "medium" : "low";
}

const logPOf = ({ failingWith, failingWithout, healthyWith, healthyWithout }: Counts): number =>
  fisherLogP(failingWith, failingWithout, healthyWith, healthyWithout);

const candidateOf = (test: Test): Candidate => {
  const { column, code, ...counts } = test;
  return { key: column.key, value: textOf(test), ...counts };
};

/** The best value of each key. Without a control group: by how many of the failing have it. */
function candidatesOf(store: Store, tallies: Tallies, tests: readonly Test[]): Candidate[] {
  const best = new Map<Column, Test>();
  for (const test of tests) {
    const known = best.get(test.column);
    if (!known || byStrength(test, known) < 0) best.set(test.column, test);
  }
  store.columns.forEach((column, index) => {
    if (best.has(column)) return;
    const failing = tallies[index] ?? [];
    let most = 0;
    for (let code = 1; code < column.values.length; code++) {
      const more = (failing[code] ?? 0) - (most === 0 ? 0 : (failing[most] ?? 0));
      if (more > 0 || (more === 0 && most !== 0 && byText(column.values[code] ?? "", column.values[most] ?? "") < 0))
        most = code;
    }
    if (most !== 0) best.set(column, { column, code: most, ...countsOf(column, failing, most), logP: 0 });
  });
  return [...best.values()]
    .sort((a, b) => a.logP - b.logP || b.failingWith - a.failingWith || bySpecificity(a, b))
    .map(candidateOf);
}

/** What is said about one location's failing machines. */
export function explain(store: Store, location: Location, { changes, now, cohort }: AttributeOptions): Attribution {
  const failingRows: number[] = [];
  const rows = store.ids.length;
  const inScope = new Uint8Array(rows);
  const sideOfRow = store.sides;
  for (let row = 0; row < rows; row++) {
    if (sideOfRow[row] !== sides.failing || (cohort && !cohort.has(store.ids[row] ?? ""))) continue;
    failingRows.push(row);
    inScope[row] = 1;
  }
  const failing = failingRows.length;
  const healthy = store.count(sides.healthy);
  const whole = cohort ? tallyRows(store, failingRows) : store.columns.map((column) => [...column.failing]);
  const left = whole.map((counts) => [...counts]);
  const explained = new Uint8Array(rows);
  const idOf = (row: number): string => store.ids[row] ?? "";
  const sorted = (rows: readonly number[]): string[] => rows.map(idOf).sort();

  /** Columns of the causes so far. */
  const namedColumns = new Set<Column>();
  /** Not explained, and the value of every earlier cause's key is known to be another one. */
  const isKnownOutside = (row: number): boolean =>
    explained[row] === 0 && [...namedColumns].every(({ codes }) => (codes[row] ?? 0) !== 0);

  const causes: Cause[] = [];
  let candidates: Candidate[] = [];
  while (failing > 0 && causes.length < maxCauses) {
    const { tests, lowest } = testsOf(store, left);
    if (causes.length === 0) candidates = candidatesOf(store, whole, tests);
    const divisor = taroneDivisor(lowest, alpha);
    const limit = Math.log(alpha / divisor);
    const certain =
      causes.length === 0
        ? whole
        : tallyRows(
            store,
            failingRows.filter((row) => isKnownOutside(row)),
          );
    const strong = tests
      .filter((test) => test.logP <= limit && matters(test))
      .filter((test) => {
        const at = store.columns.indexOf(test.column);
        // Most of its machines are explained already: it must hold for those that surely belong to no earlier cause.
        if (2 * test.failingWith > (whole[at]?.[test.code] ?? 0)) return true;
        const counts = countsOf(test.column, certain[at] ?? [], test.code);
        return matters(counts) && logPOf(counts) <= limit;
      })
      .sort(byStrength);
    const [best] = strong;
    if (!best) break;
    const twins = strong
      .filter(({ column }) => column !== best.column)
      .slice(0, maxTwins)
      .filter((test) => areTwins(store, explained, inScope, best, test));
    const [named = best, ...others] = [best, ...twins].sort(bySpecificity);

    const { column, code } = named;
    namedColumns.add(column);
    const counts = countsOf(column, whole[store.columns.indexOf(column)] ?? [], code);
    const members: number[] = [];
    const outside: number[] = [];
    const news: number[] = [];
    for (const row of failingRows) {
      const has = column.codes[row] ?? 0;
      if (has === code) {
        members.push(row);
        if (explained[row] === 0) news.push(row);
      } else if (has !== 0) outside.push(row);
    }
    const healthyRows: number[] = [];
    if (counts.healthyWith > 0)
      for (let row = 0; row < rows; row++)
        if (sideOfRow[row] === sides.healthy && column.codes[row] === code) healthyRows.push(row);
    const names = sorted(members);
    const firstSeen = onsetOf(members.map((row) => store.since[row] ?? null));
    const values = [named, ...others].map((test) => ({ key: test.column.key, value: textOf(test) }));
    causes.push({
      key: column.key,
      value: textOf(named),
      ...counts,
      logP: named.logP,
      explains: members.length,
      of: failing,
      adds: news.length,
      confidence: confidenceOf(named, divisor, others),
      firstSeen,
      change: precedingChange({
        changes,
        values,
        firstSeen,
        members: new Set(names),
        healthy,
        isHealthy: (id) => store.sideOf(id) === sides.healthy,
      }),
      members: names,
      healthyMembers: sorted(healthyRows).slice(0, maxCounterExamples),
      failingOthers: sorted(outside).slice(0, maxCounterExamples),
      also: values.slice(1),
    });
    for (const row of news) explained[row] = 1;
    store.columns.forEach(({ codes }, index) => {
      const counted = left[index] ?? [];
      for (const row of news) {
        const has = codes[row] ?? 0;
        counted[has] = (counted[has] ?? 0) - 1;
      }
    });
  }
  return {
    at: now,
    location,
    failing,
    healthy,
    undecided: store.count(sides.undecided),
    causes,
    noCause: causes.length > 0 ? null : whyNone(failing, healthy),
    unexplained: sorted(failingRows.filter((row) => explained[row] === 0)),
    candidates,
  };
}

function whyNone(failing: number, healthy: number): NoCause {
  if (failing === 0) return "nothing-failing";
  if (healthy === 0) return "no-control-group";
  return failing < minimum ? "too-few" : "nothing-separates";
}
