import { randomUUID } from "node:crypto";
import { isWholeFleet } from "@lynceus/protocol/access";
import type { AttributionKey } from "@lynceus/protocol/names";
import type { ChangeKind, ChangeMachine, FleetChange, TimelineEntry } from "@lynceus/protocol/read-api";
import { changeKinds } from "@lynceus/protocol/read-api";
import { type Database, Prisma, type Reader } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { type FleetReader, machines, ofMachines } from "./scope.ts";

/** A change that comes again this long after its last machine took it is an event of its own. */
const episode = "1 day";
const lockKey = 72_707_380;
const dayMs = 86_400_000;

interface Taken {
  machineId: string;
  at: Date;
  kind: string;
  text: string;
  detail: string | null;
  changeKey: string;
  setKey: string | null;
  setValue: string | null;
  simulated: boolean;
}

/**
 * Joins changes that machines took since the last time to the fleet's events; at most `limit` of them. Each is joined
 * once, whichever collectors call it. Returns how many there were: as many as `limit` means that more may wait.
 */
export function joinChanges(db: Database, limit = 5_000): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    // One at a time, so that two collectors do not begin one event twice.
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const taken = await prisma.$queryRaw<Taken[]>`
      WITH gone AS (
        DELETE FROM pending_changes WHERE id IN (SELECT id FROM pending_changes ORDER BY id LIMIT ${limit})
        RETURNING *)
      SELECT g.machine_id::text AS "machineId", g.at, g.kind, g.text, g.detail, g.change_key AS "changeKey",
        g.set_key AS "setKey", g.set_value AS "setValue", coalesce(m.simulated, FALSE) AS simulated
      FROM gone g LEFT JOIN machines m ON m.id = g.machine_id ORDER BY g.at`;
    const groups = new Map<string, Taken[]>();
    for (const row of taken) {
      const key = `${row.simulated} ${row.changeKey}`;
      const last = groups.get(key);
      if (last) last.push(row);
      else groups.set(key, [row]);
    }
    for (const rows of groups.values()) await joinGroup(prisma, rows);
    return taken.length;
  });
}

/** The same change on some machines, in order of time: a day without it ends an event. */
async function joinGroup(prisma: Prisma.TransactionClient, rows: readonly Taken[]): Promise<void> {
  let part: Taken[] = [];
  for (const row of rows) {
    const last = part.at(-1);
    if (last && row.at.getTime() - last.at.getTime() > dayMs) {
      await joinPart(prisma, part);
      part = [];
    }
    part.push(row);
  }
  if (part.length > 0) await joinPart(prisma, part);
}

