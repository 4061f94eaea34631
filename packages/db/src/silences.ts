import { randomUUID } from "node:crypto";
import { parseFilter } from "@lynceus/protocol/filter";
import type { NewSilence, SilencePreview, SilenceRow } from "@lynceus/protocol/read-api-incidents";
import { writeAudit } from "./audit.ts";
import { Prisma } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { machineWhere, type Page } from "./machines.ts";
import type { By } from "./machines-admin.ts";
import {
  type Fleet,
  type FleetReader,
  fromScopeColumns,
  machines,
  madeWithin,
  type ScopeColumns,
  toScopeColumns,
} from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/*
 * Silences: nobody is told of the machines that they match. A silence covers what its author saw and nothing else, so
 * that who has a part of the fleet cannot keep others from hearing of theirs.
 */

/** A silence that cannot be made as it was asked for; its message says why. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

const longest = 90 * 24 * 3_600_000;

type Columns = Omit<SilenceRow, "createdAt" | "startsAt" | "endsAt" | "state" | "scope"> &
  ScopeColumns & { createdAt: Date; startsAt: Date; endsAt: Date; now: Date };
const columns = (now: Date) => Prisma.sql`
  s.id::text AS id, s.match, s.author, s.comment, s.created_at AS "createdAt", s.starts_at AS "startsAt",
  s.ends_at AS "endsAt", s.ended_by AS "endedBy", s.scoped, s.scope_sites AS "scopeSites", s.scope_tags AS "scopeTags",
  ${now}::timestamptz AS now`;

function toRow({ now, scoped, scopeSites, scopeTags, ...row }: Columns): SilenceRow {
  const { sites, tags } = fromScopeColumns({ scoped, scopeSites, scopeTags });
  return {
    ...row,
    createdAt: row.createdAt.toISOString(),
    startsAt: row.startsAt.toISOString(),
    endsAt: row.endsAt.toISOString(),
    state: row.endsAt <= now ? "over" : row.startsAt > now ? "pending" : "active",
    scope: { sites: sites && [...sites], tags: tags && [...tags] },
  };
}

/**
 * Makes a silence. Audited. Throws a SilenceError for times that cannot be; its filter must have been checked
 * (protocol `alertFilterProblem`).
 */
export async function createSilence(db: Fleet, input: NewSilence, by: By): Promise<SilenceRow> {
  const startsAt = input.startsAt === undefined ? by.now : new Date(input.startsAt);
  const endsAt = new Date(input.endsAt);
  if (endsAt <= startsAt || endsAt <= by.now)
    throw new SilenceError(
      `endsAt "${input.endsAt}" is not after its beginning and now; use e.g. ${new Date(by.now.getTime() + 3_600_000).toISOString()}`,
    );
  if (endsAt.getTime() - startsAt.getTime() > longest)
    throw new SilenceError(`a silence lasts at most 90 days; "${input.endsAt}" is later: a maintenance window recurs`);
  const id = randomUUID();
  const scope = toScopeColumns(db.scope);
  await db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`
      INSERT INTO silences (id, match, author, comment, created_at, starts_at, ends_at, scoped, scope_sites, scope_tags)
      VALUES (${id}::uuid, ${toSqlText(input.match)}, ${toSqlText(by.actor)}, ${toSqlText(input.comment)}, ${by.now},
        ${startsAt}, ${endsAt}, ${scope.scoped}, ${scope.scopeSites}::text[], ${scope.scopeTags}::text[])`;
    await writeAudit({ prisma }, { actor: by.actor, action: "silence.create", subject: id, after: { ...input } });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  });
  const made = await getSilence(db, id, by.now);
  if (!made) throw new Error(`silence ${id} is gone right after it was made`);
  return made;
}

