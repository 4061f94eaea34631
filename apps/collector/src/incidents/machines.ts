import type { Database } from "@lynceus/db/client";
import {
  type IncidentMachine,
  positionNow,
  readChangedMachines,
  readFailingMachines,
  readTheseMachines,
  reportingBySite,
} from "@lynceus/db/incident-machines";
import type { TraitsPosition } from "@lynceus/db/traits";
import { siteKey } from "@lynceus/incidents/spread";
import type { Machine } from "@lynceus/incidents/types";

/** A transaction may become visible this long after its rows were written: read again each turn, and each minute. */
const overlapSeconds = { turn: 10, minute: 90 };
const minuteMs = 60_000;
/** Machines that were not heard of are looked at again this often. */
const lateMs = 10_000;
const page = 5_000;

export interface IncidentMachinesOptions {
  readonly db: Database;
  readonly now: () => number;
  /** Milliseconds after which what a machine shows is of another time: three cycles. */
  readonly staleAfter: () => number;
  /** Whether a machine is in an incident: then it is kept whatever it shows. */
  readonly isMember: (machineId: string) => boolean;
}

/** The machines that incidents are made of, kept up by reading on: no turn looks at the whole fleet. */
export function createIncidentMachines({ db, now, staleAfter, isMember }: IncidentMachinesOptions) {
  const machines = new Map<string, Machine>();
  const late = new Set<string>();
  let position: TraitsPosition | null = null;
  let sites = new Map<string, number>();
  let minuteAt = Number.NEGATIVE_INFINITY;
  let lateAt = Number.NEGATIVE_INFINITY;

  const matters = ({ status, patterns }: Machine) =>
    status === "failing" || (status === "stale" && patterns.includes("fleet-blind"));

  function take({ machine, counts, lastSeenAt }: IncidentMachine): void {
    const silentMember = machine.status !== "healthy" && isMember(machine.id);
    if (!counts || !(matters(machine) || silentMember)) {
      machines.delete(machine.id);
      late.delete(machine.id);
      return;
    }
    const isLate = machine.status === "failing" && now() - lastSeenAt > staleAfter();
    machines.set(machine.id, isLate ? { ...machine, late: true } : machine);
    if (isLate) late.add(machine.id);
    else late.delete(machine.id);
  }

  async function readOn(seconds: number): Promise<void> {
    const begins = await positionNow(db, seconds);
    let after = position && position.changedAt < begins.changedAt ? position : begins;
    for (;;) {
      const rows = await readChangedMachines(db, after, page);
      for (const row of rows) take(row);
      const last = rows.at(-1);
      if (last) after = { changedAt: last.changedAt, machineId: last.machine.id };
      if (rows.length < page) break;
    }
    position = after;
  }

  return {
    /** All of them. */
    values: (): Iterable<Machine> => machines.values(),
    get size() {
      return machines.size;
    },
    /** Reporting machines by site. */
    get sites(): ReadonlyMap<string, number> {
      return sites;
    },

    /** Reads everything anew: when this collector begins to lead, or does not know what became of a turn. */
    async load(members: readonly string[]): Promise<void> {
      machines.clear();
      late.clear();
      position = await positionNow(db, overlapSeconds.minute);
      for (const row of await readFailingMachines(db, members)) take(row);
      minuteAt = Number.NEGATIVE_INFINITY;
    },

    /** Reads what was written since. */
    async refresh(): Promise<void> {
      const at = now();
      const isMinute = at - minuteAt >= minuteMs;
      await readOn(isMinute ? overlapSeconds.minute : overlapSeconds.turn);
      if (isMinute) {
        sites = new Map((await reportingBySite(db)).map((row) => [siteKey(row), row.machines]));
        minuteAt = at;
      }
      if (late.size > 0 && at - lateAt >= lateMs) {
        lateAt = at;
        for (const row of await readTheseMachines(db, [...late])) take(row);
      }
    },

    /** A machine that is gone, or is in no incident any more. */
    forget(machineId: string): void {
      machines.delete(machineId);
      late.delete(machineId);
    },
    release(machineId: string): void {
      const machine = machines.get(machineId);
      if (machine && !matters(machine)) this.forget(machineId);
    },
  };
}
