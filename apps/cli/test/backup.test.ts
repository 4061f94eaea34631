import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { listMachines } from "@lynceus/db/machines";
import { wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { seedParts } from "@lynceus/db/testing-parts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lynceus } from "./support/cli.ts";

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-cli-backup-"));
// As root PostgreSQL's own user must pass.
chmodSync(directory, 0o755);
const external = await createTestDatabase();
const restored = await createTestDatabase({ empty: true });
const file = path.join(directory, "backup.zip");
const keys = path.join(directory, "data");
const program = path.resolve(import.meta.dirname, "../dist/lynceus.mjs");

async function names(url: string): Promise<string[]> {
  const db = wholeFleet(openDatabase({ url }));
  try {
    const { items } = await listMachines(db, {
      terms: [],
      now: Date.now(),
      sort: "name",
      cursor: null,
      limit: 10,
    } as never);
    return items.map(({ hostname }: { hostname: string }) => hostname);
  } finally {
    await db.close();
  }
}

beforeAll(async () => {
  const db = wholeFleet(openDatabase({ url: external.url }));
  await seedParts(db, new Date());
  await db.close();
  mkdirSync(path.join(keys, "tls"), { recursive: true });
  writeFileSync(path.join(keys, "tls/authority.pem"), "an authority");
  writeFileSync(path.join(keys, "secret.key"), "a key");
});
afterAll(async () => {
  await external.drop();
  await restored.drop();
  rmSync(directory, { recursive: true, force: true });
});

describe("backup and restore", () => {
  it("save a server's database and the keys beside it, in a file for its owner alone", async () => {
    const run = await lynceus(["backup", file, "--data-dir", keys], { env: { DATABASE_URL: external.url } });
    expect(run.stderr).toContain("and 2 keys");
    expect(run.code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await lynceus(["backup", file], { env: { DATABASE_URL: external.url } })).code).toBe(2);
  });

  it("bring it into another server's empty database, and nothing into one that is not", async () => {
    const to = path.join(directory, "other");
    const run = await lynceus(["restore", file, "--data-dir", to], { env: { DATABASE_URL: restored.url } });
    expect(run.stderr).toContain("2 keys in");
    expect(await names(restored.url)).toEqual(["BERN-1", "GRAZ-1"]);
    expect(readFileSync(path.join(to, "tls/authority.pem"), "utf8")).toBe("an authority");
    expect(statSync(path.join(to, "secret.key")).mode & 0o777).toBe(0o600);
    const again = await lynceus(["restore", file, "--no-keys"], { env: { DATABASE_URL: restored.url } });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("not empty");
    expect(
      (await lynceus(["restore", file, "--data-dir", to], { env: { DATABASE_URL: restored.url } })).stderr,
    ).toContain("overwrites nothing");
  });

  it("make an embedded database of it, and save that one while it runs", async () => {
    const dataDir = path.join(directory, "embedded");
    expect((await lynceus(["restore", file, "--data-dir", dataDir])).code).toBe(0);
    const server = await startEmbeddedPostgres({ dataDirectory: path.join(dataDir, "postgres") });
    try {
      const second = path.join(directory, "second.zip");
      // Another process, as it is built.
      const run = spawnSync(process.execPath, [program, "backup", second, "--data-dir", dataDir, "--json"], {
        encoding: "utf8",
      });
      expect(JSON.parse(run.stdout)).toMatchObject({ file: second, keys: ["secret.key", "tls/authority.pem"] });
      // It was not the command's to stop.
      expect(await names(server.url)).toEqual(["BERN-1", "GRAZ-1"]);
      expect((await lynceus(["restore", second, "--check"])).stderr).toContain("whole:");
    } finally {
      await server.stop();
    }
  });

  it("say where there is no database, and leave no file behind", async () => {
    const target = path.join(directory, "none.zip");
    const run = await lynceus(["backup", target, "--data-dir", path.join(directory, "nothing")]);
    expect(run.code).toBe(2);
    const refused = await lynceus(["backup", target], {
      env: { DATABASE_URL: "postgresql://lynceus@127.0.0.1:9/lynceus" },
    });
    expect(refused.code).toBe(4);
    expect(existsSync(target) || existsSync(`${target}.partial`)).toBe(false);
  });

  it("tell a damaged file", async () => {
    const damaged = path.join(directory, "damaged.zip");
    writeFileSync(damaged, readFileSync(file));
    truncateSync(damaged, 1_000);
    const run = await lynceus(["restore", damaged, "--check"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("damaged.zip is no backup");
  });
});
