import { randomUUID } from "node:crypto";
import { everyMachine, type Scope } from "@lynceus/protocol/access";
import { writeAudit } from "./audit.ts";
import type { Database, Reader } from "./client.ts";
import { fromScopeColumns, type ScopeColumns, toScopeColumns } from "./scope.ts";
import { hashSecret, newSecret } from "./secrets.ts";

/** A token of the read API without its secret. */
export interface ApiTokenRow {
  id: string;
  label: string;
  /** What it may do: protocol `tokenScopes`. */
  scopes: string[];
  /** The part of the fleet that it sees. */
  scope: Scope;
  expiresAt: Date | null;
  createdAt: Date;
  createdBy: string;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

const toRow = <T extends ScopeColumns>({ scoped, scopeSites, scopeTags, ...row }: T) => ({
  ...row,
  scope: fromScopeColumns({ scoped, scopeSites, scopeTags }),
});

/** Makes a token `lyn_…`. The secret is in the answer and nowhere else. */
export async function createApiToken(
  db: Database,
  input: {
    label: string;
    scopes: readonly string[];
    /** The whole fleet where it is not given. */
    scope?: Scope;
    expiresAt?: Date | null;
    createdBy: string;
  },
): Promise<{ id: string; secret: string }> {
  const id = randomUUID();
  const secret = `lyn_${newSecret()}`;
  const { label, createdBy } = input;
  const scopes = [...input.scopes];
  const scope = input.scope ?? everyMachine;
  const expiresAt = input.expiresAt ?? null;
  await db.prisma.$transaction(async (prisma) => {
    await prisma.apiToken.create({
      data: { id, hash: hashSecret(secret), label, scopes, ...toScopeColumns(scope), expiresAt, createdBy },
    });
    await writeAudit(
      { prisma },
      { actor: createdBy, action: "api-token.create", subject: id, after: { label, scopes, ...scope, expiresAt } },
    );
  });
  return { id, secret };
}

/** All API tokens, newest first. */
export async function listApiTokens(db: Reader): Promise<ApiTokenRow[]> {
  const rows = await db.prisma.apiToken.findMany({ omit: { hash: true }, orderBy: { createdAt: "desc" }, take: 500 });
  return rows.map(toRow);
}

/** Ends a token at once. False when there is none, or it was revoked before. */
export async function revokeApiToken(db: Database, id: string, by: { actor: string; now: Date }): Promise<boolean> {
  return db.prisma.$transaction(async (prisma) => {
    const { count } = await prisma.apiToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: by.now } });
    if (count === 0) return false;
    const token = await prisma.apiToken.findUniqueOrThrow({ where: { id }, select: { label: true } });
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "api-token.revoke",
        subject: id,
        before: { ...token, revoked: false },
        after: { ...token, revoked: true },
      },
    );
    return true;
  });
}

/** The token that a secret is of, or null when it is unknown, revoked or expired. Its last use is noted once a minute. */
export async function verifyApiToken(db: Database, secret: string, now: Date): Promise<ApiTokenRow | null> {
  const token = await db.prisma.apiToken.findUnique({ where: { hash: hashSecret(secret) }, omit: { hash: true } });
  if (!token || token.revokedAt || (token.expiresAt && token.expiresAt <= now)) return null;
  if (!token.lastUsedAt || now.getTime() - token.lastUsedAt.getTime() > 60_000)
    await db.prisma.apiToken.updateMany({ where: { id: token.id }, data: { lastUsedAt: now } });
  return toRow(token);
}

/** Those of these tokens that are still in force: what a connection that stays open asks now and then. */
export async function tokensInForce(db: Reader, ids: readonly string[], now: Date): Promise<Set<string>> {
  const rows = await db.prisma.apiToken.findMany({
    where: { id: { in: [...ids] }, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    select: { id: true },
  });
  return new Set(rows.map(({ id }) => id));
}
