import { stateOf } from "@lynceus/incidents/compose";
import type { PlannedNotice, ReceiverUse } from "@lynceus/incidents/plan";
import type { MemberChange } from "@lynceus/incidents/reconcile";
import { isSettled } from "@lynceus/incidents/settled";
import type { Incident, IncidentEvent, IncidentKind, OpenCause, Silence } from "@lynceus/incidents/types";
import type { AlertSettings } from "@lynceus/protocol/alerting";
import type { Evidence } from "@lynceus/protocol/state";
import { type Database, Prisma, type Reader } from "./client.ts";
import { fenceLease } from "./lease.ts";
import { addDeliveryJobs, type NewNotice } from "./notices.ts";
import { fromScopeColumns, type ScopeColumns } from "./scope.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * The leading collector's way to incidents: what it needs is read, and all that a turn came to is written, in one
 * transaction that the lease fences. People write beside it (incident-acts.ts); the rows are locked while a turn looks.
 */

/** What is kept of an incident beside its columns. */
type Memory = Pick<
  Incident,
  | "key"
  | "keys"
  | "rank"
  | "openedBecause"
  | "quietSince"
  | "openings"
  | "flappingSince"
  | "apart"
  | "tellings"
  | "notices"
  | "joinedSinceClose"
  | "noted"
>;
const memoryOf = (incident: Incident): Memory => {
  const { key, keys, rank, openedBecause, quietSince, openings, flappingSince } = incident;
  const { apart, tellings, notices, joinedSinceClose, noted } = incident;
  return {
    key,
    keys,
    rank,
    openedBecause,
    quietSince,
    openings,
    flappingSince,
    apart,
    tellings,
    notices,
    joinedSinceClose,
    noted,
  };
};

type Row = Pick<
  Incident,
  | "number"
  | "kind"
  | "simulated"
  | "location"
  | "pattern"
  | "severity"
  | "confidence"
  | "urgency"
  | "title"
  | "explanation"
  | "causeId"
  | "evidence"
  | "splitFrom"
  | "failing"
  | "silent"
  | "peak"
  | "sites"
> & {
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
  acknowledgedPerson: string | null;
  memory: Memory;
};

function toIncident(row: Row): Incident {
  const { since, openedAt, endedAt, endedHow, endedBy, endedNote, mergedInto, memory, ...rest } = row;
  const { acknowledgedAt, acknowledgedBy, acknowledgedVia, acknowledgedPerson, ...plain } = rest;
  return {
    ...plain,
    ...memory,
    since: since.getTime(),
    openedAt: openedAt.getTime(),
    ended:
      endedAt && endedHow
        ? { at: endedAt.getTime(), how: endedHow, by: endedBy, note: endedNote, into: mergedInto }
        : null,
    acknowledged: acknowledgedAt && {
      at: acknowledgedAt.getTime(),
      by: acknowledgedBy ?? "",
      via: acknowledgedVia ?? "",
      person: acknowledgedPerson,
    },
  };
}

const columns = Prisma.sql`
  number, kind, simulated, location, pattern, severity, confidence, urgency, title, explanation,
  cause_id::text AS "causeId", evidence, split_from AS "splitFrom", failing, silent, peak, sites, since,
  opened_at AS "openedAt", ended_at AS "endedAt", ended_how AS "endedHow", ended_by AS "endedBy",
  ended_note AS "endedNote", merged_into AS "mergedInto", acknowledged_at AS "acknowledgedAt",
  acknowledged_by AS "acknowledgedBy", acknowledged_via AS "acknowledgedVia",
  acknowledged_person AS "acknowledgedPerson", memory`;

/** One incident as the packages that decide see it, or null. */
export async function readIncident({ prisma }: Reader, number: number): Promise<Incident | null> {
  const [row] = await prisma.$queryRaw<Row[]>`SELECT ${columns} FROM incidents WHERE number = ${number}`;
  return row ? toIncident(row) : null;
}

const iso = (at: number | null | undefined) => (at === null || at === undefined ? null : new Date(at).toISOString());

