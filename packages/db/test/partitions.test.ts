import { describe, expect, it } from "vitest";
import { commitBatch } from "../src/ingest.ts";
import { listObservations } from "../src/observations.ts";
import { dropExpired, ensurePartitions, listPartitions, partitionName } from "../src/partitions.ts";
import { batch, enrol, minutesAgo, now, observation, update, useDatabase } from "./fixtures.ts";

const day = (offset: number) => new Date(now.getTime() + offset * 86_400_000);

describe("partitions of observations", () => {
  const at = useDatabase();

  it("reach from yesterday to a week ahead, and are made once", async () => {
    expect(await listPartitions(at.db)).toEqual(Array.from({ length: 9 }, (_, index) => partitionName(day(index - 1))));
    expect(await ensurePartitions(at.db, now)).toEqual([]);
    const made = await Promise.all([1, 2, 3].map(() => ensurePartitions(at.db, day(1))));
    expect(made.flat()).toEqual([partitionName(day(8))]);
  });

  it("take a row by the day it was received, whatever the day it was observed", async () => {
    const id = await enrol(at.db, "LT-1");
    const late = observation(id, 1, { observedAt: day(-20), replayed: true });
    await commitBatch(at.db, batch({ observations: [late], machines: [update(id, [0, 1])] }));
    const [row] = await at.db.prisma.$queryRaw<{ n: number }[]>`SELECT count(*)::int AS n FROM observations_20261122`;
    expect(row?.n).toBe(1);
  });

  it("are dropped when they are older than what is kept, with the old rows of the small tables", async () => {
    const { db } = at;
    await ensurePartitions(db, day(-40), 2);
    const id = await enrol(db, "LT-2");
    await commitBatch(db, batch({ now: day(-39), observations: [observation(id, 1)], machines: [update(id, [0, 1])] }));
    await commitBatch(
      db,
      batch({
        observations: [observation(id, 2)],
        machines: [update(id, [1, 2])],
        transitions: [day(-400), minutesAgo(1)].map((when) => ({
          machineId: id,
          at: when,
          kind: "status",
          text: "x",
          detail: null,
          severity: null,
          replayed: false,
          changeKey: null,
        })),
      }),
    );
    const gone = await dropExpired(db, now, { observationDays: 30, historyDays: 365 });
    expect(gone.partitions).toEqual([-41, -40, -39, -38].map((offset) => partitionName(day(offset))));
    expect(gone.rows).toBe(1);
    expect((await listObservations(db, id)).items.map((row) => row.seq)).toEqual([2]);
    expect(await dropExpired(db, now, { observationDays: 30, historyDays: 365 })).toEqual({ partitions: [], rows: 0 });
  });
});
