import type { MachineStatus } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { Rollout } from "@lynceus/protocol/rollout";
import { Prisma } from "./client.ts";
import { currentPolicy, stagedPolicy } from "./policies.ts";
import { type FleetReader, machines } from "./scope.ts";

interface Staged {
  readonly version: number;
  readonly rollout: Rollout;
}

/**
 * The one place where a roll-out becomes SQL: that machine `m` takes part. The share is the place of the id's last 32 bits
 * on a circle that each version turns by the golden ratio, so that not the same machines go first each time.
 */
function takesPart({ version, rollout }: Staged): Prisma.Sql {
  const place = Prisma.sql`((('x' || right(m.id::text, 8))::bit(32)::bigint + ${version}::bigint * 2654435761) % 4294967296)`;
  return Prisma.sql`(m.revoked_at IS NULL AND (
    ${place} < ${Math.round((rollout.percent * 2 ** 32) / 100)}::bigint
    OR m.site = ANY (${rollout.sites}::text[])
    OR m.tags && ${rollout.tags}::text[]
    OR m.id = ANY (${rollout.machines}::uuid[])))`;
}

/** Ids of the machines that take part in a roll-out. */
export async function rolloutMachines(db: FleetReader, staged: Staged): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ id: string }[]>`
    SELECT m.id::text AS id FROM ${machines(db)} m WHERE ${takesPart(staged)}`;
  return rows.map((row) => row.id);
}

/** How far a roll-out is, and how those machines do beside the others: signed off and stale ones count as such. */
export interface RolloutProgress {
  chosen: number;
  /** Of them, those that said they have it. */
  holding: number;
  /** Of those that have it. */
  failing: number;
  healthy: number;
  /** Machines that are not revoked, and of the others (not chosen) those that fail. */
  fleet: number;
  othersFailing: number;
}

export async function rolloutProgress(db: FleetReader, staged: Staged): Promise<RolloutProgress> {
  const [row] = await db.prisma.$queryRaw<RolloutProgress[]>`
    SELECT count(*) FILTER (WHERE taking)::int AS chosen,
           count(*) FILTER (WHERE taking AND holds)::int AS holding,
           count(*) FILTER (WHERE taking AND holds AND status = 'failing')::int AS failing,
           count(*) FILTER (WHERE taking AND holds AND status = 'healthy')::int AS healthy,
           count(*)::int AS fleet,
           count(*) FILTER (WHERE NOT taking AND status = 'failing')::int AS "othersFailing"
    FROM (SELECT m.status, ${takesPart(staged)} AS taking, coalesce(t.policy_version = ${staged.version}, false) AS holds
          FROM ${machines(db)} m LEFT JOIN machine_traits t ON t.machine_id = m.id WHERE m.revoked_at IS NULL) each`;
  return row ?? { chosen: 0, holding: 0, failing: 0, healthy: 0, fleet: 0, othersFailing: 0 };
}

/** A machine of a trial: whether it has the version yet. */
export interface TrialMachine {
  id: string;
  hostname: string;
  status: MachineStatus;
  connected: boolean;
  holds: boolean;
}

/** The machines that were chosen by hand, by name. */
export function trialMachines(db: FleetReader, staged: Staged): Promise<TrialMachine[]> {
  return db.prisma.$queryRaw<TrialMachine[]>`
    SELECT m.id::text AS id, m.hostname, m.status, m.connected_to IS NOT NULL AS connected,
           coalesce(t.policy_version = ${staged.version}, false) AS holds
    FROM ${machines(db)} m LEFT JOIN machine_traits t ON t.machine_id = m.id
    WHERE m.id = ANY (${staged.rollout.machines}::uuid[]) AND m.revoked_at IS NULL ORDER BY m.sort_name, m.id`;
}

/** The policy that a machine is told: the one rolled out in part where it takes part, else the one in force. */
export async function policyOfMachine(db: FleetReader, machineId: string): Promise<Policy | null> {
  const staged = await stagedPolicy(db);
  if (staged?.rollout) {
    const { version, rollout } = staged;
    const rows = await db.prisma.$queryRaw<unknown[]>`
      SELECT 1 AS taking FROM ${machines(db)} m WHERE m.id = ${machineId}::uuid AND ${takesPart({ version, rollout })}`;
    if (rows.length > 0) return staged.body;
  }
  return (await currentPolicy(db))?.body ?? null;
}
