import { randomUUID } from "node:crypto";
import { isWholeFleet, mayRead, scopeText } from "@lynceus/protocol/access";
import type { MachineState } from "@lynceus/protocol/state";
import { writeAudit } from "./audit.ts";
import type { Database, Prisma, Reader } from "./client.ts";
import type { Fleet, FleetReader } from "./scope.ts";
import { hashSecret, newSecret } from "./secrets.ts";
import { toSqlJson, toSqlText } from "./sql-text.ts";

export interface TokenInput {
  label?: string;
  site?: string | null;
  tags?: readonly string[];
  maxUses: number;
  expiresAt: Date;
  needsApproval?: boolean;
  createdBy: string;
}

/** An enrolment token without its secret, which nobody can read again. */
export interface EnrollmentTokenRow {
  id: string;
  label: string;
  site: string | null;
  tags: string[];
  maxUses: number;
  uses: number;
  expiresAt: Date;
  needsApproval: boolean;
  createdAt: Date;
  createdBy: string;
  revokedAt: Date | null;
}

/** A token that would enrol machines which its maker does not see; may be shown. */
export class TokenScopeError extends Error {
  override readonly name = "TokenScopeError";
}

/** Tokens whose machines are within what is seen. */
const within = ({ scope }: FleetReader): Prisma.EnrollmentTokenWhereInput =>
  isWholeFleet(scope)
    ? {}
    : { OR: [{ site: { in: [...(scope.sites ?? [])] } }, { tags: { hasSome: [...(scope.tags ?? [])] } }] };

/**
 * Makes a token. The secret is in the answer and nowhere else. @throws TokenScopeError when its machines would lie outside
 * what its maker sees.
 */
export async function createToken(db: Fleet, input: TokenInput): Promise<{ id: string; secret: string }> {
  const id = randomUUID();
  const secret = newSecret();
  if (!mayRead(db.scope, { site: input.site ?? null, tags: input.tags ?? [] }))
    throw new TokenScopeError(`site "${input.site ?? ""}" is outside what you see; use one of ${scopeText(db.scope)}`);
  await db.prisma.$transaction(async (prisma) => {
    await prisma.enrollmentToken.create({
      data: {
        id,
        hash: hashSecret(secret),
        label: input.label ?? "",
        site: input.site ?? null,
        tags: [...(input.tags ?? [])],
        maxUses: input.maxUses,
        expiresAt: input.expiresAt,
        needsApproval: input.needsApproval ?? false,
        createdBy: input.createdBy,
      },
    });
    const { maxUses, expiresAt, label, site, tags, needsApproval } = input;
    await writeAudit(
      { prisma },
      {
        actor: input.createdBy,
        action: "enrollment-token.create",
        subject: id,
        after: { label, site, tags, maxUses, expiresAt, needsApproval },
      },
    );
  });
  return { id, secret };
}

/** Tokens for what is seen, newest first. */
export function listTokens(db: FleetReader): Promise<EnrollmentTokenRow[]> {
  return db.prisma.enrollmentToken.findMany({
    where: within(db),
    omit: { hash: true },
    orderBy: { createdAt: "desc" },
    take: 500,
  });
}

/** No further machine enrols with it; machines that did stay. False when there is no such token, or it was revoked before. */
export async function revokeToken(db: Fleet, id: string, by: { actor: string; now: Date }): Promise<boolean> {
  return db.prisma.$transaction(async (prisma) => {
    const { count } = await prisma.enrollmentToken.updateMany({
      where: { id, revokedAt: null, ...within(db) },
      data: { revokedAt: by.now },
    });
    if (count === 0) return false;
    const token = await prisma.enrollmentToken.findUniqueOrThrow({
      where: { id },
      select: { label: true, uses: true },
    });
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "enrollment-token.revoke",
        subject: id,
        before: { ...token, revoked: false },
        after: { ...token, revoked: true },
      },
    );
    return true;
  });
}

