import type { Policy } from "@lynceus/protocol/policy";
import type { Rollout } from "@lynceus/protocol/rollout";
import { writeAudit } from "./audit.ts";
import { type Database, Prisma, type Reader } from "./client.ts";
import { noteFleetChange } from "./fleet-changes.ts";
import { toSqlJson } from "./sql-text.ts";

/*
 * A version is the whole fleet's (`inForceAt`), or rolled out in part (`rollout`), or was so and was stopped
 * (`withdrawnAt`). The highest version with `inForceAt` is in force; at most one version is rolled out in part at a time.
 */

export interface StoredPolicy {
  version: number;
  body: Policy;
  createdAt: Date;
  createdBy: string;
  note: string;
  /** Who gets it while it is rolled out in part. */
  rollout: Rollout | null;
  /** When the whole fleet got it. */
  inForceAt: Date | null;
  /** When a roll-out in part was stopped. */
  withdrawnAt: Date | null;
}

const lockKey = 72_707_371;

type Row = NonNullable<Awaited<ReturnType<Database["prisma"]["policy"]["findFirst"]>>>;

/** Written here alone, from a Policy and a Rollout. */
const toPolicy = (row: Row): StoredPolicy => ({
  ...row,
  body: row.body as unknown as Policy,
  rollout: row.rollout as unknown as Rollout | null,
});

const newestInForce = { where: { inForceAt: { not: null } }, orderBy: { version: "desc" } } as const;
const inPart = { where: { inForceAt: null, withdrawnAt: null }, orderBy: { version: "desc" } } as const;

/** The newest policy of the whole fleet, or null before the first. */
export async function currentPolicy(db: Reader): Promise<StoredPolicy | null> {
  const row = await db.prisma.policy.findFirst(newestInForce);
  return row && toPolicy(row);
}

/** The version that is rolled out in part, or null. */
export async function stagedPolicy(db: Reader): Promise<StoredPolicy | null> {
  const row = await db.prisma.policy.findFirst(inPart);
  return row && toPolicy(row);
}

/** Every version, newest first, without the bodies. */
export async function listPolicies(db: Reader): Promise<Omit<StoredPolicy, "body">[]> {
  const rows = await db.prisma.policy.findMany({ omit: { body: true }, orderBy: { version: "desc" }, take: 200 });
  return rows.map((row) => ({ ...row, rollout: row.rollout as unknown as Rollout | null }));
}

/** What joins a policy and the machines that took it in the fleet's changes. */
export const policyChangeKey = (from: number, to: number): string => `policy:${from}→${to}`;

/** Somebody saved a version meanwhile, or one is still rolled out in part; may be shown. */
export class PolicyConflictError extends Error {
  override readonly name = "PolicyConflictError";
}

/** One version, or null. */
export async function getPolicy(db: Reader, version: number): Promise<StoredPolicy | null> {
  const row = await db.prisma.policy.findUnique({ where: { version } });
  return row && toPolicy(row);
}

/**
 * Stores a policy as the next version, whatever version its body names, and tells listeners of `lynceus_policy`. With
 * `rollout` only its machines get it.
 * @throws PolicyConflictError when `baseVersion` is given and is not in force, or while another version is rolled out in part
 */
export async function savePolicy(
  db: Database,
  input: { body: Policy; now: Date; createdBy: string; note?: string; baseVersion?: number; rollout?: Rollout | null },
): Promise<StoredPolicy> {
  return db.prisma.$transaction(async (prisma) => {
    await lock(prisma);
    const inForce = await prisma.policy.findFirst(newestInForce);
    if (input.baseVersion !== undefined && input.baseVersion !== (inForce?.version ?? 0))
      throw new PolicyConflictError(
        `version ${input.baseVersion} was edited, and version ${inForce?.version ?? 0} is in force; read it again and repeat the change`,
      );
    const other = await prisma.policy.findFirst({ ...inPart, select: { version: true } });
    if (other)
      throw new PolicyConflictError(
        `version ${other.version} is rolled out in part; give it to the whole fleet or stop it first, on the page Targets`,
      );
    const highest = await prisma.policy.aggregate({ _max: { version: true } });
    const version = (highest._max.version ?? 0) + 1;
    const body: Policy = { ...input.body, version };
    const { rollout = null, note = "", now } = input;
    const row = await prisma.policy.create({
      data: {
        version,
        body: JSON.parse(toSqlJson(body)),
        createdAt: now,
        createdBy: input.createdBy,
        note,
        rollout: rollout === null ? Prisma.DbNull : JSON.parse(toSqlJson(rollout)),
        inForceAt: rollout === null ? now : null,
      },
    });
    await writeAudit(
      { prisma },
      {
        actor: input.createdBy,
        action: "policy.save",
        subject: String(version),
        before: inForce && { note: inForce.note, policy: inForce.body },
        after: { note, policy: body, ...(rollout && { rollout }) },
      },
    );
    // Machines that take it join the event (`policyChange`). The first one is no change.
    if (inForce)
      await noteFleetChange(
        { prisma },
        {
          at: row.createdAt,
          kind: "policy",
          changeKey: policyChangeKey(inForce.version, version),
          text: `Policy ${inForce.version} → ${version}${rollout ? ", rolled out in part" : ""}`,
          detail: note || null,
          key: "policy-version",
          value: String(version),
        },
      );
    await tell(prisma, version);
    return toPolicy(row);
  });
}

/**
 * Changes who gets a version that is rolled out in part: other machines, the whole fleet (`whole`), or nobody any more
 * (`stop`), who then have the version in force again.
 * @throws PolicyConflictError when it is not rolled out in part (any more)
 */
export async function changeRollout(
  db: Database,
  input: { version: number; to: Rollout | "whole" | "stop"; actor: string; now: Date },
): Promise<void> {
  const { version, to, actor, now } = input;
  await db.prisma.$transaction(async (prisma) => {
    await lock(prisma);
    const staged = await prisma.policy.findFirst(inPart);
    if (staged?.version !== version)
      throw new PolicyConflictError(
        `version ${version} is not rolled out in part any more; read the page again and see what somebody did`,
      );
    const data =
      to === "whole"
        ? { inForceAt: now }
        : to === "stop"
          ? { withdrawnAt: now }
          : { rollout: JSON.parse(toSqlJson(to)) as Prisma.InputJsonValue };
    await prisma.policy.update({ where: { version }, data });
    await writeAudit(
      { prisma },
      {
        actor,
        action: to === "stop" ? "policy.stop" : "policy.roll-out",
        subject: String(version),
        before: { rollout: staged.rollout },
        after: { rollout: to === "whole" ? "the whole fleet" : to === "stop" ? "nobody" : to },
      },
    );
    await tell(prisma, version);
  });
}

const lock = (prisma: Prisma.TransactionClient) => prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;

const tell = (prisma: Prisma.TransactionClient, version: number) =>
  prisma.$executeRaw`SELECT pg_notify('lynceus_policy', ${String(version)})::text, pg_notify('lynceus', '')::text`;
