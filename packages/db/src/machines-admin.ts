import { randomUUID } from "node:crypto";
import { writeAudit } from "./audit.ts";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { type Fleet, machines, ofMachines } from "./scope.ts";

/** Who does it, and when. */
export interface By {
  actor: string;
  now: Date;
}

/**
 * Refuses a machine from now on; collectors that hold its connection hear `lynceus_revoke` with its id and close it.
 * False when there is no such machine, or it is revoked already.
 */
export async function revokeMachine(db: Fleet, id: string, by: By): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const [machine] = await prisma.$queryRaw<{ hostname: string; site: string | null }[]>`
      UPDATE machines m SET revoked_at = ${by.now}
      WHERE m.id = ${id}::uuid AND m.revoked_at IS NULL AND ${ofMachines(db, Prisma.sql`m.id`)}
      RETURNING m.hostname, m.site`;
    if (!machine) return false;
    await markTraits(prisma, [id]);
    await prisma.transition.create({
      data: { machineId: id, at: by.now, id: randomUUID(), kind: "revoked", text: "Revoked", detail: `by ${by.actor}` },
    });
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "machine.revoke",
        subject: id,
        before: { ...machine, revoked: false },
        after: { ...machine, revoked: true },
      },
    );
    await prisma.$executeRaw`SELECT pg_notify('lynceus_revoke', ${id})::text, pg_notify('lynceus', '')::text`;
    return true;
  });
}

/** Lets machines that waited for an admin's word take part. Returns how many did wait. */
export async function approveMachines(db: Fleet, ids: readonly string[], by: By): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const waiting = await prisma.$queryRaw<{ id: string; hostname: string; site: string | null }[]>`
      UPDATE machines m SET approved = TRUE
      WHERE m.id = ANY (${ids.filter(isUuid)}::uuid[]) AND NOT m.approved AND m.revoked_at IS NULL
        AND ${ofMachines(db, Prisma.sql`m.id`)}
      RETURNING m.id::text AS id, m.hostname, m.site`;
    const found = waiting.map(({ id }) => id);
    await markTraits(prisma, found);
    for (const { id, ...machine } of waiting)
      await writeAudit(
        { prisma },
        {
          actor: by.actor,
          action: "machine.approve",
          subject: id,
          before: { ...machine, approved: false },
          after: { ...machine, approved: true },
        },
      );
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
export async function retireMachine(db: Fleet, id: string, by: By): Promise<boolean> {
  if (!isUuid(id)) return false;
  return db.prisma.$transaction(async (prisma) => {
    const [machine] = await prisma.$queryRaw<{ hostname: string; site: string | null; tags: string[] }[]>`
      SELECT m.hostname, m.site, m.tags FROM ${machines(db)} m WHERE m.id = ${id}::uuid`;
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
  db: Fleet,
  ids: readonly string[],
  change: { add?: readonly string[]; remove?: readonly string[] },
  by: By,
): Promise<number> {
  const [add, remove] = [[...(change.add ?? [])], [...(change.remove ?? [])]];
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, ids);
    await prisma.$executeRaw`
      UPDATE machines SET tags = ARRAY(
        SELECT DISTINCT tag FROM unnest(tags || ${add}::text[]) AS tag WHERE tag <> ALL (${remove}::text[]) ORDER BY tag)
      WHERE id = ANY (${before.map(({ id }) => id)}::uuid[])`;
    await auditMany(
      prisma,
      "machine.tag",
      before.map(({ id, tags }) => ({ id, before: tags.join(" ") })),
      { add, remove },
      by,
    );
    return before.length;
  });
}

/** Tells readers of `machine_traits` that something beside it changed. */
const markTraits = (prisma: Prisma.TransactionClient, ids: readonly string[]) =>
  prisma.$executeRaw`UPDATE machine_traits SET changed_at = now() WHERE machine_id = ANY (${[...ids]}::uuid[])`;

/** Puts machines at a site, or at none. Subnets of the map move a machine again at its next change of address. */
export async function setSite(db: Fleet, ids: readonly string[], site: string | null, by: By): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, ids);
    const which = before.map(({ id }) => id);
    await prisma.$executeRaw`UPDATE machines SET site = ${site} WHERE id = ANY (${which}::uuid[])`;
    await markTraits(prisma, which);
    await auditMany(
      prisma,
      "machine.site",
      before.map((machine) => ({ id: machine.id, before: machine.site ?? "" })),
      { site },
      by,
    );
    return before.length;
  });
}

/** Those of the machines that are seen, as they are before a change, locked for it. */
const lockMachines = (db: Fleet, prisma: Prisma.TransactionClient, ids: readonly string[]) =>
  prisma.$queryRaw<{ id: string; site: string | null; tags: string[] }[]>`
    SELECT m.id::text AS id, m.site, m.tags FROM machines m
    WHERE m.id = ANY (${ids.filter(isUuid)}::uuid[]) AND ${ofMachines(db, Prisma.sql`m.id`)} ORDER BY m.id FOR NO KEY UPDATE`;

/** One entry of one act; `before` groups the machines by what they had. */
async function auditMany(
  prisma: Prisma.TransactionClient,
  action: string,
  machines: readonly { id: string; before: string }[],
  after: unknown,
  by: By,
): Promise<void> {
  const groups = new Map<string, string[]>();
  for (const one of machines) {
    const ids = groups.get(one.before);
    if (ids) ids.push(one.id);
    else groups.set(one.before, [one.id]);
  }
  const [only] = machines;
  const subject = machines.length === 1 && only ? only.id : `${machines.length} machines`;
  await writeAudit({ prisma }, { actor: by.actor, action, subject, before: Object.fromEntries(groups), after });
  await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
}
