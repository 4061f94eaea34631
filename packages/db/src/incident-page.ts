import type { PatternId } from "@lynceus/protocol/names";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
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