async function joinPart(prisma: Prisma.TransactionClient, rows: readonly Taken[]): Promise<void> {
  const first = rows[0]!;
  const [from, to] = [first.at, rows.at(-1)!.at];
  const [known] = await prisma.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM fleet_changes
    WHERE change_key = ${first.changeKey} AND simulated = ${first.simulated}
      AND last_at >= ${from}::timestamptz - ${episode}::interval AND first_at <= ${to}::timestamptz + ${episode}::interval
    ORDER BY last_at DESC LIMIT 1`;
  const id = known?.id ?? randomUUID();
  if (!known)
    await prisma.$executeRaw`
      INSERT INTO fleet_changes (id, change_key, simulated, kind, text, detail, set_key, set_value, first_at, last_at)
      VALUES (${id}::uuid, ${first.changeKey}, ${first.simulated}, ${first.kind}, ${first.text}, ${first.detail},
        ${first.setKey}, ${first.setValue}, ${from}, ${to})`;
  await prisma.$executeRaw`
    WITH took AS (
      INSERT INTO fleet_change_machines (change_id, machine_id, at)
      SELECT ${id}::uuid, machine_id, min(at) FROM
        unnest(${rows.map((row) => row.machineId)}::uuid[], ${rows.map((row) => row.at)}::timestamptz[]) AS r(machine_id, at)
      GROUP BY machine_id ON CONFLICT DO NOTHING RETURNING 1)
    UPDATE fleet_changes SET machines = machines + (SELECT count(*) FROM took),
      first_at = least(first_at, ${from}), last_at = greatest(last_at, ${to}) WHERE id = ${id}::uuid`;
}

/** Up to ten machines of each of these events, those that took it first. */
const sampleOf = (db: FleetReader) => Prisma.sql`
  coalesce((SELECT json_agg(json_build_object('id', s.machine_id, 'hostname', s.hostname) ORDER BY s.at, s.machine_id)
    FROM (SELECT f.machine_id, f.at, m.hostname FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id
      WHERE f.change_id = c.id ORDER BY f.at, f.machine_id LIMIT 10) s), '[]')`;

/**
 * The events, named `c`. To who sees a part of the fleet an event is what its machines there took, and when; one that no
 * machine there took is none, unless it is the installation's own and has no machines.
 */
function changes(db: FleetReader, since?: Date): Prisma.Sql {
  if (isWholeFleet(db.scope)) return Prisma.sql`fleet_changes c`;
  // No machine of a part took it later than the last one of all.
  const recent = since ? Prisma.sql`AND e.last_at >= ${since}` : Prisma.empty;
  return Prisma.sql`(
    SELECT e.id, e.kind, e.change_key, e.text, e.detail, e.simulated, coalesce(t.first_at, e.first_at) AS first_at,
      coalesce(t.last_at, e.last_at) AS last_at, t.machines
    FROM fleet_changes e CROSS JOIN LATERAL (
      SELECT count(*)::int AS machines, min(f.at) AS first_at, max(f.at) AS last_at
      FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id WHERE f.change_id = e.id) t
    WHERE (t.machines > 0 OR e.machines = 0) ${recent}) c`;
}

interface ChangeRow extends Omit<FleetChange, "firstAt" | "lastAt"> {
  firstAt: Date;
  lastAt: Date;
}
const toChange = (row: ChangeRow): FleetChange => ({
  ...row,
  firstAt: row.firstAt.toISOString(),
  lastAt: row.lastAt.toISOString(),
});
const changeColumns = (db: FleetReader) => Prisma.sql`
  c.id::text AS id, c.kind, c.change_key AS "changeKey", c.text, c.detail, c.simulated, c.first_at AS "firstAt",
  c.last_at AS "lastAt", c.machines, ${sampleOf(db)} AS sample`;

export interface FleetChangeQuery {
  /** Events whose last machine took it at or after this moment. */
  since?: Date;
  /** Events whose last machine took it at or before this moment. */
  until?: Date;
  /** Events whose first machine took it at or before this moment. */
  begunBy?: Date;
  kinds?: readonly ChangeKind[];
  /** Events of at least so many machines. */
  minMachines?: number;
  /** Absent: both. */
  simulated?: boolean;
  cursor?: string | null;
  limit?: number;
}

/** A page of the fleet's changes, the one that was taken last first. `total` counts up to 1,000. */
export async function listFleetChanges(db: FleetReader, query: FleetChangeQuery = {}): Promise<Page<FleetChange>> {
  const limit = pageLimit(query.limit);
  const where = [Prisma.sql`c.kind = ANY (${[...(query.kinds ?? changeKinds)]}::text[])`];
  if (query.since) where.push(Prisma.sql`c.last_at >= ${query.since}`);
  if (query.until) where.push(Prisma.sql`c.last_at <= ${query.until}`);
  if (query.begunBy) where.push(Prisma.sql`c.first_at <= ${query.begunBy}`);
  if (query.minMachines) where.push(Prisma.sql`c.machines >= ${query.minMachines}`);
  if (query.simulated !== undefined) where.push(Prisma.sql`c.simulated = ${query.simulated}`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, id] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(c.last_at, c.id) < (${cursorTime(at)}::timestamptz, ${cursorId(id)}::uuid)`;
  }
  const condition = Prisma.join(where, " AND ");
  const rows = await db.prisma.$queryRaw<ChangeRow[]>`
    SELECT ${changeColumns(db)} FROM ${changes(db, query.since)} WHERE ${condition} AND ${after}
    ORDER BY c.last_at DESC, c.id DESC LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM (SELECT FROM ${changes(db, query.since)} WHERE ${condition}
      ORDER BY c.last_at DESC LIMIT 1000) few) AS total`;
  const items = rows.slice(0, limit).map(toChange);
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.lastAt, last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** One event, or null. */
export async function getFleetChange(db: FleetReader, id: string): Promise<FleetChange | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<ChangeRow[]>`
    SELECT ${changeColumns(db)} FROM ${changes(db)} WHERE c.id = ${id}::uuid`;
  return row ? toChange(row) : null;
}

