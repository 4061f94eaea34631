import type { Database } from "./client.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * What is added up of the probes of each target: ten minutes at a time, kept for a week, and hours beside them.
 */
export const tenMinutesMs = 600_000;
export const tenMinutesDays = 7;

/** Probes of one target, on one route, of the machines of one site ('' = the whole fleet), in the span that begins at `at`. */
export interface TargetTally {
  site: string;
  target: string;
  via: "configured" | "direct";
  simulated: boolean;
  /** Milliseconds since 1970. */
  at: number;
  ok: number;
  bad: number;
  undecided: number;
  /** Good answers by step of their time (protocol `latencyStep`). */
  latency: Record<string, number>;
}

/** Tallies by what they are of, so that two of the same become one. */
export type Tallies = Map<string, TargetTally>;

/** Adds one tally to others; what is given is not changed. */
export function addTally(tallies: Tallies, tally: TargetTally): void {
  const key = JSON.stringify([tally.site, tally.target, tally.via, tally.simulated, tally.at]);
  const known = tallies.get(key);
  if (!known) {
    tallies.set(key, { ...tally, latency: { ...tally.latency } });
    return;
  }
  known.ok += tally.ok;
  known.bad += tally.bad;
  known.undecided += tally.undecided;
  for (const [step, answers] of Object.entries(tally.latency))
    known.latency[step] = (known.latency[step] ?? 0) + answers;
}

const upsert = (table: string, parameter: string) => `
  INSERT INTO ${table} AS t (site, target, via, simulated, at, ok, bad, undecided, latency)
  SELECT site, target, via, simulated, to_timestamp(at / 1000), ok, bad, undecided, latency
  FROM jsonb_to_recordset(${parameter}::jsonb) AS r(site text, target text, via text, simulated boolean, at float8, ok int,
    bad int, undecided int, latency jsonb)
  -- One order for all collectors: two of them never wait for each other.
  ORDER BY 1, 2, 3, 5, 4
  ON CONFLICT (site, target, via, at, simulated) DO UPDATE SET ok = t.ok + excluded.ok, bad = t.bad + excluded.bad,
    undecided = t.undecided + excluded.undecided,
    latency = coalesce((SELECT jsonb_object_agg(step, answers) FROM (
      SELECT key AS step, sum(value::int) AS answers FROM (
        SELECT * FROM jsonb_each_text(t.latency) UNION ALL SELECT * FROM jsonb_each_text(excluded.latency)) steps
      GROUP BY key) added), '{}')`;

/** Adds tallies of ten minutes to what is stored, whichever collectors stored it, and to their hours, in one statement. */
export async function addTargetSamples(db: Database, tallies: Iterable<TargetTally>): Promise<void> {
  const tens = [...tallies];
  if (tens.length === 0) return;
  const hours: Tallies = new Map();
  for (const tally of tens) addTally(hours, { ...tally, at: Math.floor(tally.at / 3_600_000) * 3_600_000 });
  await db.pool.query({
    name: "lynceus-add-target-samples",
    text: `WITH hourly AS (${upsert("target_hours", "$2")}) ${upsert("target_samples", "$1")}`,
    values: [toSqlJson(tens), toSqlJson([...hours.values()])],
  });
}
