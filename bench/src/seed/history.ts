import type { Database } from "@lynceus/db/client";
import { ensurePartitions } from "@lynceus/db/partitions";
import type pg from "pg";

/*
 * Days of history for machines that are there, made by the database itself: millions of rows never pass this process.
 * `seed_machines` (n, id, template, site, simulated) is there. All that is random comes from the seed and the row's
 * number, so that two runs of one seed differ by nothing but the moment they end at.
 */

export interface HistoryOptions {
  readonly now: Date;
  readonly days: number;
  readonly seed: number;
}

const dayMs = 86_400_000;

/** How much a machine has of each, in the whole span. A laptop says goodbye and comes back on most days. */
const perMachine = { transitions: 24, observations: 10, cleared: 2 } as const;
/** Machines with a history as dense as it gets: a probe that changes its mind every twenty minutes. */
const busy = { machines: 100, observations: 2_000 } as const;

/** Kinds of the timeline, as often as they come. `joins`: what makes it one change of the fleet. */
const kinds: readonly [
  kind: string,
  text: string,
  detail: string | null,
  severity: string | null,
  joins: string | null,
][] = [
  ["goodbye", "Signed off: the machine suspends", null, "signed-off", null],
  ["returned", "Back after 9 h", null, "healthy", null],
  ["goodbye", "Signed off: the machine shuts down", null, "signed-off", null],
  ["returned", "Back after 14 h", null, "healthy", null],
  ["goodbye", "Signed off: the machine suspends", null, "signed-off", null],
  ["returned", "Back after 63 h", null, "healthy", null],
  ["verdict", "EWS, configured: exchange-onprem → proxy-unreachable", null, null, null],
  ["verdict", "EWS, configured: proxy-unreachable → exchange-onprem", null, null, null],
  ["status", "healthy → failing", "px1.example.org:8080 does not answer", "failing", null],
  ["status", "failing → healthy", null, "healthy", null],
  ["finding-raised", "proxy-unreachable: px1.example.org:8080 does not answer", null, "failing", null],
  ["finding-cleared", "proxy-unreachable: px1.example.org:8080 does not answer", null, null, null],
  ["system", "Private address 10.1.4.20 → 10.1.4.77", null, null, null],
  ["settings", "Bypass list changed", "+ *.partner.example", null, "settings:bypass"],
  ["script", "Script content 9f3c1e → 41ab07", "4 route results changed", null, "script:9f3c1e→41ab07"],
  ["agent", "Agent 1.4.1 → 1.4.2", null, null, "agent:1.4.1→1.4.2"],
];

/** A number from 0 to 1 of a row and a purpose: the same for the same seed. */
const createRandom = `CREATE OR REPLACE FUNCTION pg_temp.chance(n bigint, purpose int) RETURNS float8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT (hashint8extended(n, purpose) & 9007199254740991) / 9007199254740992.0 $$`;

/** An id of a text, with the version and the variant that a UUID has: the API gives out no other. */
const createId = `CREATE OR REPLACE FUNCTION pg_temp.id(of text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT overlay(overlay(md5(of) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$`;

/** Makes what these statements call; before any of them, on the same connection. */
export async function createFunctions(client: pg.Client): Promise<void> {
  await client.query(createRandom);
  await client.query(createId);
}

export type Log = (line: string) => void;

