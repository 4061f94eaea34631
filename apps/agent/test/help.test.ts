import { describe, expect, it } from "vitest";
import { agentOptions, usage } from "../src/cli.ts";
import { diagnoseOptions, diagnoseUsage } from "../src/diagnose-options.ts";

/** Options that a help names at the beginning of a line, in order of the alphabet. */
const named = (text: string): string[] =>
  [...text.matchAll(/^ {2}(--.*?)(?: {2,}|$)/gm)]
    .flatMap(([, options = ""]) => [...options.matchAll(/--([a-z-]+)/g)].map(([, name = ""]) => name))
    .sort();
const but = (options: object, ...left: string[]) =>
  Object.keys(options)
    .filter((name) => !left.includes(name))
    .sort();

describe("the agent's help", () => {
  it("names every option of run and enroll, and no other", () => {
    const [, ofRun = ""] = /Options of run and enroll:\n([\s\S]*?)\n\n/.exec(usage) ?? [];
    expect(named(ofRun)).toEqual(but(agentOptions, "help"));
  });
  it("names every option of diagnose, and no other", () => {
    expect(named(diagnoseUsage)).toEqual(but(diagnoseOptions, "help"));
  });
});
