import { limits } from "@lynceus/protocol/limits";
import { withDeadline } from "./deadline.ts";
import { makeResolver, rcodeOf } from "./dns.ts";
import { nothingReached, type Prober } from "./prober.ts";

/** SRV records of a name, asked of DNS; the route does not matter. The hosts found are recorded, not visited. */
export const probeSrv: Prober = async (target, _route, ctx) => {
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
    return { ...nothingReached, dns: dns("NOERROR"), srv };
  } catch (error) {
    ctx.signal.throwIfAborted();
    return { ...nothingReached, dns: dns(rcodeOf(error)), srv: [] };
  } finally {
    resolver.cancel();
  }
};
