import type { FilterField, FilterTerm } from "@lynceus/protocol/filter";
import type { Counts, Machine, MachineRow } from "@lynceus/protocol/read-api";
import type { MachineState } from "@lynceus/protocol/state";
import { type Database, Prisma } from "./client.ts";
import { CursorError, cursorId, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { countsOf, fleetCells } from "./fleet-cells.ts";
import { fieldSql, filterSql } from "./machines-filter.ts";
import { type FleetReader, machines } from "./scope.ts";

/** A page of a keyset-paged list. `asOf` is the moment of the one snapshot that all its figures come from. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
  total: number;
  asOf: string;
}

interface Sort {
  readonly expression: Prisma.Sql;
  readonly type: "text" | "timestamptz" | "float8" | "int";
  /** Only nullable sorts need a place for NULL: always last. */
  readonly nullable: boolean;
}
const sort = (expression: Prisma.Sql, type: Sort["type"], nullable = true): Sort => ({ expression, type, nullable });

/** Worst first: what a person on call looks for. */
const statusRank = Prisma.sql`array_position(ARRAY['failing','stale','cannot-tell','healthy','signed-off'], m.status)`;
const severityRank = Prisma.sql`array_position(ARRAY['prompting','will-prompt','at-risk'], m.primary_severity)`;

const sorts = {
  name: sort(Prisma.sql`m.sort_name`, "text", false),
  since: sort(Prisma.sql`m.status_since`, "timestamptz", false),
  seen: sort(Prisma.sql`m.last_seen_at`, "timestamptz"),
  status: sort(statusRank, "int"),
  severity: sort(severityRank, "int"),
  primary: sort(Prisma.sql`m.primary_pattern`, "text"),
  site: sort(Prisma.sql`m.site`, "text"),
  location: sort(Prisma.sql`m.location`, "text", false),
  route: sort(Prisma.sql`m.route`, "text"),
  verdict: sort(Prisma.sql`m.verdict_configured`, "text"),
  direct: sort(Prisma.sql`m.verdict_direct`, "text"),
  pac: sort(Prisma.sql`m.pac_hash`, "text"),
  issuer: sort(Prisma.sql`m.tls_issuer`, "text"),
  os: sort(Prisma.sql`m.os`, "text", false),
  agent: sort(Prisma.sql`m.agent_version`, "text", false),
  skew: sort(Prisma.sql`m.clock_skew_ms`, "float8"),
} as const satisfies Record<string, Sort>;

export type MachineSortKey = keyof typeof sorts;
/** A key, descending with a leading minus: `name`, `-since`. */
export type MachineSort = MachineSortKey | `-${MachineSortKey}`;
export const machineSortKeys = Object.keys(sorts) as MachineSortKey[];

/** Whether a text, as from a URL, is a sort. */
export const isMachineSort = (text: string): text is MachineSort =>
  machineSortKeys.includes(text.replace(/^-/, "") as MachineSortKey);

export interface MachineQuery {
  terms?: readonly FilterTerm[];
  /** Exact site, beside what the terms say. */
  site?: string | null;
  /** Revoked machines instead of the others. */
  revoked?: boolean;
}

/** The condition of a query over `machines m`. */
export function machineWhere(query: MachineQuery): Prisma.Sql {
  const parts = [
    query.revoked ? Prisma.sql`m.revoked_at IS NOT NULL` : Prisma.sql`m.revoked_at IS NULL`,
    ...(query.site ? [Prisma.sql`m.site = ${query.site}`] : []),
    filterSql(query.terms ?? []),
  ];
  return Prisma.join(parts, " AND ");
}

/** A row as PostgreSQL writes it to JSON. */
interface JsonRow extends Omit<MachineRow, "primary" | "since" | "lastSeenAt"> {
  since: string;
  lastSeenAt: string | null;
  primaryPattern: string | null;
  primarySeverity: string | null;
  primaryConfidence: string | null;
  primaryCause: string | null;
}

const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString());

const rowColumns = Prisma.sql`
  m.id, m.hostname, m.status, m.at_risk AS "atRisk", m.status_since AS since, m.primary_pattern AS "primaryPattern",
  m.primary_severity AS "primarySeverity", m.primary_confidence AS "primaryConfidence",
  m.primary_cause AS "primaryCause", m.patterns, m.site, m.location, m.route,
  m.verdict_configured AS "verdictConfigured", m.verdict_direct AS "verdictDirect",
  m.chain_configured AS "chainConfigured", m.chain_direct AS "chainDirect", m.pac_hash AS "pacHash", m.os,
  m.os_version AS "osVersion", m.agent_version AS "agentVersion", m.last_seen_at AS "lastSeenAt",
  m.connected_to IS NOT NULL AS connected, m.approved, m.cloned_at IS NOT NULL AS cloned, m.simulated, m.tags`;

