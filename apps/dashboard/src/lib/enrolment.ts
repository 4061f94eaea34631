import type { Database } from "@lynceus/db/client";

/** A machine that needs an admin's eye before it counts. */
export interface NoticedMachine {
  id: string;
  hostname: string;
  os: string;
  site: string | null;
  enrolledAt: Date;
  clonedAt: Date | null;
}

const fields = { id: true, hostname: true, os: true, site: true, enrolledAt: true, clonedAt: true } as const;
/** The lists of the page are short; the counts beside them are whole. */
const most = 100;

/** Machines that wait for approval and machines whose key was seen twice, oldest first, with how many there are. */
export async function noticedMachines(
  db: Database,
): Promise<Record<"waiting" | "cloned", { machines: NoticedMachine[]; total: number }>> {
  const list = async (where: { approved?: false; clonedAt?: { not: null } }) => {
    const living = { ...where, revokedAt: null };
    const [machines, total] = await Promise.all([
      db.prisma.machine.findMany({ where: living, select: fields, orderBy: { enrolledAt: "asc" }, take: most }),
      db.prisma.machine.count({ where: living }),
    ]);
    return { machines, total };
  };
  const [waiting, cloned] = await Promise.all([list({ approved: false }), list({ clonedAt: { not: null } })]);
  return { waiting, cloned };
}
