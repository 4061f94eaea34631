import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { getCause, listCauseMembers, listCauses } from "../src/causes.ts";
import { changesBefore, joinChanges, listChangeMachines, listFleetChanges } from "../src/fleet-changes.ts";
import { dropLease, takeLease } from "../src/lease.ts";
import { dropExpired } from "../src/partitions.ts";
import type { Fleet } from "../src/scope.ts";
import { readTraits, resumeTraits } from "../src/traits.ts";
import { enrol, minutesAgo, now, useDatabase } from "./fixtures.ts";

const at = useDatabase();

/** Statements that reading runs, with their plans on tables of some size. */
async function plansOf(db: Fleet, read: (db: Fleet) => Promise<unknown>): Promise<string[]> {
  const seen: { text: string; values: unknown[] }[] = [];
  const query = db.pool.query.bind(db.pool);
  const spy = (async (...args: unknown[]) => {
    const [first, second] = args as [string | { text: string; values?: unknown[] }, unknown[] | undefined];
    if (typeof first === "string") seen.push({ text: first, values: second ?? [] });
    else seen.push({ text: first.text, values: first.values ?? second ?? [] });
    return (query as (...rest: unknown[]) => Promise<unknown>)(...args);
  }) as typeof db.pool.query;
  db.pool.query = spy;
  try {
    await read(db);
  } finally {
    db.pool.query = query;
  }
  const plans: string[] = [];
  for (const { text, values } of seen.filter((one) => /^\s*(SELECT|WITH)/i.test(one.text))) {
    const { rows } = await query<{ "QUERY PLAN": string }>(`EXPLAIN ${text}`, values as unknown[]);
    plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
  }
  return plans;
}

describe("pages of causes and changes", () => {
  let machineId = "";
  let changeId = "";
  let causeId = "";
  beforeAll(async () => {
    const { db } = at;
    machineId = await enrol(db, "pc1");
    changeId = randomUUID();
    causeId = randomUUID();
    await db.pool.query(`
      INSERT INTO machines (id, hostname, public_key) SELECT gen_random_uuid(), 'M' || i, decode(md5(i::text), 'hex')
      FROM generate_series(1, 20000) i`);
    await db.pool.query(`
      INSERT INTO fleet_changes (id, change_key, simulated, kind, text, first_at, last_at, machines)
      SELECT gen_random_uuid(), 'k' || i, FALSE, 'script', 'changed', now() - i * interval '1 minute',
        now() - i * interval '1 minute', 1 FROM generate_series(1, 20000) i`);
    await db.pool.query(
      `INSERT INTO fleet_changes (id, change_key, simulated, kind, text, first_at, last_at, machines)
       VALUES ($1, 'big', FALSE, 'script', 'changed', now(), now(), 20000)`,
      [changeId],
    );
    await db.pool.query(
      "INSERT INTO fleet_change_machines (change_id, machine_id, at) SELECT $1, id, now() FROM machines",
      [changeId],
    );
    await db.pool.query(`
      INSERT INTO causes (id, simulated, location, key, value, text, explains, of, counts, confidence, since, updated_at,
        cleared_at, also, counter_examples)
      SELECT CASE WHEN i = 1 THEN '${causeId}'::uuid ELSE gen_random_uuid() END, FALSE, 'inside', 'site', 's' || i, '', 1,
        1, '{}', 'low', now() - i * interval '1 minute', now(), CASE WHEN i > 5 THEN now() END, '[]',
        '{"failing": [], "healthy": []}' FROM generate_series(1, 20000) i`);
    await db.pool.query("INSERT INTO cause_members (cause_id, machine_id, since) SELECT $1, id, now() FROM machines", [
      causeId,
    ]);
    await db.pool.query(`
      INSERT INTO transitions (machine_id, at, id, kind, text)
      SELECT id, now(), gen_random_uuid(), 'script', 'changed' FROM machines`);
    await db.pool.query("ANALYZE");
  });

  it.each<[string, (db: Fleet) => Promise<unknown>]>([
    ["changes", (db) => listFleetChanges(db, { limit: 20 })],
    ["changes since a moment", (db) => listFleetChanges(db, { since: new Date(Date.now() - 3_600_000), limit: 20 })],
    ["machines of a change", (db) => listChangeMachines(db, changeId, { limit: 20 })],
    ["changes before a failure", (db) => changesBefore(db, machineId, now)],
    ["open causes", (db) => listCauses(db, { open: true, limit: 20 })],
    ["a cause", (db) => getCause(db, causeId)],
    ["members of a cause", (db) => listCauseMembers(db, causeId, { limit: 20 })],
    ["traits", (db) => readTraits(db, null, 20)],
  ])("of %s read no table of the fleet as a whole", async (_, read) => {
    const plans = await plansOf(at.db, read);
    expect(plans.length).toBeGreaterThan(0);
    // The count of a cause's members is as large as they are many.
    for (const plan of plans)
      expect(plan).not.toMatch(
        /Seq Scan on (machines|fleet_changes|fleet_change_machines|causes|transitions|observations)/,
      );
  });

  it("hold at most what was asked for, and go on where they ended", async () => {
    const first = await listChangeMachines(at.db, changeId, { limit: 2 });
    const next = await listChangeMachines(at.db, changeId, { limit: 2, cursor: first.nextCursor });
    expect(first.total).toBe(20000);
    expect(new Set([...first.items, ...next.items].map(({ id }) => id)).size).toBe(4);
  });
});

