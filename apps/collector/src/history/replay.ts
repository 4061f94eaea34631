import { patternById } from "@lynceus/diagnosis/catalogue";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import { emptyFleet } from "@lynceus/diagnosis/fleet";
import { applyConfirmation, applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { Finding, MachineFacts, MachineState } from "@lynceus/protocol/state";

/** A finding, from raised to cleared. */
export interface Episode extends Finding {
  /** Null: it still held at the end. */
  readonly clearedAt: number | null;
}

/** An observation of a known kind, as it is stored. */
export interface ReplayedObservation {
  readonly kind: string;
  readonly key: string;
  readonly seq: number;
  readonly location: Location;
  readonly digest: string;
  readonly facts: unknown;
}

/** A time in which the machine observed nothing. */
export interface Absence {
  readonly from: number;
  readonly to: number;
}

export interface ReplayOptions {
  /** Facts at the beginning, and when they were whole; null: nothing is known. */
  readonly start: { readonly at: number; readonly facts: MachineFacts } | null;
  /** In order, not overlapping. */
  readonly absences: readonly Absence[];
  /** The policy in force at a moment. */
  readonly policyAt: (at: number) => Policy;
  readonly approved: boolean;
}

/** What is observed within this time is one report. */
const reportMs = 30_000;
/** Cycles after which nothing more follows from facts that stay: the length of a probe's memory. */
const settled = 10;

/**
 * Runs a machine's past through today's code, in order of its own times. Facts that did not change left no row when
 * they were confirmed: while the machine was there, its facts are taken as confirmed once a cycle. What its peers saw is
 * not known any more, so findings of the fleet are none of the result. Holds one machine's state.
 */
export function createReplay({ start, absences, policyAt, approved }: ReplayOptions) {
  let state: MachineState = start ? { ...emptyState(), facts: start.facts } : emptyState();
  let location: Location = start?.facts.system?.location ?? "unknown";
  /** When the last cycle was counted; null before the first. */
  let cycleAt: number | null = start?.at ?? null;
  let idle = 0;
  /** The report that is being folded: its first moment, and whether EWS was in it. */
  let report: { at: number; ews: boolean } | null = null;
  const open = new Map<string, Episode>();
  const closed: Episode[] = [];

  const cycleOf = (at: number) => policyAt(at).intervals.cycleMinutes * 60_000;

  function judge(at: number, newCycle: boolean): void {
    const { diagnosis, persistence } = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy: policyAt(at),
      fleet: emptyFleet,
      now: at + 1000,
      newCycle,
      approved,
    });
    state = { ...state, diagnosis, persistence };
    const findings = diagnosis.findings.filter(({ pattern }) => patternById(pattern).scope !== "fleet");
    for (const finding of findings) {
      const known = open.get(finding.pattern);
      open.set(finding.pattern, { ...finding, since: known?.since ?? at, clearedAt: null });
    }
    for (const [pattern, episode] of open)
      if (!findings.some((finding) => finding.pattern === pattern)) {
        open.delete(pattern);
        closed.push({ ...episode, clearedAt: at });
      }
  }

  /** The facts of the present location are as they were. */
  function confirm(at: number): void {
    const slots: [string, { digest: string; seq: number; location: Location } | null][] = [
      ["system", state.facts.system],
      ["settings", state.facts.settings],
      ["wpad", state.facts.wpad],
      ...Object.entries(state.facts.pac).map(([id, slot]) => [`pac:${id}`, slot] as [string, typeof slot]),
      ...Object.entries(state.facts.probes).map(([id, slot]) => [`probe:${id}`, slot] as [string, typeof slot]),
    ];
    for (const [key, slot] of slots) {
      if (!slot || slot.location !== location) continue;
      const { digest, seq } = slot;
      state = applyConfirmation(
        state,
        { seq, key, digest, at, ageMs: 0, location, timings: null },
        { at, replayed: false },
      );
    }
  }

  function flush(): void {
    if (!report) return;
    const { at, ews } = report;
    report = null;
    const newCycle = ews && (cycleAt === null || at - cycleAt >= 0.6 * cycleOf(at));
    if (newCycle) cycleAt = at;
    judge(at, newCycle);
  }

  /** Cycles in which nothing changed, up to a moment at which the machine was there all the time. */
  function cycle(until: number): void {
    while (cycleAt !== null) {
      const step = cycleOf(cycleAt);
      // The one that is due at the next observation is that observation's.
      const left = Math.floor((until - 0.4 * step - cycleAt) / step);
      if (left < 1) return;
      // Where everything has settled, only the end of the quiet time is looked at.
      cycleAt += idle < settled ? step : left * step;
      idle++;
      confirm(cycleAt);
      judge(cycleAt, true);
    }
  }

  function advance(until: number): void {
    flush();
    for (const absence of absences) {
      if (cycleAt === null || absence.to <= cycleAt || absence.from >= until) continue;
      cycle(Math.max(cycleAt, absence.from));
      if (absence.to >= until) {
        cycleAt = until;
        return;
      }
      cycleAt = absence.to;
    }
    cycle(until);
  }

  return {
    /** Takes the next observation. */
    observe(observation: ReplayedObservation, at: number): void {
      if (report && at - report.at <= reportMs) {
        // Part of the same report.
      } else {
        advance(at);
        report = { at, ews: false };
        idle = 0;
      }
      location = observation.location;
      // The row holds what this product decoded before it wrote it.
      const whole = { ...observation, at, ageMs: 0 } as Observation;
      state = applyObservation(state, whole, { at, replayed: false }, policyAt(at)).state;
      if (
        whole.kind === "probe" &&
        whole.facts.via === "configured" &&
        whole.facts.endpoint.service === "ews" &&
        report
      )
        report.ews = true;
    },

    /** All findings up to a moment, in the order in which they were cleared; those that still hold are last. */
    end(at: number): Episode[] {
      advance(at);
      return [...closed, ...open.values()];
    },
  };
}
