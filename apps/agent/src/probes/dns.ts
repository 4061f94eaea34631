import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { DnsPhase } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { ProbeContext } from "./context.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { codeOf } from "./errors.ts";

/** DNS words for the resolver library's codes. */
const rcodes: Record<string, string> = {
  ENOTFOUND: "NXDOMAIN",
  ENODATA: "NODATA",
  ESERVFAIL: "SERVFAIL",
  EREFUSED: "REFUSED",
  ETIMEOUT: "TIMEOUT",
  EBADNAME: "BADNAME",
};

/** Rcode of a failed query, or the resolver's own word where DNS has none for it. */
export const rcodeOf = (error: unknown): string =>
  error instanceof DeadlineError ? "TIMEOUT" : (rcodes[codeOf(error)] ?? (codeOf(error).slice(0, 32) || "FAILED"));

/** A resolver that asks what the context says. Made anew each time: /etc/resolv.conf changes with the network. */
export function makeResolver(ctx: ProbeContext): Resolver {
  const resolver = new Resolver({ timeout: Math.max(250, Math.floor(ctx.timeouts.dns / 3)), tries: 2 });
  if (ctx.resolver.servers) resolver.setServers(ctx.resolver.servers);
  return resolver;
}

/** A and AAAA of a name by DNS alone. @throws the first error when both fail. */
async function queryAddresses(name: string, resolver: Resolver): Promise<string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  // NODATA for one family says nothing when the other failed outright.
  const reasons = answers.map((answer) => (answer.status === "rejected" ? answer.reason : null));
  throw reasons.find((reason) => codeOf(reason) !== "ENODATA") ?? reasons[0];
}

/**
 * Resolves a name as programs of this machine do (hosts file, NSS, then DNS). Where that fails, DNS is asked for its
 * own reason, which getaddrinfo does not tell. Never rejects but when the agent stops.
 */
export async function resolveName(name: string, ctx: ProbeContext): Promise<DnsPhase> {
  const started = ctx.clock.monotonic();
  const phase = (ok: boolean, rcode: string, addresses: string[]): DnsPhase => ({
    ok,
    name,
    rcode,
    addresses: addresses.slice(0, limits.addresses),
    ms: ctx.clock.monotonic() - started,
  });
  if (isIP(name)) return { ok: true, name, rcode: "LITERAL", addresses: [name], ms: 0 };
  const resolver = makeResolver(ctx);
  try {
    return await withDeadline(ctx.timeouts.dns, ctx.signal, async () => {
      try {
        const addresses = ctx.resolver.servers
          ? await queryAddresses(name, resolver)
          : (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
        return phase(true, "NOERROR", [...new Set(addresses)]);
      } catch (error) {
        if (ctx.resolver.servers) return phase(false, rcodeOf(error), []);
        const reason = await queryAddresses(name, resolver).then(
          () => error,
          (own) => own,
        );
        return phase(false, rcodeOf(reason), []);
      }
    });
  } catch (error) {
    ctx.signal.throwIfAborted();
    return phase(false, rcodeOf(error), []);
  } finally {
    resolver.cancel();
  }
}
