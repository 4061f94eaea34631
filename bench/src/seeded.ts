import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Database, openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { foldFleetCells } from "@lynceus/db/fleet-cells";
import { migrate } from "@lynceus/db/migrate";
import { type Dashboard, startDashboard } from "./dashboard.ts";
import { seedFleet } from "./seed/seed.ts";

export interface SeededFleet {
  readonly machines: number;
  readonly openFindings: number;
  /** Of history. */
  readonly days: number;
  /** A data directory of `npm run seed`; without one a fleet is made for the run, and goes with it. */
  readonly keptIn?: string | undefined;
}

/** The built dashboard on a seeded fleet in embedded PostgreSQL, for as long as `use` runs. */
export async function withSeeded<T>(
  fleet: SeededFleet,
  port: number,
  use: (seeded: { db: Database; dashboard: Dashboard; postgresPid: number }) => Promise<T>,
): Promise<T> {
  const made = fleet.keptIn === undefined ? mkdtempSync(path.join(tmpdir(), "lynceus-seeded-")) : null;
  const stops: (() => Promise<void>)[] = [];
  try {
    const dataDirectory = path.join(fleet.keptIn ?? made ?? "", "postgres");
    const postgres = await startEmbeddedPostgres({ dataDirectory });
    stops.unshift(() => postgres.stop());
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url });
    stops.unshift(() => db.close());
    if (made !== null) {
      const { machines, openFindings, days } = fleet;
      await seedFleet(db, { machines, openFindings, days, seed: 1, now: new Date() }, (line) =>
        process.stderr.write(`  ${line}\n`),
      );
    }
    // No collector runs here: what an earlier storm left in a kept fleet is added up by nobody else.
    await foldFleetCells(db);
    const dashboard = await startDashboard(db, port);
    stops.unshift(dashboard.stop);
    return await use({ db, dashboard, postgresPid: postgres.pid });
  } finally {
    for (const stop of stops) await stop();
    if (made !== null) rmSync(made, { recursive: true, force: true });
  }
}
