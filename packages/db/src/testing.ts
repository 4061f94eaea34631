import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectClient, DatabaseError } from "./connection.ts";
import { startEmbeddedPostgres } from "./embedded.ts";
import { migrate, migrationsDirectory, readMigrations } from "./migrate.ts";
import { sqlState } from "./sql-error.ts";

/*
 * For tests alone. LYNCEUS_TEST_DATABASE_URL names a server whose role may create databases; where it is not set,
 * `testing-setup.ts` (vitest's globalSetup) starts an embedded one for the run and sets it.
 */
const variable = "LYNCEUS_TEST_DATABASE_URL";

/** A server for a test run: an embedded PostgreSQL in a temporary folder, unless the environment names one. */
export async function startTestServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env[variable];
  if (given) return { url: given, stop: async () => {} };
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-test-"));
  // Made 0700; as root PostgreSQL's own user must pass, else its files would be put, and left, elsewhere.
  chmodSync(directory, 0o755);
  const server = await startEmbeddedPostgres({
    dataDirectory: path.join(directory, "postgres"),
    // The data is thrown away; the tests of durability start a server of their own.
    // Autovacuum's workers are the superuser's, and would hold up whoever drops a database.
    settings: {
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
      autovacuum: "off",
      max_connections: "300",
    },
  });
  const admin = await connectClient(server.adminUrl);
  await admin.query("ALTER ROLE lynceus CREATEDB");
  await admin.end();
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}

/** A migrated database to copy from: made once a server and a state of the migrations, kept. */
async function makeTemplate(url: string): Promise<string> {
  const migrations = readMigrations(migrationsDirectory());
  const sums = migrations.map((migration) => migration.checksum).join();
  const name = `lynceus_template_${createHash("sha256").update(sums).digest("hex").slice(0, 12)}`;
  const client = await connectClient(url);
  try {
    await client.query("SELECT pg_advisory_lock(72707379)");
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (!rowCount) {
      const making = `${name}_making`;
      await client.query(`DROP DATABASE IF EXISTS ${making}`);
      await client.query(`CREATE DATABASE ${making}`);
      await migrate(withDatabase(url, making), () => {}, migrations);
      await client.query(`ALTER DATABASE ${making} RENAME TO ${name}`);
    }
    return name;
  } finally {
    await client.end();
  }
}

/** A fresh database with the schema, or without it for tests of the migrations. `drop` cuts what is still connected. */
export async function createTestDatabase(
  options: { empty?: boolean } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const url = process.env[variable];
  if (!url)
    throw new DatabaseError(
      `${variable} is not set; add globalSetup: ["@lynceus/db/testing-setup"] to this package's vitest.config.ts`,
    );
  const name = `lynceus_test_${randomBytes(6).toString("hex")}`;
  const template = options.empty ? "template1" : await makeTemplate(url);
  const client = await connectClient(url);
  try {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  } finally {
    await client.end();
  }
  return {
    url: withDatabase(url, name),
    drop: async () => {
      const dropper = await connectClient(url);
      const drop = async (triesLeft: number): Promise<void> => {
        try {
          await dropper.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        } catch (error) {
          // An autovacuum worker is the superuser's, and an ordinary role may not end it: it is gone in a moment.
          if (sqlState(error) !== "42501" || triesLeft === 0) throw error;
          await delay(100);
          await drop(triesLeft - 1);
        }
      };
      await drop(300).finally(() => dropper.end());
    },
  };
}
