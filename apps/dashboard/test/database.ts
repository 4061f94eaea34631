import { randomBytes } from "node:crypto";
import { type Database, openDatabase } from "@lynceus/db/client";
import { connectClient } from "@lynceus/db/connection";
import { migrate } from "@lynceus/db/migrate";

/** A real, migrated database of one test file, on the server that vitest's set-up started. */
export async function testDatabase(): Promise<{ db: Database; url: string; stop: () => Promise<void> }> {
  const server = process.env.LYNCEUS_TEST_DATABASE_URL;
  if (!server) throw new Error("LYNCEUS_TEST_DATABASE_URL is not set; run vitest with this package's vitest.config.ts");
  const name = `lynceus_dashboard_${randomBytes(6).toString("hex")}`;
  const run = async (sql: string) => {
    const client = await connectClient(server);
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.toString());
  const db = openDatabase({ url: url.toString() });
  return {
    db,
    url: url.toString(),
    stop: async () => {
      await db.close();
      await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
