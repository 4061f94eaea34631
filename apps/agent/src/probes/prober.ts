import type { ProbeFacts, Route } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./context.ts";

/** What the phases of a probe saw; a phase that was not reached is null. */
export type ProbePhases = Pick<ProbeFacts, "dns" | "tcp" | "connect" | "tls" | "http" | "srv">;

/**
 * The way of the probed configuration to an address that no target names: a redirect's, an SRV record's. Direct where
 * the probe itself is forced to be.
 */
export type RouteTo = (target: Target) => Promise<Route>;

/**
 * Probes one target over one route. A refused port, a bad certificate, a 407 are results; a prober rejects only when
 * `ctx.signal` aborts. The caller has checked the fence and owns the deadline of the whole probe.
 */
export type Prober = (target: Target, route: Route, ctx: ProbeContext, routeTo: RouteTo) => Promise<ProbePhases>;

export const nothingReached: ProbePhases = { dns: null, tcp: null, connect: null, tls: null, http: null, srv: null };

/** The target's port; only SRV names have none. @throws for a policy that says otherwise. */
export function portOf(target: Target): number {
  if (target.port === null)
    throw new RangeError(`target "${target.id}" has no port; ${target.kind} needs one, such as 443`);
  return target.port;
}
