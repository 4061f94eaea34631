import type { MachineStatus, PatternId } from "@lynceus/protocol/names";
import type { Counts, Incident } from "@lynceus/protocol/read-api";
import { inSnapshot, Prisma } from "./client.ts";
import { type FleetTrend, fleetTrend } from "./samples.ts";
import { type Fleet, type FleetReader, machines } from "./scope.ts";

interface SiteQuery {
  site?: string | null;
}

const atSite = ({ site }: SiteQuery) => (site ? Prisma.sql`AND m.site = ${site}` : Prisma.empty);
/** A finding counts where the machine is judged now: a stale machine's last finding is history. */
const judged = Prisma.sql`m.revoked_at IS NULL AND m.status IN ('healthy', 'failing', 'cannot-tell')`;

/** Machines that share site, status and primary finding: what counts, patterns and sites are added up from, in one scan. */
interface Cell {
  site: string | null;
  status: MachineStatus;
  atRisk: boolean;
  /** Null also where the finding is history. */
  pattern: PatternId | null;
  machines: number;
  since: Date | null;
  lastSeenAt: Date | null;
}

function readCells(db: FleetReader, query: SiteQuery): Promise<Cell[]> {
  return db.prisma.$queryRaw<Cell[]>`
    SELECT m.site, m.status, m.at_risk AS "atRisk", CASE WHEN ${judged} THEN m.primary_pattern END AS pattern,
      count(*)::int AS machines, min(coalesce(m.primary_since, m.status_since)) AS since,
      max(m.last_seen_at) AS "lastSeenAt"
    FROM ${machines(db)} m WHERE m.revoked_at IS NULL ${atSite(query)} GROUP BY 1, 2, 3, 4`;
}

function addCounts(cells: readonly Cell[]): Counts {
  const sum = (matches: (cell: Cell) => boolean) =>
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
  /** Machines whose primary finding it is. */
  machines: number;
  /** Those of them that are failing; the others are at risk. */
  failing: number;
  /** When the longest-standing of them began. */
  since: Date;
}

function addPatterns(cells: readonly Cell[]): PatternCount[] {
  const byPattern = new Map<PatternId, PatternCount>();
  for (const { pattern, machines, status, since } of cells) {
    if (pattern === null || since === null) continue;
    const row = byPattern.get(pattern) ?? { pattern, machines: 0, failing: 0, since };
    row.machines += machines;
    if (status === "failing") row.failing += machines;
    if (since < row.since) row.since = since;
    byPattern.set(pattern, row);
  }
  return [...byPattern.values()].sort(
    (a, b) => b.failing - a.failing || b.machines - a.machines || a.pattern.localeCompare(b.pattern, "en"),
  );
}

/** Primary findings by number of machines, those with most failing machines first. */
export async function topPatterns(
  db: FleetReader,
  query: SiteQuery & { limit?: number } = {},
): Promise<PatternCount[]> {
  return addPatterns(await readCells(db, query)).slice(0, query.limit);
}

export interface OpenCause extends Incident {
  failing: number;
  /** Sites it is seen at; "no site" counts as none. */
  sites: number;
  /** Up to four of them, those with most machines first. */
  siteNames: string[];
}

/** Open causes: primary findings that share pattern, severity and cause text, most failing machines first. */
export async function openCauses(db: FleetReader, query: SiteQuery & { limit?: number } = {}): Promise<OpenCause[]> {
  // By site first: counting distinct sites would sort every machine.
  const rows = await db.prisma.$queryRaw<(Omit<OpenCause, "since"> & { since: Date })[]>`
    WITH at_sites AS (
      SELECT m.primary_pattern AS pattern, m.primary_severity AS severity, m.primary_cause AS cause, m.site,
        count(*) AS machines, count(*) FILTER (WHERE m.status = 'failing') AS failing,
        min(coalesce(m.primary_since, m.status_since)) AS since
      FROM ${machines(db)} m
      WHERE ${judged} AND m.primary_pattern IS NOT NULL AND m.primary_severity IS NOT NULL
        AND m.primary_cause IS NOT NULL ${atSite(query)}
      GROUP BY 1, 2, 3, 4)
    SELECT pattern || '-' || left(md5(severity || cause), 8) AS id, pattern, severity, cause,
      sum(machines)::int AS machines, sum(failing)::int AS failing, count(site)::int AS sites, min(since) AS since,
      coalesce((array_agg(site ORDER BY machines DESC, site) FILTER (WHERE site IS NOT NULL))[1:4], '{}') AS "siteNames"
    FROM at_sites GROUP BY pattern, severity, cause
    ORDER BY failing DESC, machines DESC, since LIMIT ${query.limit ?? 20}`;
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}

export interface SiteRow {
  /** Null: machines that are at no site of the map. */
  site: string | null;
  /** Machines that report: all but the signed-off ones. */
  reporting: number;
  failing: number;
  /** Machines by primary finding. */
  patterns: Record<string, number>;
}

function addSites(cells: readonly Cell[]): SiteRow[] {
  const bySite = new Map<string | null, SiteRow>();
  for (const { site, status, pattern, machines } of cells) {
    if (status === "signed-off") continue;
    const row = bySite.get(site) ?? { site, reporting: 0, failing: 0, patterns: {} };
    row.reporting += machines;
    if (status === "failing") row.failing += machines;
    if (pattern !== null) row.patterns[pattern] = (row.patterns[pattern] ?? 0) + machines;
    bySite.set(site, row);
  }
  return [...bySite.values()].sort(
    (a, b) =>
      b.failing - a.failing ||
      b.reporting - a.reporting ||
      (a.site ?? "\uffff").localeCompare(b.site ?? "\uffff", "en"),
  );
}

/** Sites by pattern, the site with most failing machines first. */
export async function siteByPattern(db: FleetReader, query: SiteQuery & { limit?: number } = {}): Promise<SiteRow[]> {
  return addSites(await readCells(db, query)).slice(0, query.limit);
}

export interface Overview {
  /** The moment of the one snapshot that every figure is from. */
  asOf: Date;
  counts: Counts;
  /** When a machine was last heard of: what "not live" is judged by. */
  lastSeenAt: Date | null;
  patterns: PatternCount[];
  causes: OpenCause[];
  sites: SiteRow[];
  trend: FleetTrend;
}

/** Everything on the overview, from one snapshot. */
export function readOverview(
  db: Fleet,
  query: SiteQuery & { since: Date; until: Date; points?: number },
): Promise<Overview> {
  return inSnapshot(db, async (reader) => {
    const [moment] = await reader.prisma.$queryRaw<{ asOf: Date }[]>`SELECT now() AS "asOf"`;
    const cells = await readCells(reader, query);
    const seen = cells.flatMap((cell) => (cell.lastSeenAt ? [cell.lastSeenAt.getTime()] : []));
    return {
      asOf: moment?.asOf ?? query.until,
      lastSeenAt: seen.length > 0 ? new Date(Math.max(...seen)) : null,
      counts: addCounts(cells),
      patterns: addPatterns(cells),
      causes: await openCauses(reader, query),
      sites: addSites(cells),
      trend: await fleetTrend(reader, query),
    };
  });
}
