import { randomUUID } from "node:crypto";
import { writeAudit } from "./audit.ts";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { type MachineQuery, machineWhere } from "./machines.ts";
import { type Fleet, machines, ofMachines } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

/** Who does it, and when. */
export interface By {
  actor: string;
  now: Date;
}

/** Machines that something is done to: named one by one, or all that match a filter. `q` is its text, for the audit log. */
export type Chosen = readonly string[] | (Pick<MachineQuery, "terms" | "site"> & { q: string });

/** Other machines are meant now than when they were chosen: nothing was done. `machines` is how many there are now. */
export class SelectionChangedError extends Error {
  override readonly name = "SelectionChangedError";
  readonly machines: number;
  constructor(expected: number, found: number) {
    super(`${expected} machines were chosen and ${found} are there now; nothing was done`);
    this.machines = found;
  }
}

/** At most this many machines are removed by one act: each takes its timeline along. */
export const mostRetired = 5_000;
/** Up to this many machines are named in an entry of the audit log, beside the number of all. */
const mostNamed = 1_000;

const isList = (chosen: Chosen): chosen is readonly string[] => Array.isArray(chosen);

/** The condition of a choice over `machines m`, within what is seen. */
const chosenWhere = (db: Fleet, chosen: Chosen): Prisma.Sql =>
  isList(chosen)
    ? Prisma.sql`m.id = ANY (${chosen.filter(isUuid)}::uuid[]) AND ${ofMachines(db, Prisma.sql`m.id`)}`
    : Prisma.sql`${machineWhere(chosen)} AND ${ofMachines(db, Prisma.sql`m.id`)}`;

/** How many machines a choice means now, without revoked ones: what is said before anything is done. */
export async function countChosen(db: Fleet, chosen: Chosen): Promise<number> {
  const [row] = await db.prisma.$queryRaw<{ machines: number }[]>`
    SELECT count(*)::int AS machines FROM ${machines(db)} m
    WHERE ${chosenWhere(db, chosen)} AND m.revoked_at IS NULL`;
  return row?.machines ?? 0;
}

interface ChosenMachine {
  id: string;
  hostname: string;
  site: string | null;
  tags: string[];
}

/**
 * The machines of a choice as they are before a change, locked for it.
 * @param expected how many whoever asks was told of. Throws a SelectionChangedError when it is another number.
 */
async function lockMachines(
  db: Fleet,
  prisma: Prisma.TransactionClient,
  chosen: Chosen,
  expected?: number,
): Promise<ChosenMachine[]> {
  const rows = await prisma.$queryRaw<ChosenMachine[]>`
    SELECT m.id::text AS id, m.hostname, m.site, m.tags FROM machines m
    WHERE ${chosenWhere(db, chosen)} AND m.revoked_at IS NULL ORDER BY m.id FOR NO KEY UPDATE`;
  if (expected !== undefined && rows.length !== expected) throw new SelectionChangedError(expected, rows.length);
  return rows;
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

/**
 * Adds and removes tags of machines; a tag is kept once. Returns how many machines there were. Throws a
 * SelectionChangedError when they are not as many as expected.
 */
export async function tagMachines(
  db: Fleet,
  chosen: Chosen,
  change: { add?: readonly string[]; remove?: readonly string[] },
  by: By,
  expected?: number,
): Promise<number> {
  const [add, remove] = [[...(change.add ?? [])], [...(change.remove ?? [])]].map((tags) => tags.map(toSqlText));
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, chosen, expected);
    await prisma.$executeRaw`
      UPDATE machines SET tags = ARRAY(
        SELECT DISTINCT tag FROM unnest(tags || ${add}::text[]) AS tag WHERE tag <> ALL (${remove}::text[]) ORDER BY tag)
      WHERE id = ANY (${before.map(({ id }) => id)}::uuid[])`;
    await auditMany(prisma, {
      action: "machine.tag",
      chosen,
      machines: before.map(({ id, tags }) => ({ id, before: tags.join(" ") })),
      after: { add, remove },
      by,
    });
    return before.length;
  });
}

/** Tells readers of `machine_traits` that something beside it changed. */
const markTraits = (prisma: Prisma.TransactionClient, ids: readonly string[]) =>
  prisma.$executeRaw`UPDATE machine_traits SET changed_at = now() WHERE machine_id = ANY (${[...ids]}::uuid[])`;

