import type { Location, Verdict } from "@lynceus/protocol/names";
import type { Reader } from "./client.ts";

/** Machines that share what fleet findings compare (domain 5.0 rules 10 and 17). */
export interface FleetGroupRow {
  /** Simulated machines say nothing about real ones. */
  simulated: boolean;
  site: string | null;
  location: Location;
  route: string | null;
  verdictConfigured: Verdict | null;
  verdictDirect: Verdict | null;
  tlsIssuer: string | null;
  tlsSpki: string | null;
  machines: number;
}

/** The fleet's fresh machines (seen since `freshSince`), grouped; unapproved, cloned, revoked and signed-off ones take no part. */
export async function fleetGroups(db: Reader, freshSince: Date): Promise<FleetGroupRow[]> {
  return db.prisma.$queryRaw<FleetGroupRow[]>`
    SELECT simulated, site, location, route, verdict_configured AS "verdictConfigured", verdict_direct AS "verdictDirect",
      tls_issuer AS "tlsIssuer", tls_spki AS "tlsSpki", count(*)::int AS machines
    FROM machines
    WHERE last_seen_at >= ${freshSince} AND approved AND cloned_at IS NULL AND revoked_at IS NULL
      AND status <> 'signed-off'
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`;
}
