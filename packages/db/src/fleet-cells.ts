import type { Scope } from "@lynceus/protocol/access";
import type { MachineStatus, PatternId } from "@lynceus/protocol/names";
import type { Counts } from "@lynceus/protocol/read-api";
import { type Database, Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/** Machines of one site, status and primary finding: what counts, patterns and the heat map are added up from. */
export interface FleetCell {
  /** Null: machines at no site of the map. */
  site: string | null;
  status: MachineStatus;
  /** Healthy machines that carry a finding are counted apart. */
  atRisk: boolean;
  pattern: PatternId | null;
  machines: number;
  simulated: number;
}

/**
 * Every machine in view that is not revoked, in exactly one cell. Read from the cells that the database keeps; a scope of
 * tags, which they do not know, looks at its machines.
 */
export function fleetCells(db: FleetReader, query: { site?: string | null } = {}): Promise<FleetCell[]> {
  const { tags } = db.scope;
  if (tags?.length)
    return db.prisma.$queryRaw<FleetCell[]>`
      SELECT m.site, m.status, m.at_risk AS "atRisk", m.primary_pattern AS pattern, count(*)::int AS machines,
        count(*) FILTER (WHERE m.simulated)::int AS simulated
      FROM ${machines(db)} m
      WHERE m.revoked_at IS NULL ${query.site ? Prisma.sql`AND m.site = ${query.site}` : Prisma.empty}
      GROUP BY 1, 2, 3, 4`;
  return db.prisma.$queryRaw<FleetCell[]>`
    SELECT nullif(site, '') AS site, status, at_risk AS "atRisk", nullif(pattern, '') AS pattern,
      sum(machines)::int AS machines, coalesce(sum(machines) FILTER (WHERE simulated), 0)::int AS simulated
    FROM ${keptCells(db.scope, query)} GROUP BY 1, 2, 3, 4 HAVING sum(machines) <> 0`;
}

/** The cells that the database keeps and what came to them since, named `c`, as far as they are seen by site. */
function keptCells({ sites, tags }: Scope, query: { site?: string | null }): Prisma.Sql {
  const where = [Prisma.sql`TRUE`];
  if (sites !== null || tags !== null)
    where.push(Prisma.sql`site = ANY (${[...(sites ?? [])]}::text[]) AND site <> ''`);
  if (query.site) where.push(Prisma.sql`site = ${query.site}`);
  const columns = Prisma.sql`site, status, at_risk, pattern, simulated, agent, machines`;
  return Prisma.sql`(SELECT * FROM (SELECT ${columns} FROM fleet_cells
      UNION ALL SELECT ${columns} FROM fleet_cell_changes) kept WHERE ${Prisma.join(where, " AND ")}) c`;
}

/** Machines whose agents have one version, which is compared without regard to case, as the filter language does. */
export interface AgentVersionCount {
  /** As some of them write it; null: they have not said. */
  version: string | null;
  machines: number;
}

/** Every machine in view that is not revoked, by the version of its agent, the most frequent first. */
export function agentVersions(db: FleetReader, query: { site?: string | null } = {}): Promise<AgentVersionCount[]> {
  const from = db.scope.tags?.length
    ? Prisma.sql`(SELECT m.agent_version AS agent, 1 AS machines FROM ${machines(db)} m
        WHERE m.revoked_at IS NULL ${query.site ? Prisma.sql`AND m.site = ${query.site}` : Prisma.empty}) c`
    : keptCells(db.scope, query);
  return db.prisma.$queryRaw<AgentVersionCount[]>`
    SELECT nullif(min(agent), '') AS version, sum(machines)::int AS machines
    FROM (SELECT agent, sum(machines) AS machines FROM ${from} GROUP BY 1 HAVING sum(machines) <> 0) c
    GROUP BY lower(agent) ORDER BY machines DESC, version`;
}

/** The counts of these cells. */
export function countsOf(cells: readonly Pick<FleetCell, "status" | "atRisk" | "machines">[]): Counts {
  const sum = (matches: (cell: (typeof cells)[number]) => boolean) =>
    cells.reduce((total, cell) => (matches(cell) ? total + cell.machines : total), 0);
  return {
    healthy: sum((cell) => cell.status === "healthy"),
    failing: sum((cell) => cell.status === "failing"),
    stale: sum((cell) => cell.status === "stale"),
    cannotTell: sum((cell) => cell.status === "cannot-tell"),
    signedOff: sum((cell) => cell.status === "signed-off"),
    atRisk: sum((cell) => cell.status === "healthy" && cell.atRisk),
  };
}

export interface PatternCount {
  pattern: PatternId;
  /** Machines whose primary finding it is, among those that are judged now: a stale machine's last finding is history. */
  machines: number;
  /** Those of them that are failing; the others are at risk. */
  failing: number;
}

const judged: ReadonlySet<MachineStatus> = new Set(["healthy", "failing", "cannot-tell"]);

/** Primary findings of these cells by number of machines, those with most failing machines first. */
export function patternCounts(cells: readonly FleetCell[]): PatternCount[] {
  const byPattern = new Map<PatternId, PatternCount>();
  for (const { pattern, status, machines: count } of cells) {
    if (pattern === null || !judged.has(status)) continue;
    const row = byPattern.get(pattern) ?? { pattern, machines: 0, failing: 0 };
    row.machines += count;
    if (status === "failing") row.failing += count;
    byPattern.set(pattern, row);
  }
  return [...byPattern.values()].sort(
    (a, b) => b.failing - a.failing || b.machines - a.machines || a.pattern.localeCompare(b.pattern, "en"),
  );
}

/**
 * Adds up what changed since the last time, so that reading stays short. Whichever collectors call it, each change counts
 * once. A cell that nobody is in goes, but the last one of a site stays: it is where the site's spelling is looked up.
 */
export async function foldFleetCells(db: Database): Promise<void> {
  await db.prisma.$executeRaw`
    WITH gone AS (
      DELETE FROM fleet_cell_changes WHERE id IN (SELECT id FROM fleet_cell_changes ORDER BY id FOR UPDATE SKIP LOCKED)
      RETURNING site, status, at_risk, pattern, simulated, agent, machines
    )
    INSERT INTO fleet_cells AS c (site, status, at_risk, pattern, simulated, agent, machines)
    SELECT site, status, at_risk, pattern, simulated, agent, sum(machines)::int FROM gone
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (site, status, at_risk, pattern, simulated, agent) DO UPDATE SET machines = c.machines + excluded.machines`;
  await db.prisma.$executeRaw`
    DELETE FROM fleet_cells WHERE ctid IN (
      SELECT c.ctid FROM fleet_cells c WHERE c.machines = 0
        AND EXISTS (SELECT FROM fleet_cells o WHERE o.site = c.site AND o.machines <> 0)
      FOR UPDATE SKIP LOCKED)`;
}
