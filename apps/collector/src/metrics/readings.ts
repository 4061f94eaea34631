import type { Database } from "@lynceus/db/client";
import { databaseFigures } from "@lynceus/db/database-figures";
import { fleetCells } from "@lynceus/db/fleet-cells";
import { lastCount } from "@lynceus/db/samples";
import { wholeFleet } from "@lynceus/db/scope";
import type { Connections } from "../link/connections.ts";
import { within } from "../within.ts";
import type { Metrics } from "./metrics.ts";

export interface ReadingsOptions {
  readonly db: Database;
  readonly metrics: Metrics;
  readonly connections: Connections;
  /** Whether this collector attributes. */
  readonly leading: () => boolean;
  readonly monotonic: () => number;
}

/** What is not counted where it happens: read once a minute, or, where that costs nothing, when somebody scrapes. */
export function createReadings({ db, metrics, connections, leading, monotonic }: ReadingsOptions) {
  /** Whether the database answers in time. */
  const answers = async (ms: number): Promise<boolean> =>
    (await within(
      db.prisma.$queryRaw`SELECT 1`.then(() => true).catch(() => false),
      ms,
    )) === true;

  return {
    answers,

    /** Figures of the fleet and the database, which cost the same however often somebody scrapes. */
    async everyMinute(): Promise<void> {
      metrics.fleet.show(await fleetCells(wholeFleet(db)), await lastCount(db));
      const { bytes, jobs, notices } = await databaseFigures(db);
      metrics.databaseBytes.set(bytes);
      for (const [state, count] of Object.entries(jobs)) metrics.jobs.set({ state }, count);
      metrics.noticesWaiting.set(notices.waiting);
      metrics.noticesWaitingSince.set((notices.waitingSince?.getTime() ?? 0) / 1000);
      metrics.noticesDead.set(notices.dead);
    },

    async onScrape(): Promise<void> {
      metrics.handshakes.set(connections.handshakes.size);
      metrics.connections.set(connections.open.size);
      metrics.attributionLeader.set(leading() ? 1 : 0);
      const { totalCount, idleCount, waitingCount } = db.pool;
      metrics.databasePool.set({ state: "busy" }, totalCount - idleCount);
      metrics.databasePool.set({ state: "idle" }, idleCount);
      metrics.databasePool.set({ state: "waiting" }, waitingCount);
      const asked = monotonic();
      metrics.databaseUp.set((await answers(1_000)) ? 1 : 0);
      metrics.databaseAnswerSeconds.set((monotonic() - asked) / 1000);
    },
  };
}
