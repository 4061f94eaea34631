import { isWholeFleet } from "@lynceus/protocol/access";
import type { FleetSample } from "@lynceus/protocol/counts";
import type { Counts } from "@lynceus/protocol/read-api";
import { type Database, Prisma, type Reader } from "./client.ts";
import { countsOf, type FleetCell, fleetCells } from "./fleet-cells.ts";
import { type FleetReader, wholeFleet } from "./scope.ts";

/** The fleet at a moment. `patterns`: machines by primary finding. */
export interface FleetSamplePoint extends Counts {
  at: Date;
  patterns: Record<string, number>;
}

/** Routes of a sample beside "other". */
const namedRoutes = 20;

/**
 * The fleet's samples as a query: one row for the whole fleet (site '') and one for each site. One scan of the machines:
 * what a sample holds is added up from their groups.
 */
const samplesNow = Prisma.sql`
  WITH cells AS MATERIALIZED (
    SELECT site, status, at_risk, primary_pattern AS pattern, coalesce(route, 'unknown') AS route, count(*)::int AS n
    FROM machines WHERE revoked_at IS NULL GROUP BY 1, 2, 3, 4, 5
  ), patterns AS (
    SELECT coalesce(site, '') AS site, grouping(site) = 1 AS fleet, pattern, sum(n)::int AS machines
    FROM cells WHERE pattern IS NOT NULL AND status IN ('healthy', 'failing')
    GROUP BY GROUPING SETS ((pattern), (site, pattern))
  ), routes AS (
    SELECT coalesce(site, '') AS site, grouping(site) = 1 AS fleet, route,
      ARRAY[coalesce(sum(n) FILTER (WHERE status = 'healthy'), 0), coalesce(sum(n) FILTER (WHERE status = 'failing'), 0),
        coalesce(sum(n) FILTER (WHERE status = 'stale'), 0), coalesce(sum(n) FILTER (WHERE status = 'cannot-tell'), 0)]
        ::int[] AS counts
    FROM cells WHERE status <> 'signed-off' GROUP BY GROUPING SETS ((route), (site, route))
  ), ranked AS (
    SELECT site, fleet, counts, CASE WHEN row_number() OVER (PARTITION BY fleet, site
      ORDER BY counts[2] DESC, counts[1] + counts[3] + counts[4] DESC, route) <= ${namedRoutes} THEN route ELSE 'other' END AS route
    FROM routes
  ), named AS (
    SELECT site, fleet, route, ARRAY[sum(counts[1]), sum(counts[2]), sum(counts[3]), sum(counts[4])]::int[] AS counts
    FROM ranked GROUP BY 1, 2, 3
  )
  SELECT coalesce(c.site, '') AS site, coalesce(sum(n) FILTER (WHERE status = 'healthy'), 0)::int AS healthy,
    coalesce(sum(n) FILTER (WHERE status = 'failing'), 0)::int AS failing,
    coalesce(sum(n) FILTER (WHERE status = 'stale'), 0)::int AS stale,
    coalesce(sum(n) FILTER (WHERE status = 'cannot-tell'), 0)::int AS cannot_tell,
    coalesce(sum(n) FILTER (WHERE status = 'signed-off'), 0)::int AS signed_off,
    coalesce(sum(n) FILTER (WHERE at_risk AND status = 'healthy'), 0)::int AS at_risk,
    coalesce((SELECT jsonb_object_agg(p.pattern, p.machines) FROM patterns p
      WHERE p.site = coalesce(c.site, '') AND p.fleet = (grouping(c.site) = 1)), '{}') AS patterns,
    coalesce((SELECT jsonb_object_agg(r.route, to_jsonb(r.counts)) FROM named r
      WHERE r.site = coalesce(c.site, '') AND r.fleet = (grouping(c.site) = 1)), '{}') AS routes
  FROM cells c GROUP BY GROUPING SETS ((), (c.site)) HAVING grouping(c.site) = 1 OR c.site <> ''`;