/** Ends a silence before its time. False where there is none in force or to come that was made within what is seen. */
export async function endSilence(db: Fleet, id: string, by: By): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE silences s SET ends_at = greatest(s.starts_at, ${by.now}::timestamptz), ended_by = ${toSqlText(by.actor)}
      WHERE s.id = ${id}::uuid AND s.ends_at > ${by.now} AND s.ended_by IS NULL AND ${madeWithin(db, Prisma.sql`s`)}`;
    if (count === 0) return false;
    await writeAudit({ prisma }, { actor: by.actor, action: "silence.end", subject: id });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** One silence that was made within what is seen, or null. */
export async function getSilence(db: FleetReader, id: string, now: Date): Promise<SilenceRow | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns(now)} FROM silences s WHERE s.id = ${id}::uuid AND ${madeWithin(db, Prisma.sql`s`)}`;
  return row ? toRow(row) : null;
}

/** Silences that were made within what is seen, the one that ends last first; `over`: those that ended as well. */
export async function listSilences(
  db: FleetReader,
  query: { now: Date; over?: boolean; cursor?: string | null; limit?: number },
): Promise<Page<SilenceRow>> {
  const limit = pageLimit(query.limit);
  const where = [madeWithin(db, Prisma.sql`s`)];
  if (!query.over) where.push(Prisma.sql`s.ends_at > ${query.now}`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, id] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(s.ends_at, s.id) < (${cursorTime(at)}::timestamptz, ${cursorId(id)}::uuid)`;
  }
  const condition = Prisma.join(where, " AND ");
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns(query.now)} FROM silences s WHERE ${condition} AND ${after}
    ORDER BY s.ends_at DESC, s.id DESC LIMIT ${limit + 1}`;
  const [count] = await db.prisma.$queryRaw<{ total: number }[]>`
    SELECT count(*)::int AS total FROM silences s WHERE ${condition}`;
  const items = rows.slice(0, limit).map(toRow);
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.endsAt, last.id]) : null,
    total: count?.total ?? 0,
    asOf: query.now.toISOString(),
  };
}

/** How many silences of what is seen are in force. */
export async function countSilences(db: FleetReader, now: Date): Promise<number> {
  const [row] = await db.prisma.$queryRaw<{ total: number }[]>`
    SELECT count(*)::int AS total FROM silences s
    WHERE s.starts_at <= ${now} AND s.ends_at > ${now} AND ${madeWithin(db, Prisma.sql`s`)}`;
  return row?.total ?? 0;
}

/**
 * What a filter matches at this moment, of what is seen: machines, the failing ones of them, some of their names, and how
 * much of each open incident would be silent. Throws a FilterFieldError for what the table cannot answer.
 */
export async function previewSilence(db: FleetReader, match: string): Promise<SilencePreview> {
  const { terms } = parseFilter(match, { now: 0 });
  const where = machineWhere({ terms });
  const [counted] = await db.prisma.$queryRaw<{ machines: number; failing: number }[]>`
    SELECT count(*)::int AS machines, count(*) FILTER (WHERE m.status = 'failing')::int AS failing
    FROM ${machines(db)} m WHERE ${where}`;
  const sample = await db.prisma.$queryRaw<SilencePreview["sample"]>`
    SELECT m.id::text AS id, m.hostname, m.site FROM ${machines(db)} m WHERE ${where}
    ORDER BY m.status <> 'failing', m.sort_name, m.id LIMIT 10`;
  const incidents = await db.prisma.$queryRaw<SilencePreview["incidents"]>`
    SELECT i.number, i.title, count(*) FILTER (WHERE ${where})::int AS machines, count(*)::int AS of
    FROM incidents i JOIN incident_members b ON b.incident = i.number AND b.left_at IS NULL
      JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE i.ended_at IS NULL GROUP BY i.number, i.title HAVING count(*) FILTER (WHERE ${where}) > 0
    ORDER BY machines DESC, i.number LIMIT 20`;
  return { machines: counted?.machines ?? 0, failing: counted?.failing ?? 0, sample, incidents };
}
