import { randomUUID } from "node:crypto";
import { type Database, inSnapshot, Prisma, type Reader } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { toSqlJson } from "./sql-text.ts";

export interface AuditInput {
  /** Who: a user's email, `token:<label>`, `collector`. */
  actor: string;
  /** What, as `subject.verb`: `machine.revoke`. */
  action: string;
  /** Id of what it was done to. */
  subject: string;
  before?: unknown;
  after?: unknown;
}

export interface AuditRow {
  id: string;
  at: string;
  actor: string;
  action: string;
  subject: string;
  before: unknown;
  after: unknown;
}

const jsonOrNull = (value: unknown) =>
  value === undefined || value === null ? Prisma.DbNull : (JSON.parse(toSqlJson(value)) as Prisma.InputJsonValue);

/** Appends an entry, in the transaction of what it tells of. Entries are never changed: the table refuses it. */
export async function writeAudit(db: Reader, entry: AuditInput): Promise<void> {
  await db.prisma.auditEntry.create({
    data: {
      id: randomUUID(),
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      before: jsonOrNull(entry.before),
      after: jsonOrNull(entry.after),
    },
  });
}

export interface AuditQuery {
  /** Part of who did it. */
  actor?: string | undefined;
  /** An action, or how it begins: `user.` */
  action?: string | undefined;
  /** Exactly what it was done to. */
  subject?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  cursor?: string | null | undefined;
  limit?: number | undefined;
}

/** More entries than this are not counted. */
const mostCounted = 1_000;

/** A page of the audit, newest first. `total` counts up to 1,000. Only who may configure the installation reads it. */
export function listAudit(db: Database, query: AuditQuery = {}): Promise<Page<AuditRow>> {
  const limit = pageLimit(query.limit);
  const where: Prisma.AuditEntryWhereInput = {
    ...(query.actor ? { actor: { contains: query.actor, mode: "insensitive" } } : {}),
    ...(query.action ? { action: { startsWith: query.action } } : {}),
    ...(query.subject ? { subject: query.subject } : {}),
    ...(query.since || query.until
      ? { at: { ...(query.since ? { gte: query.since } : {}), ...(query.until ? { lt: query.until } : {}) } }
      : {}),
  };
  let after: Prisma.AuditEntryWhereInput = {};
  if (query.cursor) {
    const [time, id] = decodeCursor(query.cursor, 2);
    const at = cursorTime(time);
    after = { OR: [{ at: { lt: at } }, { at, id: { lt: cursorId(id) } }] };
  }
  return inSnapshot(db, async ({ prisma }) => {
    const rows = await prisma.auditEntry.findMany({
      where: { AND: [where, after] },
      orderBy: [{ at: "desc" }, { id: "desc" }],
      take: limit + 1,
    });
    const total = await prisma.auditEntry.count({ where, take: mostCounted });
    const [moment] = await prisma.$queryRaw<{ at: Date }[]>`SELECT now() AS at`;
    const items = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
    const last = items.at(-1);
    return {
      items,
      nextCursor: rows.length > limit && last ? encodeCursor([last.at, last.id]) : null,
      total,
      asOf: (moment?.at ?? new Date(0)).toISOString(),
    };
  });
}
