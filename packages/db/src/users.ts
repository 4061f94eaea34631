import { randomUUID } from "node:crypto";
import { type Access, isWholeFleet, type Role, sameAccess } from "@lynceus/protocol/access";
import { accessSchema, roleSchema } from "@lynceus/protocol/access-schema";
import { writeAudit } from "./audit.ts";
import type { Database, Prisma, Reader } from "./client.ts";
import { fromScopeColumns, type ScopeColumns, toScopeColumns } from "./scope.ts";

/*
 * People: who they are, what they may do, and how an admin changes that. Sessions, passwords' hashes and second factors are
 * the auth library's; what is written here of them is what an admin may do to another's account.
 */

export interface UserRow {
  id: string;
  name: string;
  /** Lower case; what they sign in with. */
  email: string;
  access: Access;
  disabledAt: Date | null;
  /** Has a password, beside or instead of single sign-on. */
  hasPassword: boolean;
  /** Signed in by single sign-on before: then groups decide over the access. */
  hasSso: boolean;
  twoFactor: boolean;
  createdAt: Date;
  lastSignInAt: Date | null;
}

/** The provider's name of an account with a password, as the auth library has it. */
const passwordProvider = "credential";

/** Any fixed number that nothing else takes: changes of who is an admin happen one after the other. */
const lockKey = 72_707_390;

const accountColumns = {
  id: true,
  name: true,
  email: true,
  role: true,
  scoped: true,
  scopeSites: true,
  scopeTags: true,
  disabledAt: true,
  twoFactorEnabled: true,
  createdAt: true,
  lastSignInAt: true,
  accounts: { select: { providerId: true } },
} satisfies Prisma.UserSelect;

/** A role column that says anything else gives the least right. */
const parseRole = (text: string): Role => roleSchema.catch("viewer").parse(text);

/** The access that a row holds. */
export const toAccess = (row: { role: string } & ScopeColumns): Access => ({
  role: parseRole(row.role),
  ...fromScopeColumns(row),
});

const toColumns = (access: Access) => ({ role: access.role, ...toScopeColumns(access) });

type Selected = Prisma.UserGetPayload<{ select: typeof accountColumns }>;
const toRow = (row: Selected): UserRow => ({
  id: row.id,
  name: row.name,
  email: row.email,
  access: toAccess(row),
  disabledAt: row.disabledAt,
  hasPassword: row.accounts.some(({ providerId }) => providerId === passwordProvider),
  hasSso: row.accounts.some(({ providerId }) => providerId !== passwordProvider),
  twoFactor: row.twoFactorEnabled,
  createdAt: row.createdAt,
  lastSignInAt: row.lastSignInAt,
});

/** Everyone with an account, oldest first. */
export async function listUsers(db: Reader): Promise<UserRow[]> {
  const rows = await db.prisma.user.findMany({ select: accountColumns, orderBy: { createdAt: "asc" }, take: 2_000 });
  return rows.map(toRow);
}

/** One account, or null. */
export async function getUser(db: Reader, id: string): Promise<UserRow | null> {
  const row = await db.prisma.user.findUnique({ where: { id }, select: accountColumns });
  return row && toRow(row);
}

/** What a request needs to know of the person whose session it has. */
export interface Standing {
  access: Access;
  /** The password was set by an admin: nothing else goes before it is changed. */
  passwordIsTemporary: boolean;
  /** Signs in with a password, and so may have to have a second factor. */
  hasPassword: boolean;
  twoFactor: boolean;
}

/** Where somebody stands now: read at each request, so that a change holds at once. Null: no such account, or a disabled one. */
export async function standingOf(db: Reader, id: string): Promise<Standing | null> {
  const row = await db.prisma.user.findUnique({
    where: { id },
    select: {
      role: true,
      scoped: true,
      scopeSites: true,
      scopeTags: true,
      disabledAt: true,
      passwordIsTemporary: true,
      twoFactorEnabled: true,
      accounts: { where: { providerId: passwordProvider }, select: { id: true } },
    },
  });
  if (row === null || row.disabledAt !== null) return null;
  return {
    access: toAccess(row),
    passwordIsTemporary: row.passwordIsTemporary,
    hasPassword: row.accounts.length > 0,
    twoFactor: row.twoFactorEnabled,
  };
}

/** Prisma's name of a key that is there already. */
const isTaken = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "P2002";

