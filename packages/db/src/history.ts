import { randomUUID } from "node:crypto";
import type { Confidence, Location, PatternId, Severity } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { Evidence, MachineFacts } from "@lynceus/protocol/state";
import { type Database, Prisma, type Reader } from "./client.ts";
import { listPartitions } from "./partitions.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * What is stored of the past, machine by machine and a page at a time, for judging it again.
 */

/** The first day of which observations are stored; null where there are none. */
export async function oldestObservations(db: Database): Promise<Date | null> {
  const [name] = await listPartitions(db);
  const day = name ? /(\d{4})(\d{2})(\d{2})$/.exec(name) : null;
  return day ? new Date(`${day[1]}-${day[2]}-${day[3]}T00:00:00Z`) : null;
}

export interface HistoryMachine {
  id: string;
  hostname: string;
  approved: boolean;
  simulated: boolean;
}

/** Machines in order of id, after one of them. */
export function historyMachines(db: Reader, after: string | null, limit = 500): Promise<HistoryMachine[]> {
  return db.prisma.$queryRaw<HistoryMachine[]>`
    SELECT id::text AS id, hostname, approved AND cloned_at IS NULL AS approved, simulated FROM machines
    WHERE id > ${after ?? "00000000-0000-0000-0000-000000000000"}::uuid ORDER BY id LIMIT ${limit}`;
}

/** An observation as it was understood when it came. */
export interface HistoricObservation {
  epoch: string;
  seq: number;
  kind: string;
  key: string;
  observedAt: Date;
  location: Location;
  digest: string;
  replayed: boolean;
  facts: unknown;
}

/** How much later than it was observed an observation of a span may have come: outboxes hold a day. */
const lateMs = 2 * 86_400_000;

/**
 * The observations that a machine made in a span, in the order in which it made them, also those that came late;
 * `size` of them are in memory at a time.
 */
export async function* observationsOf(
  db: Reader,
  machineId: string,
  span: { from: Date; to: Date },
  size = 500,
): AsyncGenerator<HistoricObservation> {
  let after: { at: Date; epoch: string; seq: number } | null = null;
  for (;;) {
    const next: Prisma.Sql = after
      ? Prisma.sql`AND (observed_at, epoch, seq) > (${after.at}::timestamptz, ${after.epoch}::uuid, ${after.seq}::bigint)`
      : Prisma.empty;
    const rows: (Omit<HistoricObservation, "seq"> & { seq: bigint })[] = await db.prisma.$queryRaw`
      SELECT epoch::text AS epoch, seq, kind, key, observed_at AS "observedAt", location, digest, replayed, facts
      FROM observations
      WHERE machine_id = ${machineId}::uuid AND received_at >= ${span.from}
        AND received_at < ${new Date(span.to.getTime() + lateMs)} AND observed_at >= ${span.from}
        AND observed_at < ${span.to} AND NOT raw AND kind NOT IN ('checkpoint', 'timings') ${next}
      ORDER BY observed_at, epoch, seq LIMIT ${size}`;
    for (const row of rows) yield { ...row, seq: Number(row.seq) };
    const last = rows.at(-1);
    if (!last || rows.length < size) return;
    after = { at: last.observedAt, epoch: last.epoch, seq: Number(last.seq) };
  }
}

/** The newest checkpoint of a machine's facts (rule 13) in a span; null where there is none. */
export async function checkpointOf(
  db: Reader,
  machineId: string,
  span: { from: Date; to: Date },
): Promise<{ at: Date; facts: MachineFacts } | null> {
  const [row] = await db.prisma.$queryRaw<{ at: Date; facts: MachineFacts }[]>`
    SELECT observed_at AS at, facts FROM observations
    WHERE machine_id = ${machineId}::uuid AND key = 'checkpoint' AND kind = 'checkpoint' AND NOT raw AND received_at >= ${span.from}
      AND received_at <= ${span.to}
    ORDER BY observed_at DESC LIMIT 1`;
  return row ?? null;
}

/** What the timeline tells of a machine's silence and return in a span, oldest first. */
export function presenceOf(
  db: Reader,
  machineId: string,
  span: { from: Date; to: Date },
): Promise<{ at: Date; kind: "stale" | "goodbye" | "returned" }[]> {
  return db.prisma.$queryRaw`
    SELECT at, kind FROM transitions
    WHERE machine_id = ${machineId}::uuid AND at >= ${span.from} AND at < ${span.to}
      AND kind IN ('stale', 'goodbye', 'returned') ORDER BY at`;
}

