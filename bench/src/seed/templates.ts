import { sharedValues } from "@lynceus/diagnosis/attribution/subject";
import type { MachineColumns as Columns } from "@lynceus/diagnosis/columns";
import { columnView, listedTraits, machineColumns } from "@lynceus/diagnosis/columns";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import { emptyFleet } from "@lynceus/diagnosis/fleet";
import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState } from "@lynceus/protocol/state";
import { type Fault, faults } from "../fleet/faults.ts";
import { type Draft, digestOf, makeMachine, observe, type SimulatedMachine } from "../fleet/machine.ts";
import { seeded } from "../fleet/random.ts";

/** A machine as a collector would have stored it: what many machines of the seeded fleet are copies of. */
export interface Template {
  readonly id: number;
  readonly fault: Fault;
  readonly proxied: boolean;
  readonly state: MachineState;
  readonly columns: Columns;
  readonly traits: ReturnType<typeof sharedValues>;
  /** What lists show beside the columns, by the names of the database. */
  readonly listed: { chosen_by: string | null; zone: string | null; winhttp: string | null; failed_targets: string[] };
  /** Its last observations, as they are stored. */
  readonly observations: readonly {
    kind: string;
    key: string;
    digest: string;
    verdict: string | null;
    facts: unknown;
  }[];
}

const cycles = 10;
const location = "inside";

/** One template a fault, behind a proxy and without: real observations through the real diagnosis. */
export function makeTemplates(policy: Policy, now: number): Template[] {
  return faults.flatMap((fault, index) =>
    [false, true].map((proxied, second) => makeTemplate(2 * index + second, fault, proxied, policy, now)),
  );
}

function makeTemplate(id: number, fault: Fault, proxied: boolean, policy: Policy, now: number): Template {
  const random = seeded(id + 1);
  // The simulator's sites alternate between those with a proxy and those without.
  const machine: SimulatedMachine = { ...makeMachine(proxied ? 1 : 0, 4, random), random };
  let state = emptyState();
  let drafts: Draft[] = [];
  let seq = 0;
  for (let cycle = cycles; cycle > 0; cycle--) {
    const at = now - cycle * policy.intervals.cycleMinutes * 60_000;
    // Three good cycles first, so that there is something that changed.
    drafts = observe(machine, policy, cycle > cycles - 3 ? "none" : fault);
    for (const draft of drafts) {
      seq += 1;
      const observation = { ...draft, location, seq, at, ageMs: 0, digest: digestOf(draft) } as Observation;
      state = applyObservation(state, observation, { at, replayed: false }, policy).state;
    }
    const judged = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy,
      fleet: emptyFleet,
      now: at,
      newCycle: true,
    });
    state = { ...state, diagnosis: judged.diagnosis, persistence: judged.persistence };
  }
  const view = columnView(state, policy);
  const { chosenBy, zone, winhttp, failedTargets } = listedTraits(state, view);
  return {
    id,
    fault,
    proxied,
    state,
    columns: machineColumns(state, policy, view),
    traits: sharedValues(state, view),
    listed: { chosen_by: chosenBy, zone, winhttp, failed_targets: failedTargets },
    observations: drafts.map((draft) => ({
      kind: draft.kind,
      key: draft.key,
      digest: digestOf(draft),
      verdict: draft.kind === "probe" ? (state.facts.probes[draft.key.slice("probe:".length)]?.verdict ?? null) : null,
      facts: draft.facts,
    })),
  };
}
