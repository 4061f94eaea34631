import type { Counts } from "@lynceus/protocol/read-api";
import type { Database, Reader } from "./client.ts";

/** The fleet at a moment. `patterns`: machines by primary finding. */
export interface FleetSamplePoint extends Counts {
  at: Date;
  patterns: Record<string, number>;
}

/** Writes down the counts of the fleet and of each site, once a moment: the trend. `now` is cut to its minute. */
export async function recordSample(db: Database, now: Date): Promise<void> {
  const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  await db.prisma.$executeRaw`
    WITH patterns AS (
      SELECT coalesce(site, '') AS site, grouping(site) = 1 AS fleet, primary_pattern AS pattern, count(*)::int AS machines
      FROM machines WHERE revoked_at IS NULL AND primary_pattern IS NOT NULL AND status IN ('healthy', 'failing')
      GROUP BY GROUPING SETS ((primary_pattern), (site, primary_pattern))
    )
    INSERT INTO fleet_samples (at, site, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns)
    SELECT ${minute}, coalesce(m.site, ''), count(*) FILTER (WHERE m.status = 'healthy')::int,
      count(*) FILTER (WHERE m.status = 'failing')::int, count(*) FILTER (WHERE m.status = 'stale')::int,
      count(*) FILTER (WHERE m.status = 'cannot-tell')::int, count(*) FILTER (WHERE m.status = 'signed-off')::int,
      count(*) FILTER (WHERE m.at_risk AND m.status = 'healthy')::int,
      coalesce((SELECT jsonb_object_agg(p.pattern, p.machines) FROM patterns p
        WHERE p.site = coalesce(m.site, '') AND p.fleet = (grouping(m.site) = 1)), '{}')
    FROM machines m WHERE m.revoked_at IS NULL
    GROUP BY GROUPING SETS ((), (m.site)) HAVING grouping(m.site) = 1 OR m.site <> ''
    ON CONFLICT DO NOTHING`;
}

/** The samples of a span, oldest first, thinned to at most `points` by leaving samples out: every value was really seen. */
export async function fleetTrend(
  db: Reader,
  query: { since: Date; until: Date; site?: string | null; points?: number },
): Promise<FleetSamplePoint[]> {
  const points = Math.min(Math.max(query.points ?? 480, 2), 2_000);
  return db.prisma.$queryRaw<FleetSamplePoint[]>`
    SELECT at, healthy, failing, stale, cannot_tell AS "cannotTell", signed_off AS "signedOff", at_risk AS "atRisk", patterns
    FROM (SELECT *, row_number() OVER (ORDER BY at DESC) AS n, count(*) OVER () AS total FROM fleet_samples
      WHERE site = ${query.site ?? ""} AND at >= ${query.since} AND at <= ${query.until}) s
    WHERE (n - 1) % greatest(1, (total + ${points} - 1) / ${points}) = 0 ORDER BY at`;
}
