import { openDatabase } from "@lynceus/db/client";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";

/** A real, migrated database of one test file, open. */
export async function testDatabase(): Promise<{ db: Fleet; url: string; stop: () => Promise<void> }> {
  const database = await createTestDatabase();
  const db = wholeFleet(openDatabase({ url: database.url }));
  return {
    db,
    url: database.url,
    stop: async () => {
      await db.close();
      await database.drop();
    },
  };
}
