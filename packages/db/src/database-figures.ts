import type { Reader } from "./client.ts";

export interface DatabaseFigures {
  /** Size on disk. */
  bytes: number;
  /** Jobs that are due: never tried, tried without success, given up. All 0 where no collector ever ran. */
  jobs: { waiting: number; retrying: number; "given-up": number };
  notices: {
    /** Not delivered yet, and since when the oldest of them waits. */
    waiting: number;
    waitingSince: Date | null;
    /** Given up. */
    dead: number;
  };
}

/** What an operator watches of the database and of what waits in it. Cheap: no table of machines is read. */
export async function databaseFigures(db: Reader): Promise<DatabaseFigures> {
  const [found] = await db.prisma.$queryRaw<{ bytes: bigint; queue: string | null }[]>`
    SELECT pg_database_size(current_database()) AS bytes, to_regclass('graphile_worker.jobs')::text AS queue`;
  const [notices] = await db.prisma.$queryRaw<DatabaseFigures["notices"][]>`
    SELECT count(*) FILTER (WHERE state <> 'dead')::int AS waiting, count(*) FILTER (WHERE state = 'dead')::int AS dead,
      min(created_at) FILTER (WHERE state <> 'dead') AS "waitingSince"
    FROM notices WHERE state IN ('queued', 'sending', 'failed', 'dead')`;
  const figures = {
    bytes: Number(found?.bytes ?? 0),
    jobs: { waiting: 0, retrying: 0, "given-up": 0 },
    notices: notices ?? { waiting: 0, waitingSince: null, dead: 0 },
  };
  if (!found?.queue) return figures;
  const [jobs] = await db.prisma.$queryRaw<DatabaseFigures["jobs"][]>`
    SELECT count(*) FILTER (WHERE attempts = 0)::int AS waiting,
      count(*) FILTER (WHERE attempts > 0 AND attempts < max_attempts)::int AS retrying,
      count(*) FILTER (WHERE attempts >= max_attempts)::int AS "given-up"
    FROM graphile_worker.jobs WHERE run_at <= now()`;
  return { ...figures, jobs: jobs ?? figures.jobs };
}
