import type { Database } from "@lynceus/db/client";

/** Machines that change, again and again. */
const machines = 20_000;
/** Commits a second, each with its notification: as many as a busy collector's. */
const commits = 20;

export interface Storm {
  /** Changes that were committed so far. */
  readonly changes: number;
  /** Ends the changes, and leaves the machines as they are now. */
  stop(): Promise<void>;
  /** Makes the machines what they were before. */
  undo(): Promise<void>;
}

/**
 * Changes `perSecond` machines a second: healthy ones begin to fail, then those that fail are healthy again, with the
 * notification of each commit that a collector gives. Where the database cannot keep up it does as many as it can.
 */
export async function startStorm({ pool }: Database, perSecond: number): Promise<Storm> {
  const { rows: chosen } = await pool.query<{ id: string }>(
    "SELECT id::text FROM machines WHERE status = 'healthy' ORDER BY id LIMIT $1",
    [machines],
  );
  const ids = chosen.map(({ id }) => id);
  await pool.query("DROP TABLE IF EXISTS bench_storm");
  await pool.query(
    `CREATE UNLOGGED TABLE bench_storm AS SELECT id, status, status_since, primary_pattern, primary_severity, primary_since
     FROM machines WHERE id = ANY($1::uuid[])`,
    [ids],
  );
  const size = perSecond / commits;
  let stopped = false;
  let changes = 0;
  const began = performance.now();
  const run = (async () => {
    for (let at = 0, failing = true; !stopped; at += size) {
      if (at + size > ids.length) {
        at = 0;
        failing = !failing;
      }
      const batch = ids.slice(at, at + size);
      await pool.query(
        `WITH changed AS (
           UPDATE machines SET status = $2, status_since = now(), primary_pattern = $3, primary_severity = $4,
             primary_since = CASE WHEN $3::text IS NULL THEN NULL ELSE now() END
           WHERE id = ANY($1::uuid[]) RETURNING id)
         SELECT count(*), pg_notify('lynceus', '')::text FROM changed`,
        failing ? [batch, "failing", "proxy-unreachable", "prompting"] : [batch, "healthy", null, null],
      );
      changes += batch.length;
      const ahead = (changes / perSecond) * 1_000 - (performance.now() - began);
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    }
  })();
  return {
    get changes() {
      return changes;
    },
    stop: async () => {
      stopped = true;
      await run;
    },
    undo: async () => {
      await pool.query(
        `UPDATE machines m SET status = b.status, status_since = b.status_since, primary_pattern = b.primary_pattern,
           primary_severity = b.primary_severity, primary_since = b.primary_since
         FROM bench_storm b WHERE b.id = m.id`,
      );
      await pool.query("DROP TABLE bench_storm");
    },
  };
}