/** An incident as the statement that stores it takes it. */
function toStored(incident: Incident, live: boolean) {
  const { number, kind, simulated, location, pattern, severity, confidence, urgency, title, explanation } = incident;
  const { causeId, evidence, splitFrom, failing, silent, peak, sites, ended, acknowledged } = incident;
  return {
    number,
    kind,
    simulated,
    location,
    pattern,
    severity,
    confidence,
    urgency,
    title,
    explanation,
    cause_id: causeId,
    evidence,
    split_from: splitFrom,
    failing,
    silent,
    peak,
    sites,
    state: stateOf(incident),
    since: iso(incident.since),
    opened_at: iso(incident.openedAt),
    ended_at: iso(ended?.at),
    ended_how: ended?.how ?? null,
    ended_by: ended?.by ?? null,
    ended_note: ended?.note ?? "",
    merged_into: ended?.into ?? null,
    acknowledged_at: iso(acknowledged?.at),
    acknowledged_by: acknowledged?.by ?? null,
    acknowledged_via: acknowledged?.via ?? null,
    acknowledged_person: acknowledged?.person ?? null,
    memory: memoryOf(incident),
    live,
  };
}

/** What the database holds that a turn needs, all of one moment. */
export interface TurnWorld {
  readonly incidents: readonly Incident[];
  readonly causes: readonly OpenCause[];
  readonly silences: readonly Silence[];
  readonly receivers: ReadonlyMap<string, ReceiverUse>;
  readonly nextNumber: number;
  /** One line of evidence of each of these machines that has an open finding. */
  evidence(machineIds: readonly string[]): Promise<Map<string, string>>;
}

/** What a turn came to. */
export interface TurnResult {
  readonly incidents: readonly Incident[];
  readonly members: readonly MemberChange[];
  readonly events: readonly IncidentEvent[];
  readonly notices: readonly PlannedNotice[];
  readonly settings: Pick<AlertSettings, "reopenMinutes">;
}

/**
 * One turn: reads, lets `work` decide, writes, in one transaction. Throws a LeaseLostError, with nothing stored, when the
 * lease is another's. Tells listeners of `lynceus` where anything changed. Returns whether it did, and whether something
 * may still come of an incident.
 * @param onStep for tests: called between the steps
 */
export async function incidentTurn(
  db: Database,
  by: { lease: string; holder: string; now: number; onStep?: (step: string) => void | Promise<void> },
  work: (world: TurnWorld) => Promise<TurnResult>,
): Promise<{ changed: boolean; live: boolean }> {
  return db.prisma.$transaction(async (prisma) => {
    const tx = { prisma };
    await fenceLease(tx, by.lease, by.holder);
    await by.onStep?.("fenced");
    const world = await readWorld(tx, by.now);
    const result = await work(world);
    await by.onStep?.("decided");
    const before = new Map(
      world.incidents.map((incident) => [incident.number, JSON.stringify(toStored(incident, true))]),
    );
    const stored = result.incidents.map((incident) =>
      toStored(incident, !isSettled(incident, result.settings, by.now)),
    );
    const changed = stored.filter((row) => before.get(row.number) !== JSON.stringify(row));
    await storeIncidents(tx, changed);
    await storeMembers(tx, result.members, by.now);
    await storeEvents(tx, result.events);
    await addDeliveryJobs(tx, result.notices.map(toNotice), by.now);
    const anything = changed.length + result.members.length + result.events.length + result.notices.length > 0;
    if (anything) await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    await by.onStep?.("written");
    return { changed: anything, live: stored.some(({ live }) => live) };
  });
}

const toNotice = (planned: PlannedNotice): NewNotice => ({
  key: planned.key,
  incident: planned.incident,
  receiver: planned.receiver,
  person: planned.person,
  kind: planned.kind,
  reason: planned.reason,
  urgency: planned.urgency,
  thread: planned.thread,
  body: planned.notice,
});

async function readWorld(tx: Reader, now: number): Promise<TurnWorld> {
  const { prisma } = tx;
  const rows = await prisma.$queryRaw<Row[]>`
    SELECT ${columns}
    FROM incidents WHERE live ORDER BY number FOR UPDATE`;
  const [next] = await prisma.$queryRaw<{ number: number }[]>`
    SELECT coalesce(max(number), 0) + 1 AS number FROM incidents`;
  return {
    incidents: rows.map(toIncident),
    causes: await readOpenCauses(tx),
    silences: await activeSilences(tx, now),
    receivers: await receiverUse(tx, now),
    nextNumber: next?.number ?? 1,
    evidence: (machineIds) => readEvidence(tx, machineIds),
  };
}

