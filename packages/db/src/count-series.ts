import { countLabels, countsOf, type FleetSample } from "@lynceus/protocol/counts";
import type { CountHistoryQuery, Series, SeriesAnswer } from "@lynceus/protocol/series";
import type { Database } from "./client.ts";
import type { Fleet } from "./scope.ts";
import { type Grid, gridOf, sitesToRead } from "./series-grid.ts";

/** Days that samples of every minute are kept; those of every hour stay as long as other history. */
export const minuteDays = 35;
/** More samples than this are not read for one answer: hours stand for the minutes then. */
const mostRows = 100_000;
/** Above this step an hour says as much. */
const hoursFrom = 1_800;
/** Sites are ranked by the last so many days of a span. */
const rankDays = 31;

const dayMs = 86_400_000;

interface SampleRow extends FleetSample {
  site: string;
  point: number;
}

/** The whole fleet as a site: it has a row of its own. */
const fleet = "";

/** The sites of a span that had most failing machines, at most `limit`. */
async function worstSites(
  db: Database,
  grid: Grid,
  among: readonly string[] | null,
  limit: number,
): Promise<{ sites: string[]; all: number }> {
  const from = new Date(Math.max(grid.start.getTime(), grid.end.getTime() - rankDays * dayMs) - 3_600_000);
  const { rows } = await db.pool.query<{ site: string; all: number }>({
    name: "lynceus-worst-sites",
    text: `SELECT site, count(*) OVER ()::int AS all FROM fleet_hours
      WHERE at >= $1 AND at < $2 AND site <> '' AND ($3::text[] IS NULL OR site = ANY ($3))
      GROUP BY site ORDER BY max(failing) DESC, max(healthy) DESC, site LIMIT $4`,
    values: [from, grid.end, among, limit],
  });
  return { sites: rows.map((row) => row.site), all: rows[0]?.all ?? 0 };
}

/** Of each site and point the sample with most failing machines. */
async function worstSamples(db: Database, grid: Grid, table: string, sites: readonly string[], withJson: boolean) {
  const { rows } = await db.pool.query<SampleRow>({
    name: `lynceus-samples-${table}-${withJson}`,
    text: `SELECT DISTINCT ON (site, point) site, point, healthy, failing, stale, cannot_tell AS "cannotTell",
        signed_off AS "signedOff", at_risk AS "atRisk", ${withJson ? "patterns, routes" : "'{}'::json AS patterns, '{}'::json AS routes"}
      FROM (SELECT *, floor(extract(epoch FROM at - $1::timestamptz) / $2)::int AS point FROM ${table}
        WHERE site = ANY ($3) AND at >= $1 AND at < $4) s
      ORDER BY site, point, failing DESC, at DESC`,
    values: [grid.start, grid.stepSeconds, sites, grid.end],
  });
  return rows;
}

/**
 * Counts over time. Each point is one sample that was really taken: of its span the one with most failing machines, so
 * that a month on one screen loses no outage, and what is counted together was true together. Several sites that are added
 * up are each at their own worst. Throws a SeriesError, whose message may be shown.
 */
export async function readCountSeries(db: Fleet, query: CountHistoryQuery, now: Date): Promise<SeriesAnswer> {
  const { by } = query;
  const asked = sitesToRead(db, query.site);
  let grid = gridOf(query, now, 60);
  const ranked = by === "site" ? await worstSites(db, grid, asked, query.series) : null;
  const sites = ranked?.sites ?? asked ?? [fleet];
  const minutes = (grid.end.getTime() - grid.start.getTime()) / 60_000;
  const tooOld = grid.start.getTime() < now.getTime() - minuteDays * dayMs;
  if (grid.stepSeconds > hoursFrom || tooOld || minutes * sites.length > mostRows) grid = gridOf(query, now, 3600);
  const hours = grid.stepSeconds % 3600 === 0;
  const withJson = by === "pattern" || by === "proxy" || query.pattern !== undefined || query.proxy !== undefined;
  const rows = await worstSamples(db, grid, hours ? "fleet_hours" : "fleet_samples", sites, withJson);

  const byName = new Map<string, (number | null)[]>();
  const seen = new Set(rows.map((row) => row.point));
  for (const { site, point, ...sample } of rows)
    for (const [name, value] of countsOf(sample, site, query)) {
      const values = byName.get(name) ?? new Array<number | null>(grid.points).fill(null);
      values[point] = (values[point] ?? 0) + value;
      byName.set(name, values);
    }
  // Where the fleet was counted and a pattern or a route was not in it, it had none: zero, and no gap.
  if (by === "pattern" || by === "proxy")
    for (const values of byName.values()) for (const point of seen) values[point] ??= 0;

  const all = [...byName].map(([name, values]): Series => ({ labels: countLabels(by, name), values }));
  const series = by === "status" ? all : all.sort((a, b) => peakOf(b) - peakOf(a)).slice(0, query.series);
  return {
    asOf: now.toISOString(),
    start: grid.start.toISOString(),
    stepSeconds: grid.stepSeconds,
    points: grid.points,
    unit: "machines",
    note: noteOf(grid, sites.length > 1 && by !== "site"),
    series,
    left: ranked ? ranked.all - ranked.sites.length : all.length - series.length,
  };
}

const peakOf = ({ values }: Series): number => values.reduce<number>((peak, value) => Math.max(peak, value ?? 0), 0);

function noteOf({ stepSeconds }: Grid, added: boolean): string {
  if (stepSeconds <= 60) return "Each point is the count of its minute.";
  const span = stepSeconds % 3600 === 0 ? `${stepSeconds / 3600} h` : `${stepSeconds / 60} min`;
  return added
    ? `Each point adds up the sites, each at its minute with most failing machines in ${span}.`
    : `Each point is the minute with most failing machines in ${span}.`;
}
