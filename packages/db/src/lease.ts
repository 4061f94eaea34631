import type { Database, Reader } from "./client.ts";

/*
 * Work that one collector of all does, as long as it lives: a lease by the database's clock, so that nobody's own clock
 * counts, and no connection has to be held for it.
 */

const keyOf = (name: string) => `lease-${name}`;

/** Takes or keeps a lease for `seconds`. False while another holder's has not run out. */
export async function takeLease(db: Database, name: string, holder: string, seconds: number): Promise<boolean> {
  const rows = await db.prisma.$queryRaw<unknown[]>`
    INSERT INTO settings AS s (key, value, updated_at)
    VALUES (${keyOf(name)}, jsonb_build_object('holder', ${holder}::text,
      'until', extract(epoch FROM now()) + ${seconds}::float8), now())
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
      WHERE s.value->>'holder' = ${holder} OR (s.value->>'until')::float8 < extract(epoch FROM now())
    RETURNING 1`;
  return rows.length > 0;
}

/** Gives a lease back, so that another holder need not wait for its end. */
export async function dropLease(db: Database, name: string, holder: string): Promise<void> {
  await db.prisma.$executeRaw`DELETE FROM settings WHERE key = ${keyOf(name)} AND value->>'holder' = ${holder}`;
}

/** The lease is somebody else's by now: what was about to be written must not be. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/**
 * Makes sure, within a transaction, that the lease is still the holder's, and keeps it so until the transaction ends:
 * whoever else wants it waits. Throws a LeaseLostError, upon which nothing of the transaction is stored.
 */
export async function fenceLease(tx: Reader, name: string, holder: string): Promise<void> {
  const rows = await tx.prisma.$queryRaw<unknown[]>`
    SELECT 1 AS held FROM settings WHERE key = ${keyOf(name)} AND value->>'holder' = ${holder}
      AND (value->>'until')::float8 > extract(epoch FROM clock_timestamp()) FOR UPDATE`;
  if (rows.length === 0) throw new LeaseLostError(`the lease "${name}" is not ${holder}'s any more`);
}
