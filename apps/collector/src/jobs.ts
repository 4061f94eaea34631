import { asTrace } from "@lynceus/telemetry/spans";
import { Logger as GraphileLogger, parseCronItems, run, runMigrations } from "graphile-worker";
import type { Logger } from "pino";
import type { Deliveries } from "./incidents/deliver.ts";
import type { Sweeps } from "./sweep.ts";

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
  const runner = await run({
    connectionString: options.databaseUrl,
    concurrency: options.concurrency,
    maxPoolSize: 4,
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
  // A rejection here is the runner's end, which stop() reports as well.
  runner.promise.catch((error) => log.error({ err: error }, "jobs ended"));
  return { stop: () => runner.stop().catch(() => {}) };
}
