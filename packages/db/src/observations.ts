import type { Location, Verdict } from "@lynceus/protocol/names";
import { hoursOf, type Timing, timingsKind, timingsSchema } from "@lynceus/protocol/timings";
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

/**
 * How long a probe of a machine took in each hour since a moment, oldest first, by `<configuration>:<target>:<via>`: what
 * is written down, and what its state still holds.
 */
export async function hoursOfProbes(
  db: FleetReader,
  machineId: string,
  keys: readonly string[],
  since: Date,
): Promise<Map<string, Timing[]>> {
  const hours = new Map<string, Timing[]>(keys.map((key) => [key, []]));
  if (!isUuid(machineId) || keys.length === 0) return hours;
  const rows = await db.prisma.$queryRaw<{ timings: unknown }[]>`
    SELECT jsonb_build_object('from', t.timings->'from', 'hours', t.timings->'hours', 'probes', (
      SELECT coalesce(jsonb_object_agg(key, t.timings->'probes'->key) FILTER (WHERE t.timings->'probes' ? key), '{}')
      FROM unnest(${[...keys]}::text[]) AS key)) AS timings
    FROM (
      SELECT o.observed_at AS at, o.facts AS timings FROM observations o
      WHERE o.machine_id = ${machineId}::uuid AND o.key = ${timingsKind} AND o.kind = ${timingsKind} AND NOT o.raw
        -- A row is written when its last hour is over.
        AND o.observed_at >= ${since}
      UNION ALL
      SELECT 'infinity', s.state->'timings' FROM machine_states s
      WHERE s.machine_id = ${machineId}::uuid AND s.state ? 'timings') t
    WHERE ${ofMachines(db, Prisma.sql`${machineId}::uuid`)} ORDER BY t.at LIMIT 1000`;
  for (const row of rows) {
    // Written by collectors alone, but kept for as long as any observation.
    const { data } = timingsSchema.safeParse(row.timings);
    if (data === undefined) continue;
    for (const [key, known] of hours) known.push(...hoursOf(data, key).filter(({ at }) => at >= since.getTime()));
  }
  return hours;
}

/** The observation of a key that held at a moment: the newest one made by then. Null where none is kept. */
export async function observationAt(
  db: FleetReader,
  machineId: string,
  key: string,
  at: Date,
): Promise<StoredObservation | null> {
  if (!isUuid(machineId)) return null;
  const [row] = await db.prisma.$queryRaw<{ item: StoredObservation }[]>`
    SELECT to_json(found) AS item FROM (
      SELECT ${columns} FROM observations o
      WHERE o.machine_id = ${machineId}::uuid AND o.key = ${key} AND o.observed_at <= ${at}
        AND ${ofMachines(db, Prisma.sql`o.machine_id`)}
      ORDER BY o.observed_at DESC, o.seq DESC LIMIT 1) found`;
  return row ? tidy(row.item) : null;
}
