import { lifeReasons, toldReasons } from "@lynceus/incidents/reasons";
import { isWholeFleet } from "@lynceus/protocol/access";
import type { FilterTerm } from "@lynceus/protocol/filter";
import type { Incident, IncidentChange, IncidentEvent, IncidentMember } from "@lynceus/protocol/read-api-incidents";
import { type Database, Prisma } from "./client.ts";
import { CursorError, cursorTime, decodeCursor, encodeCursor, pageLimit } from "./cursor.ts";
import { isSeen } from "./incidents-in-scope.ts";
import { machineWhere, type Page } from "./machines.ts";
import { type FleetReader, machines } from "./scope.ts";

/*
 * Incidents as people read them. Who sees a part of the fleet sees the incidents that have, or had, machines of it, with
 * the figures of those machines; figures of the whole fleet are not there for them.
 */

type Columns = Omit<Incident, "since" | "openedAt" | "endedAt" | "ended" | "acknowledged"> & {
  since: Date;
  openedAt: Date;
  endedAt: Date | null;
  endedHow: NonNullable<Incident["ended"]>["how"] | null;
  endedBy: string | null;
  endedNote: string;
  mergedInto: number | null;
  acknowledgedAt: Date | null;
  acknowledgedBy: string | null;
  acknowledgedVia: string | null;
};

const columns = Prisma.sql`
  i.number, i.kind, i.state, i.simulated, i.location, i.pattern, i.severity, i.confidence, i.urgency, i.title,
  i.explanation, i.cause_id::text AS "causeId", i.evidence, i.since, i.opened_at AS "openedAt", i.ended_at AS "endedAt",
  i.ended_how AS "endedHow", i.ended_by AS "endedBy", i.ended_note AS "endedNote", i.merged_into AS "mergedInto",
  i.acknowledged_at AS "acknowledgedAt", i.acknowledged_by AS "acknowledgedBy", i.acknowledged_via AS "acknowledgedVia",
  i.split_from AS "splitFrom", i.failing, i.silent, i.peak, i.sites`;

function toIncident(row: Columns): Incident {
  const { endedHow, endedBy, endedNote, mergedInto, acknowledgedAt, acknowledgedBy, acknowledgedVia, ...rest } = row;
  return {
    ...rest,
    since: row.since.toISOString(),
    openedAt: row.openedAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    ended: endedHow && { how: endedHow, by: endedBy, note: endedNote, into: mergedInto },
    acknowledged: acknowledgedAt && {
      at: acknowledgedAt.toISOString(),
      by: acknowledgedBy ?? "",
      via: acknowledgedVia ?? "",
    },
  };
}

/** The incidents with the figures of the machines that are seen. */
async function inScope(db: FleetReader, incidents: readonly Incident[]): Promise<Incident[]> {
  if (isWholeFleet(db.scope) || incidents.length === 0) return [...incidents];
  const numbers = incidents.map(({ number }) => number);
  const rows = await db.prisma.$queryRaw<{ number: number; site: string | null; failing: number; silent: number }[]>`
    SELECT b.incident AS number, m.site,
      count(*) FILTER (WHERE (i.kind = 'failing') = (m.status = 'failing'))::int AS failing,
      count(*) FILTER (WHERE i.kind = 'failing' AND m.status IN ('stale', 'signed-off', 'cannot-tell'))::int AS silent
    FROM incident_members b JOIN incidents i ON i.number = b.incident JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE b.incident = ANY (${numbers}::int[]) AND b.left_at IS NULL AND i.ended_at IS NULL GROUP BY 1, 2
    ORDER BY failing DESC, m.site`;
  return incidents.map((incident) => {
    const own = rows.filter(({ number }) => number === incident.number);
    const sum = (key: "failing" | "silent") => own.reduce((total, row) => total + row[key], 0);
    return {
      ...incident,
      explanation: null,
      peak: null,
      failing: sum("failing"),
      silent: sum("silent"),
      sites: own.flatMap(({ site, failing }) => (failing > 0 ? [{ site, machines: failing, of: null }] : [])),
    };
  });
}