/** The first observation of a span that the machine made while nobody heard it; null where there is none. */
export async function firstReplayed(
  db: Reader,
  machineId: string,
  span: { from: Date; to: Date },
): Promise<Date | null> {
  const [row] = await db.prisma.$queryRaw<{ at: Date | null }[]>`
    SELECT min(observed_at) AS at FROM observations
    WHERE machine_id = ${machineId}::uuid AND received_at >= ${span.from}
      AND received_at < ${new Date(span.to.getTime() + lateMs)} AND replayed AND observed_at >= ${span.from}
      AND observed_at < ${span.to}`;
  return row?.at ?? null;
}

/** A finding as it is stored, times in milliseconds. */
export interface HistoricFinding {
  id: string;
  pattern: PatternId;
  severity: Severity;
  confidence: Confidence;
  cause: string;
  since: number;
  clearedAt: number | null;
  /** Judged again before, and found not to hold. */
  withdrawn: boolean;
}

/** A machine's findings that were raised at some time of a span. */
export async function findingsOf(
  db: Reader,
  machineId: string,
  span: { from: Date; to: Date },
): Promise<HistoricFinding[]> {
  const rows = await db.prisma.$queryRaw<
    (Omit<HistoricFinding, "since" | "clearedAt"> & { since: Date; clearedAt: Date | null })[]
  >`
    SELECT id::text AS id, pattern, severity, confidence, cause, since, cleared_at AS "clearedAt", withdrawn
    FROM findings WHERE machine_id = ${machineId}::uuid AND since < ${span.to}
      AND (cleared_at IS NULL OR cleared_at >= ${span.from}) ORDER BY since, id`;
  return rows.map((row) => ({ ...row, since: row.since.getTime(), clearedAt: row.clearedAt?.getTime() ?? null }));
}

/** Policies with the moment from which the whole fleet had each, oldest first; what was rolled out in part alone is not among them. */
export async function policyHistory(db: Reader): Promise<{ from: number; policy: Policy }[]> {
  const rows = await db.prisma.policy.findMany({
    where: { inForceAt: { not: null } },
    orderBy: [{ inForceAt: "asc" }, { version: "asc" }],
  });
  // Written by savePolicy alone, which takes a Policy.
  return rows.map((row) => ({ from: row.inForceAt?.getTime() ?? 0, policy: row.body as unknown as Policy }));
}

/** What a finding says when it is judged again. */
export interface RejudgedFinding {
  pattern: PatternId;
  severity: Severity;
  confidence: Confidence;
  primary: boolean;
  cause: string;
  sentence: string;
  evidence: readonly Evidence[];
  configurations: readonly string[];
  users: number;
  since: number;
  clearedAt: number;
}

export type HistoryCorrection =
  /** It held, and nobody said so. */
  | { kind: "raise"; finding: RejudgedFinding }
  /** It held, and what is stored of it says something else, or that it did not. */
  | { kind: "change"; id: string; finding: RejudgedFinding }
  /** It did not hold. The row stays, marked. */
  | { kind: "withdraw"; id: string };

/** Corrects the findings of a machine's past in one transaction, each marked as judged again. Open findings stay. */
export async function correctHistory(
  db: Database,
  machineId: string,
  corrections: readonly HistoryCorrection[],
  now: Date,
): Promise<void> {
  if (corrections.length === 0) return;
  await db.prisma.$transaction(async (prisma) => {
    for (const correction of corrections) {
      if (correction.kind === "withdraw") {
        await prisma.$executeRaw`
          UPDATE findings SET withdrawn = TRUE, rejudged_at = ${now}
          WHERE id = ${correction.id}::uuid AND machine_id = ${machineId}::uuid AND cleared_at IS NOT NULL`;
        continue;
      }
      const { finding } = correction;
      const evidence = toSqlJson(finding.evidence);
      if (correction.kind === "change")
        await prisma.$executeRaw`
          UPDATE findings SET severity = ${finding.severity}, confidence = ${finding.confidence},
            cause = ${finding.cause}, sentence = ${finding.sentence}, evidence = ${evidence}::jsonb,
            withdrawn = FALSE, rejudged_at = ${now}
          WHERE id = ${correction.id}::uuid AND machine_id = ${machineId}::uuid AND cleared_at IS NOT NULL`;
      else
        await prisma.$executeRaw`
          INSERT INTO findings (id, machine_id, pattern, severity, confidence, "primary", cause, sentence, evidence,
            configurations, users, since, cleared_at, rejudged_at)
          VALUES (${randomUUID()}::uuid, ${machineId}::uuid, ${finding.pattern}, ${finding.severity},
            ${finding.confidence}, ${finding.primary}, ${finding.cause}, ${finding.sentence}, ${evidence}::jsonb,
            ${[...finding.configurations]}::text[], ${finding.users}, ${new Date(finding.since)},
            ${new Date(finding.clearedAt)}, ${now})`;
    }
  });
}
