import type { PatternId, Severity } from "@lynceus/protocol/names";
import { Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

interface SiteQuery {
  site?: string | null;
}

const atSite = ({ site }: SiteQuery) => (site ? Prisma.sql`AND m.site = ${site}` : Prisma.empty);
/** A finding counts where the machine is judged now: a stale machine's last finding is history. */
const judged = Prisma.sql`m.revoked_at IS NULL AND m.status IN ('healthy', 'failing', 'cannot-tell')`;

/** Primary findings that share pattern, severity and cause text. */
export interface OpenCause {
  id: string;
  pattern: PatternId;
  severity: Severity;
  cause: string;
  machines: number;
  since: string;
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
