import { Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/** A machine that needs an admin's eye before it counts. */
export interface NoticedMachine {
  id: string;
  hostname: string;
  os: string;
  site: string | null;
  enrolledAt: Date;
  clonedAt: Date | null;
}

/** Lists are short; the counts beside them are whole. */
const most = 100;

interface Noticed {
  machines: NoticedMachine[];
  total: number;
}

/** Machines that wait for approval and machines whose key was seen twice, oldest first, with how many there are. */
export async function noticedMachines(db: FleetReader): Promise<Record<"waiting" | "cloned", Noticed>> {
  const list = async (which: Prisma.Sql): Promise<Noticed> => {
    const living = Prisma.sql`${machines(db)} m WHERE ${which} AND m.revoked_at IS NULL`;
    const [found, [count]] = await Promise.all([
      db.prisma.$queryRaw<NoticedMachine[]>`
        SELECT m.id::text AS id, m.hostname, m.os, m.site, m.enrolled_at AS "enrolledAt", m.cloned_at AS "clonedAt"
        FROM ${living} ORDER BY m.enrolled_at, m.id LIMIT ${most}`,
      db.prisma.$queryRaw<{ total: number }[]>`SELECT count(*)::int AS total FROM ${living}`,
    ]);
    return { machines: found, total: count?.total ?? 0 };
  };
  const [waiting, cloned] = await Promise.all([
    list(Prisma.sql`NOT m.approved`),
    list(Prisma.sql`m.cloned_at IS NOT NULL`),
  ]);
  return { waiting, cloned };
}
