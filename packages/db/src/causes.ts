import { randomUUID } from "node:crypto";
import { isWholeFleet } from "@lynceus/protocol/access";
import type { AttributionKey, Confidence, Location } from "@lynceus/protocol/names";
import type { Attribution, Cause, CauseCandidate, CauseMember, MachineRef } from "@lynceus/protocol/read-api";
import { attributionInScope, causesInScope, explainsSeen } from "./causes-in-scope.ts";
import { type Database, Prisma } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { type FleetReader, machines, ofMachines } from "./scope.ts";
import { toSqlJson } from "./sql-text.ts";

type Counts = Omit<CauseCandidate, "key" | "value">;

/** A cause as it is stored each time that it is found again. */
export interface CauseInput {
  key: AttributionKey;
  value: string;
  text: string;
  explains: number;
  of: number;
  counts: Counts;
  confidence: Confidence;
  /** When the first of its machines began to fail, milliseconds. */
  firstSeen: number | null;
  change: {
    id: string | null;
    at: string;
    changeKey: string;
    text: string;
    by: "value" | "machines";
    seenOn: number;
  } | null;
  also: readonly { key: AttributionKey; value: string }[];
  /** All failing machines that it explains. */
  members: readonly string[];
  /** Counter-examples, the first of them. */
  failingOthers: readonly string[];
  healthyMembers: readonly string[];
}

/** What is stored of a location's attribution. */
export interface AttributionInput {
  simulated: boolean;
  location: Location;
  failing: number;
  healthy: number;
  undecided: number;
  noCause: Attribution["noCause"];
  /** Failing machines that no cause explains: how many, and ids of some. */
  unexplained: number;
  unexplainedSample: readonly string[];
  causes: readonly CauseInput[];
  candidates: readonly CauseCandidate[];
}

const lockKey = 72_707_381;

/**
 * Stores what is said of the present failing machines, in one transaction: a cause of the same key and value goes on,
 * with the members that came and went; one that is no longer found is cleared, with its members as they were. Locations
 * of this half of the fleet (simulated or real) that are not given have nothing failing. Tells listeners of `lynceus`.
 * Returns ids of the causes that are new, and of those that were cleared.
 */
export function saveAttributions(
  db: Database,
  input: { now: Date; simulated: boolean; attributions: readonly AttributionInput[] },
): Promise<{ named: string[]; cleared: string[] }> {
  const { now, simulated } = input;
  return db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const open = await prisma.$queryRaw<{ id: string; location: string; key: string; value: string }[]>`
      SELECT id::text, location, key, value FROM causes WHERE cleared_at IS NULL AND simulated = ${simulated}`;
    const named: string[] = [];
    const kept = new Set<string>();
    for (const { location, causes, ...figures } of input.attributions) {
      for (const cause of causes) {
        const known = open.find(
          (row) => row.location === location && row.key === cause.key && row.value === cause.value,
        );
        const id = known?.id ?? randomUUID();
        if (!known) named.push(id);
        kept.add(id);
        await storeCause(prisma, { ...cause, id, location, simulated, now, isNew: !known });
      }
      await prisma.$executeRaw`
        INSERT INTO attributions (simulated, location, at, body)
        VALUES (${simulated}, ${location}, ${now}, ${toSqlJson(figures)}::jsonb)
        ON CONFLICT (simulated, location) DO UPDATE SET at = excluded.at, body = excluded.body`;
    }
    const present = input.attributions.map(({ location }) => location);
    await prisma.$executeRaw`DELETE FROM attributions WHERE simulated = ${simulated} AND location <> ALL (${present}::text[])`;
    const cleared = open.map(({ id }) => id).filter((id) => !kept.has(id));
    await prisma.$executeRaw`UPDATE causes SET cleared_at = ${now} WHERE id = ANY (${cleared}::uuid[])`;
    await prisma.$executeRaw`
      UPDATE cause_members SET until = ${now} WHERE cause_id = ANY (${cleared}::uuid[]) AND until IS NULL`;
    await prisma.$executeRaw`SELECT pg_notify('lynceus', 'causes')::text`;
    return { named, cleared };
  });
}

interface StoredCause extends CauseInput {
  id: string;
  simulated: boolean;
  location: Location;
  now: Date;
  isNew: boolean;
}

