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

/** The identity of a machine, or null when there is none of that id. */
export async function findIdentity(db: Reader, machineId: string): Promise<Identity | null> {
  if (!isUuid(machineId)) return null;
  const found = await db.prisma.machine.findUnique({
    where: { id: machineId },
    select: {
      id: true,
      hostname: true,
      publicKey: true,
      approved: true,
      revokedAt: true,
      clonedAt: true,
      state: { select: { epoch: true, lastSeq: true } },
    },
  });
  if (!found) return null;
  const { id, state, ...rest } = found;
  return { machineId: id, ...rest, epoch: state?.epoch ?? null, lastSeq: Number(state?.lastSeq ?? 0) };
}

/** Notes, or takes back, that a key is used by two machines at once (domain 5.0 rule 17). */
export async function setCloned(db: Database, machineId: string, clonedAt: Date | null): Promise<void> {
  await db.prisma.$executeRaw`
    WITH changed AS (UPDATE machines SET cloned_at = ${clonedAt} WHERE id = ${machineId}::uuid RETURNING id)
    SELECT pg_notify('lynceus', '')::text FROM changed`;
}
