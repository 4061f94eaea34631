import type { PatternId } from "@lynceus/protocol/names";
import type { Counts, Incident, TimelineEntry } from "@lynceus/protocol/read-api";
import { type Database, inSnapshot, Prisma, type Reader } from "./client.ts";
import { countMachines } from "./machines.ts";
import { type FleetSamplePoint, fleetTrend } from "./samples.ts";

interface SiteQuery {
  site?: string | null;
}

const atSite = ({ site }: SiteQuery) => (site ? Prisma.sql`AND m.site = ${site}` : Prisma.empty);
/** A finding counts where the machine is judged now: a stale machine's last finding is history. */
const judged = Prisma.sql`m.revoked_at IS NULL AND m.status IN ('healthy', 'failing', 'cannot-tell')`;

export interface PatternCount {
  pattern: PatternId;
  /** Machines whose primary finding it is. */
  machines: number;
  /** Those of them that are failing; the others are at risk. */
  failing: number;
  /** When the longest-standing of them began. */
  since: Date;
}

/** Primary findings by number of machines, most first. */
export function topPatterns(db: Reader, query: SiteQuery & { limit?: number } = {}): Promise<PatternCount[]> {
  return db.prisma.$queryRaw<PatternCount[]>`
    SELECT m.primary_pattern AS pattern, count(*)::int AS machines,
      count(*) FILTER (WHERE m.status = 'failing')::int AS failing, min(coalesce(m.primary_since, m.status_since)) AS since
    FROM machines m WHERE ${judged} AND m.primary_pattern IS NOT NULL ${atSite(query)}
    GROUP BY 1 ORDER BY failing DESC, machines DESC, 1 LIMIT ${query.limit ?? 30}`;
}

export interface OpenCause extends Incident {
  failing: number;
  /** Sites it is seen at; "no site" counts as none. */
  sites: number;
  /** Up to four of them, those with most machines first. */
  siteNames: string[];
}

/** Open causes: primary findings that share pattern, severity and cause text, most failing machines first. */
export async function openCauses(db: Reader, query: SiteQuery & { limit?: number } = {}): Promise<OpenCause[]> {
  const rows = await db.prisma.$queryRaw<(Omit<OpenCause, "since"> & { since: Date })[]>`
    SELECT m.primary_pattern || '-' || left(md5(m.primary_severity || m.primary_cause), 8) AS id,
      m.primary_pattern AS pattern, m.primary_severity AS severity, m.primary_cause AS cause, count(*)::int AS machines,
      count(*) FILTER (WHERE m.status = 'failing')::int AS failing, count(DISTINCT m.site)::int AS sites,
      array(SELECT s.site FROM machines s WHERE s.revoked_at IS NULL AND s.site IS NOT NULL
        AND s.primary_pattern = m.primary_pattern AND s.primary_severity = m.primary_severity
        AND s.primary_cause = m.primary_cause AND s.status IN ('healthy', 'failing', 'cannot-tell')
        GROUP BY s.site ORDER BY count(*) DESC, s.site LIMIT 4) AS "siteNames",
      min(coalesce(m.primary_since, m.status_since)) AS since
    FROM machines m
    WHERE ${judged} AND m.primary_pattern IS NOT NULL AND m.primary_severity IS NOT NULL AND m.primary_cause IS NOT NULL
      ${atSite(query)}
    GROUP BY 2, 3, 4 ORDER BY failing DESC, machines DESC, since LIMIT ${query.limit ?? 20}`;
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}

export interface RecentChange {
  /** What joins the same change on many machines; for a machine's own change, its id. */
  key: string;
  kind: TimelineEntry["kind"];
  text: string;
  detail: string | null;
  machines: number;
  /** One of them; the only one when `machines` is 1. */
  machineId: string;
  hostname: string;
  firstAt: Date;
  lastAt: Date;
  /** Machines of it that are failing now, and those that began to fail after it. */
  failing: number;
  failedAfter: number;
}

/** What changed lately on machines (settings, scripts, agents), the same change on many machines as one, newest first. */
export function recentChanges(
  db: Reader,
  query: SiteQuery & { since: Date; limit?: number; kinds?: readonly TimelineEntry["kind"][] },
): Promise<RecentChange[]> {
  const kinds = [...(query.kinds ?? ["settings", "script", "agent", "policy"])];
  return db.prisma.$queryRaw<RecentChange[]>`
    SELECT coalesce(t.change_key, t.id::text) AS key, min(t.kind) AS kind, min(t.text) AS text, min(t.detail) AS detail,
      count(DISTINCT m.id)::int AS machines, min(m.id::text) AS "machineId", min(m.hostname) AS hostname,
      min(t.at) AS "firstAt", max(t.at) AS "lastAt",
      count(DISTINCT m.id) FILTER (WHERE m.status = 'failing')::int AS failing,
      count(DISTINCT m.id) FILTER (WHERE m.status = 'failing' AND m.status_since >= t.at)::int AS "failedAfter"
    FROM transitions t JOIN machines m ON m.id = t.machine_id
    WHERE t.at >= ${query.since} AND t.kind = ANY (${kinds}::text[]) AND m.revoked_at IS NULL ${atSite(query)}
    GROUP BY 1 ORDER BY "lastAt" DESC, 1 LIMIT ${query.limit ?? 12}`;
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

/** Sites by pattern, the site with most failing machines first. */
export function siteByPattern(db: Reader, query: SiteQuery & { limit?: number } = {}): Promise<SiteRow[]> {
  return db.prisma.$queryRaw<SiteRow[]>`
    WITH cells AS (
      SELECT m.site, CASE WHEN m.status IN ('healthy', 'failing', 'cannot-tell') THEN m.primary_pattern END AS pattern,
        count(*)::int AS machines, count(*) FILTER (WHERE m.status = 'failing')::int AS failing
      FROM machines m WHERE m.revoked_at IS NULL AND m.status <> 'signed-off' ${atSite(query)} GROUP BY 1, 2)
    SELECT site, sum(machines)::int AS reporting, sum(failing)::int AS failing,
      coalesce(jsonb_object_agg(pattern, machines) FILTER (WHERE pattern IS NOT NULL), '{}') AS patterns
    FROM cells GROUP BY site ORDER BY failing DESC, reporting DESC, site LIMIT ${query.limit ?? 50}`;
}

export interface Overview {
  /** The moment of the one snapshot that every figure is from. */
  asOf: Date;
  counts: Counts;
  /** When a machine was last heard of: what "not live" is judged by. */
  lastSeenAt: Date | null;
  patterns: PatternCount[];
  causes: OpenCause[];
  changes: RecentChange[];
  sites: SiteRow[];
  trend: FleetSamplePoint[];
}

/** Everything on the overview, from one snapshot. */
export function readOverview(
  db: Database,
  query: SiteQuery & { since: Date; until: Date; points?: number },
): Promise<Overview> {
  return inSnapshot(db, async (reader) => {
    const [moment] = await reader.prisma.$queryRaw<{ asOf: Date; lastSeenAt: Date | null }[]>`
      SELECT now() AS "asOf", max(m.last_seen_at) AS "lastSeenAt" FROM machines m
      WHERE m.revoked_at IS NULL ${atSite(query)}`;
    return {
      asOf: moment?.asOf ?? query.until,
      lastSeenAt: moment?.lastSeenAt ?? null,
      counts: await countMachines(reader, { site: query.site ?? null }),
      patterns: await topPatterns(reader, query),
      causes: await openCauses(reader, query),
      changes: await recentChanges(reader, query),
      sites: await siteByPattern(reader, query),
      trend: await fleetTrend(reader, query),
    };
  });
}