/** Fills the tables of the past. Indexes that no constraint needs are made once the rows are there. */
export async function seedHistory(db: Database, client: pg.Client, options: HistoryOptions, log: Log): Promise<void> {
  const { now, days, seed } = options;
  const step = timed(log);
  const from = new Date(now.getTime() - days * dayMs);
  await ensurePartitions(db, from, days + 7);
  await client.query(
    "CREATE TEMP TABLE seed_kinds (i int, kind text, text text, detail text, severity text, joins text)",
  );
  await client.query(
    `INSERT INTO seed_kinds SELECT (r.n - 1)::int, r.v->>0, r.v->>1, r.v->>2, r.v->>3, r.v->>4
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS r(v, n)`,
    [JSON.stringify(kinds)],
  );
  const at = (row: string, purpose: number) =>
    `$1::timestamptz - pg_temp.chance(${row}, ${seed * 100 + purpose}) * interval '${days} days'`;

  const indexes = await dropIndexes(client, ["transitions", "findings", "fleet_samples", "fleet_change_machines"]);
  await step("timeline entries", () =>
    client.query(
      `INSERT INTO transitions (machine_id, at, id, kind, text, detail, severity, replayed, change_key)
       SELECT m.id, ${at("row.n", 1)}, pg_temp.id('t' || row.n), k.kind, k.text, k.detail, k.severity, FALSE, k.joins
       FROM seed_machines m CROSS JOIN generate_series(0, ${perMachine.transitions - 1}) AS g(i)
       CROSS JOIN LATERAL (SELECT m.n::bigint * 100 + g.i AS n) row
       JOIN seed_kinds k ON k.i = floor(pg_temp.chance(row.n, ${seed * 100 + 2}) * ${kinds.length})`,
      [now],
    ),
  );
  await step("observations", () =>
    client.query(
      `INSERT INTO observations (machine_id, received_at, epoch, seq, kind, key, observed_at, location, digest, verdict,
         raw, replayed, facts)
       SELECT m.id, t.at, md5('epoch' || m.n)::uuid, g.i, o.kind, o.key, t.at, 'inside', o.digest, o.verdict, FALSE, FALSE,
         o.facts
       FROM seed_machines m CROSS JOIN LATERAL generate_series(1, CASE WHEN m.n < ${busy.machines} THEN
         ${busy.observations} ELSE ${perMachine.observations} END) AS g(i)
       CROSS JOIN LATERAL (SELECT m.n::bigint * 10000 + g.i AS n) row
       CROSS JOIN LATERAL (SELECT ${at("row.n", 3)} AS at) t
       JOIN seed_observations o ON o.template = m.template
         AND o.i = floor(pg_temp.chance(row.n, ${seed * 100 + 4}) * m.observations)`,
      [now],
    ),
  );
  await step("findings that are over", () =>
    client.query(
      `INSERT INTO findings (id, machine_id, pattern, severity, confidence, "primary", cause, sentence, evidence,
         configurations, users, since, cleared_at)
       SELECT pg_temp.id('f' || row.n), m.id, f.pattern, f.severity, f.confidence, f."primary", f.cause, f.sentence,
         f.evidence, f.configurations, f.users, t.at, least(t.at + pg_temp.chance(row.n, ${seed * 100 + 7})
         * interval '2 days', $1::timestamptz)
       FROM seed_machines m CROSS JOIN generate_series(0, ${perMachine.cleared - 1}) AS g(i)
       CROSS JOIN LATERAL (SELECT m.n::bigint * 10 + g.i AS n) row
       CROSS JOIN LATERAL (SELECT ${at("row.n", 5)} AS at) t
       JOIN seed_findings f ON f.i = floor(pg_temp.chance(row.n, ${seed * 100 + 6})
         * (SELECT count(*) FROM seed_findings))`,
      [now],
    ),
  );
  await step("samples of the fleet, one a minute", () =>
    client.query(
      `INSERT INTO fleet_samples (at, site, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns)
       SELECT date_trunc('minute', $1::timestamptz) - make_interval(mins => g.i), s.site,
         s.healthy - f.n, s.failing + f.n, s.stale, s.cannot_tell, s.signed_off, s.at_risk, s.patterns
       FROM (
         SELECT coalesce(site, '') AS site, count(*) FILTER (WHERE status = 'healthy')::int AS healthy,
           count(*) FILTER (WHERE status = 'failing')::int AS failing,
           count(*) FILTER (WHERE status = 'stale')::int AS stale,
           count(*) FILTER (WHERE status = 'cannot-tell')::int AS cannot_tell,
           count(*) FILTER (WHERE status = 'signed-off')::int AS signed_off,
           count(*) FILTER (WHERE at_risk AND status = 'healthy')::int AS at_risk,
           (SELECT coalesce(jsonb_object_agg(p.pattern, p.machines), '{}') FROM (
             SELECT primary_pattern AS pattern, count(*) AS machines FROM machines q
             WHERE primary_pattern IS NOT NULL AND (grouping(m.site) = 1 OR q.site = m.site) GROUP BY 1) p) AS patterns
         FROM machines m GROUP BY GROUPING SETS ((), (m.site))) s
       CROSS JOIN generate_series(1, ${days * 1440}) AS g(i)
       CROSS JOIN LATERAL (SELECT floor(s.healthy * 0.01 * abs(sin(g.i / 400.0)))::int AS n) f
       ON CONFLICT DO NOTHING`,
      [now],
    ),
  );
  await step("hours of the fleet", () =>
    client.query(
      `INSERT INTO fleet_hours (site, at, sampled_at, healthy, failing, stale, cannot_tell, signed_off, at_risk, patterns)
       SELECT DISTINCT ON (site, date_trunc('hour', at, 'UTC')) site, date_trunc('hour', at, 'UTC'), at, healthy, failing,
         stale, cannot_tell, signed_off, at_risk, patterns
       FROM fleet_samples ORDER BY site, date_trunc('hour', at, 'UTC'), failing DESC, at DESC`,
    ),
  );
  await step("changes of the fleet", () =>
    client.query(
      `WITH made AS (
         INSERT INTO fleet_changes (id, change_key, simulated, kind, text, detail, set_key, set_value, first_at, last_at,
           machines)
         SELECT pg_temp.id('c' || g.i), k.joins || ':' || g.i, TRUE, k.kind, k.text, k.detail, NULL, NULL,
           ${at("g.i", 8)}, ${at("g.i", 8)} + interval '20 minutes', 0
         FROM generate_series(1, ${days * 20}) AS g(i) JOIN seed_kinds k ON k.joins IS NOT NULL
           AND k.i = (SELECT min(i) FROM seed_kinds WHERE joins IS NOT NULL) + g.i % 3
         RETURNING id, first_at),
       sized AS (
         SELECT id, first_at, row_number() OVER (ORDER BY id) AS n FROM made),
       took AS (
         INSERT INTO fleet_change_machines (change_id, machine_id, at)
         SELECT s.id, m.id, s.first_at + pg_temp.chance(m.n, ${seed * 100 + 9}) * interval '20 minutes'
         FROM sized s JOIN seed_machines m
           -- A few waves reach half of the fleet; most changes are of some hundred machines.
           ON CASE WHEN s.n <= 6 THEN m.n % 2 = s.n % 2 ELSE m.n % 409 = s.n % 409 END
         RETURNING change_id)
       SELECT FROM took`,
      [now],
    ),
  );
  await client.query(
    `UPDATE fleet_changes c SET machines = t.machines
     FROM (SELECT change_id, count(*)::int AS machines FROM fleet_change_machines GROUP BY 1) t WHERE t.change_id = c.id`,
  );
  await step("reports, commands, audit", async () => {
    await client.query(
      `INSERT INTO machine_reports (id, machine_id, "user", at, prompted, pattern, note, created_at, created_by)
       SELECT pg_temp.id('r' || g.i), m.id, 'user ' || g.i, ${at("g.i", 10)}, g.i % 7 <> 0, NULL, '', $1, 'seed'
       FROM generate_series(1, ${days * 100}) AS g(i) JOIN seed_machines m
         ON m.n = floor(pg_temp.chance(g.i, ${seed * 100 + 11}) * (SELECT count(*) FROM seed_machines))`,
      [now],
    );
    await client.query(
      `INSERT INTO commands (id, machine_id, command, created_at, created_by, state, done, total, updated_at)
       SELECT pg_temp.id('k' || g.i), m.id, 'check-now', ${at("g.i", 12)}, 'seed', 'done', 16, 16, $1
       FROM generate_series(1, ${days * 200}) AS g(i) JOIN seed_machines m
         ON m.n = floor(pg_temp.chance(g.i, ${seed * 100 + 13}) * (SELECT count(*) FROM seed_machines))`,
      [now],
    );
    await client.query(
      `INSERT INTO audit (id, at, actor, action, subject, before, after)
       SELECT pg_temp.id('a' || g.i), ${at("g.i", 14)}, 'admin' || g.i % 9 || '@example.org',
         (ARRAY['machine.tag','machine.site','policy.save','report.create','token.create'])[1 + g.i % 5], 'machine ' || g.i,
         NULL, jsonb_build_object('add', 'pilot')
       FROM generate_series(1, ${days * 1000}) AS g(i)`,
      [now],
    );
  });
  await step("indexes", async () => {
    for (const index of indexes) await client.query(index);
  });
  await step("statistics", () => client.query("ANALYZE"));
}

/** Drops the indexes of these tables that no constraint needs; returns what makes them again. */
async function dropIndexes(client: pg.Client, tables: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace AND NOT i.indisunique`,
    [tables],
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}

/** Runs a step and says how long it took, and how many rows it made where it is one statement. */
function timed(log: Log) {
  return async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    const result = (await work()) as { rowCount?: number | null } | undefined;
    const rows = result?.rowCount ? `${result.rowCount.toLocaleString("en")} ` : "";
    log(`${rows}${what} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
}