/** A page of the machines that took a change, in order of time. Not an id: an empty page. */
export async function listChangeMachines(
  db: FleetReader,
  changeId: string,
  query: { cursor?: string | null; limit?: number } = {},
): Promise<Page<ChangeMachine>> {
  const limit = pageLimit(query.limit);
  const id = isUuid(changeId) ? changeId : null;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, machine] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(f.at, f.machine_id) > (${cursorTime(at)}::timestamptz, ${cursorId(machine)}::uuid)`;
  }
  const rows = await db.prisma.$queryRaw<(Omit<ChangeMachine, "at"> & { at: Date })[]>`
    SELECT f.machine_id::text AS id, m.hostname, f.at, m.site, m.status
    FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id
    WHERE f.change_id = ${id}::uuid AND ${after} ORDER BY f.at, f.machine_id LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", coalesce((SELECT c.machines FROM ${changes(db)} WHERE c.id = ${id}::uuid), 0) AS total`;
  const items = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.at, last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/**
 * The changes of a machine nearest before a moment, such as its first failure, newest first: what stands beside a
 * finding. Within `hours` (24); an empty list is "No setting changed in the 24 h before".
 */
export async function changesBefore(
  db: FleetReader,
  machineId: string,
  at: Date,
  query: { hours?: number; limit?: number } = {},
): Promise<TimelineEntry[]> {
  if (!isUuid(machineId)) return [];
  const from = new Date(at.getTime() - (query.hours ?? 24) * 3_600_000);
  const rows = await db.prisma.$queryRaw<(Omit<TimelineEntry, "at"> & { at: Date })[]>`
    SELECT t.id::text AS id, t.at, t.kind, t.text, t.detail, t.severity, t.replayed FROM transitions t
    WHERE t.machine_id = ${machineId}::uuid AND t.at > ${from} AND t.at <= ${at}
      AND t.kind = ANY (${[...changeKinds]}::text[]) AND ${ofMachines(db, Prisma.sql`t.machine_id`)}
    ORDER BY t.at DESC, t.id DESC LIMIT ${pageLimit(query.limit ?? 20)}`;
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** An event as attribution takes it, with the machines that took it. */
export interface ChangeWithMachines {
  id: string;
  at: Date;
  changeKey: string;
  text: string;
  key: AttributionKey | null;
  value: string | null;
  machines: string[];
}

/** The changes whose last machine took it since a moment: at most `limit` events, those with most machines first. */
export function changesSince(
  db: Reader,
  query: { since: Date; simulated: boolean; limit?: number },
): Promise<ChangeWithMachines[]> {
  return db.prisma.$queryRaw<ChangeWithMachines[]>`
    SELECT c.id::text AS id, c.first_at AS at, c.change_key AS "changeKey", c.text, c.set_key AS key,
      c.set_value AS value,
      ARRAY(SELECT f.machine_id::text FROM fleet_change_machines f WHERE f.change_id = c.id) AS machines
    FROM fleet_changes c WHERE c.last_at >= ${query.since} AND c.simulated = ${query.simulated}
    ORDER BY c.machines DESC, c.last_at DESC LIMIT ${query.limit ?? 200}`;
}

/** A change that the admins made for all: it has no machines of its own. */
export async function noteFleetChange(
  db: Reader,
  change: {
    at: Date;
    kind: ChangeKind;
    changeKey: string;
    text: string;
    detail: string | null;
    key: AttributionKey | null;
    value: string | null;
  },
): Promise<void> {
  await db.prisma.$executeRaw`
    INSERT INTO fleet_changes (id, change_key, simulated, kind, text, detail, set_key, set_value, first_at, last_at)
    VALUES (gen_random_uuid(), ${change.changeKey}, FALSE, ${change.kind}, ${change.text}, ${change.detail}, ${change.key},
      ${change.value}, ${change.at}, ${change.at})`;
}

/** A change that many machines took, as a notice tells of it. */
export interface WideChange {
  id: string;
  kind: ChangeKind;
  text: string;
  detail: string | null;
  machines: number;
  firstAt: Date;
}

/** Changes of settings, scripts and certificates that at least so many real machines took, the last one since a moment. */
export function wideChanges(db: Reader, query: { since: Date; machines: number }): Promise<WideChange[]> {
  return db.prisma.$queryRaw<WideChange[]>`
    SELECT c.id::text AS id, c.kind, c.text, c.detail, c.machines, c.first_at AS "firstAt" FROM fleet_changes c
    WHERE c.last_at >= ${query.since} AND c.machines >= ${query.machines} AND NOT c.simulated
      AND c.kind IN ('settings', 'script', 'certificate')
    ORDER BY c.first_at, c.id LIMIT 100`;
}
