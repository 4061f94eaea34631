import type { BackupManifest, BackupTable } from "@lynceus/protocol/backup";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { type BackupFile, openBackup } from "./backup-file.ts";
import { copyOf } from "./backup-tables.ts";
import { connectClient, DatabaseError } from "./connection.ts";
import { type Migration, migrate, migrationsDirectory, readMigrations } from "./migrate.ts";

export interface RestoreOptions {
  /** An empty database: nothing is overwritten. */
  readonly url: string;
  readonly file: string;
  readonly log?: (line: string) => void;
  readonly migrations?: readonly Migration[];
}

/** The migrations that a backup was made with. @throws DatabaseError when this version does not know one of them */
function migrationsOf(manifest: BackupManifest, all: readonly Migration[]): Migration[] {
  const known = new Map(all.map((migration) => [migration.name, migration]));
  return manifest.migrations.map((name) => {
    const migration = known.get(name);
    if (!migration)
      throw new DatabaseError(
        `the backup was made by Lynceus ${manifest.version}, whose migration ${name} this version does not know: it is newer; update Lynceus`,
      );
    return migration;
  });
}

async function requireEmpty(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY 1 LIMIT 1`);
  if (rows[0])
    throw new DatabaseError(
      `the database is not empty: it has a table "${rows[0].name}"; a restore overwrites nothing: make a new database, or name a new data folder`,
    );
}

/** Takes away what was made in a database that was empty, so that it is again. */
async function undo(url: string): Promise<void> {
  const client = await connectClient(url);
  try {
    const { rows: tables } = await client.query<{ name: string }>(`
      SELECT format('%I', c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition`);
    if (tables.length > 0) await client.query(`DROP TABLE ${tables.map(({ name }) => name).join(", ")} CASCADE`);
    const { rows: functions } = await client.query<{ name: string }>(`
      SELECT f.oid::regprocedure::text AS name FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
      WHERE n.nspname = current_schema() AND NOT EXISTS
        (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')`);
    for (const { name } of functions) await client.query(`DROP FUNCTION ${name} CASCADE`);
  } finally {
    await client.end().catch(() => {});
  }
}

async function loadTable(client: pg.Client, backup: BackupFile, table: BackupTable): Promise<void> {
  const { name, partition } = table;
  if (partition)
    // Checked by the manifest's schema: a name and two times.
    await client.query(`CREATE TABLE IF NOT EXISTS "${name}" PARTITION OF "${partition.of}" ${partition.bound}`);
  // What triggers keep is in the backup itself.
  await client.query(`ALTER TABLE "${name}" DISABLE TRIGGER USER`);
  const input = client.query(copyFrom(`${copyOf(table)} FROM STDIN`));
  await backup.readTable(name, input);
  await client.query(`ALTER TABLE "${name}" ENABLE TRIGGER USER`);
  if (input.rowCount !== table.rows)
    throw new DatabaseError(
      `the backup is damaged: ${name} has ${input.rowCount} rows, and ${table.rows} were written`,
    );
}

/** Numbers that are given out go on after those that are there. */
async function setSequences(client: pg.ClientBase, tables: readonly BackupTable[]): Promise<void> {
  for (const { name, columns } of tables)
    for (const column of columns) {
      const { rows } = await client.query<{ sequence: string | null }>(
        "SELECT pg_get_serial_sequence($1, $2) AS sequence",
        [`"${name}"`, column],
      );
      const sequence = rows[0]?.sequence;
      if (sequence)
        await client.query(
          `SELECT setval('${sequence}', coalesce(max("${column}"), 1), max("${column}") IS NOT NULL) FROM "${name}"`,
        );
    }
}

/**
 * Brings a backup into an empty database and to this version's schema. A restore that fails leaves the database as empty as it
 * was. Returns what was restored.
 * @throws DatabaseError of one line: not empty, damaged, of a newer version
 */
export async function restoreBackup(options: RestoreOptions): Promise<BackupManifest> {
  const log = options.log ?? (() => {});
  const all = options.migrations ?? readMigrations(migrationsDirectory());
  const backup = await openBackup(options.file);
  try {
    const { manifest } = backup;
    const then = migrationsOf(manifest, all);
    const client = await connectClient(options.url);
    try {
      await requireEmpty(client);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    try {
      await migrate(options.url, () => {}, then);
      await client.query("BEGIN");
      for (const table of manifest.tables) {
        await loadTable(client, backup, table);
        log(`${table.name}: ${table.rows} rows`);
      }
      await setSequences(client, manifest.tables);
      // Nobody holds a connection or a lease of the installation that this was.
      await client.query("UPDATE machines SET connected_to = NULL WHERE connected_to IS NOT NULL");
      await client.query("DELETE FROM settings WHERE key LIKE 'lease-%'");
      await client.query("COMMIT");
      await client.query("ANALYZE");
    } catch (error) {
      await client.end().catch(() => {});
      await undo(options.url).catch(() => {});
      throw error;
    }
    await client.end();
    for (const name of await migrate(options.url, () => {}, all)) log(`migration ${name}`);
    return manifest;
  } finally {
    backup.close();
  }
}