export interface IncidentQuery {
  /** True: still open; false: over; absent: both. */
  open?: boolean;
  simulated?: boolean;
  kind?: Incident["kind"];
  state?: Incident["state"];
  urgency?: Incident["urgency"];
  pattern?: string;
  /** With a machine of one of these sites, at present or before. */
  sites?: readonly string[];
  /** With a machine that fits: of an open one at present, of one that is over at any time. */
  terms?: readonly FilterTerm[];
  /** Open, or over since then. */
  since?: Date;
  /** Opened by then. */
  until?: Date;
  /** Open at that moment: opened by then, and over later or never. */
  openAt?: Date;
  cursor?: string | null;
  limit?: number;
}

/** A page of incidents, the one that opened last first. `total` counts up to 1,000. */
export async function listIncidents(db: FleetReader, query: IncidentQuery = {}): Promise<Page<Incident>> {
  const limit = pageLimit(query.limit);
  const where = [isSeen(db)];
  if (query.open !== undefined)
    where.push(query.open ? Prisma.sql`i.ended_at IS NULL` : Prisma.sql`i.ended_at IS NOT NULL`);
  // What is open is what the collector looks at: a few of many.
  if (query.open) where.push(Prisma.sql`i.live`);
  if (query.simulated !== undefined) where.push(Prisma.sql`i.simulated = ${query.simulated}`);
  if (query.kind) where.push(Prisma.sql`i.kind = ${query.kind}`);
  if (query.state) where.push(Prisma.sql`i.state = ${query.state}`);
  if (query.urgency) where.push(Prisma.sql`i.urgency = ${query.urgency}`);
  if (query.pattern !== undefined) where.push(Prisma.sql`i.pattern = ${query.pattern}`);
  if (query.since) where.push(Prisma.sql`(i.ended_at IS NULL OR i.ended_at >= ${query.since})`);
  if (query.until) where.push(Prisma.sql`i.opened_at <= ${query.until}`);
  if (query.openAt)
    where.push(
      Prisma.sql`i.opened_at <= ${query.openAt} AND (i.ended_at > ${query.openAt} OR i.ended_at IS NULL AND i.live)`,
    );
  const member = Prisma.sql`SELECT FROM incident_members b JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE b.incident = i.number`;
  if (query.sites?.length) where.push(Prisma.sql`EXISTS (${member} AND m.site = ANY (${[...query.sites]}::text[]))`);
  if (query.terms?.length)
    where.push(Prisma.sql`EXISTS (${member} AND (b.left_at IS NULL OR i.ended_at IS NOT NULL)
      AND ${machineWhere({ terms: query.terms })})`);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [at, number] = decodeCursor(query.cursor, 2);
    if (!Number.isSafeInteger(number))
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`(i.opened_at, i.number) < (${cursorTime(at)}::timestamptz, ${number}::int)`;
  }
  const condition = Prisma.join(where, " AND ");
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns} FROM incidents i WHERE ${condition} AND ${after}
    ORDER BY i.opened_at DESC, i.number DESC LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf",
      (SELECT count(*)::int FROM (SELECT FROM incidents i WHERE ${condition} LIMIT 1000) few) AS total`;
  const items = rows.slice(0, limit).map(toIncident);
  const last = items.at(-1);
  return {
    items: await inScope(db, items),
    nextCursor: rows.length > limit && last ? encodeCursor([last.openedAt, last.number]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

const isNumber = (number: number) => Number.isSafeInteger(number) && number > 0 && number < 2 ** 31;

/** One incident that is seen, or null. */
export async function getIncident(db: FleetReader, number: number): Promise<Incident | null> {
  if (!isNumber(number)) return null;
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns} FROM incidents i WHERE i.number = ${number} AND ${isSeen(db)}`;
  const [incident] = await inScope(db, rows.map(toIncident));
  return incident ?? null;
}

