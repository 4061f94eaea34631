import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { connectClient, DatabaseError } from "./connection.ts";

/** Oldest server that is supported, as `server_version_num`. */
const oldestServer = 140_000;
/** Any number that nothing else takes; one migration run at a time for a database. */
const lockKey = 72_707_369;

/** One migration on disk. `checksum` is what the stock CLI computes: SHA-256 of the file. */
export interface Migration {
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
}

/** `prisma/migrations` of this repository. A release that is bundled says where its own copy is. */
export const migrationsDirectory = (): string =>
  process.env.LYNCEUS_MIGRATIONS ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../../prisma/migrations");

/** The migrations of a directory, oldest first. Throws a DatabaseError when there are none: a release without them is broken. */
export function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) throw new DatabaseError(`no migrations in ${directory}`);
  return names.map((name) => {
    const bytes = readFileSync(path.join(directory, name, "migration.sql"));
    return { name, checksum: createHash("sha256").update(bytes).digest("hex"), sql: bytes.toString("utf8") };
  });
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
  rolled_back_at: Date | null;
}

/** The stock CLI's table, column for column, so that `prisma migrate status` understands it. */
const createTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`;

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw new DatabaseError(
      `migration ${migration.name} failed and was rolled back whole: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Refuses a history that this code cannot continue; returns the names that are applied. */
function checkHistory(rows: AppliedRow[], migrations: readonly Migration[]): Set<string> {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const applied = new Set<string>();
  for (const row of rows) {
    if (row.rolled_back_at !== null) continue;
    const migration = known.get(row.migration_name);
    if (row.finished_at === null)
      throw new DatabaseError(
        `migration ${row.migration_name} was begun by another tool and never finished; look at what it left, then run: ` +
          `npx prisma migrate resolve --rolled-back ${row.migration_name}`,
      );
    if (!migration)
      throw new DatabaseError(
        `the database has migration ${row.migration_name}, which this version does not know: it is newer; update Lynceus`,
      );
    if (migration.checksum !== row.checksum)
      throw new DatabaseError(
        `migration ${row.migration_name} was edited after it was applied; restore the file, and put the change into a new migration`,
      );
    applied.add(row.migration_name);
  }
  return applied;
}

/**
 * Brings the database to this version's schema: each missing migration in a transaction of its own, one runner at a
 * time. A run that is killed leaves nothing half done: the next one continues. Returns the names that it applied.
 * Throws a DatabaseError of one line: server too old, history edited or newer, migration failed.
 */
export async function migrate(
  url: string,
  log: (line: string) => void = () => {},
  migrations: readonly Migration[] = readMigrations(migrationsDirectory()),
): Promise<string[]> {
  const client = await connectClient(url);
  try {
    const { rows: version } = await client.query<{ number: number; text: string }>(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text`,
    );
    const server = version[0];
    if (!server || server.number < oldestServer)
      throw new DatabaseError(`PostgreSQL ${server?.text} is too old; 14 or newer is needed`);
    await client.query("SELECT pg_advisory_lock($1)", [lockKey]);
    await client.query(createTable);
    const { rows } = await client.query<AppliedRow>(
      `SELECT migration_name, checksum, finished_at, rolled_back_at FROM "_prisma_migrations" ORDER BY started_at`,
    );
    const applied = checkHistory(rows, migrations);
    const missing = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) {
      log(`migration ${migration.name}`);
      await apply(client, migration);
    }
    return missing.map((migration) => migration.name);
  } finally {
    await client.end().catch(() => {});
  }
}
