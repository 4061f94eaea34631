import type { Database } from "@lynceus/db/client";
import { addTally, addTargetSamples, type Tallies, type TargetTally, tenMinutesMs } from "@lynceus/db/target-samples";
import { isBad, isOk, networkVerdicts } from "@lynceus/diagnosis/verdicts";
import { latencyStep } from "@lynceus/protocol/latency-steps";
import type { Verdict } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import type { Fold } from "./fold.ts";

/** One probe of a machine's cycle, as far as it says something about its target. */
export interface ProbeSample {
  readonly target: string;
  readonly via: "configured" | "direct";
  /** When it was observed, milliseconds since 1970. */
  readonly at: number;
  readonly verdict: Verdict;
  /** The whole probe, milliseconds. */
  readonly ms: number;
  /** It came after an outage. */
  readonly late: boolean;
}

/** Outboxes hold a day: what claims to be older, or of the future, is of no known time. */
const oldestMs = 26 * 3_600_000;
const futureMs = 5 * 60_000;
/** More than this is not held back: it is written before the minute is over. */
const mostTallies = 20_000;

type Outcome = "ok" | "bad" | "undecided";

/**
 * What a probe says about its target. A failure says nothing where the machine cannot tell (its own network is dead as
 * well), nor does one below the answer that came late: nobody knows what else was dead then.
 */
function outcomeOf({ verdict, late }: ProbeSample, target: Target, cannotTell: boolean): Outcome {
  if (isOk(verdict, target)) return "ok";
  if (cannotTell || !isBad(verdict, target) || (late && networkVerdicts.has(verdict))) return "undecided";
  return "bad";
}

export interface TargetTallyOptions {
  readonly db: Database;
  readonly now: () => number;
  readonly policyOf: (machineId: string) => Policy;
}

/**
 * Adds up what machines' probes say about the policy's targets, in memory, and writes the sums once a minute: no machine
 * and no probe costs the database anything. What was not written when the process is killed is missing from these figures,
 * and from nothing else.
 */
export function createTargetTally({ db, now, policyOf }: TargetTallyOptions) {
  let tallies: Tallies = new Map();
  const known = new WeakMap<Policy, ReadonlyMap<string, Target>>();

  const targetsOf = (policy: Policy): ReadonlyMap<string, Target> => {
    const targets = known.get(policy) ?? new Map(policy.targets.map((target) => [target.id, target]));
    known.set(policy, targets);
    return targets;
  };

  return {
    /** Whether so much is held that it has to be written now. */
    get full(): boolean {
      return tallies.size > mostTallies;
    },

    /** Counts the probes of one machine; those of a machine that takes no part in the fleet's findings say nothing. */
    count({ entry, probes }: Pick<Fold, "entry" | "probes">): void {
      if (probes.length === 0 || !entry.approved || entry.cloned) return;
      const cannotTell = entry.state.diagnosis.status === "cannot-tell";
      const simulated = entry.state.facts.system?.facts.simulated ?? false;
      const at = now();
      const targets = targetsOf(policyOf(entry.machineId));
      for (const probe of probes) {
        const target = targets.get(probe.target);
        if (!target || probe.at < at - oldestMs || probe.at > at + futureMs) continue;
        const outcome = outcomeOf(probe, target, cannotTell);
        const tally: TargetTally = {
          site: "",
          target: target.id,
          via: probe.via,
          simulated,
          at: Math.floor(probe.at / tenMinutesMs) * tenMinutesMs,
          ok: 0,
          bad: 0,
          undecided: 0,
          latency: outcome === "ok" ? { [latencyStep(probe.ms)]: 1 } : {},
          [outcome]: 1,
        };
        addTally(tallies, tally);
        if (entry.site) addTally(tallies, { ...tally, site: entry.site });
      }
    },

    /** Writes what was counted since the last time. What cannot be written now is kept for the next time. */
    async flush(): Promise<void> {
      const taken = tallies;
      tallies = new Map();
      try {
        await addTargetSamples(db, taken.values());
      } catch (error) {
        for (const tally of taken.values()) addTally(tallies, tally);
        throw error;
      }
    },
  };
}
