import type { Counts } from "@lynceus/protocol/read-api";
import { type FleetReader, machines } from "./scope.ts";

const none: Counts = { healthy: 0, failing: 0, stale: 0, cannotTell: 0, signedOff: 0, atRisk: 0 };

/** How the machines that took each of these changes are now, as a function of the change's id. */
export async function changeCounts(db: FleetReader, changeIds: readonly string[]): Promise<(id: string) => Counts> {
  const rows = await db.prisma.$queryRaw<(Counts & { id: string })[]>`
    SELECT f.change_id::text AS id, count(*) FILTER (WHERE m.status = 'healthy')::int AS healthy,
      count(*) FILTER (WHERE m.status = 'failing')::int AS failing,
      count(*) FILTER (WHERE m.status = 'stale')::int AS stale,
      count(*) FILTER (WHERE m.status = 'cannot-tell')::int AS "cannotTell",
      count(*) FILTER (WHERE m.status = 'signed-off')::int AS "signedOff",
      count(*) FILTER (WHERE m.at_risk AND m.status = 'healthy')::int AS "atRisk"
    FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id
    WHERE f.change_id = ANY (${[...changeIds]}::uuid[]) AND m.revoked_at IS NULL GROUP BY 1`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return (id) => byId.get(id) ?? none;
}

/**
 * How many of the machines that took each of these changes fail now, as a function of the change's id. Looks at those
 * that fail alone, which are few, where `changeCounts` looks at everyone who took a change.
 */
export async function changeFailing(db: FleetReader, changeIds: readonly string[]): Promise<(id: string) => number> {
  const rows = await db.prisma.$queryRaw<{ id: string; failing: number }[]>`
    SELECT f.change_id::text AS id, count(*)::int AS failing
    FROM ${machines(db)} m JOIN fleet_change_machines f ON f.machine_id = m.id
    WHERE m.status = 'failing' AND m.revoked_at IS NULL AND f.change_id = ANY (${[...changeIds]}::uuid[]) GROUP BY 1`;
  const byId = new Map(rows.map((row) => [row.id, row.failing]));
  return (id) => byId.get(id) ?? 0;
}
