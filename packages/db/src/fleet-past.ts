import { isWholeFleet } from "@lynceus/protocol/access";
import type { Counts } from "@lynceus/protocol/read-api";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import { Prisma } from "./client.ts";
import { listIncidents } from "./incidents.ts";
import { type FleetReader, machines } from "./scope.ts";

/* The fleet at a moment gone by, from what was counted then: which machines those were is not kept. */

/** The fleet is counted once a minute; a moment that is further from a count than this was not counted (ms). */
const countedWithin = 5 * 60_000;

/** A site as it was counted. `patterns`: its machines by primary finding, failing or at risk. */
export interface PastSite extends Counts {
  /** Null: machines at no site. */
  site: string | null;
  patterns: Record<string, number>;
}

export interface PastFleet {
  /** When it was counted: the last count at or before the moment asked for. */
  at: Date;
  sites: PastSite[];
  /** Agents by version, which is counted for the whole fleet alone; null where it was not. */
  agents: Record<string, number> | null;
}

const counts = ["healthy", "failing", "stale", "cannotTell", "signedOff", "atRisk"] as const;

/**
 * The sites in view as they were at a moment: the last count before it. Null where nothing was counted around then, as
 * counts are kept for five weeks; and to who sees machines by tag, since they are kept by site.
 */
export async function fleetAt(db: FleetReader, query: { at: Date; site?: string | null }): Promise<PastFleet | null> {
  const { sites, tags } = db.scope;
  if (tags?.length) return null;
  const whole = isWholeFleet(db.scope);
  const seen = whole ? Prisma.sql`TRUE` : Prisma.sql`s.site = ANY (${[...(sites ?? [])]}::text[]) AND s.site <> ''`;
  const rows = await db.prisma.$queryRaw<(PastSite & { site: string; at: Date; agents: Record<string, number> })[]>`
    SELECT s.at, s.site, s.healthy, s.failing, s.stale, s.cannot_tell AS "cannotTell", s.signed_off AS "signedOff",
      s.at_risk AS "atRisk", s.patterns, s.agents
    FROM fleet_samples s
    WHERE s.at = (SELECT max(f.at) FROM fleet_samples f WHERE f.site = '' AND f.at <= ${query.at}
        AND f.at > ${new Date(query.at.getTime() - countedWithin)}) AND ${seen}
    ORDER BY s.site`;
  const [first] = rows;
  if (!first) return null;
  const fleet = rows.find(({ site }) => site === "");
  const named: PastSite[] = rows.filter(({ site }) => site !== "").map(({ at: _, agents: __, ...site }) => site);
  // What the fleet has beyond its sites is at none of them.
  if (fleet) {
    const patterns: Record<string, number> = {};
    for (const [pattern, machines] of Object.entries(fleet.patterns)) {
      const left = machines - named.reduce((sum, site) => sum + (site.patterns[pattern] ?? 0), 0);
      if (left > 0) patterns[pattern] = left;
    }
    const rest = { site: null, patterns } as PastSite;
    for (const key of counts) rest[key] = fleet[key] - named.reduce((sum, site) => sum + site[key], 0);
    if (counts.some((key) => rest[key] > 0)) named.push(rest);
  }
  return {
    at: first.at,
    sites: query.site ? named.filter(({ site }) => site === query.site) : named,
    agents: fleet && !query.site ? fleet.agents : null,
  };
}

/**
 * The incidents that were open at a moment, those with most machines first, at most 100: with the machines that were in
 * them by then and were not yet seen well again, where those are now, and whether somebody had acknowledged them.
 */
export async function incidentsAt(db: FleetReader, at: Date): Promise<Incident[]> {
  const { items } = await listIncidents(db, { openAt: at, limit: 100 });
  const numbers = items.map(({ number }) => number);
  const members = await db.prisma.$queryRaw<{ number: number; site: string | null; machines: number }[]>`
    SELECT b.incident AS number, m.site, count(*)::int AS machines
    FROM incident_members b JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE b.incident = ANY (${numbers}::int[]) AND b.joined_at <= ${at} AND (b.left_at IS NULL OR b.left_at > ${at})
    GROUP BY 1, 2 ORDER BY machines DESC, m.site`;
  return items
    .map((incident): Incident => {
      const own = members.filter(({ number }) => number === incident.number);
      const acknowledged =
        incident.acknowledged && Date.parse(incident.acknowledged.at) <= at.getTime() ? incident.acknowledged : null;
      return {
        ...incident,
        state: acknowledged ? "acknowledged" : "open",
        acknowledged,
        endedAt: null,
        ended: null,
        failing: own.reduce((sum, { machines: some }) => sum + some, 0),
        silent: 0,
        sites: own.map(({ site, machines: some }) => ({ site, machines: some, of: null })),
      };
    })
    .sort((a, b) => b.failing - a.failing || b.number - a.number);
}

/** How many machines had taken each of these changes by a moment, and when the last of them did; by the change's id. */
export async function takenBy(
  db: FleetReader,
  changeIds: readonly string[],
  at: Date,
): Promise<Map<string, { machines: number; lastAt: Date }>> {
  const rows = await db.prisma.$queryRaw<{ id: string; machines: number; lastAt: Date }[]>`
    SELECT f.change_id::text AS id, count(*)::int AS machines, max(f.at) AS "lastAt"
    FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id
    WHERE f.change_id = ANY (${[...changeIds]}::uuid[]) AND f.at <= ${at} GROUP BY 1`;
  return new Map(rows.map(({ id, ...taken }) => [id, taken]));
}
