import { readFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Migration, migrate, migrationsDirectory, readMigrations } from "../src/migrate.ts";
import { createTestDatabase } from "../src/testing.ts";

const migrations = readMigrations(migrationsDirectory());
const extra = (sql: string, name = "20991231000000_extra"): Migration => ({ name, checksum: "c".repeat(64), sql });

describe("migrate", () => {
  let url = "";
  let drop = async () => {};
  let client: pg.Client;
  beforeEach(async () => {
    ({ url, drop } = await createTestDatabase({ empty: true }));
    client = new pg.Client({ connectionString: url });
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await drop();
  });

  it("applies what is missing once, and leaves rows as the stock CLI writes them", async () => {
    expect(await migrate(url)).toEqual(migrations.map((migration) => migration.name));
    expect(await migrate(url)).toEqual([]);
    const { rows } = await client.query(
      `SELECT migration_name, checksum, finished_at IS NOT NULL AS done, applied_steps_count FROM _prisma_migrations`,
    );
    expect(rows).toEqual(
      migrations.map(({ name, checksum }) => ({ migration_name: name, checksum, done: true, applied_steps_count: 1 })),
    );
  });

  it("runs once when several processes start together", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
    expect(answers.flat()).toEqual(migrations.map((migration) => migration.name));
  });

  it("rolls a failing migration back whole, says which, and continues when it is mended", async () => {
    await migrate(url);
    const broken = [...migrations, extra("CREATE TABLE half (id int); SELECT 1 / 0;")];
    await expect(migrate(url, undefined, broken)).rejects.toThrow(
      "migration 20991231000000_extra failed and was rolled back whole: division by zero",
    );
    const { rows } = await client.query(`SELECT to_regclass('half') AS half`);
    expect(rows).toEqual([{ half: null }]);
    const mended = [...migrations, extra("CREATE TABLE half (id int);")];
    expect(await migrate(url, undefined, mended)).toEqual(["20991231000000_extra"]);
  });

  it("recovers from a run that was killed in the middle of a migration", async () => {
    await migrate(url);
    const slow = [...migrations, extra("CREATE TABLE half (id int); SELECT pg_sleep(60);")];
    const killed = migrate(url, undefined, slow).catch((error: Error) => error.message);
    // The run is in the middle once its statement is active.
    for (;;) {
      const { rows } = await client.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      );
      if (rows.length > 0) {
        await client.query(`SELECT pg_terminate_backend($1)`, [rows[0].pid]);
        break;
      }
    }
    expect(await killed).toMatch(/^migration 20991231000000_extra failed and was rolled back whole/);
    expect(await migrate(url, undefined, [...migrations, extra("CREATE TABLE half (id int);")])).toEqual([
      "20991231000000_extra",
    ]);
  });

  it("refuses a migration that another tool began and never finished", async () => {
    await migrate(url);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20991231000000_extra')`,
    );
    await expect(migrate(url)).rejects.toThrow(
      /20991231000000_extra was begun by another tool and never finished; .*migrate resolve --rolled-back 20991231000000_extra$/,
    );
    await client.query(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'`);
    expect(await migrate(url)).toEqual([]);
  });

  it("refuses a database of a newer version", async () => {
    await migrate(url, undefined, [...migrations, extra("SELECT 1")]);
    await expect(migrate(url)).rejects.toThrow(
      "the database has migration 20991231000000_extra, which this version does not know: it is newer; update Lynceus",
    );
  });

  it("refuses a migration that was edited after it was applied", async () => {
    await migrate(url);
    const edited = migrations.map((migration) => ({ ...migration, checksum: "0".repeat(64) }));
    await expect(migrate(url, undefined, edited)).rejects.toThrow(/was edited after it was applied/);
  });

  it("says in one line that the server is not there, without the password", async () => {
    const error = await migrate("postgresql://lynceus:hunter2@127.0.0.1:1/x").catch((caught: Error) => caught);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^cannot connect to postgresql:\/\/lynceus:\*\*\*@127/),
    });
    await expect(migrate("mysql://x")).rejects.toThrow(/not a PostgreSQL address; use e\.g\. postgresql:/);
  });

  it("keeps the audit append-only and names in natural order", async () => {
    await migrate(url);
    await client.query(`INSERT INTO audit (id, actor, action, subject) VALUES (gen_random_uuid(), 'a', 'b', 'c')`);
    await expect(client.query(`DELETE FROM audit`)).rejects.toThrow("table audit is append-only");
    await expect(client.query(`UPDATE audit SET actor = 'x'`)).rejects.toThrow("table audit is append-only");
    const { rows } = await client.query(
      `SELECT name FROM unnest(ARRAY['LT-10', 'lt-9', 'LT-100', 'A2B10', 'a2b9', 'é-1']) AS name
       ORDER BY lynceus_sort_name(name) COLLATE "C"`,
    );
    expect(rows.map((row) => row.name)).toEqual(["a2b9", "A2B10", "lt-9", "LT-10", "LT-100", "é-1"]);
  });

  it("is one file a migration with a lock file beside them, as the stock CLI wants", () => {
    expect(readFileSync(path.join(migrationsDirectory(), "migration_lock.toml"), "utf8")).toContain('"postgresql"');
    expect(migrations[0]?.sql).toContain("PARTITION BY RANGE");
  });
});