describe("a change that waits", () => {
  it("is joined once, whoever joins at the same time", async () => {
    const { db } = at;
    const ids = await Promise.all(["a", "b", "c"].map((name) => enrol(db, name)));
    for (const [index, id] of ids.entries())
      await db.prisma.pendingChange.create({
        data: {
          machineId: id,
          at: minutesAgo(10 - index),
          kind: "agent",
          text: "Agent 1 → 2",
          changeKey: "agent:once",
        },
      });
    const joined = await Promise.all([joinChanges(db), joinChanges(db), joinChanges(db)]);
    expect(joined.reduce((sum, count) => sum + count, 0)).toBe(3);
    const { items } = await listFleetChanges(db, { kinds: ["agent"] });
    expect(items).toMatchObject([
      {
        machines: 3,
        firstAt: minutesAgo(10).toISOString(),
        lastAt: minutesAgo(8).toISOString(),
        sample: [{ hostname: "a" }, { hostname: "b" }, { hostname: "c" }],
      },
    ]);
  });

  it("goes by retention with its machines", async () => {
    const { db } = at;
    await dropExpired(db, new Date(now.getTime() + 400 * 86_400_000), { observationDays: 3_000, historyDays: 396 });
    expect((await listFleetChanges(db, { kinds: ["agent"] })).items).toEqual([]);
  });
});

describe("a lease", () => {
  it("has one holder, who keeps it, and another when it is dropped or over", async () => {
    const { db } = at;
    expect(await takeLease(db, "x", "a", 60)).toBe(true);
    expect(await takeLease(db, "x", "b", 60)).toBe(false);
    expect(await takeLease(db, "x", "a", 60)).toBe(true);
    await dropLease(db, "x", "b");
    expect(await takeLease(db, "x", "b", 60)).toBe(false);
    await dropLease(db, "x", "a");
    expect(await takeLease(db, "x", "b", -1)).toBe(true);
    expect(await takeLease(db, "x", "a", 60)).toBe(true);
  });
});

describe("reading traits on", () => {
  it("begins where it ended, and a little earlier only as long as something may still become visible", async () => {
    const old = { changedAt: "2020-01-01 00:00:00+00", machineId: randomUUID() };
    expect(await resumeTraits(at.db, old, 60)).toEqual(old);
    const future = { changedAt: "2100-01-01 00:00:00+00", machineId: randomUUID() };
    expect((await resumeTraits(at.db, future, 60)).changedAt < future.changedAt).toBe(true);
  });
});