async function storeCause(prisma: Prisma.TransactionClient, cause: StoredCause): Promise<void> {
  const { id, now, members } = cause;
  const firstSeen = cause.firstSeen === null ? null : new Date(cause.firstSeen);
  const [counts, change, also, examples] = [
    cause.counts,
    cause.change,
    cause.also,
    { failing: cause.failingOthers, healthy: cause.healthyMembers },
  ].map(toSqlJson);
  // What a cause was at first says more than what is left of it: the earliest failure and its change stay.
  if (cause.isNew)
    await prisma.$executeRaw`
      INSERT INTO causes (id, simulated, location, key, value, text, explains, of, counts, confidence, first_seen, since,
        updated_at, change, also, counter_examples)
      VALUES (${id}::uuid, ${cause.simulated}, ${cause.location}, ${cause.key}, ${cause.value}, ${cause.text},
        ${cause.explains}, ${cause.of}, ${counts}::jsonb, ${cause.confidence}, ${firstSeen}, ${now}, ${now},
        nullif(${change}::jsonb, 'null'), ${also}::jsonb, ${examples}::jsonb)`;
  else
    await prisma.$executeRaw`
      UPDATE causes SET text = ${cause.text}, explains = ${cause.explains}, of = ${cause.of}, counts = ${counts}::jsonb,
        confidence = ${cause.confidence}, first_seen = least(first_seen, ${firstSeen}), updated_at = ${now},
        change = coalesce(nullif(${change}::jsonb, 'null'), change), also = ${also}::jsonb,
        counter_examples = ${examples}::jsonb WHERE id = ${id}::uuid`;
  await prisma.$executeRaw`
    WITH gone AS (
      UPDATE cause_members SET until = ${now}
      WHERE cause_id = ${id}::uuid AND until IS NULL AND machine_id <> ALL (${[...members]}::uuid[]))
    INSERT INTO cause_members (cause_id, machine_id, since)
    SELECT ${id}::uuid, m.id, ${now} FROM unnest(${[...members]}::uuid[]) AS r(id) JOIN machines m ON m.id = r.id
    ON CONFLICT (cause_id, machine_id) DO UPDATE SET until = NULL, since = excluded.since
      WHERE cause_members.until IS NOT NULL`;
}

interface CauseRow extends Omit<Cause, "firstSeen" | "since" | "updatedAt" | "clearedAt" | keyof Counts> {
  firstSeen: Date | null;
  since: Date;
  updatedAt: Date;
  clearedAt: Date | null;
  counts: Counts;
}

/** Machines of these ids, in their order; those that are gone, or not seen, are left out. */
const refs = (db: FleetReader, ids: Prisma.Sql) => Prisma.sql`
  coalesce((SELECT json_agg(json_build_object('id', m.id, 'hostname', m.hostname) ORDER BY e.n)
    FROM jsonb_array_elements_text(${ids}) WITH ORDINALITY AS e(id, n) JOIN ${machines(db)} m ON m.id = e.id::uuid), '[]')`;

const causeColumns = (db: FleetReader) => Prisma.sql`
  c.id::text AS id, c.simulated, c.location, c.key, c.value, c.text, c.explains, c.of, c.counts, c.confidence,
  c.first_seen AS "firstSeen", c.since, c.updated_at AS "updatedAt", c.cleared_at AS "clearedAt", c.change, c.also,
  json_build_object('failing', ${refs(db, Prisma.sql`c.counter_examples->'failing'`)},
    'healthy', ${refs(db, Prisma.sql`c.counter_examples->'healthy'`)}) AS "counterExamples"`;

const toCause = ({ counts, ...row }: CauseRow): Cause => ({
  ...row,
  ...counts,
  firstSeen: row.firstSeen?.toISOString() ?? null,
  since: row.since.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  clearedAt: row.clearedAt?.toISOString() ?? null,
});

export interface CauseQuery {
  /** True: still holds; false: cleared; absent: both. */
  open?: boolean;
  /** Causes that held at or after this moment. */
  since?: Date;
  /** Causes that were named at or before this moment. */
  until?: Date;
  /** Absent: both. */
  simulated?: boolean;
  cursor?: string | null;
  limit?: number;
}

