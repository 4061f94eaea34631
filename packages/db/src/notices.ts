import type { Notice, NoticeKind, Urgency } from "@lynceus/protocol/notice";
import type { NoticeRow, NoticeState } from "@lynceus/protocol/read-api-incidents";
import { writeAudit } from "./audit.ts";
import { type Database, Prisma, type Reader } from "./client.ts";
import { CursorError, decodeCursor, encodeCursor, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import type { By } from "./machines-admin.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * Notices from planned to delivered. A job is added in the transaction that plans the notice; any collector takes it up.
 * The job is only a nudge: `due_at` says by when something must have become of a notice, and what is overdue is nudged
 * again, whoever was about to send it (killed, hung, its job lost).
 */

/** A notice that is to be sent. */
export interface NewNotice {
  key: string;
  incident: number | null;
  receiver: string;
  person: string | null;
  kind: NoticeKind;
  reason: string;
  urgency: Urgency;
  thread: string;
  /** Without the acknowledge link, which is made when it is sent. */
  body: Notice;
}

/** A notice that a collector is about to send. */
export interface ClaimedNotice extends NewNotice {
  id: string;
  claim: string;
  /** Tries so far, this one included. */
  attempts: number;
  createdAt: Date;
  reportedAt: Date | null;
}

/** How long a queued notice may wait for somebody to take it up. */
const queuedMs = 10_000;
/** How long one try may take, until what became of it is written down; the sending itself is ended long before. */
export const sendingMs = 45_000;
/** Tries of one receiver that are under way at once: one that hangs does not hold up the others. */
const perReceiver = 4;

const jobs = (rows: Prisma.Sql) => Prisma.sql`
  SELECT count(graphile_worker.add_job('deliver-notice', json_build_object('id', j.id::text),
    run_at := now() + make_interval(secs => j.seconds), max_attempts := 1, job_key := 'notice-' || j.id,
    priority := CASE WHEN j.urgency = 'high' THEN 0 ELSE 10 END))::int AS jobs FROM (${rows}) j`;

/**
 * Stores notices and a job for each, in the transaction of what they tell of. A key that is there already was planned
 * before: it is left as it is, and not sent again. Returns the ids of those that are new.
 */
export async function addDeliveryJobs(
  { prisma }: Reader,
  notices: readonly NewNotice[],
  now: number,
): Promise<string[]> {
  if (notices.length === 0) return [];
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    INSERT INTO notices (key, incident, receiver, person, kind, reason, urgency, thread, body, created_at, due_at, next_at)
    SELECT key, incident, receiver, person, kind, reason, urgency, thread, body, ${new Date(now)},
      ${new Date(now + queuedMs)}, ${new Date(now)}
    FROM jsonb_to_recordset(${toSqlJson(notices)}::jsonb) AS r(key text, incident int, receiver text, person text,
      kind text, reason text, urgency text, thread text, body jsonb)
    ON CONFLICT (key) DO NOTHING RETURNING id::text AS id`;
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0)
    await prisma.$queryRaw(
      jobs(Prisma.sql`
      SELECT id, urgency, 0::float8 AS seconds FROM notices WHERE id = ANY (${ids}::bigint[])`),
    );
  return ids;
}

/** Stores a test of a receiver, and who asked for it. Returns its id; null where the same was asked for at this moment. */
export async function addTestNotice(db: Database, notice: NewNotice, by: By): Promise<string | null> {
  return db.prisma.$transaction(async (prisma) => {
    const [id] = await addDeliveryJobs({ prisma }, [notice], by.now.getTime());
    if (id === undefined) return null;
    await writeAudit({ prisma }, { actor: by.actor, action: "receiver.test", subject: notice.receiver });
    return id;
  });
}

/**
 * Takes a notice to send it. Null where it was sent, is being sent, is not due yet, or has to wait: for an earlier one
 * of its thread to the same receiver, or because that receiver has as many under way as it may. `waits` then says
 * whether to look again in a moment.
 */
export async function claimNotice(
  db: Database,
  id: string,
  by: { collectorId: string; now: number },
): Promise<{ notice: ClaimedNotice | null; waits: boolean }> {
  const now = new Date(by.now);
  return db.prisma.$transaction(async (prisma) => {
    const [found] = await prisma.$queryRaw<
      { receiver: string; state: NoticeState; due: boolean; behind: boolean; busy: boolean }[]
    >`
      SELECT n.receiver, n.state, (n.state = 'sending' AND n.due_at <= ${now})
          OR (n.state IN ('queued', 'failed') AND n.next_at <= ${now}) AS due,
        EXISTS (SELECT FROM notices e WHERE e.receiver = n.receiver AND e.thread = n.thread AND e.id < n.id
          AND e.state IN ('queued', 'sending', 'failed')) AS behind,
        (SELECT count(*) FROM notices s WHERE s.receiver = n.receiver AND s.state = 'sending' AND s.due_at > ${now})
          >= ${perReceiver} AS busy
      FROM notices n WHERE n.id = ${BigInt(id)} FOR UPDATE OF n`;
    if (!found || found.state === "sent" || found.state === "dead") return { notice: null, waits: false };
    if (!found.due || found.behind || found.busy) return { notice: null, waits: found.due && found.busy };
    const [notice] = await prisma.$queryRaw<ClaimedNotice[]>`
      UPDATE notices SET state = 'sending', attempts = attempts + 1, claim = gen_random_uuid(),
        claimed_by = ${by.collectorId}, due_at = ${new Date(by.now + sendingMs)}, next_at = NULL
      WHERE id = ${BigInt(id)}
      RETURNING id::text AS id, claim::text AS claim, key, incident, receiver, person, kind, reason, urgency, thread, body,
        attempts, created_at AS "createdAt", reported_at AS "reportedAt"`;
    return { notice: notice ?? null, waits: false };
  });
}

/** What becomes of a notice after a try. */
export type Settlement =
  | { readonly state: "sent"; readonly detail: string }
  | { readonly state: "failed"; readonly detail: string; readonly afterMs: number }
  | { readonly state: "dead"; readonly detail: string };

/**
 * Writes down what became of a try, with the job of the next one, of whoever waits behind it, and of notices that tell of
 * it. False where the claim is not ours any more: somebody took it up after we were too slow, and settles it.
 */
export async function settleNotice(
  db: Database,
  notice: Pick<ClaimedNotice, "id" | "claim" | "receiver" | "thread">,
  settlement: Settlement,
  by: { now: number; reports?: readonly NewNotice[] },
): Promise<boolean> {
  const next = settlement.state === "failed" ? by.now + settlement.afterMs : null;
  const reports = by.reports ?? [];
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE notices SET state = ${settlement.state}, detail = ${settlement.detail.slice(0, 1000)}, claim = NULL,
        sent_at = ${settlement.state === "sent" ? new Date(by.now) : null},
        next_at = ${next === null ? null : new Date(next)}, due_at = ${next === null ? null : new Date(next + queuedMs)},
        reported_at = CASE WHEN ${reports.length > 0} THEN ${new Date(by.now)}::timestamptz ELSE reported_at END
      WHERE id = ${BigInt(notice.id)} AND claim = ${notice.claim}::uuid`;
    if (count === 0) return false;
    const seconds = settlement.state === "failed" ? settlement.afterMs / 1000 : 0;
    if (settlement.state === "failed")
      await prisma.$queryRaw(
        jobs(Prisma.sql`
        SELECT id, urgency, ${seconds}::float8 AS seconds FROM notices WHERE id = ${BigInt(notice.id)}`),
      );
    // Whoever waited behind it is next; it may have looked while this one was under way.
    else
      await prisma.$queryRaw(
        jobs(Prisma.sql`
        SELECT id, urgency, 0::float8 AS seconds FROM notices WHERE receiver = ${notice.receiver}
          AND thread = ${notice.thread} AND id > ${BigInt(notice.id)} AND state IN ('queued', 'failed')
          AND next_at <= ${new Date(by.now)} ORDER BY id LIMIT 1`),
      );
    await addDeliveryJobs({ prisma }, reports, by.now);
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

/**
 * Notices of which nothing became in time get a job again, at most `limit`: their collector was killed, or their job is
 * gone. Also those that a collector of this id was sending when it ended, where `restartedAs` names it. Returns their ids.
 */
export async function nudgeOverdue(
  db: Database,
  by: { now: number; restartedAs?: string; limit?: number },
): Promise<string[]> {
  const now = new Date(by.now);
  return db.prisma.$transaction(async (prisma) => {
    if (by.restartedAs !== undefined)
      await prisma.$executeRaw`
        UPDATE notices SET due_at = ${now} WHERE state = 'sending' AND claimed_by = ${by.restartedAs}`;
    const rows = await prisma.$queryRaw<{ id: string }[]>`
      UPDATE notices SET due_at = CASE WHEN state = 'sending' THEN due_at ELSE ${new Date(by.now + queuedMs)} END,
        next_at = CASE WHEN state = 'sending' THEN NULL ELSE least(next_at, ${now}) END
      WHERE id IN (SELECT id FROM notices WHERE due_at <= ${now} ORDER BY due_at LIMIT ${by.limit ?? 200} FOR UPDATE SKIP LOCKED)
      RETURNING id::text AS id`;
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0)
      await prisma.$queryRaw(
        jobs(Prisma.sql`
        SELECT id, urgency, 0::float8 AS seconds FROM notices WHERE id = ANY (${ids}::bigint[])`),
      );
    return ids;
  });
}

/** Notices that may be sent now, the oldest first: what a test without a clock of jobs delivers. */
export async function dueNotices(db: Database, now: number): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ id: string }[]>`
    SELECT id::text AS id FROM notices WHERE (state IN ('queued', 'failed') AND next_at <= ${new Date(now)})
      OR (state = 'sending' AND due_at <= ${new Date(now)}) ORDER BY id`;
  return rows.map(({ id }) => id);
}

