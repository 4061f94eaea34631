import type { ScriptMemory } from "../proxy/script-memory.ts";
import type { TrustStore } from "./trust-store.ts";

/** Wall clock and monotonic clock, both in milliseconds. Only `main.ts` makes the real one. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** What this machine may ever probe: set by its installer, never by a policy (domain 5.0 rule 16). */
export interface Fence {
  /** Domain suffixes or whole hosts; an address stands for itself alone. */
  readonly suffixes: readonly string[];
  readonly ports: readonly number[];
}

/** Milliseconds each phase may take (domain 6.2). */
export interface Timeouts {
  readonly dns: number;
  readonly tcp: number;
  readonly tls: number;
  /** From the request to the last byte of the header, for CONNECT too. */
  readonly http: number;
  /** What is waited for a body whose header has come. */
  readonly body: number;
  readonly probe: number;
  readonly pacFetch: number;
  /** CPU time of one call of FindProxyForURL. */
  readonly pacEval: number;
  /** Until a child process of ours is up; generous, because a busy machine starts slowly. */
  readonly childStart: number;
}

export const defaultTimeouts: Timeouts = {
  dns: 3_000,
  tcp: 5_000,
  tls: 5_000,
  http: 10_000,
  body: 1_000,
  probe: 20_000,
  pacFetch: 10_000,
  pacEval: 500,
  childStart: 10_000,
};

/** How names are resolved. */
export interface ResolverOptions {
  /** Ask these servers (`address` or `address:port`) instead of the system's resolver. */
  readonly servers: readonly string[] | null;
}

/** Everything a probe needs of the outside, so that a test can give it another world. */
export interface ProbeContext {
  readonly clock: Clock;
  readonly fence: Fence;
  /** Aborted when the agent stops: running probes then reject. */
  readonly signal: AbortSignal;
  readonly trust: TrustStore;
  /** Addresses that are not connected to, whatever name leads there; absent: none. */
  readonly refusesAddress?: (address: string) => boolean;
  readonly resolver: ResolverOptions;
  readonly timeouts: Timeouts;
  /** Of earlier cycles; absent: every script is fetched and run anew. */
  readonly scripts?: ScriptMemory;
  /** `Lynceus/<version> (monitoring)`: fixed, so that Exchange admins can filter it (domain 6.2). */
  readonly userAgent: string;
}

export const userAgentOf = (version: string) => `Lynceus/${version} (monitoring)`;
