import type { FilterField, FilterTerm } from "@lynceus/protocol/filter";
import type { Counts, Machine, MachineRow } from "@lynceus/protocol/read-api";
import type { MachineState } from "@lynceus/protocol/state";
import { type Database, Prisma } from "./client.ts";
import { CursorError, cursorId, decodeCursor, encodeCursor, isUuid, pageLimit } from "./cursor.ts";
import { countsOf, fleetCells } from "./fleet-cells.ts";
import { fieldSql, filterSql } from "./machines-filter.ts";
import { type Fleet, type FleetReader, machines } from "./scope.ts";

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
  ms: sort(Prisma.sql`m.answer_ms`, "float8"),
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
  /** These alone, as far as they match. */
  ids?: readonly string[];
}

/** The condition of a query over `machines m`. */
export function machineWhere(query: MachineQuery): Prisma.Sql {
  const parts = [
    query.revoked ? Prisma.sql`m.revoked_at IS NOT NULL` : Prisma.sql`m.revoked_at IS NULL`,
    ...(query.site ? [Prisma.sql`m.site = ${query.site}`] : []),
    ...(query.ids ? [Prisma.sql`m.id = ANY (${query.ids.filter(isUuid)}::uuid[])`] : []),
    filterSql(query.terms ?? []),
  ];
  return Prisma.join(parts, " AND ");
}

/** A row as PostgreSQL writes it to JSON. */
interface JsonRow extends Omit<MachineRow, "primary" | "since" | "lastSeenAt" | "changedAt"> {
  since: string;
  lastSeenAt: string | null;
  changedAt: string | null;
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
  m.connected_to IS NOT NULL AS connected, m.approved, m.cloned_at IS NOT NULL AS cloned, m.simulated, m.tags,
  m.answer_ms AS "answerMs", m.clock_skew_ms AS "clockSkewMs", m.tls_issuer AS issuer,
  t.settings_changed_at AS "changedAt", t.chosen_by AS "chosenBy", t.zone, t.back_end AS server, t.resolver, t.subnet,
  t.winhttp, coalesce(t.failed_targets, '{}') AS "failedTargets"`;
/** Where the columns of a row are, \`m\` and \`t\`; PostgreSQL leaves out the join where nothing of \`t\` is asked for. */
const withTraits = Prisma.sql`LEFT JOIN machine_traits t ON t.machine_id = m.id`;

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
  return {
    ...rest,
    since: iso(row.since),
    lastSeenAt: iso(row.lastSeenAt),
    changedAt: iso(row.changedAt),
    primary,
  };
}

/** A sort, and what it is in SQL: unknown values last in both directions, ties by id. */
function orderOf(name: MachineSort = "name") {
  const down = name.startsWith("-");
  const by: Sort = sorts[name.replace(/^-/, "") as MachineSortKey];
  const direction = Prisma.raw(down ? "DESC" : "ASC");
  const order = by.nullable
    ? Prisma.sql`${by.expression} ${direction} NULLS LAST, m.id ${direction}`
    : Prisma.sql`${by.expression} ${direction}, m.id ${direction}`;
  return { name, by, down, order };
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
  query: MachineQuery & {
    sort?: MachineSort;
    cursor?: string | null;
    /** Rows to leave out after the cursor: where a list that is drawn in part goes on. */
    skip?: number;
    limit?: number;
    /** How many match, where the caller has counted them in the same snapshot. */
    total?: number;
  },
): Promise<Page<MachineRow>> {
  const { name, by, down, order } = orderOf(query.sort);
  const limit = pageLimit(query.limit);
  const where = machineWhere(query);
  const total =
    query.total === undefined
      ? Prisma.sql`(SELECT count(*)::int FROM ${machines(db)} m WHERE ${where})`
      : Prisma.sql`${Math.min(query.total, 2_147_483_647)}::int`;
  // Few that match are not looked for along an index of the order, which passes all that do not.
  const few = query.total !== undefined && query.total < 50 * limit;
  const from = few
    ? Prisma.sql`(SELECT * FROM ${machines(db)} m WHERE ${where} OFFSET 0) m WHERE TRUE`
    : Prisma.sql`${machines(db)} m WHERE ${where}`;
  // One statement is one snapshot. Ids are sorted, and the rows of the page alone are read whole.
  const [answer] = await db.prisma.$queryRaw<
    { asOf: Date; total: number; items: (JsonRow & { sortValue: string | number | null })[] }[]
  >`
    SELECT now() AS "asOf", ${total} AS total,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT ${rowColumns}, ${by.expression} AS "sortValue" FROM (
          SELECT m.id FROM ${from} AND ${afterCursor(query.cursor, name, by, down)}
          ORDER BY ${order} OFFSET ${Math.max(0, Math.trunc(query.skip ?? 0))} LIMIT ${limit + 1}) found
        JOIN ${machines(db)} m ON m.id = found.id ${withTraits} ORDER BY ${order}) page) AS items`;
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

/** Machines whose name contains a text, without regard to case, in order of name; at most `limit`. */
export async function findMachines(db: FleetReader, text: string, limit = 8): Promise<MachineRow[]> {
  const needle = `%${text.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  const rows = await db.prisma.$queryRaw<{ row: JsonRow }[]>`
    SELECT to_json(found) AS row FROM (
      SELECT ${rowColumns} FROM ${machines(db)} m ${withTraits} WHERE m.revoked_at IS NULL AND lower(m.hostname) LIKE ${needle}
      ORDER BY m.sort_name, m.id LIMIT ${pageLimit(limit)}) found`;
  return rows.map(({ row }) => toMachineRow(row));
}