/** The incidents of these numbers that are seen, in no order. */
async function incidentsByNumber(db: FleetReader, numbers: readonly number[]): Promise<Incident[]> {
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns} FROM incidents i WHERE i.number = ANY (${[...numbers]}::int[]) AND ${isSeen(db)}`;
  return inScope(db, rows.map(toIncident));
}

/** The open incidents that a machine is in, and those that it was in, the newest first. */
export async function incidentsOfMachine(db: FleetReader, machineId: string): Promise<Incident[]> {
  const rows = await db.prisma.$queryRaw<Columns[]>`
    SELECT ${columns} FROM ${machines(db)} m JOIN incident_members b ON b.machine_id = m.id
      JOIN incidents i ON i.number = b.incident
    WHERE m.id = ${machineId}::uuid ORDER BY i.ended_at IS NOT NULL, i.opened_at DESC LIMIT 20`;
  return inScope(db, rows.map(toIncident));
}

const memberRank = Prisma.sql`array_position(ARRAY['failing','silent','verified'], x.state)`;

/** A page of an incident's machines that are seen: failing ones first, then silent, then verified, each by name. */
export async function listIncidentMembers(
  db: FleetReader,
  number: number,
  query: { state?: IncidentMember["state"]; cursor?: string | null; limit?: number } = {},
): Promise<Page<IncidentMember>> {
  const limit = pageLimit(query.limit);
  const state = query.state ? Prisma.sql`x.state = ${query.state}` : Prisma.sql`TRUE`;
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [rank, name, id] = decodeCursor(query.cursor, 3);
    if (!Number.isSafeInteger(rank) || typeof name !== "string" || typeof id !== "string")
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`(${memberRank}, x.sort_name, x.id) > (${rank}::int, ${name}, ${id})`;
  }
  const members = Prisma.sql`(
    SELECT m.id::text AS id, m.hostname, m.sort_name, m.site, m.status, b.joined_at, b.left_at, m.chain_configured,
      m.chain_direct, CASE WHEN b.left_at IS NOT NULL THEN 'verified'
        WHEN i.kind = 'silent' OR m.status = 'failing' THEN 'failing' WHEN m.status = 'healthy' THEN 'verified'
        ELSE 'silent' END AS state
    FROM incidents i JOIN incident_members b ON b.incident = i.number JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE i.number = ${isNumber(number) ? number : null}) x`;
  type Row = Omit<IncidentMember, "joinedAt" | "leftAt"> & {
    joinedAt: Date;
    leftAt: Date | null;
    rank: number;
    sortName: string;
  };
  const rows = await db.prisma.$queryRaw<Row[]>`
    SELECT x.id, x.hostname, x.site, x.status, x.state, x.joined_at AS "joinedAt", x.left_at AS "leftAt",
      x.chain_configured AS "chainConfigured", x.chain_direct AS "chainDirect", ${memberRank} AS rank,
      x.sort_name AS "sortName"
    FROM ${members} WHERE ${state} AND ${after} ORDER BY ${memberRank}, x.sort_name, x.id LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM ${members} WHERE ${state}) AS total`;
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ rank: _, sortName: __, ...row }) => ({
      ...row,
      joinedAt: row.joinedAt.toISOString(),
      leftAt: row.leftAt?.toISOString() ?? null,
    })),
    nextCursor: rows.length > limit && last ? encodeCursor([last.rank, last.sortName, last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** Kinds whose text has figures or numbers of other incidents; who sees a part of the fleet gets the reason alone. */
const withFigures = new Set(["opened", "spread", "merged", "split", "resolved", "cause"]);
/** A notice that it spread names the site, which need not be one that they see. */
const newSite = /: it reached .*$/s;

interface EventRow extends Omit<IncidentEvent, "at" | "notice"> {
  at: Date;
  noticeId: string | null;
  noticeState: string | null;
  attempts: number | null;
  receiver: string | null;
  detail: string | null;
}

const eventColumns = Prisma.sql`
  e.id::text AS id, e.at, e.kind, e.reason, e.text, e.actor, n.id::text AS "noticeId", n.state AS "noticeState",
  n.attempts, n.receiver, n.detail
  FROM incident_events e LEFT JOIN notices n ON e.kind = 'told' AND n.key = e.detail->>'notice'`;

/** Kinds that only figures make up. */
const eventIsShown = (db: FleetReader): Prisma.Sql =>
  isWholeFleet(db.scope) ? Prisma.sql`TRUE` : Prisma.sql`e.kind NOT IN ('spread', 'cause')`;

function toEvent(db: FleetReader, row: EventRow): IncidentEvent {
  const { id, kind, reason, text, actor, noticeId, noticeState, attempts, receiver, detail } = row;
  return {
    id,
    at: row.at.toISOString(),
    kind,
    reason,
    text: isWholeFleet(db.scope) || !(withFigures.has(kind) || kind === "told") ? text : textInScope(row),
    actor,
    notice:
      noticeId === null
        ? null
        : {
            id: noticeId,
            state: noticeState ?? "",
            attempts: attempts ?? 0,
            receiver: receiver ?? "",
            error: noticeState === "sent" ? null : detail,
          },
  };
}

/** A page of an incident's timeline, the newest first; empty where the incident is not seen. */
export async function listIncidentEvents(
  db: FleetReader,
  number: number,
  query: { cursor?: string | null; limit?: number } = {},
): Promise<Page<IncidentEvent>> {
  const limit = pageLimit(query.limit);
  let after = Prisma.sql`TRUE`;
  if (query.cursor) {
    const [id] = decodeCursor(query.cursor, 1);
    if (typeof id !== "string" || !/^\d{1,18}$/.test(id))
      throw new CursorError(`cursor "${query.cursor.slice(0, 40)}" is not one of this list; start without it`);
    after = Prisma.sql`e.id < ${BigInt(id)}`;
  }
  const of = Prisma.sql`e.incident = ${isNumber(number) ? number : null}
    AND EXISTS (SELECT FROM incidents i WHERE i.number = e.incident AND ${isSeen(db)}) AND ${eventIsShown(db)}`;
  const rows = await db.prisma.$queryRaw<EventRow[]>`
    SELECT ${eventColumns} WHERE ${of} AND ${after} ORDER BY e.id DESC LIMIT ${limit + 1}`;
  const [moment] = await db.prisma.$queryRaw<{ asOf: Date; total: number }[]>`
    SELECT now() AS "asOf", (SELECT count(*)::int FROM incident_events e WHERE ${of}) AS total`;
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => toEvent(db, row)),
    nextCursor: rows.length > limit && last ? encodeCursor([last.id]) : null,
    total: moment?.total ?? 0,
    asOf: (moment?.asOf ?? new Date(0)).toISOString(),
  };
}

/** Entries of all timelines that are seen and that came after this one, in their order, each with its incident. */
export async function listIncidentChanges(db: FleetReader, after: bigint, limit: number): Promise<IncidentChange[]> {
  const rows = await db.prisma.$queryRaw<(EventRow & { number: number })[]>`
    SELECT e.incident AS number, ${eventColumns} JOIN incidents i ON i.number = e.incident
    WHERE e.id > ${after} AND ${isSeen(db)} AND ${eventIsShown(db)} ORDER BY e.id LIMIT ${limit}`;
  if (rows.length === 0) return [];
  const found = await incidentsByNumber(db, [...new Set(rows.map(({ number }) => number))]);
  const incidents = new Map(found.map((incident) => [incident.number, incident]));
  return rows.flatMap((row) => {
    const incident = incidents.get(row.number);
    return incident ? [{ event: toEvent(db, row), incident }] : [];
  });
}

/** The id of the newest entry of any timeline; 0 where there is none. For the collector's own feed: it says nothing else. */
export async function newestIncidentEvent(db: Database): Promise<bigint> {
  const [row] = await db.prisma.$queryRaw<{ id: bigint | null }[]>`SELECT max(id) AS id FROM incident_events`;
  return row?.id ?? 0n;
}

/** Ids of the entries after this one that are committed, in order. For the collector's own feed as well. */
export async function incidentEventIds(db: Database, after: bigint): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ id: string }[]>`
    SELECT id::text AS id FROM incident_events WHERE id > ${after} ORDER BY incident_events.id`;
  return rows.map(({ id }) => id);
}

const kindWords: Record<string, string> = {
  opened: "Opened",
  merged: "Merged with another incident",
  split: "Part of it goes on as another incident",
  resolved: "Resolved",
};

function textInScope({ kind, reason, text }: { kind: string; reason: string | null; text: string }): string {
  if (kind === "told") return text.replace(newSite, `: ${toldReasons["new-site"]}`);
  const why =
    reason !== null && Object.hasOwn(lifeReasons, reason) ? lifeReasons[reason as keyof typeof lifeReasons] : "";
  const what = kindWords[kind] ?? kind;
  return why === "" ? what : `${what}: ${why}`;
}

/** How many incidents are open, and how many of them nobody has acknowledged. */
export async function countOpenIncidents(
  db: FleetReader,
): Promise<{ open: number; unacknowledged: number; high: number }> {
  const [row] = await db.prisma.$queryRaw<{ open: number; unacknowledged: number; high: number }[]>`
    SELECT count(*)::int AS open, count(*) FILTER (WHERE i.acknowledged_at IS NULL)::int AS unacknowledged,
      count(*) FILTER (WHERE i.urgency = 'high')::int AS high
    FROM incidents i WHERE i.live AND i.ended_at IS NULL AND NOT i.simulated AND ${isSeen(db)}`;
  return row ?? { open: 0, unacknowledged: 0, high: 0 };
}
