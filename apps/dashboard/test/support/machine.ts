import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineFacts } from "@lynceus/protocol/state";
import { direct, probeFacts, type Way } from "./facts.ts";

/** Facts of one machine after one cycle, folded as a collector folds them. */
export function machineOf(policy: Policy, at: number, way: (via: "configured" | "direct") => Way): MachineFacts {
  let state = emptyState();
  let seq = 0;
  for (const target of policy.targets) {
    for (const via of ["configured", "direct"] as const) {
      if (via === "direct" && way("configured").route.kind !== "proxy") continue;
      const chosen = target.kind === "srv" ? { ...way(via), route: direct() } : way(via);
      const observation = {
        seq: ++seq,
        at,
        ageMs: 0,
        location: "inside",
        key: `probe:c1:${target.id}:${via}`,
        digest: "0123456789abcdef",
        kind: "probe",
        facts: probeFacts(target, via, "c1", chosen),
      } as Observation;
      state = applyObservation(state, observation, { at, replayed: false }, policy).state;
    }
  }
  return state.facts;
}