/**
 * For each term, how many machines would match without it: what to drop when nothing matches. One look at each machine,
 * whatever the number of terms.
 */
export async function countsWithout(db: FleetReader, terms: readonly FilterTerm[]): Promise<number[]> {
  if (terms.length === 0) return [];
  const counts = terms.map(
    (_, left) => Prisma.sql`count(*) FILTER (WHERE ${filterSql(terms.filter((_, at) => at !== left))})::int`,
  );
  const [row] = await db.prisma.$queryRaw<{ counts: number[] }[]>`
    SELECT ARRAY[${Prisma.join(counts)}] AS counts FROM ${machines(db)} m WHERE m.revoked_at IS NULL`;
  return row?.counts ?? terms.map(() => 0);
}

/** How many machines match each of these filters: one look at each machine, whatever their number. */
export async function countEach(db: FleetReader, filters: readonly (readonly FilterTerm[])[]): Promise<number[]> {
  if (filters.length === 0) return [];
  const counts = filters.map((terms) => Prisma.sql`count(*) FILTER (WHERE ${filterSql(terms)})::int`);
  const [row] = await db.prisma.$queryRaw<{ counts: number[] }[]>`
    SELECT ARRAY[${Prisma.join(counts)}] AS counts FROM ${machines(db)} m WHERE m.revoked_at IS NULL`;
  return row?.counts ?? filters.map(() => 0);
}

/**
 * All machines of a filter in an order, `size` at a time and from one moment: for exports, which never hold more than that
 * in memory. Whoever stops reading for a minute is cut off, since a connection is held.
 */
