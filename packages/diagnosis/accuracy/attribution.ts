import { type AttributionKey, attributionKeys } from "@lynceus/protocol/names";
import { attribute } from "../src/attribution/attribute.ts";
import { type Cause, none } from "../src/attribution/types.ts";
import {
  has,
  type Machine,
  makeChanges,
  makeFleet,
  observeFleet,
  type Planted,
  pick,
  type Random,
  type Shape,
  seeded,
  start,
  type Trouble,
} from "./attribution-fleet.ts";

/* How often attribution names what was planted, in fleets of every awkward kind. */

interface Scenario {
  readonly name: string;
  readonly shape: Shape;
  readonly trouble: Trouble;
  /** Planted causes of one fleet. */
  readonly plant: (random: Random, fleet: readonly Machine[]) => readonly Omit<Planted, "at">[];
}

const sharing = (fleet: readonly Machine[], one: Omit<Planted, "at">): readonly Machine[] =>
  fleet.filter((machine) => has(machine, one));

/** A value of any key that so many machines have. */
function anyValue(random: Random, fleet: readonly Machine[], least: number, most: number): Omit<Planted, "at"> {
  for (;;) {
    const key = pick(random, attributionKeys);
    const value = pick(random, fleet).values[key];
    const { length } = sharing(fleet, { key, value });
    // The value that says "none" is a cause as the kind of route; the others of it are no cause of their own.
    if (value !== none && key !== "route-kind" && length >= least && length <= most) return { key, value };
  }
}

const value = (random: Random, fleet: readonly Machine[], key: AttributionKey, least = 8): Omit<Planted, "at"> => {
  for (;;) {
    const found = { key, value: pick(random, fleet).values[key] };
    if (found.value !== none && sharing(fleet, found).length >= least) return found;
  }
};

const fleet: Shape = { machines: 1000, sites: 12 };
const clean: Trouble = { hit: 1, noise: 0 };
const noisy: Trouble = { hit: 0.95, noise: 0.05 };

const scenarios: readonly Scenario[] = [
  { name: "one cause", shape: fleet, trouble: clean, plant: (random, all) => [anyValue(random, all, 8, 500)] },
  {
    name: "one cause, noise 5 %",
    shape: fleet,
    trouble: noisy,
    plant: (random, all) => [anyValue(random, all, 8, 500)],
  },
  {
    name: "two overlapping causes, noise 5 %",
    shape: fleet,
    trouble: noisy,
    plant: (random, all) => [value(random, all, "proxy", 40), value(random, all, "site", 20)],
  },
  {
    name: "three causes at once, noise 5 %",
    shape: fleet,
    trouble: noisy,
    plant: (random, all) => [
      value(random, all, "proxy", 40),
      value(random, all, "back-end", 40),
      value(random, all, "subnet", 10),
    ],
  },
  { name: "no cause, noise 5 %", shape: fleet, trouble: noisy, plant: () => [] },
  { name: "no cause, noise 30 %", shape: fleet, trouble: { hit: 1, noise: 0.3 }, plant: () => [] },
  {
    name: "a site of 4 to 9 machines, noise 5 %",
    shape: { machines: 400, sites: 40 },
    trouble: noisy,
    plant: (random, all) => {
      for (;;) {
        const found = value(random, all, "site", 4);
        if (sharing(all, found).length <= 9) return [found];
      }
    },
  },
  {
    name: "a network nested in a site, noise 5 %",
    shape: fleet,
    trouble: noisy,
    plant: (random, all) => [value(random, all, "subnet", 8)],
  },
  {
    name: "a proxy that is a whole site, noise 5 %",
    shape: { ...fleet, proxyPerSite: true },
    trouble: noisy,
    plant: (random, all) => [value(random, all, "proxy", 10)],
  },
  {
    name: "a cause that hits 75 % of its machines, noise 5 %",
    shape: fleet,
    trouble: { hit: 0.75, noise: 0.05 },
    plant: (random, all) => [value(random, all, "back-end", 40)],
  },
  {
    name: "every third value not known, noise 5 %",
    shape: fleet,
    trouble: { ...noisy, unknown: 1 / 3 },
    plant: (random, all) => [anyValue(random, all, 20, 500)],
  },
  {
    name: "sites that differ in everything, noise 5 %",
    shape: { ...fleet, alike: true },
    trouble: noisy,
    plant: (random, all) => [anyValue(random, all, 20, 500)],
  },
  {
    name: "sites that differ in everything, two causes, noise 5 %",
    shape: { ...fleet, alike: true },
    trouble: noisy,
    plant: (random, all) => [anyValue(random, all, 20, 300), anyValue(random, all, 20, 300)],
  },
  {
    name: "sites that differ in everything, no cause, noise 5 %",
    shape: { ...fleet, alike: true },
    trouble: noisy,
    plant: () => [],
  },
  {
    name: "40 machines, 6 or more share the cause",
    shape: { machines: 40, sites: 4 },
    trouble: clean,
    plant: (random, all) => [anyValue(random, all, 6, 20)],
  },
  {
    name: "everything fails: no control group",
    shape: fleet,
    trouble: { hit: 1, noise: 1 },
    plant: () => [],
  },
];

