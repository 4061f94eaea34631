import { type Retention, retentionSchema, usualHistoryDays } from "@lynceus/protocol/retention";
import { writeAudit } from "./audit.ts";
import type { Database, Reader } from "./client.ts";
import { oldestObservations } from "./history.ts";
import { getSetting, setSetting } from "./settings.ts";

/** What somebody saved. */
const savedKey = "retention";
/** Days of observations that a collector was started with. */
const startedKey = "retention-started";
const startedSchema = retentionSchema.pick({ observationDays: true });
const lockKey = 72_707_373;

export interface KeptDays {
  days: Retention;
  /** Saved in the dashboard; else collectors decide by how they were started. */
  saved: boolean;
}

/**
 * How long things are kept: what was saved, else what a collector was started with. `startedWith`: days of observations of the
 * collector that asks; who is none reads what one noted.
 */
export async function readRetention(db: Reader, startedWith?: number): Promise<KeptDays> {
  const saved = retentionSchema.safeParse(await getSetting(db, savedKey));
  if (saved.success) return { days: saved.data, saved: true };
  const noted = startedSchema.safeParse(await getSetting(db, startedKey));
  const observationDays = startedWith ?? (noted.success ? noted.data.observationDays : 30);
  return { days: { observationDays, historyDays: usualHistoryDays }, saved: false };
}

/** Notes what a collector was started with, for who looks. */
export const noteStartedRetention = (db: Reader, observationDays: number): Promise<void> =>
  setSetting(db, startedKey, { observationDays });

/** Changes how long things are kept. What is older goes with the next daily run of a collector. */
export async function saveRetention(db: Database, retention: Retention, by: { actor: string }): Promise<void> {
  const after = retentionSchema.parse(retention);
  await db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const { days: before } = await readRetention({ prisma });
    await setSetting({ prisma }, savedKey, after);
    await writeAudit({ prisma }, { actor: by.actor, action: "retention.save", subject: "retention", before, after });
  });
}

/** How far back observations go, and the room that they and everything else take, in bytes. */
export async function storedSize(db: Database): Promise<{ since: Date | null; observations: number; all: number }> {
  const [row] = await db.prisma.$queryRaw<{ observations: bigint; all: bigint }[]>`
    SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint AS observations,
      pg_database_size(current_database())::bigint AS "all"
    FROM pg_inherits WHERE inhparent = '"observations"'::regclass`;
  return { since: await oldestObservations(db), observations: Number(row?.observations), all: Number(row?.all) };
}
