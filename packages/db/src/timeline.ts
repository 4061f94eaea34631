import type { TimelineEntry } from "@lynceus/protocol/read-api";
import { Prisma } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { type FleetReader, ofMachines } from "./scope.ts";

/** A page of a machine's timeline, newest first. Not an id: an empty page. */
export async function listTimeline(
  db: FleetReader,
  machineId: string,
  query: { cursor?: string | null; limit?: number } = {},
): Promise<Page<TimelineEntry>> {
  const limit = pageLimit(query.limit);
  const id = isUuid(machineId) ? machineId : null;
  const ofMachine = Prisma.sql`t.machine_id = ${id}::uuid AND ${ofMachines(db, Prisma.sql`t.machine_id`)}`;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, last] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(t.at, t.id) < (${cursorTime(at)}::timestamptz, ${cursorId(last)}::uuid)`;
  }
  const [answer] = await db.prisma.$queryRaw<{ asOf: Date; total: number; items: TimelineEntry[] }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM transitions t WHERE ${ofMachine}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT t.id, t.at, t.kind, t.text, t.detail, t.severity, t.replayed FROM transitions t
        WHERE ${ofMachine} AND ${after} ORDER BY t.at DESC, t.id DESC LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const items = answer.items.slice(0, limit).map((item) => ({ ...item, at: new Date(item.at).toISOString() }));
  const last = items.at(-1);
  return {
    items,
    nextCursor: answer.items.length > limit && last ? encodeCursor([last.at, last.id]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}
