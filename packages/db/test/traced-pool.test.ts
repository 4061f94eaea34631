import { AsyncLocalStorage } from "node:async_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../src/client.ts";
import { useDatabase } from "./fixtures.ts";

describe("statements that are told of", () => {
  const at = useDatabase();
  const asker = new AsyncLocalStorage<string>();
  const told: { text: string; by: string | undefined; error: unknown; done: boolean }[] = [];
  let db: Database;
  beforeAll(() => {
    db = openDatabase({
      url: at.db.url,
      connections: 1,
      onQuery: (text) => {
        const entry = { text, by: asker.getStore(), error: null as unknown, done: false };
        told.push(entry);
        return (error) => Object.assign(entry, { error: error ?? null, done: true });
      },
    });
  });
  afterAll(() => db.close());
  const of = (part: string) => told.filter(({ text }) => text.includes(part));

  it("are those of Prisma and of the pool, with their text and without values", async () => {
    await db.prisma.$queryRaw`SELECT ${"secret"}::text AS prisma`;
    await db.pool.query("SELECT $1::text AS pooled", ["secret"]);
    const client = await db.pool.connect();
    await client.query({ text: "SELECT $1::text AS own", values: ["secret"] });
    client.release();
    for (const part of ["AS prisma", "AS pooled", "AS own"])
      expect(of(part)).toMatchObject([{ done: true, error: null }]);
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it("belong to who asked, also when they waited for somebody else's connection", async () => {
    await Promise.all(
      ["ann", "bob", "eve"].map((name) =>
        asker.run(name, async () => {
          await db.pool.query(`SELECT 1 AS ${name}_pool`);
          await db.prisma.$queryRawUnsafe(`SELECT 1 AS ${name}_prisma`);
        }),
      ),
    );
    for (const name of ["ann", "bob", "eve"])
      for (const way of ["pool", "prisma"]) expect(of(`${name}_${way}`)).toMatchObject([{ by: name, done: true }]);
  });

  it("end with their error", async () => {
    await expect(db.pool.query("SELECT nothing AS broken")).rejects.toThrow("nothing");
    expect(of("AS broken")).toMatchObject([{ done: true, error: { code: "42703" } }]);
  });
});