async function readOpenCauses({ prisma }: Reader): Promise<OpenCause[]> {
  type CauseRow = Omit<OpenCause, "members" | "healthyWith" | "healthyWithout"> & {
    counts: { healthyWith: number; healthyWithout: number };
    members: string[] | null;
  };
  const rows = await prisma.$queryRaw<CauseRow[]>`
    SELECT c.id::text AS id, c.simulated, c.location, c.key, c.value, c.confidence, c.text, c.explains, c.of, c.counts,
      -- The wave of a machine is known to attribution alone; all other keys are compared by value.
      CASE WHEN c.key = 'settings-wave' THEN ARRAY(
        SELECT machine_id::text FROM cause_members WHERE cause_id = c.id AND until IS NULL) END AS members
    FROM causes c WHERE c.cleared_at IS NULL`;
  return rows.map(({ counts, members, ...row }) => ({
    ...row,
    healthyWith: counts.healthyWith,
    healthyWithout: counts.healthyWithout,
    ...(members && { members: new Set(members) }),
  }));
}

/** Silences in force, or about to be. */
export async function activeSilences({ prisma }: Reader, now: number): Promise<Silence[]> {
  type SilenceColumns = ScopeColumns & {
    id: string;
    match: string;
    author: string;
    comment: string;
    startsAt: Date;
    endsAt: Date;
  };
  const rows = await prisma.$queryRaw<SilenceColumns[]>`
    SELECT id::text AS id, match, author, comment, starts_at AS "startsAt", ends_at AS "endsAt", scoped,
      scope_sites AS "scopeSites", scope_tags AS "scopeTags"
    FROM silences WHERE ends_at > ${new Date(now)} ORDER BY id`;
  return rows.map(({ startsAt, endsAt, scoped, scopeSites, scopeTags, ...row }) => ({
    ...row,
    startsAt: startsAt.getTime(),
    endsAt: endsAt.getTime(),
    scope: fromScopeColumns({ scoped, scopeSites, scopeTags }),
  }));
}

/** What each receiver had within the last hour. */
async function receiverUse({ prisma }: Reader, now: number): Promise<Map<string, ReceiverUse>> {
  const rows = await prisma.$queryRaw<{ receiver: string; sent: Date[]; digestAt: Date | null }[]>`
    SELECT receiver, array_agg(created_at) AS sent, max(created_at) FILTER (WHERE kind = 'digest') AS "digestAt"
    FROM notices WHERE created_at > ${new Date(now - 3_600_000)} AND kind NOT IN ('resolved', 'acknowledged', 'test')
    GROUP BY receiver`;
  return new Map(
    rows.map(({ receiver, sent, digestAt }) => [
      receiver,
      { sent: sent.map((at) => at.getTime()), digestAt: digestAt?.getTime() ?? null },
    ]),
  );
}

async function readEvidence({ prisma }: Reader, machineIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await prisma.$queryRaw<{ machineId: string; evidence: Evidence[] }[]>`
    SELECT DISTINCT ON (machine_id) machine_id::text AS "machineId", evidence FROM findings
    WHERE machine_id = ANY (${[...machineIds]}::uuid[]) AND cleared_at IS NULL AND "primary" AND NOT withdrawn
    ORDER BY machine_id, since DESC`;
  return new Map(
    rows.map(({ machineId, evidence }) => [
      machineId,
      evidence
        .slice(0, 2)
        .map(({ text }) => text)
        .join("; "),
    ]),
  );
}