export type TokenRefusal = "bad-token" | "token-expired" | "token-used-up";
export type Redeemed = { ok: true; token: EnrollmentTokenRow } | { ok: false; reason: TokenRefusal };

/** Takes one use of a token. Of many at once, exactly `maxUses` succeed. A revoked token is a bad one. */
export async function redeemToken(db: Reader, secret: string, now: Date): Promise<Redeemed> {
  const hash = hashSecret(secret);
  // A row lock makes the losers of a race see the winner's count.
  const [token] = await db.prisma.$queryRaw<EnrollmentTokenRow[]>`
    UPDATE enrollment_tokens SET uses = uses + 1
    WHERE hash = ${hash} AND revoked_at IS NULL AND expires_at > ${now} AND uses < max_uses
    RETURNING id::text, label, site, tags, max_uses AS "maxUses", uses, expires_at AS "expiresAt",
      needs_approval AS "needsApproval", created_at AS "createdAt", created_by AS "createdBy",
      revoked_at AS "revokedAt"`;
  if (token) return { ok: true, token };
  const found = await db.prisma.enrollmentToken.findUnique({ where: { hash } });
  if (!found || found.revokedAt) return { ok: false, reason: "bad-token" };
  return { ok: false, reason: found.expiresAt <= now ? "token-expired" : "token-used-up" };
}

export interface EnrolInput {
  secret: string;
  now: Date;
  /** Ed25519, SPKI DER. */
  publicKey: Uint8Array;
  hostname: string;
  os: string;
  agentVersion: string;
  simulated: boolean;
  /** Of the machine's installer; the token's site wins, the tags of both count. */
  site?: string | undefined;
  tags?: readonly string[] | undefined;
  /** The empty state of packages/diagnosis. */
  state: MachineState;
}

export type Enrolled =
  | { ok: true; machineId: string; approved: boolean; created: boolean }
  | { ok: false; reason: TokenRefusal | "revoked" };

/**
 * Makes a machine of a token and a key, in one transaction. A key that is enrolled already gives its machine again and
 * takes no use: the answer to it was lost. A revoked key stays revoked.
 */
export function enrolMachine(db: Database, input: EnrolInput): Promise<Enrolled> {
  return db.prisma.$transaction(async (prisma): Promise<Enrolled> => {
    const publicKey = Uint8Array.from(input.publicKey);
    // The same key twice at once: the second waits, and sees the first one's machine.
    await prisma.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(encode(${publicKey}, 'hex'), 0))`;
    const known = await prisma.machine.findUnique({ where: { publicKey } });
    if (known)
      return known.revokedAt
        ? { ok: false, reason: "revoked" }
        : { ok: true, machineId: known.id, approved: known.approved, created: false };
    const redeemed = await redeemToken({ prisma }, input.secret, input.now);
    if (!redeemed.ok) return redeemed;
    const { token } = redeemed;
    const machineId = randomUUID();
    const approved = !token.needsApproval;
    await prisma.machine.create({
      data: {
        id: machineId,
        hostname: toSqlText(input.hostname),
        publicKey,
        tokenId: token.id,
        approved,
        simulated: input.simulated,
        enrolledAt: input.now,
        statusSince: input.now,
        os: toSqlText(input.os),
        agentVersion: toSqlText(input.agentVersion),
        site: token.site ?? (input.site === undefined ? null : toSqlText(input.site)),
        tags: [...new Set([...token.tags, ...(input.tags ?? []).map(toSqlText)])],
        state: { create: { state: JSON.parse(toSqlJson(input.state)), updatedAt: input.now } },
      },
    });
    await prisma.transition.create({
      data: {
        machineId,
        at: input.now,
        id: randomUUID(),
        kind: "enrolled",
        text: approved ? "Enrolled" : "Enrolled, waits for approval",
        detail: token.label || null,
      },
    });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
    return { ok: true, machineId, approved, created: true };
  });
}
