import { describe, expect, it } from "vitest";
import { ensurePartitions } from "../src/partitions.ts";
import { noteStartedRetention, readRetention, saveRetention, storedSize } from "../src/retention.ts";
import { setSetting } from "../src/settings.ts";
import { now, useDatabase } from "./fixtures.ts";

describe("how long things are kept", () => {
  const at = useDatabase();

  it("is what the collector was started with, until somebody saves another time", async () => {
    expect(await readRetention(at.db)).toEqual({ days: { observationDays: 30, historyDays: 396 }, saved: false });
    await noteStartedRetention(at.db, 14);
    expect((await readRetention(at.db)).days.observationDays).toBe(14);
    expect((await readRetention(at.db, 21)).days.observationDays).toBe(21);

    await saveRetention(at.db, { observationDays: 7, historyDays: 100 }, { actor: "ann" });
    expect(await readRetention(at.db, 21)).toEqual({ days: { observationDays: 7, historyDays: 100 }, saved: true });
    const entry = await at.db.prisma.auditEntry.findFirst({ where: { action: "retention.save" } });
    expect(entry).toMatchObject({
      actor: "ann",
      before: { observationDays: 14, historyDays: 396 },
      after: { observationDays: 7, historyDays: 100 },
    });
  });

  it("refuses a time in which the trends would have a hole, and changes nothing", async () => {
    const before = await readRetention(at.db);
    await expect(saveRetention(at.db, { observationDays: 0, historyDays: 10 }, { actor: "ann" })).rejects.toThrow();
    expect(await readRetention(at.db)).toEqual(before);
  });

  it("falls back where what is stored is damaged", async () => {
    await setSetting(at.db, "retention", { observationDays: "many" });
    expect((await readRetention(at.db, 21)).days.observationDays).toBe(21);
  });

  it("says how far back observations go, and what they take", async () => {
    await ensurePartitions(at.db, now);
    const size = await storedSize(at.db);
    expect(size.since?.toISOString()).toBe("2026-11-21T00:00:00.000Z");
    expect(size.observations).toBeGreaterThan(0);
    expect(size.all).toBeGreaterThan(size.observations);
  });
});
