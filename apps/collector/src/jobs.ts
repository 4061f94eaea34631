import { Logger as GraphileLogger, parseCronItems, run } from "graphile-worker";
import type { Logger } from "pino";
import type { Sweeps } from "./sweep.ts";

export interface Jobs {
  stop(): Promise<void>;
}

/**
 * The singletons' clock: graphile-worker's cron runs each job once a due time, however many collectors there are
 * (design decision 10).
 */
export async function startJobs(options: {
  databaseUrl: string;
  sweeps: Sweeps;
  now: () => number;
  /** Machines that were marked stale. */
  onStale: (machineIds: string[]) => void;
  log: Logger;
}): Promise<Jobs> {
  const { sweeps, now, log } = options;
  const runner = await run({
    connectionString: options.databaseUrl,
    concurrency: 1,
    maxPoolSize: 3,
    // main.ts stops everything in order.
    noHandleSignals: true,
    logger: new GraphileLogger(() => (level, message) => {
      if (level === "error" || level === "warning") log.warn({ job: true }, message);
      else log.debug({ job: true }, message);
    }),
    taskList: {
      "lynceus-minute": async () => {
        const { stale, expired } = await sweeps.minute(now());
        if (stale.length > 0) options.onStale(stale);
        if (stale.length + expired > 0) log.info({ stale: stale.length, expired }, "swept");
      },
      "lynceus-hour": async () => {
        const made = await sweeps.hour(now());
        if (made.length > 0) log.info({ made }, "partitions made");
      },
      "lynceus-day": async () => {
        const gone = await sweeps.day(now());
        log.info(gone, "retention applied");
      },
    },
    parsedCronItems: parseCronItems([
      { task: "lynceus-minute", match: "* * * * *", options: { maxAttempts: 1 } },
      { task: "lynceus-hour", match: "7 * * * *", options: { backfillPeriod: 3_600_000, maxAttempts: 5 } },
      { task: "lynceus-day", match: "23 3 * * *", options: { backfillPeriod: 86_400_000, maxAttempts: 5 } },
    ]),
  });
  // A rejection here is the runner's end, which stop() reports as well.
  runner.promise.catch((error) => log.error({ err: error }, "jobs ended"));
  return { stop: () => runner.stop().catch(() => {}) };
}
