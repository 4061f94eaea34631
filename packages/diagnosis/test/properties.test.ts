import type { Observation } from "@lynceus/protocol/facts";
import { locations, type PatternId } from "@lynceus/protocol/names";
import { diagnosisSchema, machineStateSchema, persistenceMapSchema } from "@lynceus/protocol/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evidenceChain, miniChain } from "../src/chain.ts";
import { machineColumns } from "../src/columns.ts";
import { diagnose } from "../src/diagnose.ts";
import { emptyFleet } from "../src/fleet.ts";
import { applyObservation, emptyState } from "../src/state.ts";
import { arbitraryOf } from "./support/arbitrary.ts";
import { nothingDetected, script, settingsWith, start } from "./support/machine.ts";
import { policy } from "./support/probes.ts";

const rules = policy({ requiresProxy: false, require5060: true, responseGroups: true });

/** Any observation of the schema, most of them about the policy's own targets, so that the patterns have work. */
const observations = fc.array(arbitraryOf(rules), { minLength: 1, maxLength: 30 });

const fold = (list: readonly Observation[]) =>
  list.reduce(
    (state, observation, index) =>
      applyObservation(state, observation, { at: start + index * 1000, replayed: index % 3 === 0 }, rules).state,
    emptyState(),
  );

describe("any facts that the schema allows", () => {
  it("give a diagnosis within its schema, and never throw", () => {
    fc.assert(
      fc.property(observations, fc.boolean(), fc.boolean(), (list, waivePersistence, newCycle) => {
        const state = fold(list);
        const result = diagnose({
          facts: state.facts,
          persistence: state.persistence,
          policy: rules,
          fleet: emptyFleet,
          now: start + 60_000,
          newCycle,
          waivePersistence,
        });
        expect(diagnosisSchema.safeParse(result.diagnosis).error).toBeUndefined();
        expect(persistenceMapSchema.safeParse(result.persistence).error).toBeUndefined();
        const { findings } = result.diagnosis;
        expect(findings.length).toBeLessThanOrEqual(4);
        expect(findings.filter(({ primary }) => primary)).toHaveLength(Math.min(1, findings.length));
        expect(new Set<PatternId>(findings.map(({ pattern }) => pattern)).size).toBe(findings.length);
        const judged = { ...state, ...result };
        expect(machineStateSchema.safeParse(judged).success).toBe(true);
        machineColumns(judged, rules);
      }),
      { numRuns: 150 },
    );
  });

  it("are healthy only where EWS was seen to be ok on the configured route", () => {
    fc.assert(
      fc.property(observations, (list) => {
        const state = fold(list);
        const { diagnosis } = diagnose({
          ...state,
          policy: rules,
          fleet: emptyFleet,
          now: start + 60_000,
          newCycle: true,
        });
        if (diagnosis.status !== "healthy") return;
        const good = Object.values(state.facts.probes).some(
          ({ facts, verdict }) =>
            facts.target === "ews" && facts.via === "configured" && verdict.startsWith("exchange-o"),
        );
        expect(good).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("draw eight steps and six letters", () => {
    fc.assert(
      fc.property(observations, (list) => {
        for (const { facts, verdict } of Object.values(fold(list).facts.probes)) {
          expect(evidenceChain(facts, { verdict })).toHaveLength(8);
          expect(miniChain(facts, { verdict })).toMatch(/^[osfenx]{6}$/);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("missing facts", () => {
  it("never make a finding: of a machine that reports settings alone, nothing about Exchange is claimed", () => {
    for (const location of locations) {
      const of = (kind: "settings" | "pac" | "wpad", facts: unknown, seq: number) =>
        ({
          kind,
          facts,
          seq,
          at: start,
          ageMs: 0,
          location,
          key: kind === "pac" ? "pac:c1" : kind,
          digest: "0000000a",
        }) as Observation;
      const state = fold([
        of("settings", settingsWith([{ autoDetect: true, server: "px1:8080" }]), 1),
        of("pac", script(), 2),
        of("wpad", nothingDetected, 3),
      ]);
      const { diagnosis } = diagnose({
        ...state,
        policy: rules,
        fleet: emptyFleet,
        now: start,
        newCycle: true,
        waivePersistence: true,
      });
      expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
    }
  });
});
