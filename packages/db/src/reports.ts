import { randomUUID } from "node:crypto";
import type { PatternId } from "@lynceus/protocol/names";
import { patternIds } from "@lynceus/protocol/names";
import type { Accuracy, MachineReport, NewReport } from "@lynceus/protocol/read-api-tools";
import { proportion } from "@lynceus/protocol/wilson";
import { writeAudit } from "./audit.ts";
import { Prisma, type Reader } from "./client.ts";
import { cursorId, cursorTime, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import type { Page } from "./machines.ts";
import { type Fleet, type FleetReader, machines, ofMachines } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/**
 * How far a finding may lie from a report and still be about it, in minutes: people say roughly when, and a finding is
 * raised by the second cycle at which it holds.
 */
const nearMinutes = 30;

/** Reports are of the last weeks; one of the future, beyond what clocks differ by, or of last year, is a mistake. */
const oldestMs = 90 * 86_400_000;
const futureMs = 10 * 60_000;

/** Why a report was refused; may be shown. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

/** A finding that makes prompts expected, raised on a report's machine around its moment. */
const raisedAt = Prisma.sql`
  f.machine_id = r.machine_id AND NOT f.withdrawn AND f.severity IN ('prompting', 'will-prompt')
  AND f.since <= r.at + make_interval(mins => ${nearMinutes})
  AND (f.cleared_at IS NULL OR f.cleared_at >= r.at - make_interval(mins => ${nearMinutes}))`;

const reportColumns = Prisma.sql`
  r.id, r.machine_id AS "machineId", m.hostname, r."user", r.at, r.prompted, r.pattern, r.note,
  r.created_at AS "createdAt", r.created_by AS "createdBy",
  (SELECT coalesce(json_agg(p.pattern), '[]') FROM (
    SELECT f.pattern FROM findings f WHERE ${raisedAt} GROUP BY f.pattern
    ORDER BY bool_or(f."primary") DESC, min(f.since)) p) AS raised`;

const tidy = (row: MachineReport): MachineReport => ({
  ...row,
  at: new Date(row.at).toISOString(),
  createdAt: new Date(row.createdAt).toISOString(),
});

/**
 * Stores what a person saw on a machine, and tells listeners of `lynceus_report` (payload: the machine's id), so that
 * it is judged with it. The user is stored as given; the audit names the machine alone. Null when there is no such
 * machine. @throws ReportError when its moment is none.
 */
export async function createReport(
  db: Fleet,
  machineId: string,
  report: NewReport,
  by: { actor: string; now: Date },
): Promise<MachineReport | null> {
  if (!isUuid(machineId)) return null;
  const at = report.at === undefined ? by.now : new Date(report.at);
  if (at.getTime() > by.now.getTime() + futureMs || at.getTime() < by.now.getTime() - oldestMs)
    throw new ReportError(
      `at "${report.at}" is not in the last 90 days; use a time with its zone, such as ${by.now.toISOString()}`,
    );
  const id = randomUUID();
  const made = await db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      INSERT INTO machine_reports (id, machine_id, "user", at, prompted, pattern, note, created_at, created_by)
      SELECT ${id}::uuid, m.id, ${toSqlText(report.user)}, ${at}, ${report.prompted}, ${report.pattern},
        ${toSqlText(report.note)}, ${by.now}, ${by.actor}
      FROM ${machines(db)} m WHERE m.id = ${machineId}::uuid AND m.revoked_at IS NULL`;
    if (count === 0) return false;
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "report.create",
        subject: machineId,
        after: { id, prompted: report.prompted, pattern: report.pattern },
      },
    );
    await prisma.$executeRaw`
      SELECT pg_notify('lynceus_report', ${machineId})::text, pg_notify('lynceus', '')::text`;
    return true;
  });
  return made ? getReport(db, id) : null;
}

/** One report, or null. */
export async function getReport(db: FleetReader, id: string): Promise<MachineReport | null> {
  if (!isUuid(id)) return null;
  const [row] = await db.prisma.$queryRaw<{ item: MachineReport }[]>`
    SELECT to_json(one) AS item FROM (
      SELECT ${reportColumns} FROM machine_reports r JOIN ${machines(db)} m ON m.id = r.machine_id
      WHERE r.id = ${id}::uuid) one`;
  return row ? tidy(row.item) : null;
}

/** Removes a report that was a mistake, or whose user asked for it. False when there is none. */
export async function deleteReport(db: Fleet, id: string, by: { actor: string }): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const [gone] = await prisma.$queryRaw<{ machineId: string }[]>`
      DELETE FROM machine_reports r WHERE r.id = ${id}::uuid AND ${ofMachines(db, Prisma.sql`r.machine_id`)}
      RETURNING r.machine_id::text AS "machineId"`;
    if (!gone) return false;
    await writeAudit({ prisma }, { actor: by.actor, action: "report.delete", subject: gone.machineId, before: { id } });
    await prisma.$executeRaw`
      SELECT pg_notify('lynceus_report', ${gone.machineId})::text, pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** A page of reports, newest first; of one machine, or of all. */
export async function listReports(
  db: FleetReader,
  query: { machineId?: string; cursor?: string | null; limit?: number } = {},
): Promise<Page<MachineReport>> {
  const limit = pageLimit(query.limit);
  const of =
    query.machineId === undefined
      ? Prisma.sql`TRUE`
      : Prisma.sql`r.machine_id = ${isUuid(query.machineId) ? query.machineId : null}::uuid`;
  const seen = Prisma.sql`machine_reports r JOIN ${machines(db)} m ON m.id = r.machine_id`;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, id] = decodeCursor(query.cursor, 2);
    after = Prisma.sql`(r.at, r.id) < (${cursorTime(at)}::timestamptz, ${cursorId(id)}::uuid)`;
  }
  const [answer] = await db.prisma.$queryRaw<{ asOf: Date; total: number; items: MachineReport[] }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM machine_reports r WHERE ${of} AND ${ofMachines(db, Prisma.sql`r.machine_id`)}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT ${reportColumns} FROM ${seen}
        WHERE ${of} AND ${after} ORDER BY r.at DESC, r.id DESC LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const items = answer.items.slice(0, limit).map(tidy);
  const last = items.at(-1);
  return {
    items,
    nextCursor: answer.items.length > limit && last ? encodeCursor([last.at, last.id]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}

/** What a machine's diagnosis may know of a report: when somebody was prompted. Never who. */
export interface Prompt {
  machineId: string;
  at: Date;
}

/**
 * Prompts that were reported since a moment, oldest first, at most the sixteen newest of a machine; of one machine when
 * asked so. What was reported before somebody looked and saw no prompt is over.
 */
export function recentPrompts(db: Reader, since: Date, machineId?: string): Promise<Prompt[]> {
  const of = machineId === undefined ? Prisma.empty : Prisma.sql`AND r.machine_id = ${machineId}::uuid`;
  return db.prisma.$queryRaw<Prompt[]>`
    SELECT machine_id::text AS "machineId", at FROM (
      SELECT r.machine_id, r.at, row_number() OVER (PARTITION BY r.machine_id ORDER BY r.at DESC) AS newest
      FROM machine_reports r
      WHERE r.prompted AND r.at >= ${since} ${of} AND NOT EXISTS (
        SELECT FROM machine_reports n WHERE n.machine_id = r.machine_id AND NOT n.prompted AND n.at >= r.at)) p
    WHERE newest <= 16 ORDER BY machine_id, at`;
}

interface Tally {
  pattern: PatternId;
  raised: number;
  right: number;
  /** Prompts that are this pattern's: established as its own, or with nothing established and it was the primary one. */
  own: number;
  ownRaised: number;
}

/**
 * How right each pattern was by the labels of the helpdesk (schema `patternAccuracySchema` says what is counted).
 * Reports of machines that did not report facts then are left out: nothing was claimed about them.
 */
export async function patternAccuracy(db: FleetReader, since: Date): Promise<Accuracy> {
  const seen = ofMachines(db, Prisma.sql`r.machine_id`);
  const [totals] = await db.prisma.$queryRaw<
    { asOf: Date; reports: number; prompts: number; explained: number; unexplained: number }[]
  >`
    WITH r AS (
      SELECT r.*, EXISTS (SELECT FROM findings f WHERE ${raisedAt}) AS explained
      FROM machine_reports r WHERE r.at >= ${since} AND ${seen})
    SELECT now() AS "asOf", count(*)::int AS reports, count(*) FILTER (WHERE prompted)::int AS prompts,
      count(*) FILTER (WHERE prompted AND explained)::int AS explained,
      count(*) FILTER (WHERE prompted AND NOT explained AND pattern IS NULL)::int AS unexplained
    FROM r`;
  const tallies = await db.prisma.$queryRaw<Tally[]>`
    WITH seen AS (
      SELECT r.id, r.prompted, r.pattern AS established, p.pattern, p.is_primary, TRUE AS raised
      FROM machine_reports r CROSS JOIN LATERAL (
        SELECT f.pattern, bool_or(f."primary") AS is_primary FROM findings f WHERE ${raisedAt} GROUP BY f.pattern) p
      WHERE r.at >= ${since} AND ${seen}
      UNION ALL
      SELECT r.id, r.prompted, r.pattern, r.pattern, FALSE, FALSE FROM machine_reports r
      WHERE r.at >= ${since} AND ${seen} AND r.prompted AND r.pattern IS NOT NULL
        AND NOT EXISTS (SELECT FROM findings f WHERE f.pattern = r.pattern AND ${raisedAt}))
    SELECT pattern, count(*) FILTER (WHERE raised)::int AS raised,
      count(*) FILTER (WHERE raised AND prompted AND coalesce(established, pattern) = pattern)::int AS "right",
      count(*) FILTER (WHERE prompted AND coalesce(established = pattern, is_primary))::int AS own,
      count(*) FILTER (WHERE raised AND prompted AND coalesce(established = pattern, is_primary))::int AS "ownRaised"
    FROM seen GROUP BY pattern`;
  if (!totals) throw new Error("the database gave no answer to a query that always has one row");
  const byPattern = new Map(tallies.map((tally) => [tally.pattern, tally]));
  return {
    since: since.toISOString(),
    asOf: totals.asOf.toISOString(),
    reports: totals.reports,
    prompts: totals.prompts,
    noPrompts: totals.reports - totals.prompts,
    explained: proportion(totals.explained, totals.prompts),
    // A pattern that was never raised beside a report and never established has nothing to show.
    patterns: patternIds.flatMap((pattern) => {
      const tally = byPattern.get(pattern);
      if (!tally) return [];
      return {
        pattern,
        precision: proportion(tally.right, tally.raised),
        recall: proportion(tally.ownRaised, tally.own + totals.unexplained),
      };
    }),
  };
}
