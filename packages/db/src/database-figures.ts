import type { Reader } from "./client.ts";

export interface DatabaseFigures {
  /** Size on disk. */
  bytes: number;
  /** Jobs that are due: never tried, tried without success, given up. All 0 where no collector ever ran. */
  jobs: { waiting: number; retrying: number; "given-up": number };
}

/** What an operator watches of the database itself. Cheap: no table of ours is read. */
export async function databaseFigures(db: Reader): Promise<DatabaseFigures> {
  const [found] = await db.prisma.$queryRaw<{ bytes: bigint; queue: string | null }[]>`
    SELECT pg_database_size(current_database()) AS bytes, to_regclass('graphile_worker.jobs')::text AS queue`;
  const none = { waiting: 0, retrying: 0, "given-up": 0 };
  if (!found?.queue) return { bytes: Number(found?.bytes ?? 0), jobs: none };
  const [jobs] = await db.prisma.$queryRaw<DatabaseFigures["jobs"][]>`
    SELECT count(*) FILTER (WHERE attempts = 0)::int AS waiting,
      count(*) FILTER (WHERE attempts > 0 AND attempts < max_attempts)::int AS retrying,
      count(*) FILTER (WHERE attempts >= max_attempts)::int AS "given-up"
    FROM graphile_worker.jobs WHERE run_at <= now()`;
  return { bytes: Number(found.bytes), jobs: jobs ?? none };
}
