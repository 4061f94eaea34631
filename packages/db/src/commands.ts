import { randomUUID } from "node:crypto";
import type { CanaryRoute } from "@lynceus/protocol/canary";
import { type Database, Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { type Fleet, type FleetReader, ofMachines, seesMachine } from "./scope.ts";
import { toSqlText } from "./sql-text.ts";

export type CommandState = "queued" | "sent" | "started" | "progress" | "done" | "refused" | "expired";
const finished = ["done", "refused", "expired"];

export interface CommandRow {
  id: string;
  machineId: string;
  command: string;
  createdAt: Date;
  createdBy: string;
  state: CommandState;
  done: number;
  total: number;
  reason: string | null;
  updatedAt: Date;
}

/** What only the collector that sends a command, or settles it, reads. */
const inner = { routes: true, epoch: true, seq: true } as const;

/**
 * Asks a machine to check now, and tells listeners of `lynceus_command` (payload: the machine's id). While an earlier
 * one of the last two minutes is under way, that one is returned: a second click asks nothing more.
 * Null when there is no such machine, or it is revoked.
 */
export async function createCommand(
  db: Fleet,
  input: { machineId: string; command?: "check-now"; createdBy: string; now: Date },
): Promise<CommandRow | null> {
  if (!isUuid(input.machineId)) return null;
  const command = input.command ?? "check-now";
  return db.prisma.$transaction(async (prisma) => {
    // The machine's row serialises two clicks.
    const machines = await prisma.$queryRaw<{ id: string }[]>`
      SELECT m.id::text FROM machines m WHERE m.id = ${input.machineId}::uuid AND m.revoked_at IS NULL
        AND ${ofMachines(db, Prisma.sql`m.id`)} FOR NO KEY UPDATE`;
    if (machines.length === 0) return null;
    const since = new Date(input.now.getTime() - 120_000);
    const open = await prisma.command.findFirst({
      where: { machineId: input.machineId, command, state: { notIn: finished }, createdAt: { gt: since } },
      orderBy: { createdAt: "desc" },
      omit: inner,
    });
    if (open) return open as CommandRow;
    const row = await prisma.command.create({
      omit: inner,
      data: {
        id: randomUUID(),
        machineId: input.machineId,
        command,
        createdAt: input.now,
        createdBy: input.createdBy,
        updatedAt: input.now,
      },
    });
    await prisma.$executeRaw`SELECT pg_notify('lynceus_command', ${input.machineId})::text, pg_notify('lynceus', '')::text`;
    return row as CommandRow;
  });
}

/** A command on its way to its machine. `routes`: what a canary is to probe. */
export type TakenCommand = CommandRow & { routes: CanaryRoute[] | null };

/** The queued commands of the machines that a collector holds; each is given out once and is then `sent`. */
export async function takeCommands(db: Database, machineIds: readonly string[], now: Date): Promise<TakenCommand[]> {
  if (machineIds.length === 0) return [];
  return db.prisma.$queryRaw<TakenCommand[]>`
    UPDATE commands SET state = 'sent', updated_at = ${now}
    WHERE state = 'queued' AND machine_id = ANY (${[...machineIds]}::uuid[])
    RETURNING id::text, machine_id::text AS "machineId", command, created_at AS "createdAt", created_by AS "createdBy",
      state, done, total, reason, updated_at AS "updatedAt", routes`;
}

/** Moves a command on. One that is done, refused or expired stays so; false then, and when it is unknown or another machine's. */
export async function updateCommand(
  db: Database,
  id: string,
  change: {
    machineId?: string;
    state: CommandState;
    done?: number;
    total?: number;
    reason?: string | null;
    /** Where the machine's outbox stood: what it saw for this command is stored once that much is. */
    upTo?: { epoch: string; seq: number };
    now: Date;
  },
): Promise<boolean> {
  const { count } = await db.prisma.command.updateMany({
    where: { id, state: { notIn: finished }, ...(change.machineId ? { machineId: change.machineId } : {}) },
    data: {
      state: change.state,
      updatedAt: change.now,
      ...(change.done === undefined ? {} : { done: change.done }),
      ...(change.total === undefined ? {} : { total: change.total }),
      ...(change.upTo === undefined ? {} : { epoch: change.upTo.epoch, seq: change.upTo.seq }),
      ...(change.reason === undefined ? {} : { reason: change.reason === null ? null : toSqlText(change.reason) }),
    },
  });
  if (count > 0) await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  return count > 0;
}

/** A command, or null. */
export async function getCommand(db: FleetReader, id: string): Promise<CommandRow | null> {
  if (!isUuid(id)) return null;
  const row = (await db.prisma.command.findUnique({ where: { id }, omit: inner })) as CommandRow | null;
  return row && (await seesMachine(db, row.machineId)) ? row : null;
}

/** The newest "check now" of a machine, or null. */
export async function latestCommand(db: FleetReader, machineId: string): Promise<CommandRow | null> {
  if (!isUuid(machineId) || !(await seesMachine(db, machineId))) return null;
  return (await db.prisma.command.findFirst({
    where: { machineId, command: "check-now" },
    orderBy: { createdAt: "desc" },
    omit: inner,
  })) as CommandRow | null;
}

/** Gives up commands that nobody moved since `before`: the machine was away, or ended in the middle. Returns how many. */
export async function expireCommands(db: Database, before: Date, now: Date): Promise<number> {
  const { count } = await db.prisma.command.updateMany({
    where: { state: { notIn: finished }, updatedAt: { lt: before } },
    data: { state: "expired", reason: "no answer from the machine", updatedAt: now },
  });
  if (count > 0) await db.prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  return count;
}
