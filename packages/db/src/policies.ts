import type { Policy } from "@lynceus/protocol/policy";
import { writeAudit } from "./audit.ts";
import type { Database, Reader } from "./client.ts";
import { noteFleetChange } from "./fleet-changes.ts";
import { toSqlJson } from "./sql-text.ts";

export interface StoredPolicy {
  version: number;
  body: Policy;
  createdAt: Date;
  createdBy: string;
  note: string;
}

const lockKey = 72_707_371;

/** The newest policy, or null before the first. */
export async function currentPolicy(db: Reader): Promise<StoredPolicy | null> {
  const row = await db.prisma.policy.findFirst({ orderBy: { version: "desc" } });
  // Written by savePolicy alone, which takes a Policy.
  return row ? { ...row, body: row.body as unknown as Policy } : null;
}

/** Every version, newest first, without the bodies. */
export function listPolicies(db: Reader): Promise<Omit<StoredPolicy, "body">[]> {
  return db.prisma.policy.findMany({ omit: { body: true }, orderBy: { version: "desc" }, take: 200 });
}

/** What joins a policy and the machines that took it in the fleet's changes. */
export const policyChangeKey = (from: number, to: number): string => `policy:${from}→${to}`;

/** Somebody saved a version meanwhile; may be shown. */
export class PolicyConflictError extends Error {
  override readonly name = "PolicyConflictError";
}

/** One version, or null. */
export async function getPolicy(db: Reader, version: number): Promise<StoredPolicy | null> {
  const row = await db.prisma.policy.findUnique({ where: { version } });
  return row ? { ...row, body: row.body as unknown as Policy } : null;
}

/**
 * Stores a policy as the next version, whatever version its body names, and tells listeners of `lynceus_policy`.
 * @throws PolicyConflictError when `baseVersion` is given and is not the newest
 */
export async function savePolicy(
  db: Database,
  input: { body: Policy; now: Date; createdBy: string; note?: string; baseVersion?: number },
): Promise<StoredPolicy> {
  return db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const newest = await prisma.policy.findFirst({ orderBy: { version: "desc" } });
    if (input.baseVersion !== undefined && input.baseVersion !== (newest?.version ?? 0))
      throw new PolicyConflictError(
        `version ${input.baseVersion} was edited, and version ${newest?.version ?? 0} is in force; read it again and repeat the change`,
      );
    const version = (newest?.version ?? 0) + 1;
    const body: Policy = { ...input.body, version };
    const row = await prisma.policy.create({
      data: {
        version,
        body: JSON.parse(toSqlJson(body)),
        createdAt: input.now,
        createdBy: input.createdBy,
        note: input.note ?? "",
      },
    });
    await writeAudit(
      { prisma },
      {
        actor: input.createdBy,
        action: "policy.save",
        subject: String(version),
        before: newest && { note: newest.note, policy: newest.body },
        after: { note: input.note ?? "", policy: body },
      },
    );
    // Machines that take it join the event (`policyChange`). The first one is no change.
    if (newest)
      await noteFleetChange(
        { prisma },
        {
          at: row.createdAt,
          kind: "policy",
          changeKey: policyChangeKey(newest.version, version),
          text: `Policy ${newest.version} → ${version}`,
          detail: input.note || null,
          key: "policy-version",
          value: String(version),
        },
      );
    await prisma.$executeRaw`SELECT pg_notify('lynceus_policy', ${String(version)})::text, pg_notify('lynceus', '')::text`;
    return { ...row, body };
  });
}