/** A page of causes, the one that was named last first. `total` counts up to 1,000. */
export async function listCauses(db: FleetReader, query: CauseQuery = {}): Promise<Page<Cause>> {
  const limit = pageLimit(query.limit);
  const where = [explainsSeen(db)];
  if (query.open !== undefined)
    where.push(query.open ? Prisma.sql`c.cleared_at IS NULL` : Prisma.sql`c.cleared_at IS NOT NULL`);
  if (query.since) where.push(Prisma.sql`(c.cleared_at IS NULL OR c.cleared_at >= ${query.since})`);
  if (query.until) where.push(Prisma.sql`c.since <= ${query.until}`);
  if (query.simulated !== undefined) where.push(Prisma.sql`c.simulated = ${query.simulated}`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [since, id] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(c.since, c.id) < (${cursorTime(since)}::timestamptz, ${cursorId(id)}::uuid)`;
  }
  const condition = Prisma.join(where, " AND ");
  const rows = await db.prisma.$queryRaw<CauseRow[]>`
    SELECT ${causeColumns(db)} FROM causes c WHERE ${condition} AND ${after}
    ORDER BY c.since DESC, c.id DESC LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM (SELECT FROM causes c WHERE ${condition} LIMIT 1000) few) AS total`;
  const items = await causesInScope(db, rows.slice(0, limit).map(toCause));
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.since, last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** One cause, or null. */
export async function getCause(db: FleetReader, id: string): Promise<Cause | null> {
  if (!isUuid(id)) return null;
  const rows = await db.prisma.$queryRaw<CauseRow[]>`
    SELECT ${causeColumns(db)} FROM causes c WHERE c.id = ${id}::uuid AND ${explainsSeen(db)}`;
  return (await causesInScope(db, rows.map(toCause)))[0] ?? null;
}

/** The open causes that explain a machine, the one that explains most first. */
export async function causesOfMachine(db: FleetReader, machineId: string): Promise<Cause[]> {
  if (!isUuid(machineId)) return [];
  const rows = await db.prisma.$queryRaw<CauseRow[]>`
    SELECT ${causeColumns(db)} FROM ${machines(db)} m JOIN cause_members b ON b.machine_id = m.id
      JOIN causes c ON c.id = b.cause_id
    WHERE m.id = ${machineId}::uuid AND b.until IS NULL AND c.cleared_at IS NULL
    ORDER BY c.explains DESC, c.since LIMIT 20`;
  return causesInScope(db, rows.map(toCause));
}

/** A page of the machines that a cause explains, or explained (`present` false: both), in order of id. */
export async function listCauseMembers(
  db: FleetReader,
  causeId: string,
  query: { present?: boolean; cursor?: string | null; limit?: number } = {},
): Promise<Page<CauseMember>> {
  const limit = pageLimit(query.limit);
  const id = isUuid(causeId) ? causeId : null;
  const present = query.present === false ? Prisma.sql`TRUE` : Prisma.sql`(b.until IS NULL OR b.until >= c.cleared_at)`;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [machine] = decodeCursor(query.cursor, 1);
    after = Prisma.sql`b.machine_id > ${cursorId(machine)}::uuid`;
  }
  type Row = Omit<CauseMember, "since" | "until"> & { since: Date; until: Date | null };
  const rows = await db.prisma.$queryRaw<Row[]>`
    SELECT b.machine_id::text AS id, m.hostname, m.site, m.status, b.since, b.until
    FROM causes c JOIN cause_members b ON b.cause_id = c.id JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE c.id = ${id}::uuid AND ${present} AND ${after} ORDER BY b.machine_id LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM causes c JOIN cause_members b ON b.cause_id = c.id
      WHERE c.id = ${id}::uuid AND ${present} AND ${ofMachines(db, Prisma.sql`b.machine_id`)}) AS total`;
  const items = rows
    .slice(0, limit)
    .map((row) => ({ ...row, since: row.since.toISOString(), until: row.until?.toISOString() ?? null }));
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** What is said at present of the failing machines of each location, the location with most of them first. */
export async function readAttributions(db: FleetReader, query: { simulated?: boolean } = {}): Promise<Attribution[]> {
  const simulated = query.simulated === undefined ? Prisma.sql`TRUE` : Prisma.sql`simulated = ${query.simulated}`;
  type Body = Omit<AttributionInput, "causes" | "location" | "unexplainedSample">;
  const rows = await db.prisma.$queryRaw<
    { simulated: boolean; location: Location; at: Date; body: Body; unexplainedSample: MachineRef[] }[]
  >`
    SELECT simulated, location, at, body, ${refs(db, Prisma.sql`body->'unexplainedSample'`)} AS "unexplainedSample"
    FROM attributions WHERE ${simulated}`;
  const causes = await db.prisma.$queryRaw<CauseRow[]>`
    SELECT ${causeColumns(db)} FROM causes c WHERE c.cleared_at IS NULL AND ${simulated} AND ${explainsSeen(db)} ORDER BY c.explains DESC, c.since`;
  const open = await causesInScope(db, causes.map(toCause));
  const attributions: Attribution[] = [];
  for (const { body, unexplainedSample, at, ...where } of rows) {
    const all: Attribution = {
      ...where,
      at: at.toISOString(),
      failing: body.failing,
      healthy: body.healthy,
      undecided: body.undecided,
      noCause: body.noCause,
      unexplained: body.unexplained,
      unexplainedSample,
      causes: open.filter((cause) => cause.simulated === where.simulated && cause.location === where.location),
      candidates: [...body.candidates],
    };
    const seen = isWholeFleet(db.scope) ? all : await attributionInScope(db, all);
    if (seen) attributions.push(seen);
  }
  return attributions.sort((a, b) => b.failing - a.failing);
}
