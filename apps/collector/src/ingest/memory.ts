import type { MachineStatus } from "@lynceus/protocol/names";
import type { MachineState } from "@lynceus/protocol/state";

/** A machine as this collector has it in memory. Replaced, never changed: a batch that fails leaves the old one. */
export interface Entry {
  readonly machineId: string;
  readonly hostname: string;
  /** Of the outbox that `lastSeq` counts in; null before the first report. */
  readonly epoch: string | null;
  /** Highest seq that is on disk. */
  readonly committedSeq: number;
  /** Highest seq that is in `state`; above `committedSeq` while confirmations wait. */
  readonly lastSeq: number;
  readonly state: MachineState;
  /** The column as last read or written: `stale` and `signed-off` are not the diagnosis's. */
  readonly status: MachineStatus;
  readonly site: string | null;
  readonly approved: boolean;
  readonly cloned: boolean;
  readonly checkpointAt: number | null;
  /** Of the traits that are on disk; null where there are none. */
  readonly traitsDigest: string | null;
  /** When its agent last reported; 0 = never. */
  readonly heardAt: number;
  /** When the first change that is only in memory came; null when all is on disk. */
  readonly dirtySince: number | null;
  /** Since when the stored state lacks observations whose rows are on disk; null when it has all. */
  readonly trailSince: number | null;
  /** Reports since the last write: an agent waits for an answer after a few. */
  readonly unwritten: number;
  /** EWS slots seen since the present cycle was counted; one that comes again begins the next cycle. */
  readonly cycleKeys: readonly string[];
}

/** Whether the machine's state row is as it is here. */
export const isOnDisk = (entry: Entry): boolean => entry.dirtySince === null && entry.trailSince === null;

/**
 * Machine states of those that reported lately, least recently used first. What is not on disk yet is never let go:
 * the ingest loop writes it first.
 */
export function createMemory(capacity: number) {
  const entries = new Map<string, Entry>();
  const dirty = new Set<string>();

  return {
    get size() {
      return entries.size;
    },
    get(machineId: string): Entry | undefined {
      return entries.get(machineId);
    },

    /** Puts an entry in as the most recently used one. */
    set(entry: Entry): void {
      entries.delete(entry.machineId);
      entries.set(entry.machineId, entry);
      if (isOnDisk(entry)) dirty.delete(entry.machineId);
      else dirty.add(entry.machineId);
      if (entries.size <= capacity) return;
      for (const [id, oldest] of entries) {
        if (!isOnDisk(oldest)) continue;
        entries.delete(id);
        if (entries.size <= capacity) break;
      }
    },

    delete(machineId: string): void {
      entries.delete(machineId);
      dirty.delete(machineId);
    },

    /** Machines that are on disk as they are here. */
    clean(): Entry[] {
      return [...entries.values()].filter(isOnDisk);
    },

    /** Machines whose state row is not as it is here. */
    dirty(): Entry[] {
      return [...dirty].map((id) => entries.get(id)!);
    },
  };
}

export type Memory = ReturnType<typeof createMemory>;