/** Sends a dead letter, or one that waits for its next try, again now. Audited. False where there is none such. */
export async function retryNotice(db: Database, id: string, by: By): Promise<boolean> {
  if (!/^\d{1,18}$/.test(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE notices SET state = 'queued', next_at = ${by.now}, due_at = ${new Date(by.now.getTime() + queuedMs)},
        attempts = 0, reported_at = NULL
      WHERE id = ${BigInt(id)} AND state IN ('dead', 'failed')`;
    if (count === 0) return false;
    await prisma.$queryRaw(
      jobs(Prisma.sql`
      SELECT id, urgency, 0::float8 AS seconds FROM notices WHERE id = ${BigInt(id)}`),
    );
    await writeAudit({ prisma }, { actor: by.actor, action: "notice.retry", subject: id });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return true;
  });
}

type Columns = Omit<NoticeRow, "createdAt" | "sentAt" | "nextAt"> & {
  createdAt: Date;
  sentAt: Date | null;
  nextAt: Date | null;
};
const columns = Prisma.sql`
  id::text AS id, key, incident, receiver, person, kind, reason, urgency, body->>'headline' AS headline, state, attempts,
  created_at AS "createdAt", sent_at AS "sentAt", next_at AS "nextAt", detail`;
const toRow = (row: Columns): NoticeRow => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  sentAt: row.sentAt?.toISOString() ?? null,
  nextAt: row.nextAt?.toISOString() ?? null,
});

/** One notice, or null. */
export async function getNotice(db: Reader, id: string): Promise<NoticeRow | null> {
  if (!/^\d{1,18}$/.test(id)) return null;
  const [row] = await db.prisma.$queryRaw<Columns[]>`SELECT ${columns} FROM notices WHERE id = ${BigInt(id)}`;
  return row ? toRow(row) : null;
}

/** A page of notices, the newest first. */
export async function listNotices(
  db: Reader,
  query: { state?: NoticeState; incident?: number; receiver?: string; cursor?: string | null; limit?: number } = {},
): Promise<Page<NoticeRow>> {
  const limit = pageLimit(query.limit);
  const where = [Prisma.sql`TRUE`];
  if (query.state) where.push(Prisma.sql`state = ${query.state}`);
  if (query.incident !== undefined) where.push(Prisma.sql`incident = ${query.incident}`);
  if (query.receiver !== undefined) where.push(Prisma.sql`receiver = ${query.receiver}`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [id] = decodeCursor(query.cursor, 1);
    if (typeof id !== "string" || !/^\d{1,18}$/.test(id))
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`id < ${BigInt(id)}`;
  }
  const condition = Prisma.join(where, " AND ");
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns} FROM notices WHERE ${condition} AND ${after} ORDER BY id DESC LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM (SELECT FROM notices WHERE ${condition} LIMIT 1000) few) AS total`;
  const items = rows.slice(0, limit).map(toRow);
  const last = items.at(-1);
  return {
    items,
    nextCursor: rows.length > limit && last ? encodeCursor([last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** The last notice of each receiver since an instant, by receiver. */
export async function lastNotices(db: Reader, since: Date): Promise<Map<string, NoticeRow>> {
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT DISTINCT ON (receiver) ${columns} FROM notices WHERE created_at >= ${since} ORDER BY receiver, notices.id DESC`;
  return new Map(rows.map((row) => [row.receiver, toRow(row)]));
}