async function storeIncidents({ prisma }: Reader, rows: readonly ReturnType<typeof toStored>[]): Promise<void> {
  if (rows.length === 0) return;
  await prisma.$executeRaw`
    INSERT INTO incidents (number, kind, state, simulated, location, pattern, severity, confidence, urgency, title,
      explanation, cause_id, evidence, since, opened_at, ended_at, ended_how, ended_by, ended_note, merged_into,
      acknowledged_at, acknowledged_by, acknowledged_via, acknowledged_person, split_from, failing, silent, peak, sites,
      memory, live)
    SELECT number, kind, state, simulated, location, pattern, severity, confidence, urgency, title,
      explanation, cause_id, evidence, since, opened_at, ended_at, ended_how, ended_by, ended_note, merged_into,
      acknowledged_at, acknowledged_by, acknowledged_via, acknowledged_person, split_from, failing, silent, peak, sites,
      memory, live
    FROM jsonb_to_recordset(${toSqlJson(rows)}::jsonb) AS r(number int, kind text, state text, simulated boolean,
      location text, pattern text, severity text, confidence text, urgency text, title text, explanation text,
      cause_id uuid, evidence text, since timestamptz, opened_at timestamptz, ended_at timestamptz, ended_how text,
      ended_by text, ended_note text, merged_into int, acknowledged_at timestamptz, acknowledged_by text,
      acknowledged_via text, acknowledged_person text, split_from int, failing int, silent int, peak int, sites jsonb,
      memory jsonb, live boolean)
    ON CONFLICT (number) DO UPDATE SET state = excluded.state, pattern = excluded.pattern, severity = excluded.severity,
      confidence = excluded.confidence, urgency = excluded.urgency, title = excluded.title,
      explanation = excluded.explanation, cause_id = excluded.cause_id, evidence = excluded.evidence,
      since = excluded.since, ended_at = excluded.ended_at, ended_how = excluded.ended_how,
      ended_by = excluded.ended_by, ended_note = excluded.ended_note, merged_into = excluded.merged_into,
      acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by,
      acknowledged_via = excluded.acknowledged_via, acknowledged_person = excluded.acknowledged_person,
      failing = excluded.failing, silent = excluded.silent, peak = excluded.peak, sites = excluded.sites,
      memory = excluded.memory, live = excluded.live`;
}

async function storeMembers({ prisma }: Reader, changes: readonly MemberChange[], now: number): Promise<void> {
  const at = new Date(now);
  const left = changes.filter(({ from }) => from !== null);
  if (left.length > 0)
    await prisma.$executeRaw`
      UPDATE incident_members b SET left_at = ${at}
      FROM unnest(${left.map(({ from }) => from)}::int[], ${left.map(({ machineId }) => machineId)}::uuid[]) AS r(of, id)
      WHERE b.incident = r.of AND b.machine_id = r.id AND b.left_at IS NULL`;
  const joined = changes.filter(({ to }) => to !== null);
  if (joined.length > 0)
    await prisma.$executeRaw`
      INSERT INTO incident_members (incident, machine_id, joined_at)
      SELECT r.of, r.id, ${at} FROM unnest(${joined.map(({ to }) => to)}::int[],
        ${joined.map(({ machineId }) => machineId)}::uuid[]) AS r(of, id)
      ON CONFLICT (incident, machine_id) DO UPDATE SET left_at = NULL`;
}

/** Appends to the timelines. */
export async function storeEvents(
  { prisma }: Reader,
  events: readonly (Omit<IncidentEvent, "kind" | "reason"> & {
    readonly kind: string;
    readonly reason: string | null;
    readonly actor?: string;
  })[],
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => ({ ...event, at: iso(event.at), actor: event.actor ?? null }));
  await prisma.$executeRaw`
    INSERT INTO incident_events (incident, at, kind, reason, text, actor, detail)
    SELECT incident, at, kind, reason, text, actor, detail
    FROM jsonb_to_recordset(${toSqlJson(rows)}::jsonb) AS r(incident int, at timestamptz, kind text, reason text, text text,
      actor text, detail jsonb)`;
}

/** Which machine is in which incident, per kind: what a collector that begins to lead has to know. */
export async function readMembers(db: Database): Promise<Record<IncidentKind, Map<string, number>>> {
  const { rows } = await db.pool.query<{ kind: IncidentKind; id: string; incident: number }>(`
    SELECT i.kind, b.machine_id::text AS id, b.incident FROM incident_members b JOIN incidents i ON i.number = b.incident
    WHERE i.live AND b.left_at IS NULL`);
  const members = { failing: new Map<string, number>(), silent: new Map<string, number>() };
  for (const { kind, id, incident } of rows) members[kind].set(id, incident);
  return members;
}
