import { randomUUID } from "node:crypto";
import { writeAudit } from "@lynceus/db/audit";
import type { Database } from "@lynceus/db/client";
import { isUniqueViolation } from "./prisma-errors.ts";
import { parseRole, type Role } from "./roles.ts";

export interface UserRow {
  id: string;
  name: string;
  email: string;
  role: Role;
  createdAt: Date;
}

/** Any fixed number that nothing else takes: changes of who is an admin happen one after the other. */
const lockKey = 72_707_390;

/** Everyone with an account, oldest first. */
export async function listUsers(db: Database): Promise<UserRow[]> {
  const rows = await db.prisma.user.findMany({
    select: { id: true, name: true, email: true, role: true, createdAt: true },
    orderBy: { createdAt: "asc" },
    take: 500,
  });
  return rows.map((row) => ({ ...row, role: parseRole(row.role) }));
}

/** Makes an account that signs in with a password. False when one has this address. */
export async function addUser(
  db: Database,
  user: { name: string; email: string; role: Role; passwordHash: string },
  by: string,
): Promise<boolean> {
  const id = randomUUID();
  const { name, email, role, passwordHash } = user;
  try {
    await db.prisma.$transaction(async (tx) => {
      await tx.user.create({
        data: {
          id,
          name,
          email,
          role,
          accounts: { create: { id: randomUUID(), accountId: id, providerId: "credential", password: passwordHash } },
        },
      });
      await writeAudit({ prisma: tx }, { actor: by, action: "user.create", subject: email, after: { role } });
    });
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}

/** Gives a role; null removes the account and ends its sessions. False when that would leave no admin, or nobody has the id. */
export async function changeUser(db: Database, id: string, role: Role | null, by: string): Promise<boolean> {
  return db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const user = await tx.user.findUnique({ where: { id } });
    if (user === null) return false;
    const others = await tx.user.count({ where: { role: "admin", id: { not: id } } });
    if (role !== "admin" && user.role === "admin" && others === 0) return false;
    if (role === null) await tx.user.delete({ where: { id } });
    else await tx.user.update({ where: { id }, data: { role } });
    await writeAudit(
      { prisma: tx },
      {
        actor: by,
        action: role === null ? "user.remove" : "user.role",
        subject: user.email,
        before: { role: user.role },
        after: role === null ? null : { role },
      },
    );
    return true;
  });
}
