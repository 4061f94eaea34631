import { randomUUID } from "node:crypto";
import { writeAudit } from "./audit.ts";
import type { Database, Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";

/** Who does it, and when. */
export interface By {
  actor: string;
  now: Date;
}

/**
 * Refuses a machine from now on; collectors that hold its connection hear `lynceus_revoke` with its id and close it.
 * False when there is no such machine, or it is revoked already.
 */
export async function revokeMachine(db: Database, id: string, by: By): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const { count } = await prisma.machine.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: by.now } });
    if (count === 0) return false;
    await markTraits(prisma, [id]);
    await prisma.transition.create({
      data: { machineId: id, at: by.now, id: randomUUID(), kind: "revoked", text: "Revoked", detail: `by ${by.actor}` },
    });
    await writeAudit({ prisma }, { actor: by.actor, action: "machine.revoke", subject: id });
    await prisma.$executeRaw`SELECT pg_notify('lynceus_revoke', ${id})::text, pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** Lets machines that waited for an admin's word take part. Returns how many did wait. */
export async function approveMachines(db: Database, ids: readonly string[], by: By): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const waiting = await prisma.machine.findMany({
      where: { id: { in: ids.filter(isUuid) }, approved: false, revokedAt: null },
      select: { id: true },
    });
    const found = waiting.map(({ id }) => id);
    await prisma.machine.updateMany({ where: { id: { in: found } }, data: { approved: true } });
    await markTraits(prisma, found);
    for (const id of found) await writeAudit({ prisma }, { actor: by.actor, action: "machine.approve", subject: id });
    // Collectors have the machine in memory as one that waits.
    await prisma.$executeRaw`
      SELECT pg_notify('lynceus_approve', id)::text FROM unnest(${found}::text[]) AS id
      UNION ALL SELECT pg_notify('lynceus', '')::text`;
    return found.length;
  });
}

/**
 * Removes a machine that is no more, with its state and timeline; its observations age out by retention. Its key may
 * enrol again with a token. Collectors hear `lynceus_revoke`. False when there is no such machine.
 */
export async function retireMachine(db: Database, id: string, by: By): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const machine = await prisma.machine.findUnique({ where: { id }, select: { hostname: true, site: true } });
    if (!machine) return false;
    await prisma.finding.deleteMany({ where: { machineId: id } });
    await prisma.transition.deleteMany({ where: { machineId: id } });
    await prisma.command.deleteMany({ where: { machineId: id } });
    await prisma.machine.delete({ where: { id } });
    await writeAudit({ prisma }, { actor: by.actor, action: "machine.retire", subject: id, before: machine });
    await prisma.$executeRaw`SELECT pg_notify('lynceus_revoke', ${id})::text, pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** Adds and removes tags of machines; a tag is kept once. Returns how many machines there were. */
export async function tagMachines(
  db: Database,
  ids: readonly string[],
  change: { add?: readonly string[]; remove?: readonly string[] },
  by: By,
): Promise<number> {
  const [add, remove] = [[...(change.add ?? [])], [...(change.remove ?? [])]];
  const which = ids.filter(isUuid);
  return db.prisma.$transaction(async (prisma) => {
    const count = await prisma.$executeRaw`
      UPDATE machines SET tags = ARRAY(
        SELECT DISTINCT tag FROM unnest(tags || ${add}::text[]) AS tag WHERE tag <> ALL (${remove}::text[]) ORDER BY tag)
      WHERE id = ANY (${which}::uuid[])`;
    await auditMany(prisma, which, "machine.tag", change, by);
    return count;
  });
}

/** Tells readers of `machine_traits` that something beside it changed. */
const markTraits = (prisma: Prisma.TransactionClient, ids: readonly string[]) =>
  prisma.$executeRaw`UPDATE machine_traits SET changed_at = now() WHERE machine_id = ANY (${[...ids]}::uuid[])`;

/** Puts machines at a site, or at none. Subnets of the map move a machine again at its next change of address. */
export async function setSite(db: Database, ids: readonly string[], site: string | null, by: By): Promise<number> {
  const which = ids.filter(isUuid);
  return db.prisma.$transaction(async (prisma) => {
    const { count } = await prisma.machine.updateMany({ where: { id: { in: which } }, data: { site } });
    await markTraits(prisma, which);
    await auditMany(prisma, which, "machine.site", { site }, by);
    return count;
  });
}

async function auditMany(
  prisma: Prisma.TransactionClient,
  ids: readonly string[],
  action: string,
  after: unknown,
  by: By,
): Promise<void> {
  // Of many machines one entry: an admin did one thing.
  const subject = ids.length === 1 ? (ids[0] ?? "") : `${ids.length} machines`;
  await writeAudit(
    { prisma },
    { actor: by.actor, action, subject, after: ids.length === 1 ? after : { change: after, ids } },
  );
  await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
}
