import { settleCanaries } from "@lynceus/db/canaries";
import type { Database } from "@lynceus/db/client";
import { takeTurns, workIsUnderWay } from "@lynceus/db/turns";
import { settleVerifications } from "@lynceus/db/verifications";
import type { Policy } from "@lynceus/protocol/policy";
import type { Logger } from "pino";
import type { Canaries } from "./canary/canaries.ts";
import { coalesce } from "./coalesce.ts";

/**
 * Machines that may be asked to probe per second, so that the target host that most targets share sees at most
 * `requestsPerSecond`: each target is probed on its configured route and past the proxy.
 */
export function machinesPerSecond(policy: Policy, requestsPerSecond: number): number {
  const targets = new Map<string, number>();
  for (const { host, kind } of policy.targets)
    if (kind !== "srv") targets.set(host.toLowerCase(), (targets.get(host.toLowerCase()) ?? 0) + 1);
  return requestsPerSecond / (2 * Math.max(1, ...targets.values()));
}

export interface WorkOptions {
  readonly db: Database;
  readonly policy: () => Policy;
  readonly canaries: Canaries;
  readonly requestsPerSecond: number;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * What people started and the fleet has to do: canaries and verifications. All of it is in the database, so that a
 * collector that ends in the middle is replaced by any other, or by its own next life.
 */
export function createWork({ db, policy, canaries, requestsPerSecond, now, log }: WorkOptions) {
  let busy = true;

  const turn = coalesce(
    async () => {
      const { canaries: waiting, turns } = await workIsUnderWay(db);
      if (waiting) canaries.work();
      if (turns) {
        const at = new Date(now());
        await settleCanaries(db, at);
        await settleVerifications(db, at);
        await takeTurns(db, { now: at, perSecond: machinesPerSecond(policy(), requestsPerSecond) });
      }
      busy = waiting || turns;
    },
    (error) => log.warn({ err: error }, "canaries and verifications wait; it is tried again"),
  );

  return {
    /** Somebody started or ended something. */
    note(): void {
      busy = true;
      turn.ask();
    },

    /** Each second while something is under way. */
    everySecond(): void {
      if (busy) turn.ask();
    },

    async idle(): Promise<void> {
      await turn.idle();
      await canaries.idle();
    },
  };
}
