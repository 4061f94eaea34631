import type { ProbeFacts, Route } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Target } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./probes/context.ts";
import { isInsideFence } from "./probes/fence.ts";
import { probeTarget, type RoutedConfiguration } from "./probes/probe.ts";

/** Hosts asked in one cycle: a chain of three certificates names about as many. */
const maxHosts = 4;
const port = 80;

/** Services whose certificates Lync itself checks. */
const checked = new Set(["ews", "autodiscover", "lync-discover", "lync-web", "lync-rgs", "lync-abs"]);

/** Notes which revocation servers the certificates of a cycle name, by configuration. */
export interface RevocationNotes {
  note(facts: ProbeFacts): void;
  hostsOf(configuration: string): readonly string[];
}

/** What lies outside the machine's fence is not even noted (domain 5.0 rule 16); the probe's own facts name it. */
export function revocationNotes(ctx: Pick<ProbeContext, "fence">): RevocationNotes {
  const notes = new Map<string, Set<string>>();
  return {
    note({ via, configuration, endpoint, tls }) {
      if (via !== "configured" || !checked.has(endpoint.service)) return;
      const known = notes.get(configuration) ?? new Set();
      for (const host of tls?.revocationHosts ?? [])
        if (known.size < maxHosts && isInsideFence(host, port, ctx.fence)) known.add(host);
      notes.set(configuration, known);
    },
    hostsOf: (configuration) => [...(notes.get(configuration) ?? [])],
  };
}

const targetOf = (host: string, location: Location): Target => ({
  id: `revocation-${host}`,
  service: "revocation",
  kind: "http",
  host,
  port,
  path: "/",
  locations: [location],
  accept: [],
  cadence: "sampled",
  expectedIssuers: [],
});

const wayOf = (host: string, { kind, proxy }: Route): string =>
  kind === "proxy" ? `${host} ${proxy?.scheme}://${proxy?.host}:${proxy?.port}` : `${host} ${kind}`;

/**
 * Asks the noted servers over plain http, on the way that each configuration gives them (domain 5.0 rule 2). Any answer
 * shows that they are reached. Two configurations that go the same way are one probe.
 */
export async function* probeRevocation(
  configurations: readonly RoutedConfiguration[],
  notes: RevocationNotes,
  location: Location,
  ctx: ProbeContext,
): AsyncGenerator<ProbeFacts> {
  const done = new Map<string, ProbeFacts>();
  for (const configuration of configurations) {
    for (const host of notes.hostsOf(configuration.id)) {
      ctx.signal.throwIfAborted();
      const target = targetOf(host, location);
      const route = await configuration.routeTo(target, ctx);
      const way = wayOf(host, route);
      const routed: RoutedConfiguration = { ...configuration, route: () => route, zone: () => "unknown" };
      const facts = done.get(way) ?? (await probeTarget(target, routed, "configured", ctx));
      done.set(way, facts);
      yield { ...facts, configuration: configuration.id, route };
    }
  }
}
