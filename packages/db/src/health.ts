import { connectClient } from "./connection.ts";
import { type Migration, migrationsDirectory, readMigrations } from "./migrate.ts";

/** What a person asks of a database that may not be well. */
export interface DatabaseHealth {
  /** Of the server: 180004 is 18.4. */
  readonly versionNumber: number;
  readonly now: Date;
  readonly bytes: number;
  readonly connections: { readonly used: number; readonly most: number };
  /** Migrations that this version has and the database has not. Null: it holds no Lynceus. */
  readonly pending: readonly string[] | null;
  /** Migrations that the database has and this version does not know: it belongs to a newer one. */
  readonly unknown: readonly string[];
  /** Last day, exclusive, for which there is a partition of observations; null without any. */
  readonly partitionsUntil: Date | null;
  readonly jobsGivenUp: number;
  readonly noticesDead: number;
  /** Seconds of the oldest transaction that is open: it keeps what was deleted from being reused. */
  readonly oldestTransactionSeconds: number;
}

/** Reads what can be read without Prisma, so that it also tells of a database of another version. @throws DatabaseError */
export async function databaseHealth(
  url: string,
  migrations: readonly Migration[] = readMigrations(migrationsDirectory()),
): Promise<DatabaseHealth> {
  const client = await connectClient(url);
  const one = async <T>(sql: string): Promise<T> => (await client.query(sql)).rows[0] as T;
  try {
    const server = await one<{
      version: number;
      now: Date;
      bytes: string;
      used: number;
      most: number;
      oldest: number;
      applied: boolean;
      partitions: boolean;
      jobs: boolean;
    }>(`SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now,
      pg_database_size(current_database()) AS bytes,
      (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
      current_setting('max_connections')::int AS most,
      (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::int FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND datname = current_database()) AS oldest,
      to_regclass('"_prisma_migrations"') IS NOT NULL AS applied,
      to_regclass('observations') IS NOT NULL AS partitions,
      to_regclass('graphile_worker.jobs') IS NOT NULL AS jobs`);
    const health = {
      versionNumber: server.version,
      now: server.now,
      bytes: Number(server.bytes),
      connections: { used: server.used, most: server.most },
      oldestTransactionSeconds: server.oldest,
    };
    if (!server.applied)
      return { ...health, pending: null, unknown: [], partitionsUntil: null, jobsGivenUp: 0, noticesDead: 0 };
    const { rows } = await client.query<{ name: string }>(
      `SELECT migration_name AS name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
    );
    const applied = new Set(rows.map(({ name }) => name));
    const known = new Set(migrations.map(({ name }) => name));
    const last = server.partitions
      ? await one<{ until: Date | null }>(`
          SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), $$TO \\('([^']+)'\\)$$))[1]::timestamptz) AS until
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'observations'::regclass`)
      : { until: null };
    const jobs = server.jobs
      ? await one<{ count: number }>(
          "SELECT count(*)::int AS count FROM graphile_worker.jobs WHERE attempts >= max_attempts",
        )
      : { count: 0 };
    const pending = migrations.map(({ name }) => name).filter((name) => !applied.has(name));
    // Notices came with a later migration.
    const notices =
      pending.length === 0
        ? await one<{ count: number }>("SELECT count(*)::int AS count FROM notices WHERE state = 'dead'")
        : { count: 0 };
    return {
      ...health,
      pending,
      unknown: [...applied].filter((name) => !known.has(name)),
      partitionsUntil: last.until,
      jobsGivenUp: jobs.count,
      noticesDead: notices.count,
    };
  } finally {
    await client.end().catch(() => {});
  }
}
