import type { Database, Reader } from "./client.ts";
import { isUuid } from "./cursor.ts";

/** What a hello is checked against. */
export interface Identity {
  machineId: string;
  hostname: string;
  /** Ed25519, SPKI DER. */
  publicKey: Uint8Array;
  approved: boolean;
  revokedAt: Date | null;
  clonedAt: Date | null;
  /** Outbox epoch and highest seq of it that is on disk. */
  epoch: string | null;
  lastSeq: number;
}

/** The identities of machines, in one query; those that do not exist are absent. */
export async function findIdentities(db: Reader, machineIds: readonly string[]): Promise<Map<string, Identity>> {
  const ids = machineIds.filter(isUuid);
  if (ids.length === 0) return new Map();
  const rows = await db.prisma.$queryRaw<(Omit<Identity, "lastSeq"> & { lastSeq: bigint | null })[]>`
    SELECT m.id::text AS "machineId", m.hostname, m.public_key AS "publicKey", m.approved, m.revoked_at AS "revokedAt",
      m.cloned_at AS "clonedAt", s.epoch::text AS epoch, s.last_seq AS "lastSeq"
    FROM machines m LEFT JOIN machine_states s ON s.machine_id = m.id
    WHERE m.id = ANY (${ids}::uuid[])`;
  return new Map(rows.map((row) => [row.machineId, { ...row, lastSeq: Number(row.lastSeq ?? 0) }]));
}

/** The identity of a machine, or null when there is none of that id. */
export const findIdentity = async (db: Reader, machineId: string): Promise<Identity | null> =>
  (await findIdentities(db, [machineId])).get(machineId.toLowerCase()) ?? null;

/** Which of these machines are revoked or gone. */
export async function findLost(db: Reader, machineIds: readonly string[]): Promise<string[]> {
  const lost: string[] = [];
  for (const part of inParts(machineIds)) {
    const rows = await db.prisma.$queryRaw<{ id: string }[]>`
      SELECT id::text FROM machines WHERE id = ANY (${part}::uuid[]) AND revoked_at IS NULL`;
    const valid = new Set(rows.map((row) => row.id));
    lost.push(...part.filter((id) => !valid.has(id)));
  }
  return lost;
}

/** Notes that these machines were heard until `seenAt`. */
export async function noteSeen(db: Database, machineIds: readonly string[], seenAt: Date): Promise<void> {
  for (const part of inParts(machineIds))
    await db.prisma.$executeRaw`
      UPDATE machines SET last_seen_at = greatest(last_seen_at, ${seenAt}) WHERE id = ANY (${part}::uuid[])`;
}

/** Ids a statement. */
const partSize = 5_000;
function* inParts(ids: readonly string[]): Generator<string[]> {
  for (let start = 0; start < ids.length; start += partSize) yield ids.slice(start, start + partSize);
}

/** Notes, or takes back, that a key is used by two machines at once (domain 5.0 rule 17). */
export async function setCloned(db: Database, machineId: string, clonedAt: Date | null): Promise<void> {
  await db.prisma.$executeRaw`
    WITH changed AS (UPDATE machines SET cloned_at = ${clonedAt} WHERE id = ${machineId}::uuid RETURNING id),
    marked AS (UPDATE machine_traits t SET changed_at = now() FROM changed c WHERE t.machine_id = c.id)
    SELECT pg_notify('lynceus', '')::text FROM changed`;
}