/** What came of a scenario. Shares are null where there is nothing to divide by. */
export interface AttributionResult {
  readonly scenario: string;
  readonly runs: number;
  readonly planted: number;
  readonly named: number;
  /** Of the named causes, those that were planted, or hold for the same machines. */
  readonly right: number;
  /** Of the planted ones, those that were named. */
  readonly found: number;
  readonly precision: number | null;
  readonly recall: number | null;
  /** Of the planted causes found, those beside which the change that made them stands. */
  readonly changes: number;
  /** Fleets with any cause that was not planted. */
  readonly misled: number;
}

/** Whether a cause says what was planted: the value itself, or one that the same machines have. */
function says(cause: Cause, planted: Planted, all: readonly Machine[]): boolean {
  if (cause.key === planted.key && cause.value === planted.value) return true;
  let [both, either] = [0, 0];
  for (const machine of all) {
    const [a, b] = [has(machine, cause), has(machine, planted)];
    both += a && b ? 1 : 0;
    either += a || b ? 1 : 0;
  }
  return both >= 0.98 * either;
}

function runScenario(scenario: Scenario, runs: number): AttributionResult {
  let [planted, named, right, found, changes, misled] = [0, 0, 0, 0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const random = seeded(1 + run * 7919 + scenarios.indexOf(scenario));
    const all = makeFleet(random, scenario.shape);
    const truth = scenario.plant(random, all).map((one): Planted => ({ ...one, at: start }));
    const subjects = observeFleet(random, all, truth, scenario.trouble);
    const events = makeChanges(random, all, truth);
    const causes = attribute(subjects, events, start).flatMap((attribution) => attribution.causes);
    planted += truth.length;
    named += causes.length;
    const rightOnes = causes.filter((cause) => truth.some((one) => says(cause, one, all)));
    right += rightOnes.length;
    misled += rightOnes.length < causes.length ? 1 : 0;
    for (const one of truth) {
      const cause = causes.find((candidate) => says(candidate, one, all));
      if (!cause) continue;
      found += 1;
      changes += cause.change?.changeKey === `${one.key} ${one.value}` ? 1 : 0;
    }
  }
  return {
    scenario: scenario.name,
    runs,
    planted,
    named,
    right,
    found,
    precision: named === 0 ? null : right / named,
    recall: planted === 0 ? null : found / planted,
    changes,
    misled,
  };
}

/** Plants causes in made-up fleets and counts what attribution names. The same figures each time. */
export const attributionAccuracy = (runs = 100): AttributionResult[] =>
  scenarios.map((scenario) => runScenario(scenario, runs));

const percent = (share: number | null): string => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);

/** The section of docs/accuracy.md, as Markdown lines. */
export function attributionSection(results: readonly AttributionResult[]): string[] {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const head = ["fleets", "runs", "planted", "named", "precision", "recall", "its change beside it", "fleets misled"];
  return [
    "Made-up fleets, seeded, in which causes were planted (`packages/diagnosis/accuracy/attribution.ts`): values of 15 keys,",
    "sites of very different size, one value in fifty not known, half of the failing machines without certificate and",
    "server. Noise: the share of machines that fail for a reason of their own; with noise, one in twenty machines with the",
    "cause does not fail. A named cause is right where it is the planted value or one that the same machines have. Beside",
    "the change that made the cause stand three that did not: on every machine, on a few, and after the failure.",
    "",
    row(head),
    row(head.map(() => "---")),
    ...results.map(({ scenario, runs, planted, named, precision, recall, found, changes, misled }) =>
      row([
        scenario,
        runs,
        planted,
        named,
        percent(precision),
        percent(recall),
        planted === 0 ? "–" : `${changes} of ${found}`,
        misled,
      ]),
    ),
  ];
}
