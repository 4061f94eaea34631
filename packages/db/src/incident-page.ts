import type { HeldReason } from "@lynceus/incidents/reasons";
import type { PatternId } from "@lynceus/protocol/names";
import type { Incident, IncidentMember } from "@lynceus/protocol/read-api-incidents";
import type { CauseFinding, SpreadPoint } from "./cause-spread.ts";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { isSeen } from "./incidents-in-scope.ts";
import { type FleetReader, machines, ofMachines } from "./scope.ts";

/* What an incident's page shows beside the incident: how it spread, what its machines have, where it came from. */

const isNumber = (number: number) => Number.isSafeInteger(number) && number > 0 && number < 2 ** 31;

/** Members that were not yet seen well again, from each minute on at which that changed; the oldest first, at most 2,000. */
export async function incidentSpread(db: FleetReader, number: number): Promise<SpreadPoint[]> {
  if (!isNumber(number)) return [];
  const seen = ofMachines(db, Prisma.sql`machine_id`);
  return db.prisma.$queryRaw<SpreadPoint[]>`
    WITH moved AS (
      SELECT date_trunc('minute', joined_at) AS at, 1 AS by FROM incident_members
      WHERE incident = ${number} AND ${seen}
      UNION ALL
      SELECT date_trunc('minute', left_at), -1 FROM incident_members
      WHERE incident = ${number} AND left_at IS NOT NULL AND ${seen})
    SELECT at, machines FROM (
      SELECT at, sum(sum(by)) OVER (ORDER BY at)::int AS machines FROM moved GROUP BY at ORDER BY at DESC LIMIT 2000) m
    ORDER BY at`;
}

/** What an incident's machines have first at present, the most frequent finding first; at most eight. */
export async function incidentFindings(db: FleetReader, number: number): Promise<CauseFinding[]> {
  if (!isNumber(number)) return [];
  return db.prisma.$queryRaw<CauseFinding[]>`
    SELECT m.primary_pattern AS pattern, m.primary_cause AS cause, count(*)::int AS machines
    FROM incident_members b JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE b.incident = ${number} AND b.left_at IS NULL AND m.primary_pattern IS NOT NULL AND m.primary_cause IS NOT NULL
    GROUP BY 1, 2 ORDER BY machines DESC, pattern, cause LIMIT 8`;
}

/** An incident's machines by site and where each stands, the largest site first. */
export async function incidentSites(
  db: FleetReader,
  number: number,
): Promise<{ site: string | null; state: IncidentMember["state"]; machines: number }[]> {
  if (!isNumber(number)) return [];
  return db.prisma.$queryRaw<{ site: string | null; state: IncidentMember["state"]; machines: number }[]>`
    SELECT m.site, CASE WHEN b.left_at IS NOT NULL OR (i.kind = 'failing' AND m.status = 'healthy') THEN 'verified'
        WHEN i.kind = 'silent' OR m.status = 'failing' THEN 'failing' ELSE 'silent' END AS state, count(*)::int AS machines
    FROM incidents i JOIN incident_members b ON b.incident = i.number JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE i.number = ${number} GROUP BY 1, 2 ORDER BY sum(count(*)) OVER (PARTITION BY m.site) DESC, m.site, state`;
}

/** A machine whose evidence stands for the incident's: the first failing one by name, else any member; null where none is seen. */
export async function exampleMember(db: FleetReader, number: number): Promise<string | null> {
  if (!isNumber(number)) return null;
  const [row] = await db.prisma.$queryRaw<{ id: string }[]>`
    SELECT m.id::text AS id FROM incidents i JOIN incident_members b ON b.incident = i.number
      JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE i.number = ${number}
    ORDER BY b.left_at IS NOT NULL, m.status <> 'failing', m.primary_pattern IS DISTINCT FROM i.pattern, m.sort_name, m.id
    LIMIT 1`;
  return row?.id ?? null;
}

/** A machine and what it has first. */
export interface NamedMachine {
  id: string;
  hostname: string;
  site: string | null;
  pattern: PatternId | null;
  cause: string | null;
}

/** Machines of these ids that are seen, in the order of their names; at most 100. */
export async function namedMachines(db: FleetReader, ids: readonly string[]): Promise<NamedMachine[]> {
  const known = ids.filter(isUuid).slice(0, 100);
  if (known.length === 0) return [];
  return db.prisma.$queryRaw<NamedMachine[]>`
    SELECT m.id::text AS id, m.hostname, m.site, m.primary_pattern AS pattern, m.primary_cause AS cause
    FROM ${machines(db)} m WHERE m.id = ANY (${known}::uuid[]) ORDER BY m.sort_name, m.id`;
}

/** Another incident that an incident came from, or went into. */
export interface RelatedIncident extends Pick<Incident, "number" | "title" | "state"> {
  /** `split-off`: made of members of this one; `merged-in`: it goes on in this one. */
  how: "split-off" | "merged-in";
  at: Date;
}

/** Incidents that were split off an incident, and those that were merged into it; the latest first. */
export async function relatedIncidents(db: FleetReader, number: number): Promise<RelatedIncident[]> {
  if (!isNumber(number)) return [];
  return db.prisma.$queryRaw<RelatedIncident[]>`
    SELECT i.number, i.title, i.state, CASE WHEN i.split_from = ${number} THEN 'split-off' ELSE 'merged-in' END AS how,
      CASE WHEN i.split_from = ${number} THEN i.opened_at ELSE i.ended_at END AS at
    FROM incidents i WHERE (i.split_from = ${number} OR i.merged_into = ${number}) AND ${isSeen(db)}
    ORDER BY at DESC, i.number DESC LIMIT 50`;
}

/** The incident that a shared cause is, or was; the latest where it was several. Null where none is seen. */
export async function incidentOfCause(db: FleetReader, causeId: string): Promise<number | null> {
  if (!isUuid(causeId)) return null;
  const [row] = await db.prisma.$queryRaw<{ number: number }[]>`
    SELECT i.number FROM incidents i WHERE i.cause_id = ${causeId}::uuid AND ${isSeen(db)}
    ORDER BY i.ended_at IS NOT NULL, i.opened_at DESC LIMIT 1`;
  return row?.number ?? null;
}

/** Why nobody was told of each of these incidents yet, where nobody was; the reason of one route where there are several. */
export async function heldReasons(db: FleetReader, numbers: readonly number[]): Promise<Map<number, HeldReason>> {
  const known = numbers.filter(isNumber).slice(0, 500);
  if (known.length === 0) return new Map();
  const rows = await db.prisma.$queryRaw<{ number: number; held: HeldReason }[]>`
    SELECT DISTINCT ON (i.number) i.number, t.value->>'held' AS held
    FROM incidents i, jsonb_each(i.memory->'tellings') t
    WHERE i.number = ANY (${known}::int[]) AND ${isSeen(db)} AND t.value->>'held' IS NOT NULL
      AND NOT EXISTS (SELECT FROM jsonb_each(i.memory->'tellings') o WHERE o.value->>'toldAt' IS NOT NULL)
    ORDER BY i.number, t.key`;
  return new Map(rows.map(({ number, held }) => [number, held]));
}
