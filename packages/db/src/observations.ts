import type { Location, Verdict } from "@lynceus/protocol/names";
import { Prisma } from "./client.ts";
import { CursorError, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { type FleetReader, ofMachines } from "./scope.ts";

/** A stored observation. Times are ISO 8601 in UTC. */
export interface StoredObservation {
  machineId: string;
  epoch: string;
  seq: number;
  kind: string;
  key: string;
  observedAt: string;
  receivedAt: string;
  location: Location;
  digest: string;
  verdict: Verdict | null;
  raw: boolean;
  replayed: boolean;
  facts: unknown;
}

const columns = Prisma.sql`
  o.machine_id AS "machineId", o.epoch, o.seq, o.kind, o.key, o.observed_at AS "observedAt",
  o.received_at AS "receivedAt", o.location, o.digest, o.verdict, o.raw, o.replayed, o.facts`;

const tidy = (row: StoredObservation): StoredObservation => ({
  ...row,
  observedAt: new Date(row.observedAt).toISOString(),
  receivedAt: new Date(row.receivedAt).toISOString(),
});

/** A page of a machine's observations, newest received first; of one key, one kind, or all. */
export async function listObservations(
  db: FleetReader,
  machineId: string,
  query: { key?: string; kind?: string; cursor?: string | null; limit?: number } = {},
): Promise<{ items: StoredObservation[]; nextCursor: string | null }> {
  if (!isUuid(machineId)) return { items: [], nextCursor: null };
  const limit = pageLimit(query.limit);
  const where = [Prisma.sql`o.machine_id = ${machineId}::uuid`, ofMachines(db, Prisma.sql`o.machine_id`)];
  if (query.key !== undefined) where.push(Prisma.sql`o.key = ${query.key}`);
  if (query.kind !== undefined) where.push(Prisma.sql`o.kind = ${query.kind}`);
  if (query.cursor) {
    const [receivedAt, epoch, seq] = decodeCursor(query.cursor, 3);
    if (typeof epoch !== "string" || !isUuid(epoch) || !Number.isSafeInteger(seq))
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    where.push(
      Prisma.sql`(o.received_at, o.epoch, o.seq) < (${cursorTime(receivedAt)}::timestamptz, ${epoch}::uuid, ${seq}::bigint)`,
    );
  }
  const rows = await db.prisma.$queryRaw<{ item: StoredObservation }[]>`
    SELECT to_json(page) AS item FROM (
      SELECT ${columns} FROM observations o WHERE ${Prisma.join(where, " AND ")}
      ORDER BY o.received_at DESC, o.epoch DESC, o.seq DESC LIMIT ${limit + 1}) page`;
  const items = rows.slice(0, limit).map(({ item }) => tidy(item));
  const last = items.at(-1);
  const more = rows.length > limit && last;
  return { items, nextCursor: more ? encodeCursor([last.receivedAt, last.epoch, last.seq]) : null };
}

/** One observation by its seq, in the newest epoch that has it unless `epoch` names one; null when there is none. */
export async function getObservation(
  db: FleetReader,
  machineId: string,
  which: { seq: number; epoch?: string },
): Promise<StoredObservation | null> {
  if (!isUuid(machineId) || !Number.isSafeInteger(which.seq) || (which.epoch !== undefined && !isUuid(which.epoch)))
    return null;
  const epoch = which.epoch === undefined ? Prisma.empty : Prisma.sql`AND o.epoch = ${which.epoch}::uuid`;
  const [row] = await db.prisma.$queryRaw<{ item: StoredObservation }[]>`
    SELECT to_json(found) AS item FROM (
      SELECT ${columns} FROM observations o
      WHERE o.machine_id = ${machineId}::uuid AND o.seq = ${which.seq}::bigint ${epoch}
        AND ${ofMachines(db, Prisma.sql`o.machine_id`)}
      ORDER BY o.received_at DESC LIMIT 1) found`;
  return row ? tidy(row.item) : null;
}

/** A verdict as it changed; it held until the next one of its key. */
export interface VerdictChange {
  /** `probe:<configuration>:<target>:<via>` */
  key: string;
  at: Date;
  verdict: Verdict;
  location: Location;
  replayed: boolean;
}

/** What each probe of a machine said since a moment, by key, oldest first, and what held at that moment. */
export async function verdictHistory(db: FleetReader, machineId: string, since: Date): Promise<VerdictChange[]> {
  if (!isUuid(machineId)) return [];
  return db.prisma.$queryRaw<VerdictChange[]>`
    SELECT key, observed_at AS at, verdict, location, replayed FROM (
      SELECT o.*, lead(observed_at) OVER (PARTITION BY key ORDER BY observed_at, seq) AS until FROM observations o
      WHERE machine_id = ${machineId}::uuid AND kind = 'probe' AND verdict IS NOT NULL
        AND ${ofMachines(db, Prisma.sql`machine_id`)}) o
    WHERE observed_at >= ${since} OR until >= ${since} OR until IS NULL
    ORDER BY key, observed_at, seq LIMIT 20000`;
}
