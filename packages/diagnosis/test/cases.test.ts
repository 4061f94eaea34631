import { patternIds } from "@lynceus/protocol/names";
import { describe, expect, it } from "vitest";
import { score, shownOf } from "../accuracy/score.ts";
import { cases } from "../fixtures/cases.ts";
import { diagnosisOf, outcomeOf } from "../fixtures/judge.ts";

const sorted = (list: readonly string[]) => [...list].sort();

describe("a labelled machine is judged as its label says:", () => {
  it.each(cases.map((each) => [each.name, each] as const))("%s", (_name, { machine, why, ...label }) => {
    const { status, primary, contributing } = outcomeOf(diagnosisOf(machine));
    expect({ status, primary, contributing: sorted(contributing) }, why).toEqual({
      status: label.status,
      primary: label.primary,
      contributing: sorted(label.contributing ?? []),
    });
  });
});

describe("the labelled machines", () => {
  it("are at least 150, of which at least 40 are healthy, each with a name of its own", () => {
    expect(cases.length).toBeGreaterThanOrEqual(150);
    expect(
      cases.filter(({ status, primary }) => status === "healthy" && primary === null).length,
    ).toBeGreaterThanOrEqual(40);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it.each(patternIds)("have %s at least three times, and resemble it at least twice", (pattern) => {
    expect(cases.filter((each) => shownOf(each).includes(pattern)).length).toBeGreaterThanOrEqual(3);
    expect(cases.filter(({ resembles }) => resembles?.includes(pattern)).length).toBeGreaterThanOrEqual(2);
  });

  it("never resemble what they have", () => {
    for (const each of cases)
      expect(
        (each.resembles ?? []).filter((pattern) => shownOf(each).includes(pattern)),
        each.name,
      ).toEqual([]);
  });

  it("are counted: a wrong answer lowers precision of what was found and recall of what was missed", () => {
    const [healthy] = cases;
    const mislabelled = { ...healthy!, primary: "proxy-unreachable" as const };
    const { wrong, patterns } = score([mislabelled]);
    expect(wrong).toHaveLength(1);
    expect(patterns.find(({ pattern }) => pattern === "proxy-unreachable")).toMatchObject({ missed: 1, recall: 0 });
  });
});
