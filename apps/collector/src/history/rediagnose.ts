import { writeAudit } from "@lynceus/db/audit";
import type { Database } from "@lynceus/db/client";
import {
  checkpointOf,
  correctHistory,
  findingsOf,
  firstReplayed,
  type HistoryMachine,
  historyMachines,
  observationsOf,
  policyHistory,
  presenceOf,
} from "@lynceus/db/history";
import type { Policy } from "@lynceus/protocol/policy";
import { compareHistory, type Difference } from "./compare.ts";
import { type Absence, createReplay } from "./replay.ts";

const hour = 3_600_000;
/** How far before the span reading begins: agents send full facts, and collectors keep a checkpoint, once a day. */
const warmUpMs = 26 * hour;
/** Cycles by which two histories of one finding may differ: those that left no row are assumed. */
const slackCycles = 3;

export interface RediagnoseOptions {
  readonly db: Database;
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
  /** Nothing is written. */
  readonly dryRun: boolean;
  /** Who does it, for the audit. */
  readonly actor: string;
  /** One machine only; its id. */
  readonly machineId?: string | null;
  /** Told of each machine whose past would differ, in order of id. */
  readonly onMachine?: (machine: HistoryMachine, differences: readonly Difference[]) => void;
}

export interface RediagnoseResult {
  readonly machines: number;
  readonly observations: number;
  /** Machines with a difference. */
  readonly differing: number;
  /** Per pattern, those with most differences first. */
  readonly patterns: readonly {
    readonly pattern: string;
    readonly raised: number;
    readonly cleared: number;
    readonly changed: number;
  }[];
  /** Rows of findings that were written; 0 in a dry run. */
  readonly written: number;
}

/** The policy in force at a moment; before the first one, the first. */
function policies(history: readonly { from: number; policy: Policy }[]): (at: number) => Policy {
  const newestFirst = [...history].reverse();
  const first = history[0];
  if (!first)
    throw new Error("no policy is stored, so nothing can be judged; save one first, e.g. in the dashboard's set-up");
  return (at) => (newestFirst.find(({ from }) => from <= at) ?? first).policy;
}

/** When a machine observed nothing: from its last sign before it was found silent, until it reported again. */
async function absencesOf(
  db: Database,
  machineId: string,
  span: { from: Date; to: Date },
  cycleMs: number,
): Promise<Absence[]> {
  const absences: Absence[] = [];
  let since: number | null = null;
  const close = async (to: number) => {
    if (since === null) return;
    // Observations that came late show that it observed while nobody heard it.
    const observed = await firstReplayed(db, machineId, { from: new Date(since), to: new Date(to) });
    const until = observed ? Math.min(to, observed.getTime()) : to;
    if (until > since) absences.push({ from: since, to: until });
    since = null;
  };
  for (const { at, kind } of await presenceOf(db, machineId, span)) {
    if (kind === "returned") await close(at.getTime());
    else since ??= kind === "goodbye" ? at.getTime() : at.getTime() - 3 * cycleMs;
  }
  await close(span.to.getTime());
  return absences;
}

/**
 * Runs today's patterns over the stored observations of a span, machine by machine, and says what would differ from the
 * findings that are stored. Without `dryRun` the history of cleared findings is corrected, marked as judged again, with
 * an entry in the audit. Present findings are the collector's and stay. One machine is in memory at a time.
 */
export async function rediagnose(options: RediagnoseOptions): Promise<RediagnoseResult> {
  const { db, from, to, now, dryRun } = options;
  const policyAt = policies(await policyHistory(db));
  const cycleMs = policyAt(to.getTime()).intervals.cycleMinutes * 60_000;
  const warm = { from: new Date(from.getTime() - warmUpMs), to };
  const perPattern = new Map<string, { raised: number; cleared: number; changed: number }>();
  let machines = 0;
  let observations = 0;
  let differing = 0;
  let written = 0;

  async function judgeMachine(machine: HistoryMachine): Promise<void> {
    const { id } = machine;
    const start = await checkpointOf(db, id, { from: warm.from, to: from });
    const replay = createReplay({
      start: start && { at: start.at.getTime(), facts: start.facts },
      absences: await absencesOf(db, id, warm, cycleMs),
      policyAt,
      approved: machine.approved,
    });
    let seen = start ? 1 : 0;
    for await (const row of observationsOf(db, id, { from: start?.at ?? warm.from, to })) {
      seen++;
      const { kind, key, seq, location, digest, facts } = row;
      replay.observe({ kind, key, seq, location, digest, facts }, row.observedAt.getTime());
    }
    machines++;
    observations += seen;
    // Without anything observed nothing can be said of what is stored.
    if (seen === 0) return;
    const differences = compareHistory(await findingsOf(db, id, { from, to }), replay.end(to.getTime()), {
      from: from.getTime(),
      to: to.getTime(),
      slack: slackCycles * cycleMs,
    });
    if (differences.length === 0) return;
    differing++;
    for (const { pattern, kind } of differences) {
      const counts = perPattern.get(pattern) ?? { raised: 0, cleared: 0, changed: 0 };
      counts[kind]++;
      perPattern.set(pattern, counts);
    }
    options.onMachine?.(machine, differences);
    if (dryRun) return;
    const corrections = differences.flatMap(({ correction }) => (correction ? [correction] : []));
    await correctHistory(db, id, corrections, now);
    written += corrections.length;
  }

  let after: string | null = null;
  for (;;) {
    const page: HistoryMachine[] = await historyMachines(db, after);
    for (const machine of page) if (!options.machineId || machine.id === options.machineId) await judgeMachine(machine);
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
  }
  const patterns = [...perPattern]
    .map(([pattern, counts]) => ({ pattern, ...counts }))
    .sort(
      (a, b) =>
        b.raised + b.cleared + b.changed - (a.raised + a.cleared + a.changed) || (a.pattern < b.pattern ? -1 : 1),
    );
  if (!dryRun)
    await writeAudit(db, {
      actor: options.actor,
      action: "history.rediagnose",
      subject: `${from.toISOString()}/${to.toISOString()}`,
      after: { machines, differing, written, patterns },
    });
  return { machines, observations, differing, patterns, written };
}
