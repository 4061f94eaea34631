import type { ProbeFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { Target } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { makeResolver, rcodeOf } from "./dns.ts";
import { isInsideFence } from "./fence.ts";
import { probeTls } from "./probe-tls.ts";
import { nothingReached, type ProbePhases, type Prober, type RouteTo } from "./prober.ts";

/**
 * Whether the server that sign-in would choose accepts (domain 5.0 rule 11): the best record's, inside the fence, and
 * only where the way to it is direct, as the probe's own route says. Other services' records are not visited.
 */
async function visitBest(
  srv: NonNullable<ProbeFacts["srv"]>,
  target: Target,
  ctx: ProbeContext,
  routeTo: RouteTo,
): Promise<Pick<ProbePhases, "tcp" | "tls">> {
  const best = srv.find(({ host, port }) => port > 0 && host !== "" && host !== ".");
  if (target.service !== "sip-srv" || !best || !isInsideFence(best.host, best.port, ctx.fence))
    return { tcp: null, tls: null };
  const server: Target = { ...target, kind: "tls", host: best.host, port: best.port, path: null };
  const route = await routeTo(server);
  if (route.kind !== "direct") return { tcp: null, tls: null };
  const { tcp, tls } = await probeTls(server, route, ctx, routeTo);
  return { tcp, tls };
}

/** SRV records of a name, asked of DNS, which takes no proxy; and for SIP, whether the server they name accepts. */
export const probeSrv: Prober = async (target, _route, ctx, routeTo) => {
  const started = ctx.clock.monotonic();
  const resolver = makeResolver(ctx);
  const dns = (rcode: string) => ({
    ok: rcode === "NOERROR",
    name: target.host,
    rcode,
    addresses: [],
    ms: ctx.clock.monotonic() - started,
  });
  try {
    const records = await withDeadline(ctx.timeouts.dns, ctx.signal, () => resolver.resolveSrv(target.host));
    const srv = records
      .filter(({ name }) => name.length <= limits.hostChars)
      .slice(0, limits.srvRecords)
      .map(({ name, port, priority, weight }) => ({ host: name.toLowerCase(), port, priority, weight }))
      .sort((a, b) => a.priority - b.priority || b.weight - a.weight || (a.host < b.host ? -1 : 1));
    const answered = dns("NOERROR");
    return { ...nothingReached, dns: answered, srv, ...(await visitBest(srv, target, ctx, routeTo)) };
  } catch (error) {
    ctx.signal.throwIfAborted();
    return { ...nothingReached, dns: dns(rcodeOf(error)), srv: [] };
  } finally {
    resolver.cancel();
  }
};