/** Columns hold what this package's own types let in, so they are taken back as those. */
function toMachineRow(row: JsonRow): MachineRow {
  const { primaryPattern, primarySeverity, primaryConfidence, primaryCause, ...rest } = row;
  const primary =
    primaryPattern === null
      ? null
      : ({
          pattern: primaryPattern,
          severity: primarySeverity ?? "at-risk",
          confidence: primaryConfidence ?? "low",
          cause: primaryCause ?? "",
        } as MachineRow["primary"]);
  return { ...rest, since: iso(row.since), lastSeenAt: iso(row.lastSeenAt), primary };
}

/** The rows after a cursor. NULLs come last in both directions; ties are broken by id. */
function afterCursor(cursor: string | null | undefined, name: MachineSort, by: Sort, down: boolean): Prisma.Sql {
  if (!cursor) return Prisma.sql`TRUE`;
  const [ofSort, value, rawId] = decodeCursor(cursor, 3);
  if (ofSort !== name) throw new CursorError(`cursor is of sort "${ofSort}", not "${name}"; start without it`);
  const id = cursorId(rawId);
  const compare = Prisma.raw(down ? "<" : ">");
  if (value === null || value === undefined)
    return Prisma.sql`(${by.expression} IS NULL AND m.id ${compare} ${id}::uuid)`;
  if (
    by.type === "timestamptz"
      ? Number.isNaN(Date.parse(String(value)))
      : by.type !== "text" && typeof value !== "number"
  )
    throw new CursorError(`cursor holds "${value}", which sort "${name}" does not; start without it`);
  const bound = Prisma.sql`${typeof value === "number" && by.type !== "text" ? value : String(value)}::${Prisma.raw(by.type)}`;
  const after = Prisma.sql`(${by.expression}, m.id) ${compare} (${bound}, ${id}::uuid)`;
  return by.nullable ? Prisma.sql`(${after} OR ${by.expression} IS NULL)` : after;
}

/**
 * A page of machines in the given order. `cursor` is the `nextCursor` of the page before, of the same sort.
 * Throws a CursorError or a FilterFieldError, whose messages may be shown.
 */
export async function listMachines(
  db: FleetReader,
  query: MachineQuery & { sort?: MachineSort; cursor?: string | null; limit?: number },
): Promise<Page<MachineRow>> {
  const name = query.sort ?? "name";
  const down = name.startsWith("-");
  const by: Sort = sorts[name.replace(/^-/, "") as MachineSortKey];
  const limit = pageLimit(query.limit);
  const where = machineWhere(query);
  const direction = Prisma.raw(down ? "DESC" : "ASC");
  const order = by.nullable
    ? Prisma.sql`${by.expression} ${direction} NULLS LAST, m.id ${direction}`
    : Prisma.sql`${by.expression} ${direction}, m.id ${direction}`;
  // One statement is one snapshot.
  const [answer] = await db.prisma.$queryRaw<
    { asOf: Date; total: number; items: (JsonRow & { sortValue: string | number | null })[] }[]
  >`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM ${machines(db)} m WHERE ${where}) AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT ${rowColumns}, ${by.expression} AS "sortValue" FROM ${machines(db)} m
        WHERE ${where} AND ${afterCursor(query.cursor, name, by, down)}
        ORDER BY ${order} LIMIT ${limit + 1}) page) AS items`;
  if (!answer) throw new Error("the database gave no answer to a query that always has one row");
  const items = answer.items.slice(0, limit);
  const last = items.at(-1);
  const more = answer.items.length > limit && last !== undefined;
  return {
    items: items.map(({ sortValue: _, ...row }) => toMachineRow(row)),
    nextCursor: more ? encodeCursor([name, last.sortValue, last.id]) : null,
    total: answer.total,
    asOf: answer.asOf.toISOString(),
  };
}

/** Name of a machine, also of a revoked one; null when there is none. */
export async function machineName(db: FleetReader, id: string): Promise<string | null> {
  if (!isUuid(id)) return null;
  const [found] = await db.prisma.$queryRaw<{ hostname: string }[]>`
    SELECT m.hostname FROM ${machines(db)} m WHERE m.id = ${id}::uuid`;
  return found?.hostname ?? null;
}

