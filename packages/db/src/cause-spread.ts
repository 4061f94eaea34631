import type { PatternId } from "@lynceus/protocol/names";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { fleetCells } from "./fleet-cells.ts";
import { type FleetReader, machines, ofMachines } from "./scope.ts";

/** A finding that machines of a cause have first: what fixes them is said by its pattern. */
export interface CauseFinding {
  pattern: PatternId;
  /** Cause text of the finding, such as "px1.contoso.com:8080 asks for its own login". */
  cause: string;
  machines: number;
}

export interface CauseSite {
  /** Null: machines at no site of the map. */
  site: string | null;
  /** Machines of the cause there, and all that report. */
  machines: number;
  reporting: number;
}

/** How many machines a cause explained from this moment on. */
export interface SpreadPoint {
  at: Date;
  machines: number;
}

export interface CauseSpread {
  findings: CauseFinding[];
  sites: CauseSite[];
  /** Oldest first, a point a minute at which it changed; at most 2,000. */
  points: SpreadPoint[];
}

/** What the machines of a cause have first, the most frequent finding first; at most eight. Not an id: none. */
export async function causeFindings(db: FleetReader, causeId: string): Promise<CauseFinding[]> {
  if (!isUuid(causeId)) return [];
  return db.prisma.$queryRaw<CauseFinding[]>`
    SELECT m.primary_pattern AS pattern, m.primary_cause AS cause, count(*)::int AS machines
    FROM cause_members b JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE b.cause_id = ${causeId}::uuid AND b.until IS NULL AND m.primary_pattern IS NOT NULL
      AND m.primary_cause IS NOT NULL
    GROUP BY 1, 2 ORDER BY machines DESC, pattern, cause LIMIT 8`;
}

/** What the machines of a cause have, where they are, and since when. Not an id: nothing of it. */
export async function causeSpread(db: FleetReader, causeId: string): Promise<CauseSpread> {
  if (!isUuid(causeId)) return { findings: [], sites: [], points: [] };
  const findings = await causeFindings(db, causeId);
  const own = await db.prisma.$queryRaw<Omit<CauseSite, "reporting">[]>`
    SELECT m.site, count(*)::int AS machines FROM causes c JOIN cause_members b ON b.cause_id = c.id
      JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE c.id = ${causeId}::uuid AND (b.until IS NULL OR b.until >= c.cleared_at)
    GROUP BY 1 ORDER BY machines DESC, m.site LIMIT 50`;
  const reporting = (await fleetCells(db)).filter((cell) => cell.status !== "signed-off");
  const sites = own.map(({ site, machines }) => ({
    site,
    machines,
    reporting: reporting.reduce((sum, cell) => (cell.site === site ? sum + cell.machines : sum), 0),
  }));
  const seen = ofMachines(db, Prisma.sql`machine_id`);
  const points = await db.prisma.$queryRaw<SpreadPoint[]>`
    WITH moved AS (
      SELECT date_trunc('minute', since) AS at, 1 AS by FROM cause_members
      WHERE cause_id = ${causeId}::uuid AND ${seen}
      UNION ALL
      SELECT date_trunc('minute', until), -1 FROM cause_members
      WHERE cause_id = ${causeId}::uuid AND until IS NOT NULL AND ${seen})
    SELECT at, machines FROM (
      SELECT at, sum(sum(by)) OVER (ORDER BY at)::int AS machines FROM moved GROUP BY at ORDER BY at DESC LIMIT 2000) m
    ORDER BY at`;
  return { findings, sites, points };
}
