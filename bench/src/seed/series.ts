import type pg from "pg";
import type { HistoryOptions } from "./history.ts";

/*
 * What charts over time read, for the samples that are there: how many machines went through which proxy, the hours, and
 * probes of the policy's targets at each site in ten minutes and in hours.
 */

const tenMinutesDays = 7;

export async function seedSeries(client: pg.Client, options: HistoryOptions): Promise<void> {
  const { now, days } = options;
  await client.query(
    `UPDATE fleet_samples s SET routes = r.routes FROM (
       SELECT site, jsonb_object_agg(route, to_jsonb(counts)) AS routes FROM (
         SELECT coalesce(site, '') AS site, coalesce(route, 'unknown') AS route,
           ARRAY[count(*) FILTER (WHERE status = 'healthy'), count(*) FILTER (WHERE status = 'failing'),
             count(*) FILTER (WHERE status = 'stale'), count(*) FILTER (WHERE status = 'cannot-tell')] AS counts
         FROM machines GROUP BY GROUPING SETS ((2), (site, 2))) c GROUP BY site) r
     WHERE r.site = s.site AND s.at >= $1::timestamptz - interval '1 day'`,
    [now],
  );
  await client.query(
    `INSERT INTO fleet_hours (site, at, sampled_at, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns, routes)
     SELECT DISTINCT ON (site, date_trunc('hour', at, 'UTC')) site, date_trunc('hour', at, 'UTC'), at, healthy, failing,
       stale, cannot_tell, signed_off, at_risk, patterns, routes
     FROM fleet_samples ORDER BY site, date_trunc('hour', at, 'UTC'), failing DESC, at DESC ON CONFLICT DO NOTHING`,
  );
  for (const [table, unit, spanDays] of [
    ["target_samples", "10 minutes", Math.min(days, tenMinutesDays)],
    ["target_hours", "1 hour", days],
  ] as const)
    await client.query(
      `INSERT INTO ${table} (site, target, via, simulated, at, ok, bad, undecided, latency)
       SELECT s.site, t.id, 'configured', TRUE, a.at, s.n, s.n / 100, s.n / 200,
         jsonb_build_object('14', s.n / 5, '16', s.n / 2, '18', s.n / 5, '22', s.n / 20, '28', s.n / 50)
       FROM (SELECT coalesce(site, '') AS site, count(*)::int AS n FROM machines GROUP BY GROUPING SETS ((), (site))) s
       CROSS JOIN (SELECT x->>'id' AS id FROM policies p, jsonb_array_elements(p.body->'targets') x
         WHERE p.version = (SELECT max(version) FROM policies)) t
       CROSS JOIN generate_series(date_trunc('hour', $1::timestamptz) - make_interval(days => $2), $1, $3::interval) AS a(at)
       ON CONFLICT DO NOTHING`,
      [now, spanDays, unit],
    );
  await client.query("ANALYZE fleet_samples, fleet_hours, target_samples, target_hours");
}
