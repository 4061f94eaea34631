import { createHash, type Hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type BackupManifest, type BackupTable, backupFormat } from "@lynceus/protocol/backup";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import yazl from "yazl";
import { copyOf, storedTables } from "./backup-tables.ts";
import { connectClient, DatabaseError } from "./connection.ts";

export interface BackupOptions {
  /** The database; it may be in use. */
  readonly url: string;
  readonly output: NodeJS.WritableStream;
  /** Of Lynceus. */
  readonly version: string;
  readonly now: Date;
  /** Secret files to keep beside the tables, by the name that they get. */
  readonly keys?: readonly { readonly name: string; readonly path: string }[];
  readonly log?: (line: string) => void;
}

/** Counts what passes: bytes, rows (each ends with a line feed, which a value never holds), and the sum over it. */
function meter() {
  const hash: Hash = createHash("sha256");
  const seen = { bytes: 0, rows: 0 };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      seen.bytes += chunk.length;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) seen.rows++;
      done(null, chunk);
    },
  });
  return { stream, end: () => ({ ...seen, sha256: hash.digest("hex") }) };
}

async function appliedMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows: found } = await client.query<{ found: boolean }>(
    `SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS found`,
  );
  if (!found[0]?.found)
    throw new DatabaseError("this database holds no Lynceus: it has no migrations; nothing is saved");
  const { rows } = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM "_prisma_migrations"
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`,
  );
  return rows.map(({ name }) => name);
}

/**
 * Writes a backup: all tables as they are at one moment, while others go on writing, then the manifest. The output is ended.
 * @throws DatabaseError, or the output's error; what was written then is no backup
 */
export async function writeBackup(options: BackupOptions): Promise<BackupManifest> {
  const log = options.log ?? (() => {});
  const client = await connectClient(options.url);
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const migrations = await appliedMigrations(client);
    const { rows: servers } = await client.query<{ server: string }>(
      "SELECT current_setting('server_version') AS server",
    );
    const stored = await storedTables(client);
    const tables: BackupTable[] = [];
    const keys: BackupManifest["keys"] = [];
    const manifest = (): BackupManifest => ({
      product: "lynceus",
      format: backupFormat,
      version: options.version,
      server: servers[0]?.server ?? "",
      createdAt: options.now.toISOString(),
      migrations,
      tables,
      keys,
    });

    const zip = new yazl.ZipFile();
    const broken = new Promise<never>((_resolve, reject) => zip.on("error", reject));
    for (const table of stored)
      zip.addReadStreamLazy(`tables/${table.name}.copy`, { mtime: options.now }, (give) => {
        const { stream, end } = meter();
        const source = client.query(copyTo(`${copyOf(table)} TO STDOUT`));
        source.on("error", (error) => stream.destroy(error));
        stream.on("end", () => {
          const measured = end();
          tables.push({ ...table, ...measured });
          log(`${table.name}: ${measured.rows} rows`);
        });
        stream.on("error", (error) => zip.emit("error", error));
        give(null, source.pipe(stream));
      });
    for (const { name, path } of options.keys ?? []) {
      const content = await readFile(path);
      keys.push({ name, sha256: createHash("sha256").update(content).digest("hex") });
      zip.addBuffer(content, `keys/${name}`, { mtime: options.now });
    }
    zip.addReadStreamLazy("manifest.json", { mtime: options.now }, (give) =>
      give(null, Readable.from([`${JSON.stringify(manifest(), null, 2)}\n`], { objectMode: false })),
    );
    zip.end();
    await Promise.race([pipeline(zip.outputStream, options.output), broken]);
    await client.query("COMMIT");
    return manifest();
  } finally {
    await client.end().catch(() => {});
  }
}
