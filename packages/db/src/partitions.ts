import type { Retention } from "@lynceus/protocol/retention";
import { type Database, Prisma } from "./client.ts";
import { minuteDays } from "./count-series.ts";
import { tenMinutesDays } from "./target-samples.ts";

const dayMs = 86_400_000;
const lockKey = 72_707_370;

const startOfDay = (at: Date) => new Date(Math.floor(at.getTime() / dayMs) * dayMs);
const dayName = (day: Date) => day.toISOString().slice(0, 10).replaceAll("-", "");

/** Name of the partition of a day: `observations_20261122`. */
export const partitionName = (day: Date): string => `observations_${dayName(startOfDay(day))}`;

/**
 * Makes the partitions of yesterday (a clock that steps back) to `daysAhead` days from now. Days are UTC.
 * Cheap when they exist; several collectors may call it at once. Returns the names that it made.
 */
export async function ensurePartitions(db: Database, now: Date, daysAhead = 7): Promise<string[]> {
  const first = startOfDay(now).getTime() - dayMs;
  const days = Array.from({ length: daysAhead + 2 }, (_, index) => new Date(first + index * dayMs));
  return db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const existing = new Set(await partitionsOf(tx));
    const missing = days.filter((day) => !existing.has(partitionName(day)));
    for (const day of missing) {
      const [from, to] = [day, new Date(day.getTime() + dayMs)].map((at) => at.toISOString());
      // Names and bounds are made here from a date; DDL takes no parameters.
      await tx.$executeRawUnsafe(
        `CREATE TABLE "${partitionName(day)}" PARTITION OF "observations" FOR VALUES FROM ('${from}') TO ('${to}')`,
      );
    }
    return missing.map(partitionName);
  });
}

/** Names of the partitions that exist, oldest first. */
export async function listPartitions(db: Database): Promise<string[]> {
  return partitionsOf(db.prisma);
}

async function partitionsOf(tx: Prisma.TransactionClient): Promise<string[]> {
  const rows = await tx.$queryRaw<{ name: string }[]>`
    SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = '"observations"'::regclass ORDER BY 1`;
  return rows.map((row) => row.name).filter((name) => /^observations_\d{8}$/.test(name));
}

/**
 * Applies retention: observations go by dropping whole partitions, the smaller tables by deleting in steps of 10,000
 * rows, so that no lock is held long. Returns what went.
 */
export async function dropExpired(
  db: Database,
  now: Date,
  retention: Retention,
): Promise<{ partitions: string[]; rows: number }> {
  const oldest = `observations_${dayName(new Date(startOfDay(now).getTime() - retention.observationDays * dayMs))}`;
  const expired = (await listPartitions(db)).filter((name) => name < oldest);
  for (const name of expired) await db.prisma.$executeRawUnsafe(`DROP TABLE IF EXISTS "${name}"`);
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
  const before = daysAgo(retention.historyDays);
  let rows = 0;
  for (const [table, condition] of [
    ["transitions", Prisma.sql`at < ${before}`],
    ["findings", Prisma.sql`cleared_at < ${before}`],
    ["causes", Prisma.sql`cleared_at < ${before}`],
    ["fleet_changes", Prisma.sql`last_at < ${before}`],
    // What is still in use is not seen for the first time again.
    [
      "first_seen",
      Prisma.sql`at < ${before} AND NOT EXISTS (SELECT FROM machines m WHERE m.pac_hash = first_seen.value)`,
    ],
    ["quarantine", Prisma.sql`received_at < ${before}`],
    ["commands", Prisma.sql`created_at < ${before}`],
    // Hours stand for what was kept by the minute.
    ["fleet_samples", Prisma.sql`at < ${daysAgo(minuteDays)}`],
    ["target_samples", Prisma.sql`at < ${daysAgo(tenMinutesDays)}`],
    ["fleet_hours", Prisma.sql`at < ${before}`],
    ["target_hours", Prisma.sql`at < ${before}`],
    ["machine_reports", Prisma.sql`at < ${before}`],
    ["canaries", Prisma.sql`created_at < ${before}`],
    ["fix_verifications", Prisma.sql`created_at < ${before}`],
    ["incidents", Prisma.sql`ended_at < ${before} AND NOT live`],
    ["notices", Prisma.sql`created_at < ${before} AND due_at IS NULL`],
    ["silences", Prisma.sql`ends_at < ${before}`],
  ] as const)
    rows += await deleteInSteps(db, table, condition);
  return { partitions: expired, rows };
}

async function deleteInSteps(db: Database, table: string, condition: Prisma.Sql): Promise<number> {
  const name = Prisma.raw(`"${table}"`);
  for (let total = 0; ; ) {
    const gone = await db.prisma.$executeRaw`
      DELETE FROM ${name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE ${condition} LIMIT 10000))`;
    total += gone;
    if (gone < 10_000) return total;
  }
}