const emptySample = (): FleetSample & { patterns: Record<string, number> } => ({
  healthy: 0,
  failing: 0,
  stale: 0,
  cannotTell: 0,
  signedOff: 0,
  atRisk: 0,
  patterns: {},
  routes: {},
});

/**
 * The samples as they are now, by site; '' is the whole fleet. With routes it takes a look at every machine; without them it
 * adds up the cells that the database keeps.
 */
export async function readSamples(db: Database, options: { routes: boolean }): Promise<Map<string, FleetSample>> {
  if (options.routes) {
    const rows = await db.prisma.$queryRaw<(FleetSample & { site: string })[]>`
      SELECT site, healthy, failing, stale, cannot_tell AS "cannotTell", signed_off AS "signedOff", at_risk AS "atRisk",
        patterns, routes
      FROM (${samplesNow}) s`;
    return new Map(rows.map(({ site, ...sample }) => [site, sample]));
  }
  const samples = new Map([["", emptySample()]]);
  for (const cell of await fleetCells(wholeFleet(db)))
    for (const site of cell.site === null ? [""] : ["", cell.site]) {
      const sample = samples.get(site) ?? emptySample();
      samples.set(site, sample);
      addCell(sample, cell);
    }
  return samples;
}

function addCell(sample: ReturnType<typeof emptySample>, cell: FleetCell): void {
  const counts = countsOf([cell]);
  for (const state of Object.keys(counts) as (keyof Counts)[]) sample[state] += counts[state];
  if (cell.pattern !== null && (cell.status === "healthy" || cell.status === "failing"))
    sample.patterns[cell.pattern] = (sample.patterns[cell.pattern] ?? 0) + cell.machines;
}

/** Sites in view that had machines on the last day. */
export async function sampledSites(db: FleetReader, now: Date): Promise<string[]> {
  const { sites } = db.scope;
  const rows = await db.prisma.$queryRaw<{ site: string }[]>`
    SELECT DISTINCT site FROM fleet_hours WHERE at >= ${new Date(now.getTime() - 86_400_000)} AND site <> '' ORDER BY site`;
  return rows.map(({ site }) => site).filter((site) => isWholeFleet(db.scope) || sites?.includes(site));
}

/**
 * Writes down the counts of the fleet and of each site, once a moment: the trend. `now` is cut to its minute. An hour
 * keeps its sample with most failing machines.
 */
export async function recordSample(db: Database, now: Date): Promise<void> {
  const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  const hour = new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000);
  await db.prisma.$executeRaw`
    WITH taken AS (
      INSERT INTO fleet_samples (at, site, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns, routes,
        agents)
      SELECT ${minute}, s.*, CASE WHEN s.site = '' THEN (SELECT coalesce(jsonb_object_agg(version, machines), '{}') FROM (
          SELECT agent_version AS version, count(*)::int AS machines FROM machines WHERE revoked_at IS NULL GROUP BY 1) v)
        ELSE '{}' END
      FROM (${samplesNow}) s ON CONFLICT DO NOTHING RETURNING *
    )
    INSERT INTO fleet_hours AS h (at, site, sampled_at, healthy, failing, stale, cannot_tell, signed_off, at_risk,
      patterns, routes)
    SELECT ${hour}, site, at, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns, routes FROM taken
    ON CONFLICT (site, at) DO UPDATE SET sampled_at = excluded.sampled_at, healthy = excluded.healthy,
      failing = excluded.failing, stale = excluded.stale, cannot_tell = excluded.cannot_tell,
      signed_off = excluded.signed_off, at_risk = excluded.at_risk, patterns = excluded.patterns, routes = excluded.routes
      WHERE excluded.failing >= h.failing`;
}

/** Null: samples are kept for the fleet and for each site, so that of a part of the fleet by tag there are none. */
export type FleetTrend = FleetSamplePoint[] | null;
/** When the fleet was last counted, and its agents by version as they were then. */
export interface LastCount {
  at: Date;
  agents: Record<string, number>;
}

