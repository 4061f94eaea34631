import type { MachineStatus, PatternId } from "@lynceus/protocol/names";
import { Prisma } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/** Machines of one site, status and primary finding: what the overview's heat map is made of. */
export interface FleetCell {
  /** Null: machines at no site of the map. */
  site: string | null;
  status: MachineStatus;
  /** Healthy machines that carry a finding are counted apart. */
  atRisk: boolean;
  pattern: PatternId | null;
  machines: number;
  simulated: number;
}

/** Every machine that is not revoked, in exactly one cell. */
export function fleetCells(db: FleetReader, query: { site?: string | null } = {}): Promise<FleetCell[]> {
  return db.prisma.$queryRaw<FleetCell[]>`
    SELECT m.site, m.status, m.at_risk AS "atRisk", m.primary_pattern AS pattern, count(*)::int AS machines,
      count(*) FILTER (WHERE m.simulated)::int AS simulated
    FROM ${machines(db)} m WHERE m.revoked_at IS NULL ${query.site ? Prisma.sql`AND m.site = ${query.site}` : Prisma.empty}
    GROUP BY 1, 2, 3, 4`;
}
