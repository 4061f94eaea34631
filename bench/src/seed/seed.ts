import { createHash } from "node:crypto";
import type { Database } from "@lynceus/db/client";
import { connectClient } from "@lynceus/db/connection";
import { savePolicy } from "@lynceus/db/policies";
import { recordSample } from "@lynceus/db/samples";
import { saveSiteSubnets } from "@lynceus/db/sites";
import { buildPolicy } from "@lynceus/protocol/presets";
import type pg from "pg";
import { seedCauses } from "./causes.ts";
import { type CompanyOptions, type SeedMachine, seedCompany, seedSites } from "./company.ts";
import { createFunctions, type Log, seedHistory } from "./history.ts";
import { seedSeries } from "./series.ts";
import { makeTemplates, type Template } from "./templates.ts";

export interface SeedOptions extends CompanyOptions {
  readonly days: number;
  readonly now: Date;
}

/** What was seeded, in figures. */
export interface Seeded {
  readonly machines: number;
  readonly openFindings: number;
  readonly bytes: number;
}

const chunk = 5_000;

/**
 * Fills an empty, migrated database with a fleet and its history: states by the real diagnosis, counts that add up, and
 * every machine marked as simulated.
 * @throws {Error} where machines are there already: nothing of theirs is touched.
 */
export async function seedFleet(db: Database, options: SeedOptions, log: Log): Promise<Seeded> {
  const { now } = options;
  if ((await db.prisma.machine.count()) > 0)
    throw new Error("the database has machines already; seed an empty one, e.g. --data-dir .lynceus-seeded");
  const domain = "example.org";
  const policy = (
    await savePolicy(db, {
      body: buildPolicy(
        { ews: [`mail.${domain}`], smtpDomains: [domain], sipDomains: [domain], insideSuffixes: [domain] },
        1,
      ),
      now: new Date(now.getTime() - options.days * 86_400_000),
      createdBy: "seed",
    })
  ).body;
  await saveSiteSubnets(
    db,
    seedSites.map(({ name, network }) => ({ cidr: `${network}.0.0/16`, site: name })),
    { actor: "seed" },
  );
  const templates = makeTemplates(policy, now.getTime());
  const templateOf = ({ fault, site }: Pick<SeedMachine, "fault" | "site">) =>
    templates.find((one) => one.fault === fault && one.proxied === site.proxied) as Template;
  const machines = seedCompany(options, (machine) => templateOf(machine).columns.patterns.length);
  const client = await connectClient(db.url);
  try {
    await client.query("SET synchronous_commit = off");
    await client.query("SET work_mem = '64MB'");
    await client.query("SET maintenance_work_mem = '256MB'");
    await createFunctions(client);
    await storeTemplates(client, templates);
    const began = performance.now();
    for (let i = 0; i < machines.length; i += chunk)
      await storeMachines(client, machines.slice(i, i + chunk), i, templateOf, now);
    await client.query("ANALYZE machines");
    const openFindings = await storeFindings(client);
    log(
      `${machines.length.toLocaleString("en")} machines with ${openFindings.toLocaleString("en")} open findings in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    await seedHistory(db, client, options, log);
    await recordSample(db, now);
    await seedSeries(client, options);
    await seedCauses(db, now, options.days);
    const { rows } = await client.query<{ bytes: string }>(
      "SELECT pg_database_size(current_database())::text AS bytes",
    );
    return { machines: machines.length, openFindings, bytes: Number(rows[0]?.bytes) };
  } finally {
    await client.end();
  }
}

/** The templates as tables, so that a machine's state is copied within the database. */
async function storeTemplates(client: pg.Client, templates: readonly Template[]): Promise<void> {
  await client.query(`CREATE TEMP TABLE seed_templates (id int PRIMARY KEY, state jsonb)`);
  await client.query(
    `CREATE TEMP TABLE seed_observations (template int, i int, kind text, key text, digest text, verdict text, facts jsonb)`,
  );
  await client.query(
    `CREATE TEMP TABLE seed_machines (n int, id uuid, template int, observations int, since timestamptz)`,
  );
  for (const { id, state, observations } of templates) {
    await client.query("INSERT INTO seed_templates VALUES ($1, $2::jsonb)", [id, JSON.stringify(state)]);
    await client.query(
      `INSERT INTO seed_observations SELECT $1, (r.n - 1)::int, r.v->>'kind', r.v->>'key', r.v->>'digest', r.v->>'verdict',
         r.v->'facts' FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS r(v, n)`,
      [id, JSON.stringify(observations)],
    );
  }
  await client.query("CREATE INDEX ON seed_observations (template, i)");
  await client.query(
    `CREATE TEMP TABLE seed_findings AS
     SELECT (row_number() OVER (ORDER BY t.id, f.n) - 1)::int AS i, t.id AS template, f.v->>'pattern' AS pattern,
       f.v->>'severity' AS severity, f.v->>'confidence' AS confidence, (f.v->>'primary')::boolean AS "primary",
       f.v->>'cause' AS cause, f.v->>'sentence' AS sentence, f.v->'evidence' AS evidence,
       ARRAY(SELECT jsonb_array_elements_text(f.v->'configurations')) AS configurations, (f.v->>'users')::int AS users
     FROM seed_templates t
     CROSS JOIN LATERAL jsonb_array_elements(t.state->'diagnosis'->'findings') WITH ORDINALITY AS f(v, n)`,
  );
}

/** A row as PostgreSQL takes it from JSON. */
function rowOf(machine: SeedMachine, n: number, template: Template, now: Date) {
  const { columns } = template;
  const seenAt = new Date(now.getTime() - machine.seenAgo * 1000);
  const since = new Date(now.getTime() - machine.sinceAgo * 1000);
  return {
    n,
    template: template.id,
    observations: template.observations.length,
    id: machine.id,
    hostname: machine.hostname,
    // Unique, and of no use to anybody: nobody holds the private half.
    public_key: `\\x${createHash("sha512").update(machine.id).digest("hex").slice(0, 88)}`,
    enrolled_at: new Date(now.getTime() - 40 * 86_400_000),
    os: "windows",
    os_version: machine.osVersion,
    agent_version: machine.agentVersion,
    site: machine.site.name,
    tags: machine.tags,
    connected_to: machine.end === null ? "seed" : null,
    last_seen_at: seenAt,
    signed_off_at: machine.end === "signed-off" ? seenAt : null,
    status: machine.end ?? columns.status,
    status_since: machine.end === "signed-off" ? seenAt : since,
    at_risk: columns.atRisk,
    primary_pattern: columns.primaryPattern,
    primary_severity: columns.primarySeverity,
    primary_confidence: columns.primaryConfidence,
    primary_cause: columns.primaryCause,
    primary_since: columns.primaryPattern === null ? null : since,
    patterns: columns.patterns,
    location: columns.location,
    route: columns.route,
    verdict_configured: columns.verdictConfigured,
    verdict_direct: columns.verdictDirect,
    chain_configured: columns.chainConfigured,
    chain_direct: columns.chainDirect,
    pac_hash: columns.pacHash,
    tls_issuer: columns.tlsIssuer,
    tls_spki: columns.tlsSpki,
    clock_skew_ms: columns.clockSkewMs,
    answer_ms: columns.answerMs,
    ...template.listed,
    private_address: machine.address,
    subnet: `${machine.address.split(".").slice(0, 3).join(".")}.0/24`,
    resolver: `${machine.site.network}.0.53`,
    back_end: template.traits.values["back-end"] ?? null,
    dns_answer: template.traits.dnsAnswer,
    route_kind: template.traits.values["route-kind"] ?? null,
    pac_url: template.traits.values["pac-url"] ?? null,
    configuration: template.traits.configuration,
  };
}

async function storeMachines(
  client: pg.Client,
  machines: readonly SeedMachine[],
  offset: number,
  templateOf: (machine: SeedMachine) => Template,
  now: Date,
): Promise<void> {
  const rows = machines.map((machine, i) => rowOf(machine, offset + i, templateOf(machine), now));
  await client.query(
    `WITH given AS MATERIALIZED (
       SELECT r.*, x.n, x.template, x.observations FROM jsonb_array_elements($1::jsonb) AS v
       CROSS JOIN LATERAL jsonb_populate_record(NULL::machines, v || '{"sort_name":"","simulated":true,"approved":true}') AS r
       CROSS JOIN LATERAL jsonb_to_record(v) AS x(n int, template int, observations int)
     ), made AS (
       INSERT INTO machines (${machineColumns.join(", ")}) SELECT ${machineColumns.join(", ")} FROM given RETURNING id
     ), stated AS (
       INSERT INTO machine_states (machine_id, epoch, last_seq, state_seq, state, updated_at)
       SELECT g.id, md5('epoch' || g.n)::uuid, 1000, 1000, t.state, $2
       FROM given g JOIN seed_templates t ON t.id = g.template
     ), kept AS (
       INSERT INTO machine_traits (machine_id, changed_at, digest, pac_url, resolver, subnet, back_end, route_kind,
         configuration, dns_answer, policy_version, chosen_by, zone, winhttp, private_address, failed_targets)
       SELECT x.id, $2, '', x.pac_url, x.resolver, x.subnet, x.back_end, x.route_kind, x.configuration, x.dns_answer, 1,
         x.chosen_by, x.zone, x.winhttp, x.private_address, x.failed_targets
       FROM jsonb_to_recordset($1::jsonb) AS x(id uuid, pac_url text, resolver text, subnet text, back_end text,
         route_kind text, configuration text, dns_answer text, chosen_by text, zone text, winhttp text,
         private_address text, failed_targets text[])
     )
     INSERT INTO seed_machines SELECT n, id, template, observations, status_since FROM given ORDER BY id`,
    [JSON.stringify(rows), now],
  );
}

const machineColumns = [
  ..."id hostname public_key approved simulated enrolled_at os os_version agent_version site tags connected_to".split(
    " ",
  ),
  ..."last_seen_at signed_off_at status status_since at_risk primary_pattern primary_severity".split(" "),
  ..."primary_confidence primary_cause primary_since patterns location route verdict_configured".split(" "),
  ..."verdict_direct chain_configured chain_direct pac_hash tls_issuer tls_spki clock_skew_ms answer_ms".split(" "),
];

/** The open findings are those of the states. Returns how many there are. */
async function storeFindings(client: pg.Client): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO findings (id, machine_id, pattern, severity, confidence, "primary", cause, sentence, evidence,
       configurations, users, since)
     SELECT pg_temp.id('open' || m.n || f.pattern), m.id, f.pattern, f.severity, f.confidence, f."primary", f.cause,
       f.sentence, f.evidence, f.configurations, f.users, m.since
     FROM seed_machines m JOIN seed_findings f ON f.template = m.template`,
  );
  return rowCount ?? 0;
}