/** The last sample of the fleet, for the installation's own metrics; null before the first. */
export async function lastCount(db: Reader): Promise<LastCount | null> {
  const [last] = await db.prisma.$queryRaw<LastCount[]>`
    SELECT at, agents FROM fleet_samples WHERE site = '' ORDER BY at DESC LIMIT 1`;
  return last ?? null;
}

/** A span longer than this is read from the hours: a week of minutes is 10,000 rows to draw some hundred points. */
const longestInMinutes = 36 * 3_600_000;

/**
 * The samples of a span, oldest first, thinned to at most `points` by leaving samples out: every value was really seen.
 * Of a long span each hour's sample with most failing machines, so that no outage is left out.
 */
export async function fleetTrend(
  db: FleetReader,
  query: { since: Date; until: Date; site?: string | null; points?: number },
): Promise<FleetTrend> {
  const { sites, tags } = db.scope;
  const points = Math.min(Math.max(query.points ?? 480, 2), 2_000);
  // The fleet's own samples have no site; sites in view are added up.
  const whole = sites === null && tags === null;
  if (!whole && query.site == null && tags?.length) return null;
  const seen =
    query.site == null ? (whole ? [""] : (sites ?? [])) : [query.site].filter((site) => whole || sites?.includes(site));
  if (!whole && seen.length === 0 && tags?.length) return null;
  const hours = query.until.getTime() - query.since.getTime() > longestInMinutes;
  const table = Prisma.raw(hours ? "fleet_hours" : "fleet_samples");
  const ofSites = Prisma.sql`s.site = ANY (${[...seen]}::text[])`;
  const within = Prisma.sql`s.at >= ${query.since} AND s.at <= ${query.until}`;
  const chosen = Prisma.sql`(k.n - 1) % greatest(1, (k.total + ${points} - 1) / ${points}) = 0`;
  // Of several sites an hour's samples are of different moments: they cannot be added up.
  if (seen.length === 1)
    return db.prisma.$queryRaw<FleetSamplePoint[]>`
      SELECT ${Prisma.raw(hours ? "k.sampled_at" : "k.at")} AS at, k.healthy, k.failing, k.stale, k.cannot_tell AS "cannotTell", k.signed_off AS "signedOff",
        k.at_risk AS "atRisk", k.patterns
      FROM (SELECT s.*, row_number() OVER (ORDER BY s.at DESC) AS n, count(*) OVER () AS total
        FROM ${table} s WHERE ${ofSites} AND ${within}) k
      WHERE ${chosen} ORDER BY k.at`;
  return db.prisma.$queryRaw<FleetSamplePoint[]>`
    WITH chosen AS MATERIALIZED (
      SELECT k.at FROM (SELECT at, row_number() OVER (ORDER BY at DESC) AS n, count(*) OVER () AS total
        FROM (SELECT DISTINCT s.at FROM fleet_samples s WHERE ${ofSites} AND ${within}) t) k
      WHERE ${chosen}
    ), rows AS MATERIALIZED (
      SELECT s.* FROM chosen c JOIN fleet_samples s ON s.at = c.at AND ${ofSites}
    ), patterns AS (
      SELECT at, jsonb_object_agg(pattern, machines) AS patterns FROM (
        SELECT r.at, e.key AS pattern, sum(e.value::int)::int AS machines
        FROM rows r, jsonb_each_text(r.patterns) AS e(key, value) GROUP BY 1, 2) p
      GROUP BY at
    )
    SELECT r.at, sum(r.healthy)::int AS healthy, sum(r.failing)::int AS failing, sum(r.stale)::int AS stale,
      sum(r.cannot_tell)::int AS "cannotTell", sum(r.signed_off)::int AS "signedOff", sum(r.at_risk)::int AS "atRisk",
      coalesce((SELECT p.patterns FROM patterns p WHERE p.at = r.at), '{}') AS patterns
    FROM rows r GROUP BY r.at ORDER BY r.at`;
}
