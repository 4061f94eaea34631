import type { Database } from "./client.ts";

/**
 * Marks as stale the machines that were last seen before `staleBefore` (three intervals ago) and said no goodbye, with
 * an entry in their timeline, in one statement. A machine that was never seen stays "cannot tell". Returns their ids.
 * A machine that reports again leaves the state by its next commitBatch.
 */
export async function sweepStale(db: Database, input: { now: Date; staleBefore: Date }): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ ids: string[] | null }[]>`
    WITH silent AS (
      SELECT id, status FROM machines
      WHERE status IN ('healthy', 'failing', 'cannot-tell') AND last_seen_at < ${input.staleBefore} AND revoked_at IS NULL
      FOR UPDATE SKIP LOCKED
    ), changed AS (
      UPDATE machines m SET status = 'stale', status_since = ${input.now} FROM silent s
      WHERE m.id = s.id RETURNING m.id, m.last_seen_at, s.status AS before
    ), marked AS (
      -- Attribution reads on from there.
      UPDATE machine_traits t SET changed_at = now() FROM changed c WHERE t.machine_id = c.id
    ), told AS (
      INSERT INTO transitions (machine_id, at, id, kind, text, detail, severity, replayed)
      SELECT id, ${input.now}, gen_random_uuid(), 'stale', 'Stale: silent, last state ' || replace(before, '-', ' '), NULL,
        'stale', FALSE FROM changed
    )
    SELECT array_agg(id::text) AS ids, CASE WHEN count(*) > 0 THEN pg_notify('lynceus', '')::text END FROM changed`;
  return rows[0]?.ids ?? [];
}