/**
 * Puts machines at a site, or at none. Subnets of the map move a machine again at its next change of address. Throws a
 * SelectionChangedError when they are not as many as expected.
 */
export async function setSite(
  db: Fleet,
  chosen: Chosen,
  site: string | null,
  by: By,
  expected?: number,
): Promise<number> {
  const name = site === null ? null : toSqlText(site);
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, chosen, expected);
    const which = before.map(({ id }) => id);
    await prisma.$executeRaw`UPDATE machines SET site = ${name} WHERE id = ANY (${which}::uuid[])`;
    await markTraits(prisma, which);
    await auditMany(prisma, {
      action: "machine.site",
      chosen,
      machines: before.map((machine) => ({ id: machine.id, before: machine.site ?? "" })),
      after: { site: name },
      by,
    });
    return before.length;
  });
}

/**
 * Refuses machines from now on, as `revokeMachine` does one. Returns how many. Throws a SelectionChangedError when they
 * are not as many as expected.
 */
export async function revokeMachines(db: Fleet, chosen: Chosen, by: By, expected?: number): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, chosen, expected);
    const which = before.map(({ id }) => id);
    await prisma.$executeRaw`UPDATE machines SET revoked_at = ${by.now} WHERE id = ANY (${which}::uuid[])`;
    await markTraits(prisma, which);
    await prisma.$executeRaw`
      INSERT INTO transitions (machine_id, at, id, kind, text, detail, replayed)
      SELECT id, ${by.now}, gen_random_uuid(), 'revoked', 'Revoked', ${`by ${by.actor}`}, FALSE
      FROM unnest(${which}::uuid[]) AS id`;
    await auditMany(prisma, {
      action: "machine.revoke",
      chosen,
      machines: before.map(({ id }) => ({ id, before: "" })),
      after: { revoked: true },
      by,
    });
    await tellRevoked(prisma, which);
    return before.length;
  });
}

/**
 * Removes machines that are no more, as `retireMachine` does one; at most `mostRetired`. Returns how many. Throws a
 * SelectionChangedError when they are not as many as expected, and a RangeError when they are too many.
 */
export async function retireMachines(db: Fleet, chosen: Chosen, by: By, expected?: number): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const before = await lockMachines(db, prisma, chosen, expected);
    if (before.length > mostRetired)
      throw new RangeError(
        `${before.length} machines are too many to retire at once; at most ${mostRetired}, such as those of one site`,
      );
    const which = before.map(({ id }) => id);
    for (const table of ["findings", "transitions", "commands"])
      await prisma.$executeRaw`DELETE FROM ${Prisma.raw(table)} WHERE machine_id = ANY (${which}::uuid[])`;
    await prisma.$executeRaw`DELETE FROM machines WHERE id = ANY (${which}::uuid[])`;
    await auditMany(prisma, {
      action: "machine.retire",
      chosen,
      machines: before.map((machine) => ({ id: machine.id, before: machine.hostname })),
      after: null,
      by,
    });
    await tellRevoked(prisma, which);
    return before.length;
  });
}

/** Collectors that hold the connections of these machines close them. */
const tellRevoked = (prisma: Prisma.TransactionClient, ids: readonly string[]) =>
  prisma.$executeRaw`SELECT count(pg_notify('lynceus_revoke', id)) FROM unnest(${[...ids]}::text[]) AS id`;

/** One entry of one act; `before` groups the machines by what they had: their ids, or of very many how many they are. */
async function auditMany(
  prisma: Prisma.TransactionClient,
  act: {
    action: string;
    chosen: Chosen;
    machines: readonly { id: string; before: string }[];
    after: unknown;
    by: By;
  },
): Promise<void> {
  const groups = new Map<string, string[]>();
  for (const one of act.machines) {
    const ids = groups.get(one.before);
    if (ids) ids.push(one.id);
    else groups.set(one.before, [one.id]);
  }
  const [only] = act.machines;
  const all = act.machines.length;
  const before = [...groups].slice(0, mostNamed).map(([value, ids]) => [value, all > mostNamed ? ids.length : ids]);
  await writeAudit(
    { prisma },
    {
      actor: act.by.actor,
      action: act.action,
      subject: all === 1 && only ? only.id : `${all} machines`,
      before: Object.fromEntries(before),
      after: isList(act.chosen) ? act.after : { ...(act.after ?? {}), q: act.chosen.q },
    },
  );
  await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
}
