import type { PatternId } from "@lynceus/protocol/names";
import type { Machine } from "@lynceus/protocol/read-api";
import type { Lab } from "./lab.ts";

/** What a client must come to: a primary pattern, or a status with no finding at all. */
export type Expected =
  | {
      readonly primary: PatternId;
      /** Shown beside it, where two faults are made at once. */
      readonly beside?: PatternId;
    }
  | { readonly status: "healthy" | "failing" | "cannot-tell"; readonly primary: null };

export const healthy: Expected = { status: "healthy", primary: null };

const primaryOf = (machine: Machine) => machine.primary?.pattern ?? null;

/** Whether the collector shows what is expected. */
export function holds(machine: Machine | undefined, expected: Expected): boolean {
  if (!machine || primaryOf(machine) !== expected.primary) return false;
  if ("beside" in expected && expected.beside && !machine.patterns.includes(expected.beside)) return false;
  return !("status" in expected) || machine.status === expected.status;
}

/** What a client is instead, for a test that fails. */
export function describe(name: string, machine: Machine | undefined, expected: Expected): string {
  const wanted = "status" in expected ? `${expected.status}, no finding` : expected.primary;
  if (!machine) return `${name}: expected ${wanted}, has not enrolled`;
  const seen = `${machine.status}, primary ${primaryOf(machine) ?? "none"} (${machine.patterns.join(" ")}), EWS ${machine.verdictConfigured ?? "?"} / direct ${machine.verdictDirect ?? "?"} by ${machine.route ?? "?"}, location ${machine.location}: ${machine.diagnosis.sentence}`;
  return `${name}: expected ${wanted}, is ${seen}`;
}

/**
 * Waits until every client is as expected, all at the same moment. Conditions decide, not time: the limit only ends a
 * test that would never pass, and its error says what each client is instead.
 */
export async function settle(
  lab: Lab,
  expectations: Readonly<Record<string, Expected>>,
  limitSeconds = 150,
): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000;
  for (;;) {
    const machines = new Map((await lab.machines()).map((machine) => [machine.hostname, machine]));
    const wrong = Object.entries(expectations).filter(([name, expected]) => !holds(machines.get(name), expected));
    if (wrong.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(wrong.map(([name, expected]) => describe(name, machines.get(name), expected)).join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