/** A machine with its facts and diagnosis, or null. Not an id: null as well. */
export async function getMachine(db: FleetReader, id: string): Promise<Machine | null> {
  if (!isUuid(id)) return null;
  const [found] = await db.prisma.$queryRaw<
    {
      row: JsonRow & { enrolledAt: string; revokedAt: string | null; clockSkewMs: number | null };
      state: MachineState;
    }[]
  >`
    SELECT to_json(r) AS row, s.state FROM (
      SELECT ${rowColumns}, m.enrolled_at AS "enrolledAt", m.revoked_at AS "revokedAt", m.clock_skew_ms AS "clockSkewMs"
      FROM ${machines(db)} m WHERE m.id = ${id}::uuid) r JOIN machine_states s ON s.machine_id = r.id`;
  if (!found) return null;
  const { enrolledAt, revokedAt, clockSkewMs, ...row } = found.row;
  return {
    ...toMachineRow(row),
    enrolledAt: new Date(enrolledAt).toISOString(),
    revokedAt: iso(revokedAt),
    clockSkewMs,
    diagnosis: found.state.diagnosis,
    facts: found.state.facts,
  };
}

/** How many machines are in each state. Healthy + failing + stale + cannot tell = reporting; revoked ones are in none. */
export async function countMachines(db: FleetReader, query: MachineQuery = {}): Promise<Counts> {
  // Without a filter nothing has to be looked at: the cells are counts already.
  if (!query.terms?.length && !query.revoked) return countsOf(await fleetCells(db, query));
  const [counts] = await db.prisma.$queryRaw<Counts[]>`
    SELECT count(*) FILTER (WHERE m.status = 'healthy')::int AS healthy,
      count(*) FILTER (WHERE m.status = 'failing')::int AS failing,
      count(*) FILTER (WHERE m.status = 'stale')::int AS stale,
      count(*) FILTER (WHERE m.status = 'cannot-tell')::int AS "cannotTell",
      count(*) FILTER (WHERE m.status = 'signed-off')::int AS "signedOff",
      count(*) FILTER (WHERE m.at_risk AND m.status = 'healthy')::int AS "atRisk"
    FROM ${machines(db)} m WHERE ${machineWhere(query)}`;
  return counts ?? { healthy: 0, failing: 0, stale: 0, cannotTell: 0, signedOff: 0, atRisk: 0 };
}

/**
 * The values that a field has under a filter, most frequent first, with their machines: what completion offers.
 * `value` null: not observed, or none. Times, numbers and fields without a column have no list. `contains`: only values
 * with this text in them.
 */
export async function valueCounts(
  db: FleetReader,
  field: FilterField,
  query: MachineQuery & { contains?: string; limit?: number } = {},
): Promise<{ value: string | null; machines: number }[]> {
  const { value } = fieldSql(field);
  if (value === null) return [];
  const contains = query.contains
    ? Prisma.sql`WHERE strpos(lower(value), ${query.contains.toLowerCase()}) > 0`
    : Prisma.empty;
  return db.prisma.$queryRaw`
    SELECT value, count(*)::int AS machines FROM (SELECT ${value} AS value FROM ${machines(db)} m WHERE ${machineWhere(query)}) v
    ${contains} GROUP BY value ORDER BY machines DESC, value LIMIT ${pageLimit(query.limit ?? 20)}`;
}

/** Notes which collector holds the connections of these machines. */
export async function setConnected(db: Database, machineIds: readonly string[], collectorId: string): Promise<void> {
  if (machineIds.length === 0) return;
  await db.prisma.$executeRaw`
    WITH changed AS (
      UPDATE machines SET connected_to = ${collectorId}
      WHERE id = ANY (${[...machineIds]}::uuid[]) AND connected_to IS DISTINCT FROM ${collectorId} RETURNING id)
    SELECT pg_notify('lynceus', '')::text WHERE EXISTS (SELECT FROM changed)`;
}

/** Notes that a collector no longer holds these machines, or, without ids, none at all (its start and its end). */
export async function clearConnected(db: Database, collectorId: string, machineIds?: readonly string[]): Promise<void> {
  const which = machineIds ? Prisma.sql`AND id = ANY (${[...machineIds]}::uuid[])` : Prisma.empty;
  await db.prisma.$executeRaw`
    WITH changed AS (
      UPDATE machines SET connected_to = NULL WHERE connected_to = ${collectorId} ${which} RETURNING id)
    SELECT pg_notify('lynceus', '')::text WHERE EXISTS (SELECT FROM changed)`;
}
