import { isForbiddenAddress, isLoopbackAddress } from "../hosts.ts";
import { findExchange } from "./exchange.ts";
import { findLync } from "./lync.ts";
import type { Context, Names, Step } from "./step.ts";

/** What was looked for and what of it belongs into the form. */
export interface Discovery {
  domains: { domain: string; kind: "smtp" | "sip"; steps: Step[] }[];
  ews: string[];
  lyncWeb: string[];
}

/** Whole search, in ms; one question of it. */
const wholeMs = 20_000;
const questionMs = 5_000;

/**
 * Looks for the servers of the domains by DNS and one anonymous GET each. It changes nothing, sends no credentials, and
 * asks no address of this server itself nor of its cloud's metadata, whatever a name resolves to.
 */
export async function discover(
  domains: { smtp: readonly string[]; sip: readonly string[] },
  how: { names: Names; monotonic: () => number; allowLoopback: boolean; httpsPort?: number; signal?: AbortSignal },
): Promise<Discovery> {
  const context: Context = {
    names: how.names,
    monotonic: how.monotonic,
    signal: how.signal ?? AbortSignal.timeout(wholeMs),
    allowed: (address) => !isForbiddenAddress(address) || (how.allowLoopback && isLoopbackAddress(address)),
    httpsPort: how.httpsPort ?? 443,
    timeoutMs: questionMs,
  };
  const [exchange, lync] = await Promise.all([
    Promise.all(domains.smtp.map(async (domain) => ({ domain, ...(await findExchange(context, domain)) }))),
    Promise.all(domains.sip.map(async (domain) => ({ domain, ...(await findLync(context, domain)) }))),
  ]);
  return {
    domains: [
      ...exchange.map(({ domain, steps }) => ({ domain, kind: "smtp" as const, steps })),
      ...lync.map(({ domain, steps }) => ({ domain, kind: "sip" as const, steps })),
    ],
    ews: [...new Set(exchange.flatMap((one) => one.ews))],
    lyncWeb: [...new Set(lync.flatMap((one) => one.web))],
  };
}
