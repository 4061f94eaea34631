import { openDatabase } from "@lynceus/db/client";
import { ensurePartitions, listPartitions } from "@lynceus/db/partitions";
import { saveRetention } from "@lynceus/db/retention";
import { createTestDatabase } from "@lynceus/db/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultConfig } from "../src/config.ts";
import { createSweeps } from "../src/sweep.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 22, 12);
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: ReturnType<typeof openDatabase>;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

it("the day's work keeps what the collector was started with, and what an admin saved from then on", async () => {
  await ensurePartitions(db, new Date(now - 40 * dayMs), 40);
  const sweeps = createSweeps({ db, config: { ...defaultConfig, retentionDays: 20 }, cycleMinutes: () => 15 });
  const oldest = async () => (await listPartitions(db))[0];

  await sweeps.day(now);
  expect(await oldest()).toBe("observations_20261102");
  await saveRetention(db, { observationDays: 5, historyDays: 100 }, { actor: "ann" });
  await sweeps.day(now);
  expect(await oldest()).toBe("observations_20261117");
});
