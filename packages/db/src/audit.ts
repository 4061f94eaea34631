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

/** A page of the audit, newest first. */
export function listAudit(
  db: Database,
  query: { cursor?: string | null; limit?: number; subject?: string } = {},
): Promise<Page<AuditRow>> {
  const limit = pageLimit(query.limit);
  const subject = query.subject ? { subject: query.subject } : {};
  let after: Prisma.AuditEntryWhereInput = {};
  if (query.cursor) {
    const [time, id] = decodeCursor(query.cursor, 2);
    const at = cursorTime(time);
    after = { OR: [{ at: { lt: at } }, { at, id: { lt: cursorId(id) } }] };
  }
  return inSnapshot(db, async ({ prisma }) => {
    const rows = await prisma.auditEntry.findMany({
      where: { ...subject, ...after },
      orderBy: [{ at: "desc" }, { id: "desc" }],
      take: limit + 1,
    });
    const total = await prisma.auditEntry.count({ where: subject });
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
