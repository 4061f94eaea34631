import { isWholeFleet } from "@lynceus/protocol/access";
import { causeText } from "@lynceus/protocol/cause-text";
import type { AttributionKey, Location } from "@lynceus/protocol/names";
import type { Attribution, Cause, CauseCandidate, MachineRef } from "@lynceus/protocol/read-api";
import { Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/*
 * Causes and their figures as they are for who sees a part of the fleet. That there is a cause, what it is, its confidence
 * and its chance come from comparing all machines; every number and name is of the part alone.
 */

type Value = Pick<CauseCandidate, "key" | "value">;
type Compared = Omit<CauseCandidate, "key" | "value" | "logP">;

/** Values as attribution compares them, of `machines m` and `machine_traits t`. Waves are known to attribution alone. */
const valueSql: Record<AttributionKey, Prisma.Sql> = {
  "settings-wave": Prisma.sql`NULL::text`,
  "pac-hash": Prisma.sql`coalesce(m.pac_hash, CASE WHEN t.pac_url = 'none' THEN 'none' END)`,
  "pac-url": Prisma.sql`t.pac_url`,
  proxy: Prisma.sql`CASE WHEN m.route = 'direct' THEN 'none' ELSE m.route END`,
  "back-end": Prisma.sql`t.back_end`,
  address: Prisma.sql`t.address`,
  "tls-spki": Prisma.sql`m.tls_spki`,
  "tls-issuer": Prisma.sql`m.tls_issuer`,
  resolver: Prisma.sql`t.resolver`,
  subnet: Prisma.sql`t.subnet`,
  site: Prisma.sql`m.site`,
  "policy-version": Prisma.sql`t.policy_version::text`,
  "agent-version": Prisma.sql`nullif(m.agent_version, '')`,
  "os-build": Prisma.sql`nullif(btrim(m.os || ' ' || m.os_version), '')`,
  "route-kind": Prisma.sql`t.route_kind`,
};

interface Where {
  simulated: boolean;
  location: Location;
}

/** Machines that take part in a comparison. */
const compared = ({ simulated, location }: Where) => Prisma.sql`
  m.simulated = ${simulated} AND m.location = ${location} AND m.approved AND m.cloned_at IS NULL AND m.revoked_at IS NULL`;

/** How the machines in view have these values, in one scan. Values that none of them has are left out. */
async function compare(
  db: FleetReader,
  where: Where,
  values: readonly Value[],
): Promise<{ failing: number; healthy: number; of: (value: Value) => Compared | null }> {
  const has = values.map(({ key, value }) => Prisma.sql`${valueSql[key]} = ${value}`);
  const rows = await db.prisma.$queryRaw<{ failing: boolean; has: (boolean | null)[]; machines: number }[]>`
    SELECT m.status = 'failing' AS failing, ${has.length === 0 ? Prisma.sql`'{}'::bool[]` : Prisma.sql`ARRAY[${Prisma.join(has)}]`} AS has,
      count(*)::int AS machines
    FROM ${machines(db)} m LEFT JOIN machine_traits t ON t.machine_id = m.id
    WHERE ${compared(where)} AND m.status IN ('failing', 'healthy') GROUP BY 1, 2`;
  const sum = (failing: boolean, matches: (has: (boolean | null)[]) => boolean) =>
    rows.reduce((total, row) => (row.failing === failing && matches(row.has) ? total + row.machines : total), 0);
  return {
    failing: sum(true, () => true),
    healthy: sum(false, () => true),
    of: ({ key, value }) => {
      const at = values.findIndex((one) => one.key === key && one.value === value);
      const count = (failing: boolean, state: boolean | null) => sum(failing, (has) => (has[at] ?? null) === state);
      const [failingWith, healthyWith] = [count(true, true), count(false, true)];
      if (at < 0 || failingWith + healthyWith === 0) return null;
      return {
        failingWith,
        failingWithout: count(true, false),
        failingUnknown: count(true, null),
        healthyWith,
        healthyWithout: count(false, false),
        healthyUnknown: count(false, null),
      };
    },
  };
}

/** That a cause `c` explains, or when it ended explained, a machine in view. */
export const explainsSeen = (db: FleetReader): Prisma.Sql =>
  isWholeFleet(db.scope)
    ? Prisma.sql`TRUE`
    : Prisma.sql`EXISTS (SELECT FROM cause_members b JOIN ${machines(db)} m ON m.id = b.machine_id
        WHERE b.cause_id = c.id AND (b.until IS NULL OR b.until >= c.cleared_at))`;

/** Causes with the figures of the machines in view. Those of a cleared cause are what it explained last, and nothing else. */
export async function causesInScope(db: FleetReader, causes: readonly Cause[]): Promise<Cause[]> {
  if (isWholeFleet(db.scope) || causes.length === 0) return [...causes];
  const ids = causes.map(({ id }) => id);
  const members = await db.prisma.$queryRaw<{ id: string; machines: number }[]>`
    SELECT c.id::text AS id, count(*)::int AS machines
    FROM causes c JOIN cause_members b ON b.cause_id = c.id JOIN ${machines(db)} m ON m.id = b.machine_id
    WHERE c.id = ANY (${ids}::uuid[]) AND (b.until IS NULL OR b.until >= c.cleared_at) GROUP BY 1`;
  const changeIds = causes.flatMap(({ change }) => (change?.id ? [change.id] : []));
  const takers = await db.prisma.$queryRaw<{ id: string; machines: number }[]>`
    SELECT f.change_id::text AS id, count(*)::int AS machines
    FROM fleet_change_machines f JOIN ${machines(db)} m ON m.id = f.machine_id
    WHERE f.change_id = ANY (${changeIds}::uuid[]) GROUP BY 1`;
  const countOf = (rows: readonly { id: string; machines: number }[], id: string) =>
    rows.find((row) => row.id === id)?.machines ?? 0;
  const seen: Cause[] = [];
  for (const cause of causes) {
    const explains = countOf(members, cause.id);
    const figures = await figuresOf(db, cause, explains);
    const seenOn = cause.change?.id ? countOf(takers, cause.change.id) : 0;
    const of = figures.failingWith + figures.failingWithout + figures.failingUnknown;
    seen.push({
      ...cause,
      ...figures,
      explains,
      of,
      text: causeText({ ...cause, explains, of }),
      firstSeen: null,
      // A change that no machine in view took is somebody else's.
      change: cause.change && seenOn > 0 ? { ...cause.change, seenOn } : null,
    });
  }
  return seen;
}

async function figuresOf(db: FleetReader, cause: Cause, explains: number): Promise<Compared & Pick<Cause, "also">> {
  if (cause.clearedAt !== null)
    return { failingWith: explains, failingWithout: 0, failingUnknown: 0, ...noHealthy, also: [] };
  const { of, failing, healthy } = await compare(db, cause, [cause, ...cause.also]);
  const also = cause.also.filter((value) => of(value) !== null);
  const found = of(cause);
  // Members count as attribution has them: it may be a moment ahead, and knows of waves.
  const rest = Math.max(0, failing - explains);
  const failingUnknown = Math.min(rest, found?.failingUnknown ?? 0);
  const ofFailing = { failingWith: explains, failingWithout: rest - failingUnknown, failingUnknown };
  if (found === null) return { ...ofFailing, healthyWith: 0, healthyWithout: 0, healthyUnknown: healthy, also };
  return { ...found, ...ofFailing, also };
}

const noHealthy = { healthyWith: 0, healthyWithout: 0, healthyUnknown: 0 };

/** What is said of a location, with the figures and machines in view; null where none of its machines is. `causes` are in scope already. */
export async function attributionInScope(db: FleetReader, all: Attribution): Promise<Attribution | null> {
  const { failing, healthy, of } = await compare(db, all, all.candidates);
  const [rest] = await db.prisma.$queryRaw<{ undecided: number; unexplained: number; sample: MachineRef[] }[]>`
    WITH alone AS (
      SELECT m.id, m.hostname FROM ${machines(db)} m WHERE ${compared(all)} AND m.status = 'failing'
        AND NOT EXISTS (SELECT FROM cause_members b JOIN causes c ON c.id = b.cause_id
          WHERE b.machine_id = m.id AND b.until IS NULL AND c.cleared_at IS NULL))
    SELECT (SELECT count(*)::int FROM ${machines(db)} m WHERE ${compared(all)} AND m.status = 'cannot-tell') AS undecided,
      (SELECT count(*)::int FROM alone) AS unexplained,
      (SELECT coalesce(json_agg(s), '[]') FROM (SELECT id, hostname FROM alone ORDER BY id LIMIT 20) s) AS sample`;
  const { undecided = 0, unexplained = 0, sample = [] } = rest ?? {};
  if (failing + healthy + undecided === 0) return null;
  const noCause =
    failing === 0 ? "nothing-failing" : all.causes.length === 0 ? (all.noCause ?? "nothing-separates") : null;
  return {
    ...all,
    failing,
    healthy,
    undecided,
    noCause,
    unexplained,
    unexplainedSample: sample,
    candidates: all.candidates.flatMap((candidate) => {
      const figures = of(candidate);
      return figures === null ? [] : [{ ...candidate, ...figures }];
    }),
  };
}
