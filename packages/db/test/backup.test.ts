import { randomUUID } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeBackup } from "../src/backup.ts";
import { openBackup } from "../src/backup-file.ts";
import { openDatabase } from "../src/client.ts";
import { connectClient } from "../src/connection.ts";
import { noteIncident } from "../src/incident-acts.ts";
import { migrate, migrationsDirectory, readMigrations } from "../src/migrate.ts";
import { restoreBackup } from "../src/restore.ts";
import { wholeFleet } from "../src/scope.ts";
import { createTestDatabase } from "../src/testing.ts";
import { type Parts, seedParts } from "../src/testing-parts.ts";
import { now, useDatabase } from "./fixtures.ts";

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-backup-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const newFile = () => path.join(directory, `${++files}.zip`);

async function backUp(url: string, keys: { name: string; path: string }[] = []) {
  const file = newFile();
  const manifest = await writeBackup({ url, output: createWriteStream(file), version: "1.2.3", now, keys });
  return { file, manifest };
}

const empties: Awaited<ReturnType<typeof createTestDatabase>>[] = [];
async function empty(): Promise<string> {
  const database = await createTestDatabase({ empty: true });
  empties.push(database);
  return database.url;
}
afterEach(async () => {
  for (const database of empties.splice(0)) await database.drop();
});

