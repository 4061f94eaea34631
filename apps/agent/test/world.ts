import type { ProxyAddress, Route } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import { defaultTimeouts, type ProbeContext, type Timeouts, userAgentOf } from "../src/probes/context.ts";
import type { RoutedConfiguration } from "../src/probes/probe.ts";
import { makeTrustStore } from "../src/probes/trust-store.ts";

/** A probe context for loopback, with the parts that a test cares about replaced. */
export function world(
  parts: Partial<Omit<ProbeContext, "timeouts">> & { timeouts?: Partial<Timeouts>; trusted?: string } = {},
): ProbeContext {
  const { timeouts, trusted, ...rest } = parts;
  return {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    fence: {
      suffixes: ["contoso.com", "127.0.0.1", "localhost"],
      ports: Array.from({ length: 65_535 }, (_, i) => i + 1),
    },
    signal: new AbortController().signal,
    trust: makeTrustStore(trusted ?? "", "test"),
    resolver: { servers: null },
    userAgent: userAgentOf("0.0.0"),
    ...rest,
    timeouts: { ...defaultTimeouts, ...timeouts },
  };
}

export const direct: Route = { kind: "direct", proxy: null, by: "none", list: "" };

export const through = (proxy: ProxyAddress): Route => ({
  kind: "proxy",
  proxy,
  by: "manual",
  list: `${proxy.host}:${proxy.port}`,
});

export const httpProxy = ({ host, port }: { host: string; port: number }): ProxyAddress => ({
  scheme: "http",
  host,
  port,
});

/** A configuration that sends everything one way. */
export const always = (route: Route): RoutedConfiguration => ({
  id: "c1",
  route: () => route,
  routeTo: async () => route,
  zone: () => "unknown",
});

/** A target with the fields that a test cares about. */
export const targetOf = (parts: Partial<Target> & Pick<Target, "kind" | "host" | "port">): Target => ({
  id: "ews",
  service: "ews",
  path: "/EWS/Exchange.asmx",
  locations: ["inside", "vpn", "outside", "unknown"],
  accept: [],
  cadence: "cycle",
  expectedIssuers: [],
  ...parts,
});