export interface NewUser {
  name: string;
  /** Lower case. */
  email: string;
  access: Access;
  /** Made by the auth library; null for who signs in by single sign-on alone. */
  passwordHash: string | null;
  /** To be changed at the first sign-in: an admin made it up. */
  temporary?: boolean;
}

/** Makes an account. Null when one has this address. */
export async function createUser(db: Database, user: NewUser, by: string): Promise<{ id: string } | null> {
  try {
    return await db.prisma.$transaction((prisma) => insertUser({ prisma }, user, by));
  } catch (error) {
    if (isTaken(error)) return null;
    throw error;
  }
}

/** As `createUser`, in the transaction of something else. @throws what Prisma throws when the address is taken. */
export async function insertUser(db: Reader, user: NewUser, by: string): Promise<{ id: string }> {
  const id = randomUUID();
  const { name, email, passwordHash } = user;
  const access = accessSchema.parse(user.access);
  await db.prisma.user.create({
    data: {
      id,
      name,
      email,
      ...toColumns(access),
      passwordIsTemporary: user.temporary ?? false,
      ...(passwordHash === null
        ? {}
        : {
            accounts: {
              create: { id: randomUUID(), accountId: id, providerId: passwordProvider, password: passwordHash },
            },
          }),
    },
  });
  await writeAudit(db, { actor: by, action: "user.create", subject: email, after: { name, ...access } });
  return { id };
}

/** `last-admin`: nobody would be left who may change people. */
export type UserChange = "done" | "no-user" | "last-admin";

