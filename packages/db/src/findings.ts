import type { MachineFinding } from "@lynceus/protocol/read-api";
import { Prisma } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { type FleetReader, machines, ofMachines } from "./scope.ts";

export interface FindingQuery {
  machineId?: string;
  pattern?: string;
  /** True: still raised; false: cleared; absent: both. */
  open?: boolean;
  cursor?: string | null;
  limit?: number;
}

/** A page of findings, newest first. Stored findings of contributing patterns explain nothing (`explains` false). */
export async function listFindings(
  db: FleetReader,
  query: FindingQuery = {},
): Promise<Page<MachineFinding & { id: string }>> {
  const limit = pageLimit(query.limit);
  // What was judged again and found not to hold is no finding.
  const where = [Prisma.sql`NOT f.withdrawn`, ofMachines(db, Prisma.sql`f.machine_id`)];
  if (query.machineId !== undefined)
    where.push(Prisma.sql`f.machine_id = ${isUuid(query.machineId) ? query.machineId : null}::uuid`);
  if (query.pattern !== undefined) where.push(Prisma.sql`f.pattern = ${query.pattern}`);
  if (query.open !== undefined)
    where.push(query.open ? Prisma.sql`f.cleared_at IS NULL` : Prisma.sql`f.cleared_at IS NOT NULL`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [since, id] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(f.since, f.id) < (${cursorTime(since)}::timestamptz, ${cursorId(id)}::uuid)`;
  }
  const condition = Prisma.join(where, " AND ");
  type Item = MachineFinding & { id: string };
  const [answer] = await db.prisma.$queryRaw<{ asOf: Date; total: number; items: Item[] }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM findings f WHERE ${condition}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT f.id, f.machine_id AS "machineId", coalesce(m.hostname, '') AS hostname, f.pattern, f.severity,
          f.confidence, f."primary", f."primary" AS explains, f.configurations, f.users, f.evidence, f.sentence, f.cause,
          f.since, f.cleared_at AS "clearedAt", f.rejudged_at AS "rejudgedAt"
        FROM findings f LEFT JOIN ${machines(db)} m ON m.id = f.machine_id
        WHERE ${condition} AND ${after} ORDER BY f.since DESC, f.id DESC LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const items = answer.items.slice(0, limit).map((item) => ({
    ...item,
    since: new Date(item.since).toISOString(),
    clearedAt: item.clearedAt === null ? null : new Date(item.clearedAt).toISOString(),
    rejudgedAt: item.rejudgedAt ? new Date(item.rejudgedAt).toISOString() : null,
  }));
  const last = items.at(-1);
  return {
    items,
    nextCursor: answer.items.length > limit && last ? encodeCursor([last.since, last.id]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}
