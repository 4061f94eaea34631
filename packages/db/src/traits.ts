import type { Location, MachineStatus } from "@lynceus/protocol/names";
import type { Database } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { policyChangeKey } from "./policies.ts";

/** What attribution compares of a machine. Null: not known; "none": looked for and not there. */
export interface MachineTraits {
  machineId: string;
  /** When the row was written, as text that keeps the database's own precision. */
  changedAt: string;
  simulated: boolean;
  /** False: takes no part in what is said of the fleet (unapproved, cloned, revoked). */
  counts: boolean;
  location: Location;
  status: MachineStatus;
  statusSince: Date;
  site: string | null;
  route: string | null;
  pacHash: string | null;
  pacUrl: string | null;
  tlsIssuer: string | null;
  tlsSpki: string | null;
  agentVersion: string;
  os: string;
  osVersion: string;
  resolver: string | null;
  subnet: string | null;
  backEnd: string | null;
  address: string | null;
  routeKind: string | null;
  configuration: string | null;
  settingsChangedAt: Date | null;
  policyVersion: number | null;
}

/** Where a reading of the traits stands. */
export interface TraitsPosition {
  changedAt: string;
  machineId: string;
}

/**
 * Machines whose traits or status were written after a position, in that order, `limit` at a time; from the first one
 * where it is null. Rows of a transaction that was long under way may come before those that are read already: begin
 * again a little earlier (`resumeTraits`) and take what comes twice as it is.
 */
export async function readTraits(db: Database, after: TraitsPosition | null, limit = 5_000): Promise<MachineTraits[]> {
  // Past Prisma: a collector that begins reads the whole fleet.
  const { rows } = await db.pool.query<MachineTraits>({
    name: "lynceus-read-traits",
    text: `
      SELECT t.machine_id::text AS "machineId", t.changed_at::text AS "changedAt", m.simulated,
        m.approved AND m.cloned_at IS NULL AND m.revoked_at IS NULL AS counts, m.location, m.status,
        m.status_since AS "statusSince", m.site, m.route, m.pac_hash AS "pacHash", t.pac_url AS "pacUrl",
        m.tls_issuer AS "tlsIssuer", m.tls_spki AS "tlsSpki", m.agent_version AS "agentVersion", m.os,
        m.os_version AS "osVersion", t.resolver, t.subnet, t.back_end AS "backEnd", t.address,
        t.route_kind AS "routeKind", t.configuration, t.settings_changed_at AS "settingsChangedAt",
        t.policy_version AS "policyVersion"
      -- The page first: joined before, every page would be cut from the whole fleet.
      FROM (SELECT * FROM machine_traits WHERE (changed_at, machine_id) > ($1::timestamptz, $2::uuid)
        ORDER BY changed_at, machine_id LIMIT $3) t JOIN machines m ON m.id = t.machine_id
      ORDER BY t.changed_at, t.machine_id`,
    values: [after?.changedAt ?? "-infinity", after?.machineId ?? "00000000-0000-0000-0000-000000000000", limit],
  });
  return rows;
}

/** Where to go on reading: at the position, or `seconds` ago where that is earlier. */
export async function resumeTraits(db: Database, position: TraitsPosition, seconds: number): Promise<TraitsPosition> {
  const [row] = await db.prisma.$queryRaw<{ at: string; overlaps: boolean }[]>`
    SELECT at::text AS at, at < ${position.changedAt}::text::timestamptz AS overlaps
    FROM (SELECT now() - make_interval(secs => ${seconds}::float8) AS at) recent`;
  return row?.overlaps ? { changedAt: row.at, machineId: "00000000-0000-0000-0000-000000000000" } : position;
}

/**
 * Notes which policy machines said that they hold. One that took another than before has it in its timeline and in the
 * fleet's changes. Returns how many did.
 */
export async function notePolicyVersions(
  db: Database,
  versions: readonly { machineId: string; version: number }[],
  at: Date,
): Promise<number> {
  const known = versions.filter(({ machineId, version }) => isUuid(machineId) && version > 0);
  if (known.length === 0) return 0;
  return db.prisma.$transaction(async (prisma) => {
    const took = await prisma.$queryRaw<{ machineId: string; before: number; version: number }[]>`
      WITH given AS (
        SELECT r.id, r.version, t.policy_version AS before FROM
          unnest(${known.map((row) => row.machineId)}::uuid[], ${known.map((row) => row.version)}::int[]) AS r(id, version)
        JOIN machines m ON m.id = r.id LEFT JOIN machine_traits t ON t.machine_id = r.id
        WHERE t.policy_version IS DISTINCT FROM r.version ORDER BY r.id
      ), kept AS (
        INSERT INTO machine_traits AS t (machine_id, policy_version) SELECT id, version FROM given
        ON CONFLICT (machine_id) DO UPDATE SET policy_version = excluded.policy_version, changed_at = now())
      SELECT id::text AS "machineId", before, version FROM given WHERE before IS NOT NULL`;
    if (took.length === 0) return 0;
    const texts = took.map(({ before, version }) => `Policy ${before} → ${version}`);
    const keys = took.map(({ before, version }) => policyChangeKey(before, version));
    await prisma.$executeRaw`
      WITH taken AS (
        SELECT * FROM unnest(${took.map((row) => row.machineId)}::uuid[], ${texts}::text[], ${keys}::text[],
          ${took.map((row) => String(row.version))}::text[]) AS r(id, text, key, version)
      ), told AS (
        INSERT INTO transitions (machine_id, at, id, kind, text, replayed, change_key)
        SELECT id, ${at}, gen_random_uuid(), 'policy', text, FALSE, key FROM taken)
      INSERT INTO pending_changes (machine_id, at, kind, text, change_key, set_key, set_value)
      SELECT id, ${at}, 'policy', text, key, 'policy-version', version FROM taken`;
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return took.length;
  });
}
