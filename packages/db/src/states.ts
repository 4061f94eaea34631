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
  state: MachineState;
}

/** States of these machines; those that do not exist or are revoked are absent. */
export async function loadStates(db: Reader, machineIds: readonly string[]): Promise<Map<string, StoredState>> {
  if (machineIds.length === 0) return new Map();
  const rows = await db.prisma.$queryRaw<(Omit<StoredState, "lastSeq"> & { lastSeq: bigint })[]>`
    SELECT m.id::text AS "machineId", m.hostname, m.site, m.approved, m.simulated, m.cloned_at IS NOT NULL AS cloned,
      m.status, s.epoch::text AS epoch, s.last_seq AS "lastSeq", m.last_seen_at AS "lastSeenAt",
      s.checkpoint_at AS "checkpointAt", s.state
    FROM machine_states s JOIN machines m ON m.id = s.machine_id
    WHERE s.machine_id = ANY (${[...machineIds]}::uuid[]) AND m.revoked_at IS NULL`;
  return new Map(rows.map((row) => [row.machineId, { ...row, lastSeq: Number(row.lastSeq) }]));
}
