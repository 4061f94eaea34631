import { type Database, openDatabase } from "@lynceus/db/client";
import { createTestDatabase } from "@lynceus/db/testing";

/** A real, migrated database of one test file, open. */
export async function testDatabase(): Promise<{ db: Database; url: string; stop: () => Promise<void> }> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url });
  return {
    db,
    url: database.url,
    stop: async () => {
      await db.close();
      await database.drop();
    },
  };
}