/** Runs a change of an account under the lock that keeps one admin of the whole fleet. */
function change(
  db: Database,
  id: string,
  keepsAdmin: (user: Selected) => boolean,
  act: (db: Reader, user: Selected) => Promise<void>,
): Promise<UserChange> {
  return db.prisma.$transaction(async (prisma): Promise<UserChange> => {
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(${lockKey})`;
    const user = await prisma.user.findUnique({ where: { id }, select: accountColumns });
    if (user === null) return "no-user";
    if (!keepsAdmin(user)) {
      const others = await prisma.user.count({
        where: { role: "admin", scoped: false, disabledAt: null, id: { not: id } },
      });
      if (others === 0) return "last-admin";
    }
    await act({ prisma }, user);
    return "done";
  });
}

const runsThings = (access: Access): boolean => access.role === "admin" && isWholeFleet(access);

/** Whether somebody is not one of those of whom one must be left. */
const isOther = (user: Selected): boolean => !runsThings(toAccess(user)) || user.disabledAt !== null;

/** Gives a role and a part of the fleet; holds from the next request on. */
export const setAccess = (db: Database, id: string, access: Access, by: string): Promise<UserChange> =>
  change(
    db,
    id,
    (user) => isOther(user) || runsThings(access),
    async ({ prisma }, user) => {
      const after = accessSchema.parse(access);
      if (sameAccess(toAccess(user), after)) return;
      await prisma.user.update({ where: { id }, data: toColumns(after) });
      await writeAudit(
        { prisma },
        { actor: by, action: "user.access", subject: user.email, before: toAccess(user), after },
      );
    },
  );

/** Ends an account's sessions and lets nobody in with it, or lets in again. */
export const setDisabled = (db: Database, id: string, disabledAt: Date | null, by: string): Promise<UserChange> =>
  change(
    db,
    id,
    (user) => disabledAt === null || isOther(user),
    async ({ prisma }, user) => {
      await prisma.user.update({ where: { id }, data: { disabledAt } });
      if (disabledAt !== null) await prisma.session.deleteMany({ where: { userId: id } });
      await writeAudit(
        { prisma },
        {
          actor: by,
          action: disabledAt === null ? "user.enable" : "user.disable",
          subject: user.email,
          before: { disabled: user.disabledAt !== null },
          after: { disabled: disabledAt !== null },
        },
      );
    },
  );

/** Removes an account with its sessions. What it did stays in the audit. */
export const removeUser = (db: Database, id: string, by: string): Promise<UserChange> =>
  change(db, id, isOther, async ({ prisma }, user) => {
    await prisma.user.delete({ where: { id } });
    await writeAudit(
      { prisma },
      { actor: by, action: "user.remove", subject: user.email, before: { name: user.name, ...toAccess(user) } },
    );
  });

/** Sets a password that has to be changed at the next sign-in, and ends all sessions. */
export const resetPassword = (db: Database, id: string, passwordHash: string, by: string): Promise<UserChange> =>
  change(
    db,
    id,
    () => true,
    async ({ prisma }, user) => {
      const where = { userId: id, providerId: passwordProvider };
      const { count } = await prisma.account.updateMany({ where, data: { password: passwordHash } });
      if (count === 0)
        await prisma.account.create({
          data: { ...where, id: randomUUID(), accountId: id, password: passwordHash },
        });
      await prisma.user.update({ where: { id }, data: { passwordIsTemporary: true } });
      await prisma.session.deleteMany({ where: { userId: id } });
      await writeAudit({ prisma }, { actor: by, action: "user.reset-password", subject: user.email });
    },
  );

/** Takes the second factor away, for who lost it, and ends all sessions. */
export const resetTwoFactor = (db: Database, id: string, by: string): Promise<UserChange> =>
  change(
    db,
    id,
    () => true,
    async ({ prisma }, user) => {
      await prisma.twoFactor.deleteMany({ where: { userId: id } });
      await prisma.user.update({ where: { id }, data: { twoFactorEnabled: false } });
      await prisma.session.deleteMany({ where: { userId: id } });
      await writeAudit(
        { prisma },
        {
          actor: by,
          action: "user.reset-second-factor",
          subject: user.email,
          before: { secondFactor: user.twoFactorEnabled },
          after: { secondFactor: false },
        },
      );
    },
  );

/** Notes that somebody signed in, and how: `password`, `second factor`, `recovery code`, `single sign-on`. */
export async function noteSignIn(db: Database, id: string, how: string, now: Date): Promise<void> {
  await db.prisma.$transaction(async (prisma) => {
    const user = await prisma.user.update({ where: { id }, data: { lastSignInAt: now }, select: { email: true } });
    await writeAudit({ prisma }, { actor: user.email, action: "session.start", subject: user.email, after: { how } });
  });
}

/** The account that a provider's own name of a person belongs to, or null. */
export async function userOfAccount(db: Reader, providerId: string, accountId: string): Promise<UserRow | null> {
  const account = await db.prisma.account.findFirst({ where: { providerId, accountId }, select: { userId: true } });
  return account && getUser(db, account.userId);
}

/** A password was changed by its owner. */
export async function notePassword(db: Database, id: string): Promise<void> {
  await db.prisma.$transaction(async (prisma) => {
    const { email } = await prisma.user.update({
      where: { id },
      data: { passwordIsTemporary: false },
      select: { email: true },
    });
    await writeAudit({ prisma }, { actor: email, action: "account.password", subject: email });
  });
}

/** A second factor was set up, taken away, or its recovery codes were made anew, by its owner. */
export async function noteTwoFactor(db: Reader, email: string, what: "on" | "off" | "recovery-codes"): Promise<void> {
  await writeAudit(db, { actor: email, action: `account.second-factor.${what}`, subject: email });
}

/** A session as its owner sees it. Its secret never leaves the database. */
export interface SessionRow {
  id: string;
  createdAt: Date;
  /** Last time that it was prolonged: at most a day before its last use. */
  updatedAt: Date;
  expiresAt: Date;
  ipAddress: string | null;
  userAgent: string | null;
}

/** The sessions of an account that hold, the newest first. */
export function listSessions(db: Reader, userId: string, now: Date): Promise<SessionRow[]> {
  return db.prisma.session.findMany({
    where: { userId, expiresAt: { gt: now } },
    select: { id: true, createdAt: true, updatedAt: true, expiresAt: true, ipAddress: true, userAgent: true },
    orderBy: [{ updatedAt: "desc" }, { id: "asc" }],
    take: 100,
  });
}

/**
 * Ends one session of an account, or all of them; `but` stays. They are refused at their next request. Returns how many
 * there were.
 */
export async function endSessions(
  db: Database,
  userId: string,
  which: { id?: string; but?: string },
  by: string,
): Promise<number> {
  return db.prisma.$transaction(async (prisma) => {
    const id = { ...(which.id === undefined ? {} : { equals: which.id }), ...(which.but ? { not: which.but } : {}) };
    const { count } = await prisma.session.deleteMany({ where: { userId, id } });
    if (count === 0) return 0;
    const user = await prisma.user.findUnique({ where: { id: userId }, select: { email: true } });
    await writeAudit(
      { prisma },
      { actor: by, action: "session.end", subject: user?.email ?? userId, after: { sessions: count } },
    );
    return count;
  });
}