export async function* eachMachines(
  db: Fleet,
  query: MachineQuery & { sort?: MachineSort },
  size = 500,
): AsyncGenerator<MachineRow[]> {
  const { order } = orderOf(query.sort);
  const statement = Prisma.sql`
    DECLARE each_machine NO SCROLL CURSOR FOR SELECT to_json(r) AS row FROM (
      SELECT ${rowColumns} FROM ${machines(db)} m ${withTraits} WHERE ${machineWhere(query)} ORDER BY ${order}) r`;
  const client = await db.pool.connect();
  let broken = true;
  try {
    await client.query("BEGIN TRANSACTION READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '60s'");
    await client.query(statement.text, statement.values);
    for (;;) {
      const { rows } = await client.query<{ row: JsonRow }>(`FETCH ${Math.trunc(size)} FROM each_machine`);
      if (rows.length === 0) break;
      yield rows.map(({ row }) => toMachineRow(row));
    }
    await client.query("COMMIT");
    broken = false;
  } finally {
    // Stopped half-way the transaction is open: the connection goes with it.
    client.release(broken);
  }
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
      row: JsonRow & { enrolledAt: string; revokedAt: string | null };
      state: MachineState;
    }[]
  >`
    SELECT to_json(r) AS row, s.state FROM (
      SELECT ${rowColumns}, m.enrolled_at AS "enrolledAt", m.revoked_at AS "revokedAt"
      FROM ${machines(db)} m ${withTraits} WHERE m.id = ${id}::uuid) r JOIN machine_states s ON s.machine_id = r.id`;
  if (!found) return null;
  const { enrolledAt, revokedAt, ...row } = found.row;
  return {
    ...toMachineRow(row),
    enrolledAt: new Date(enrolledAt).toISOString(),
    revokedAt: iso(revokedAt),
    clockSkewMs: row.clockSkewMs ?? null,
    diagnosis: found.state.diagnosis,
    facts: found.state.facts,
  };
}

/** How many machines are in each state. Healthy + failing + stale + cannot tell = reporting; revoked ones are in none. */
export async function countMachines(db: FleetReader, query: MachineQuery = {}): Promise<Counts> {
  // Without a filter nothing has to be looked at: the cells are counts already.
  if (!query.terms?.length && !query.revoked && !query.ids) return countsOf(await fleetCells(db, query));
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
    SELECT value, count(*)::int AS machines FROM (
      SELECT ${value} AS value FROM ${machines(db)} m ${withTraits} WHERE ${machineWhere(query)}) v
    ${contains} GROUP BY value ORDER BY machines DESC, value LIMIT ${pageLimit(query.limit ?? 20)}`;
}

/** Machines that share a value of a field. A machine with several values, such as tags, is in several groups. */
export interface MachineGroup {
  /** Null: not observed, or none. */
  value: string | null;
  machines: number;
  counts: Counts;
}

/**
 * Groups of the machines under a filter by a field, those with most failing machines first; at most `limit`, and how many
 * there are. Fields whose values are not listed have none.
 */
export async function groupMachines(
  db: FleetReader,
  field: FilterField,
  query: MachineQuery & { limit?: number } = {},
): Promise<{ groups: MachineGroup[]; total: number }> {
  const { value } = fieldSql(field);
  if (value === null) return { groups: [], total: 0 };
  const rows = await db.prisma.$queryRaw<(Counts & { value: string | null; machines: number; groups: number })[]>`
    SELECT value, count(*)::int AS machines, count(*) FILTER (WHERE status = 'healthy')::int AS healthy,
      count(*) FILTER (WHERE status = 'failing')::int AS failing, count(*) FILTER (WHERE status = 'stale')::int AS stale,
      count(*) FILTER (WHERE status = 'cannot-tell')::int AS "cannotTell",
      count(*) FILTER (WHERE status = 'signed-off')::int AS "signedOff",
      count(*) FILTER (WHERE at_risk AND status = 'healthy')::int AS "atRisk", count(*) OVER ()::int AS groups
    FROM (SELECT ${value} AS value, m.status, m.at_risk FROM ${machines(db)} m ${withTraits}
      WHERE ${machineWhere(query)}) v
    GROUP BY value ORDER BY failing DESC, machines DESC, value LIMIT ${pageLimit(query.limit ?? 200)}`;
  return {
    groups: rows.map(({ value: of, machines: all, groups: _, ...counts }) => ({ value: of, machines: all, counts })),
    total: rows[0]?.groups ?? 0,
  };
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
