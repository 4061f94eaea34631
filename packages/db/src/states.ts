import type { MachineState } from "@lynceus/protocol/state";
import type { Reader } from "./client.ts";

/** What a collector keeps in memory of a machine whose messages it takes. */
export interface StoredState {
  machineId: string;
  hostname: string;
  site: string | null;
  approved: boolean;
  simulated: boolean;
  cloned: boolean;
  /** As the list shows it: `stale` and `signed-off` come from the sweep and the goodbye, not from the state. */
  status: string;
  epoch: string | null;
  lastSeq: number;
  lastSeenAt: Date | null;
  checkpointAt: Date | null;
  /** Of the stored traits; null where there are none yet. */
  traitsDigest: string | null;
  state: MachineState;
  /** What the stored state trails by, in order of seq: observations to be folded into it. Nearly always empty. */
  trail: readonly TrailingObservation[];
}

/** An observation that is on disk and not yet in its machine's state. */
export interface TrailingObservation {
  seq: number;
  kind: string;
  key: string;
  /** Corrected for the machine's clock skew. */
  observedAt: Date;
  location: string;
  digest: string;
  replayed: boolean;
  facts: unknown;
}

/** States of these machines, with what they trail by; those that do not exist or are revoked are absent. */
export async function loadStates(db: Reader, machineIds: readonly string[]): Promise<Map<string, StoredState>> {
  if (machineIds.length === 0) return new Map();
  const rows = await db.prisma.$queryRaw<
    (Omit<StoredState, "lastSeq" | "trail"> & { lastSeq: bigint; trails: boolean })[]
  >`
    SELECT m.id::text AS "machineId", m.hostname, m.site, m.approved, m.simulated, m.cloned_at IS NOT NULL AS cloned,
      m.status, s.epoch::text AS epoch, s.last_seq AS "lastSeq", m.last_seen_at AS "lastSeenAt",
      s.checkpoint_at AS "checkpointAt", s.state, s.state_seq < s.last_seq AS trails, t.digest AS "traitsDigest"
    FROM machine_states s JOIN machines m ON m.id = s.machine_id
    LEFT JOIN machine_traits t ON t.machine_id = s.machine_id
    WHERE s.machine_id = ANY (${[...machineIds]}::uuid[]) AND m.revoked_at IS NULL`;
  const trails = await loadTrails(
    db,
    rows.filter((row) => row.trails).map((row) => row.machineId),
  );
  return new Map(
    rows.map(({ trails: _, ...row }) => [
      row.machineId,
      { ...row, lastSeq: Number(row.lastSeq), trail: trails.get(row.machineId) ?? [] },
    ]),
  );
}

/**
 * A second look is enough: whoever moved one of these machines on in between makes the next commit of what was read
 * here a conflict.
 */
async function loadTrails(db: Reader, machineIds: readonly string[]): Promise<Map<string, TrailingObservation[]>> {
  const trails = new Map<string, TrailingObservation[]>();
  if (machineIds.length === 0) return trails;
  // A state trails for seconds, so a minute before the last write holds all of it: two partitions at most.
  const rows = await db.prisma.$queryRaw<(Omit<TrailingObservation, "seq"> & { machineId: string; seq: bigint })[]>`
    SELECT o.machine_id::text AS "machineId", o.seq, o.kind, o.key, o.observed_at AS "observedAt", o.location, o.digest,
      o.replayed, o.facts
    FROM machine_states s JOIN observations o ON o.machine_id = s.machine_id AND o.epoch = s.epoch
      AND o.seq > s.state_seq AND o.seq <= s.last_seq AND o.received_at >= s.updated_at - interval '1 minute'
    WHERE s.machine_id = ANY (${[...machineIds]}::uuid[]) AND NOT o.raw AND o.kind NOT IN ('checkpoint', 'timings')
    ORDER BY o.machine_id, o.seq`;
  for (const { machineId, ...row } of rows) {
    const trail = trails.get(machineId) ?? [];
    trail.push({ ...row, seq: Number(row.seq) });
    trails.set(machineId, trail);
  }
  return trails;
}
