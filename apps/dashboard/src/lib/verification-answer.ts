import { type CohortGroup, verificationSites } from "@lynceus/db/cohort-sites";
import type { FleetReader } from "@lynceus/db/scope";
import { getVerification, listVerificationMachines } from "@lynceus/db/verifications";
import type { Verification, VerificationMachine, VerificationMachineState } from "@lynceus/protocol/read-api-tools";

/** Machines that are named while a fix is verified. */
const named = 12;

/** How a verification stands, as the page asks for it again and again. */
export interface VerificationAnswer {
  verification: Verification;
  sites: CohortGroup<VerificationMachineState>[];
  /** The first of those that are not known to be rid of it. */
  left: VerificationMachine[];
}

export async function verificationAnswer(db: FleetReader, id: string): Promise<VerificationAnswer | null> {
  const verification = await getVerification(db, id);
  if (verification === null) return null;
  const page = await listVerificationMachines(db, id, { limit: named });
  return {
    verification,
    sites: await verificationSites(db, id),
    left: page.items.filter(({ state }) => state !== "fixed" && state !== "other"),
  };
}
