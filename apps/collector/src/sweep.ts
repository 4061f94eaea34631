import type { Database } from "@lynceus/db/client";
import { expireCommands } from "@lynceus/db/commands";
import { foldFleetCells } from "@lynceus/db/fleet-cells";
import { dropExpired, ensurePartitions } from "@lynceus/db/partitions";
import { readRetention } from "@lynceus/db/retention";
import { recordSample } from "@lynceus/db/samples";
import { getSetting, setSetting } from "@lynceus/db/settings";
import { sweepStale } from "@lynceus/db/sweep";
import type { CollectorConfig } from "./config.ts";
import { beat, staleBefore, uptimeKey, uptimeSchema } from "./uptime.ts";

export interface SweepOptions {
  readonly db: Database;
  readonly config: CollectorConfig;
  /** Longest cycle of any machine. */
  readonly cycleMinutes: () => number;
}

/** Work that one collector of all does (a singleton job); each takes the moment it is done for. */
export function createSweeps({ db, config, cycleMinutes }: SweepOptions) {
  return {
    /** Each minute: notes that somebody listens, marks who is silent, gives up commands, adds up cells, takes the trend's sample. */
    async minute(now: number): Promise<{ stale: string[]; expired: number }> {
      const stored = uptimeSchema.safeParse(await getSetting(db, uptimeKey));
      const uptime = beat(stored.success ? stored.data : null, now);
      await setSetting(db, uptimeKey, uptime);
      const silence = 3 * cycleMinutes() * 60_000;
      const before = new Date(staleBefore(uptime, now, silence));
      const stale = await sweepStale(db, { now: new Date(now), staleBefore: before });
      const expired = await expireCommands(db, new Date(now - config.commandTimeout), new Date(now));
      await foldFleetCells(db);
      await recordSample(db, new Date(now));
      return { stale, expired };
    },

    /** Each hour: the partitions of the week ahead. */
    hour: (now: number) => ensurePartitions(db, new Date(now)),

    /** Each day: what is older than the retention goes. */
    day: async (now: number) => dropExpired(db, new Date(now), (await readRetention(db, config.retentionDays)).days),
  };
}

export type Sweeps = ReturnType<typeof createSweeps>;
