import type { ProbeFacts, Route } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./context.ts";
import { isInsideFence } from "./fence.ts";
import { nothingReached, type ProbePhases } from "./prober.ts";
import { probers } from "./registry.ts";

/** An effective configuration with its scripts evaluated: it knows the way to every target. */
export interface RoutedConfiguration {
  readonly id: string;
  route(target: Target): Route;
  /** The same for an address that no target names; scripts are asked about it now. */
  routeTo(target: Target, ctx: ProbeContext): Promise<Route>;
  zone(target: Target): ProbeFacts["zone"];
}

/** The counterfactual: past every proxy, whatever the settings say. */
export const forcedDirect: Route = { kind: "direct", proxy: null, by: "forced", list: "" };

/** Runs the prober within the deadline of the whole probe, which its phases then see as their own. */
async function within(
  ms: number,
  ctx: ProbeContext,
  work: (ctx: ProbeContext) => Promise<ProbePhases>,
): Promise<{ phases: ProbePhases; timedOut: boolean }> {
  const started = ctx.clock.monotonic();
  const left = () => Math.max(1, ms - (ctx.clock.monotonic() - started));
  // Each phase takes the shorter of its own time and what is left, so that a late phase still reports itself.
  const timeouts = new Proxy(ctx.timeouts, {
    get: (all, name: keyof ProbeContext["timeouts"]) => Math.min(all[name], left()),
  });
  const phases = await work({ ...ctx, timeouts });
  return { phases, timedOut: ctx.clock.monotonic() - started >= ms };
}

/**
 * Probes one target over one route of one configuration. A target outside the fence is refused: nothing is sent, not
 * even a question to DNS. Rejects with the signal's reason when the agent stops, else never.
 */
export async function probeTarget(
  target: Target,
  configuration: RoutedConfiguration,
  via: ProbeFacts["via"],
  ctx: ProbeContext,
): Promise<ProbeFacts> {
  ctx.signal.throwIfAborted();
  const route = via === "direct" ? forcedDirect : configuration.route(target);
  const facts = {
    configuration: configuration.id,
    target: target.id,
    via,
    endpoint: {
      service: target.service,
      kind: target.kind,
      host: target.host,
      port: target.port,
      path: target.path,
    },
    route,
    zone: configuration.zone(target),
  };
  // `_sip._tls.contoso.com` lies where contoso.com does.
  const host = target.kind === "srv" ? target.host.replace(/^(_[^.]+\.)+/, "") : target.host;
  if (!isInsideFence(host, target.port, ctx.fence))
    return { ...facts, ...nothingReached, timedOut: false, fenced: true, totalMs: 0 };
  const started = ctx.clock.monotonic();
  const { phases, timedOut } = await within(ctx.timeouts.probe, ctx, (limited) =>
    probers[target.kind](target, route, limited, async (next) =>
      via === "direct" ? forcedDirect : configuration.routeTo(next, limited),
    ),
  );
  return { ...facts, ...phases, timedOut, fenced: false, totalMs: ctx.clock.monotonic() - started };
}
