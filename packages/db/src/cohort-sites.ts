import type { CanaryEffect, VerificationMachineState } from "@lynceus/protocol/read-api-tools";
import { Prisma } from "./client.ts";
import { isUuid } from "./cursor.ts";
import { type FleetReader, machines, madeWithin } from "./scope.ts";

/** How many machines of a site, or behind a proxy, are in each state. */
export interface CohortGroup<S extends string> {
  /** Null: no site, or a route that is not known. */
  name: string | null;
  states: Partial<Record<S, number>>;
  machines: number;
}

interface Row {
  name: string | null;
  state: string;
  machines: number;
}

/** Groups by name, the largest first. */
function grouped<S extends string>(rows: readonly Row[]): CohortGroup<S>[] {
  const byName = new Map<string | null, CohortGroup<S>>();
  for (const { name, state, machines } of rows) {
    const group = byName.get(name);
    const states: Partial<Record<string, number>> = { ...group?.states, [state]: machines };
    byName.set(name, {
      name,
      states: states as Partial<Record<S, number>>,
      machines: (group?.machines ?? 0) + machines,
    });
  }
  return [...byName.values()].sort(
    (a, b) => b.machines - a.machines || (a.name ?? "\uffff").localeCompare(b.name ?? "\uffff", "en"),
  );
}

/** A verification's machines by site. Not an id: none. */
export async function verificationSites(db: FleetReader, id: string): Promise<CohortGroup<VerificationMachineState>[]> {
  if (!isUuid(id)) return [];
  return grouped(
    await db.prisma.$queryRaw<Row[]>`
      SELECT m.site AS name, v.state, count(*)::int AS machines
      FROM fix_verification_machines v
        JOIN fix_verifications k ON k.id = v.verification_id AND ${madeWithin(db, Prisma.sql`k`)}
        JOIN ${machines(db)} m ON m.id = v.machine_id
      WHERE v.verification_id = ${id}::uuid GROUP BY 1, 2`,
  );
}

/** A canary's machines by site, or by the configured route of EWS that they have now. Not an id: none. */
export async function canaryGroups(
  db: FleetReader,
  id: string,
  by: "site" | "proxy",
): Promise<CohortGroup<CanaryEffect>[]> {
  if (!isUuid(id)) return [];
  const name = by === "site" ? Prisma.sql`m.site` : Prisma.sql`m.route`;
  return grouped(
    await db.prisma.$queryRaw<Row[]>`
      SELECT ${name} AS name, r.effect AS state, count(*)::int AS machines
      FROM canary_results r JOIN canaries k ON k.id = r.canary_id AND ${madeWithin(db, Prisma.sql`k`)}
        JOIN ${machines(db)} m ON m.id = r.machine_id
      WHERE r.canary_id = ${id}::uuid GROUP BY 1, 2`,
  );
}