/** Every row of every table, as text, in an order of its own. */
async function contents(url: string, except: readonly string[] = []): Promise<Record<string, string[]>> {
  const client = await connectClient(url);
  const { rows: tables } = await client.query<{ name: string }>(
    "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    if (except.includes(name)) continue;
    const { rows } = await client.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM "${name}" t ORDER BY 1`);
    all[name] = rows.map(({ row }) => row);
  }
  await client.end();
  return all;
}
const own = ["_prisma_migrations", "sessions", "verifications"];

describe("a backup", () => {
  const at = useDatabase();
  let parts: Parts;
  beforeAll(async () => {
    parts = await seedParts(at.db, now);
    await at.db.prisma
      .$executeRaw`INSERT INTO settings (key, value, updated_at) VALUES ('odd', ${{ text: 'a\tb\\n"ö"' }}, now())`;
    await at.db.prisma.$executeRaw`UPDATE machines SET tags = ARRAY['a,b', '{c}', 'd"e', '']`;
  });

  it("restores every row of every table into an empty database, and what is given out goes on after it", async () => {
    const { file, manifest } = await backUp(at.db.url);
    const url = await empty();
    expect(await restoreBackup({ url, file })).toEqual(manifest);
    const before = await contents(at.db.url, own);
    expect(await contents(url, own)).toEqual(before);
    expect(Object.values(before).filter((rows) => rows.length > 0).length).toBeGreaterThan(20);

    const restored = wholeFleet(openDatabase({ url }));
    try {
      // A number that is given out, and triggers that are in force again.
      expect(await noteIncident(restored, Number(parts.BERN.incident), { actor: "ann", now, text: "after" })).toBe(
        true,
      );
      await restored.prisma.$executeRaw`UPDATE machines SET status = 'healthy' WHERE hostname LIKE 'BERN%'`;
      const [cells] = await restored.prisma.$queryRaw<{ n: number }[]>`
        SELECT sum(machines)::int AS n FROM (SELECT machines FROM fleet_cells WHERE status = 'healthy'
          UNION ALL SELECT machines FROM fleet_cell_changes WHERE status = 'healthy') c`;
      expect(cells?.n).toBe(1);
      await expect(restored.prisma.$executeRaw`DELETE FROM audit`).rejects.toThrow(/append-only|never changed/i);
    } finally {
      await restored.close();
    }
  });

  it("is of one moment while others write, so that nothing refers to what is missing", async () => {
    let writing = true;
    const writers = [0, 1, 2].map(async () => {
      let written = 0;
      while (writing) {
        const id = randomUUID();
        await at.db.prisma.$transaction([
          at.db.prisma.$executeRaw`
            INSERT INTO machines (id, hostname, public_key) VALUES (${id}::uuid, ${id}, ${Buffer.from(id)})`,
          at.db.prisma.$executeRaw`
            INSERT INTO machine_states (machine_id, state, updated_at) VALUES (${id}::uuid, '{}', now())`,
        ]);
        written++;
      }
      return written;
    });
    const { file, manifest } = await backUp(at.db.url);
    writing = false;
    const written = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
    expect(written).toBeGreaterThan(0);
    const rowsOf = (name: string) => manifest.tables.find((table) => table.name === name)?.rows;
    expect(rowsOf("machine_states")).toBe(rowsOf("machines"));
    await restoreBackup({ url: await empty(), file });
  });

  it("holds no session of anybody who is signed in, and keeps the key files that it is given", async () => {
    const key = path.join(directory, "session.secret");
    writeFileSync(key, "a key of the installation");
    const { file, manifest } = await backUp(at.db.url, [{ name: "session.secret", path: key }]);
    expect(manifest.tables.map(({ name }) => name)).not.toContain("sessions");
    const backup = await openBackup(file);
    expect(String(await backup.readKey("session.secret"))).toBe("a key of the installation");
    await backup.check();
    backup.close();
  });

  it("of an older version is brought to this one's schema", async () => {
    const all = readMigrations(migrationsDirectory());
    const older = all.slice(0, 5);
    const before = await empty();
    await migrate(before, () => {}, older);
    const client = await connectClient(before);
    await client.query(`INSERT INTO machines (id, hostname, public_key, status, site, tags)
      VALUES (gen_random_uuid(), 'OLD-1', '\\x01', 'failing', 'Bern', '{vip}')`);
    await client.end();
    const { file } = await backUp(before);
    const url = await empty();
    await restoreBackup({ url, file });
    const restored = await connectClient(url);
    // Made by a later migration from what was there.
    const { rows } = await restored.query("SELECT site, status, machines FROM fleet_cells");
    expect(rows).toEqual([{ site: "Bern", status: "failing", machines: 1 }]);
    expect((await restored.query("SELECT name FROM tags")).rows).toEqual([{ name: "vip" }]);
    await restored.end();
  });

  it("of a newer version is refused before anything is written", async () => {
    const { file } = await backUp(at.db.url);
    const url = await empty();
    const migrations = readMigrations(migrationsDirectory()).slice(0, -1);
    await expect(restoreBackup({ url, file, migrations })).rejects.toThrow(
      /^the backup was made by Lynceus 1\.2\.3, whose migration \w+ this version does not know: it is newer; update Lynceus$/,
    );
    expect(await contents(url)).toEqual({});
  });

  it("is not brought into a database that holds anything", async () => {
    const { file } = await backUp(at.db.url);
    const before = await contents(at.db.url);
    await expect(restoreBackup({ url: at.db.url, file })).rejects.toThrow(
      /^the database is not empty: it has a table "/,
    );
    expect(await contents(at.db.url)).toEqual(before);
  });

  it("that is damaged is refused, and leaves the database as empty as it was", async () => {
    const { file, manifest } = await backUp(at.db.url);
    const whole = readFileSync(file);
    const damage = (change: (copy: Buffer) => void): string => {
      const copy = Buffer.from(whole);
      change(copy);
      const broken = newFile();
      writeFileSync(broken, copy);
      return broken;
    };
    const url = await empty();
    const largest = [...manifest.tables].sort((a, b) => b.bytes - a.bytes)[0]!;
    const place = whole.indexOf(`tables/${largest.name}.copy`) + 60;
    const flipped = damage((copy) => copy.writeUInt8(copy.readUInt8(place) ^ 0xff, place));
    await expect(restoreBackup({ url, file: flipped })).rejects.toThrow();
    expect(await contents(url)).toEqual({});
    await expect((await openBackup(flipped)).check()).rejects.toThrow();

    const cut = newFile();
    writeFileSync(cut, whole);
    truncateSync(cut, statSync(cut).size - 100);
    await expect(restoreBackup({ url, file: cut })).rejects.toThrow(/is no backup of Lynceus that can be read/);
    const other = newFile();
    writeFileSync(other, "not a zip at all, but long enough to be looked at as one by whoever reads it from its end");
    await expect(restoreBackup({ url, file: other })).rejects.toThrow(/is no backup of Lynceus that can be read/);
    // Nothing is left of the tries: the whole one goes in.
    await restoreBackup({ url, file });
  });

  it("of what is no Lynceus is not made", async () => {
    const url = await empty();
    await expect(backUp(url)).rejects.toThrow("this database holds no Lynceus");
  });
});
