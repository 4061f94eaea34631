import { jobsPool } from "@lynceus/db/jobs-pool";
import { asTrace } from "@lynceus/telemetry/spans";
import { Logger as GraphileLogger, parseCronItems, type Runner, run, runMigrations } from "graphile-worker";
import type { Logger } from "pino";
import type { Deliveries } from "./incidents/deliver.ts";
import type { Sweeps } from "./sweep.ts";

/** Between the end of the jobs and their next start. */
const restartMs = 3_000;

export interface Jobs {
  stop(): Promise<void>;
}

/** The tables of the jobs, as this version has them: jobs are added by SQL, whether this collector runs any or not. */
export async function prepareJobs(databaseUrl: string): Promise<void> {
  await runMigrations({ connectionString: databaseUrl, logger: new GraphileLogger(() => () => {}) });
}

/**
 * The singletons' clock, each job once a due time however many collectors there are, and the delivery of notices, each at
 * one of them at a time (design decision 10).
 */
export async function startJobs(options: {
  databaseUrl: string;
  sweeps: Sweeps;
  deliveries: Deliveries;
  /** Jobs that may run at once. */
  concurrency: number;
  now: () => number;
  /** Machines that were marked stale. */
  onStale: (machineIds: string[]) => void;
  log: Logger;
}): Promise<Jobs> {
  const { sweeps, deliveries, now, log } = options;
  const pool = jobsPool({
    url: options.databaseUrl,
    connections: 4,
    onError: (error) => log.warn({ err: error }, "a database connection of the jobs broke"),
  });
  const start = () =>
    run({
      pgPool: pool,
      concurrency: options.concurrency,
      // main.ts stops everything in order.
      noHandleSignals: true,
      logger: new GraphileLogger(() => (level, message) => {
        if (level === "error" || level === "warning") log.warn({ job: true }, message);
        else log.debug({ job: true }, message);
      }),
      taskList: {
        "deliver-notice": async (payload) => {
          const id = (payload as { id?: unknown } | null)?.id;
          if (typeof id === "string") await asTrace("deliver notice", {}, () => deliveries.attempt(id));
        },
        "lynceus-minute": async () => {
          const { stale, expired } = await asTrace("minute's job", {}, () => sweeps.minute(now()));
          if (stale.length > 0) options.onStale(stale);
          if (stale.length + expired > 0) log.info({ stale: stale.length, expired }, "swept");
        },
        "lynceus-hour": async () => {
          const made = await asTrace("hour's job", {}, () => sweeps.hour(now()));
          if (made.length > 0) log.info({ made }, "partitions made");
        },
        "lynceus-day": async () => {
          const gone = await asTrace("day's job", {}, () => sweeps.day(now()));
          log.info(gone, "retention applied");
        },
      },
      parsedCronItems: parseCronItems([
        { task: "lynceus-minute", match: "* * * * *", options: { maxAttempts: 1 } },
        { task: "lynceus-hour", match: "7 * * * *", options: { backfillPeriod: 3_600_000, maxAttempts: 5 } },
        { task: "lynceus-day", match: "23 3 * * *", options: { backfillPeriod: 86_400_000, maxAttempts: 5 } },
      ]),
    });
  let runner: Runner | null = await start().catch(async (error) => {
    await pool.end();
    throw error;
  });
  let timer: NodeJS.Timeout | null = null;
  let stopping = false;

  /** A runner that ends by itself, as when the database was away for too long, is followed by another. */
  const watch = (running: Runner) => {
    running.promise
      .catch((error) => log.error({ err: error }, "jobs ended; they are started again"))
      .finally(() => {
        if (stopping) return;
        runner = null;
        timer = setTimeout(again, restartMs);
      });
  };
  const again = () => {
    start().then(
      (next) => {
        if (stopping) next.stop().catch(() => {});
        else {
          runner = next;
          watch(next);
        }
      },
      (error) => {
        log.warn({ err: error }, "jobs cannot be started; it is tried again");
        if (!stopping) timer = setTimeout(again, restartMs);
      },
    );
  };
  watch(runner);
  return {
    async stop() {
      stopping = true;
      if (timer) clearTimeout(timer);
      await runner?.stop().catch(() => {});
      await pool.end().catch(() => {});
    },
  };
}
