import type { Machine } from "@lynceus/incidents/types";
import type {
  AttributionKey,
  Confidence,
  Location,
  MachineStatus,
  PatternId,
  Severity,
  Verdict,
} from "@lynceus/protocol/names";
import type { Database } from "./client.ts";
import type { TraitsPosition } from "./traits.ts";

/*
 * Machines as incidents see them. Read on from where the last reading ended, as attribution does: `machine_traits` is
 * written when something of a machine changed that matters here, and with every change of its status.
 */

/** A machine, and whether it takes part in what is said of the fleet. */
export interface IncidentMachine {
  readonly machine: Machine;
  /** When its row was written, as text that keeps the database's own precision. */
  readonly changedAt: string;
  /** False: unapproved, cloned or revoked. */
  readonly counts: boolean;
  readonly lastSeenAt: number;
}

interface Row {
  id: string;
  changedAt: string;
  counts: boolean;
  lastSeenAt: Date | null;
  hostname: string;
  site: string | null;
  tags: string[];
  location: Location;
  simulated: boolean;
  os: string;
  osVersion: string;
  agentVersion: string;
  status: MachineStatus;
  since: Date;
  verdict: Verdict | null;
  pattern: PatternId | null;
  severity: Severity | null;
  confidence: Confidence | null;
  cause: string | null;
  patterns: PatternId[];
  targets: string[];
  values: Partial<Record<AttributionKey, string | null>>;
}

const columns = `
  m.id::text AS id, t.changed_at::text AS "changedAt", m.last_seen_at AS "lastSeenAt",
  m.approved AND m.cloned_at IS NULL AND m.revoked_at IS NULL AS counts, m.hostname, m.site, m.tags, m.location, m.simulated,
  m.os, m.os_version AS "osVersion", m.agent_version AS "agentVersion", m.status, m.status_since AS since,
  m.verdict_configured AS verdict, m.primary_pattern AS pattern, m.primary_severity AS severity,
  m.primary_confidence AS confidence, m.primary_cause AS cause, m.patterns, t.failed_targets AS targets,
  json_build_object('pac-hash', coalesce(m.pac_hash, CASE WHEN t.pac_url = 'none' THEN 'none' END), 'pac-url', t.pac_url,
    'proxy', CASE WHEN m.route = 'direct' THEN 'none' ELSE m.route END, 'back-end', t.back_end, 'address', t.address,
    'tls-spki', m.tls_spki, 'tls-issuer', m.tls_issuer, 'resolver', t.resolver, 'subnet', t.subnet, 'site', m.site,
    'policy-version', t.policy_version::text, 'agent-version', nullif(m.agent_version, ''),
    'os-build', nullif(btrim(m.os || ' ' || m.os_version), ''), 'route-kind', t.route_kind) AS values`;

function toMachine(row: Row): IncidentMachine {
  const { pattern, severity, confidence, cause } = row;
  return {
    machine: {
      id: row.id,
      hostname: row.hostname,
      site: row.site,
      tags: row.tags,
      location: row.location,
      simulated: row.simulated,
      os: row.os,
      agentVersion: row.agentVersion,
      status: row.status,
      since: row.since.getTime(),
      verdict: row.verdict,
      primary: pattern && severity && confidence && cause !== null ? { pattern, severity, confidence, cause } : null,
      patterns: row.patterns,
      values: row.values,
      targets: row.targets,
      late: false,
    },
    changedAt: row.changedAt,
    counts: row.counts,
    lastSeenAt: row.lastSeenAt?.getTime() ?? 0,
  };
}

/** Machines written after a position, in that order, `limit` at a time. As for traits, begin a little earlier. */
export async function readChangedMachines(
  db: Database,
  after: TraitsPosition,
  limit: number,
): Promise<IncidentMachine[]> {
  const { rows } = await db.pool.query<Row>({
    name: "lynceus-changed-machines",
    text: `
      SELECT ${columns}
      FROM (SELECT * FROM machine_traits WHERE (changed_at, machine_id) > ($1::timestamptz, $2::uuid)
        ORDER BY changed_at, machine_id LIMIT $3) t JOIN machines m ON m.id = t.machine_id
      ORDER BY t.changed_at, t.machine_id`,
    values: [after.changedAt, after.machineId, limit],
  });
  return rows.map(toMachine);
}

/** Every machine that an incident may be made of, and the given ones whatever they are. */
export async function readFailingMachines(db: Database, members: readonly string[]): Promise<IncidentMachine[]> {
  const { rows } = await db.pool.query<Row>({
    name: "lynceus-failing-machines",
    text: `
      SELECT ${columns} FROM machines m JOIN machine_traits t ON t.machine_id = m.id
      WHERE m.status = 'failing' OR (m.status = 'stale' AND m.patterns @> ARRAY['fleet-blind'])
      UNION ALL
      SELECT ${columns} FROM machines m JOIN machine_traits t ON t.machine_id = m.id
      WHERE m.id = ANY ($1::uuid[]) AND m.status <> 'failing'
        AND NOT (m.status = 'stale' AND m.patterns @> ARRAY['fleet-blind'])`,
    values: [[...members]],
  });
  return rows.map(toMachine);
}

/** The given machines as they are now. */
export async function readTheseMachines(db: Database, ids: readonly string[]): Promise<IncidentMachine[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.pool.query<Row>({
    name: "lynceus-these-machines",
    text: `SELECT ${columns} FROM machines m JOIN machine_traits t ON t.machine_id = m.id WHERE m.id = ANY ($1::uuid[])`,
    values: [[...ids]],
  });
  return rows.map(toMachine);
}

/** Where a reading that begins now goes on: the database's own present, a little earlier. */
export async function positionNow(db: Database, overlapSeconds: number): Promise<TraitsPosition> {
  const { rows } = await db.pool.query<{ at: string }>("SELECT (now() - make_interval(secs => $1))::text AS at", [
    overlapSeconds,
  ]);
  return { changedAt: rows[0]?.at ?? "-infinity", machineId: "00000000-0000-0000-0000-000000000000" };
}

/** Reporting machines of each site, real and simulated apart, by location: what shares of a site are counted of. */
export async function reportingBySite(
  db: Database,
): Promise<{ simulated: boolean; location: Location; site: string | null; machines: number }[]> {
  const { rows } = await db.pool.query<{
    simulated: boolean;
    location: Location;
    site: string | null;
    machines: number;
  }>(`
    SELECT simulated, location, site, count(*)::int AS machines FROM machines
    WHERE revoked_at IS NULL AND approved AND cloned_at IS NULL AND status NOT IN ('signed-off', 'stale')
      AND last_seen_at IS NOT NULL
    GROUP BY 1, 2, 3`);
  return rows;
}
