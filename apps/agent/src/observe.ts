import type { PacFacts, ProbeFacts, SettingsFacts, SystemFacts, WpadFacts } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { clockSkew, clockSources, type SkewSample, skewSample } from "./clock-skew.ts";
import { locate } from "./location.ts";
import { sourceAddress } from "./platform/addresses.ts";
import { readSystemFacts } from "./platform/network.ts";
import type { ProbeContext } from "./probes/context.ts";
import { forcedDirect, probeTarget, type RoutedConfiguration } from "./probes/probe.ts";
import { routeConfigurations } from "./proxy/scripts.ts";
import { probedInTurn, readSettings, type SettingsContext } from "./proxy/settings.ts";
import { askWinHttp } from "./proxy/winhttp-routes.ts";
import { probeRevocation, revocationNotes } from "./revocation.ts";

/** Facts without the envelope: number, time and digest are made by whoever keeps them. */
export type Draft = { readonly key: string; readonly location: Location } & (
  | { readonly kind: "system"; readonly facts: SystemFacts }
  | { readonly kind: "settings"; readonly facts: SettingsFacts }
  | { readonly kind: "wpad"; readonly facts: WpadFacts }
  | { readonly kind: "pac"; readonly facts: PacFacts }
  | { readonly kind: "probe"; readonly facts: ProbeFacts }
);
/** What a cycle needs of this machine. */
export interface ObserveContext {
  readonly probes: ProbeContext;
  readonly settings: SettingsContext;
  /** Number of the whole cycle, by which configurations beyond the bound have their turns. */
  readonly turn?: number;
  readonly agentVersion: string;
  readonly simulated: boolean;
  /** Name to report instead of the system's. */
  readonly hostname?: string | null;
  /** Port of the WPAD server; 80 but in tests. */
  readonly wpadPort?: number;
}

export interface Cycle {
  readonly policy: Policy;
  readonly ctx: ObserveContext;
  /** Ids of the targets to probe; all that the location uses when absent. */
  readonly only?: readonly string[];
  /** False: only probes, as for a failed target that is tried again. */
  readonly whole?: boolean;
  readonly onProbe?: (done: number, total: number) => void;
}

/** Probes at a time on one machine (domain 6.2). */
const concurrency = 2;

interface Job {
  readonly target: Target;
  readonly via: ProbeFacts["via"];
  readonly configuration: RoutedConfiguration;
}

/**
 * Each target on the configured route of each configuration, and once past all proxies where one of them leads through
 * a proxy. Where the configured route is direct, its probe is the direct one as well.
 */
function jobsOf(targets: readonly Target[], configurations: readonly RoutedConfiguration[]): Job[] {
  return targets.flatMap((target) => {
    const configured = configurations.map((configuration) => ({ target, via: "configured" as const, configuration }));
    const proxied = configured.find(({ configuration }) => configuration.route(target).kind !== "direct");
    return proxied ? [...configured, { ...proxied, via: "direct" as const }] : configured;
  });
}

/** Two configurations that go the same way to a target are one probe. */
function wayOf({ target, via, configuration }: Job): string {
  const { kind, proxy } = configuration.route(target);
  // What an SRV record names is visited on the way that the configuration gives it.
  if (target.kind === "srv") return `${target.id} ${configuration.id}`;
  const way = via === "direct" || kind === "direct" ? "direct" : `${proxy?.scheme}://${proxy?.host}:${proxy?.port}`;
  return `${target.id} ${way}`;
}

/** Results of `run` over `items`, at most `limit` at a time, each as soon as it is there. */
async function* pooled<T, R>(items: readonly T[], limit: number, run: (item: T) => Promise<R>): AsyncGenerator<R> {
  const running = new Map<number, Promise<{ index: number; result: R }>>();
  let next = 0;
  try {
    while (next < items.length || running.size > 0) {
      while (next < items.length && running.size < limit) {
        const index = next++;
        running.set(
          index,
          run(items[index] as T).then((result) => ({ index, result })),
        );
      }
      const { index, result } = await Promise.race(running.values());
      running.delete(index);
      yield result;
    }
  } finally {
    // Left early: what still runs is nobody's, also when it fails.
    for (const pending of running.values()) pending.catch(() => {});
  }
}

const probeDraft = (facts: ProbeFacts, location: Location): Draft => ({
  kind: "probe",
  key: `probe:${facts.configuration}:${facts.target}:${facts.via}`,
  location,
  facts,
});

/**
 * One look at everything: settings, scripts, then each target of the policy that the location uses, on its configured
 * route and past the proxy. Facts come as they are seen; those of the system last, because the probes measure the
 * clock. Rejects when `ctx.probes.signal` aborts.
 */
export async function* observeCycle({ policy, ctx, only, whole = true, onProbe }: Cycle): AsyncGenerator<Draft> {
  const { probes } = ctx;
  const [network, read, myIpAddress] = await Promise.all([
    readSystemFacts(ctx.settings.windows),
    readSettings(ctx.settings),
    sourceAddress(),
  ]);
  probes.signal.throwIfAborted();
  const { location, by } = await locate(policy, network, probes);
  if (whole) yield { kind: "settings", key: "settings", location, facts: read.facts };

  probes.signal.throwIfAborted();
  const wanted = only ? new Set(only) : null;
  const targets = policy.targets.filter(
    (target) => target.locations.includes(location) && (wanted === null || wanted.has(target.id)),
  );
  const probed = new Set(probedInTurn(read.facts.configurations, ctx.turn ?? 0));
  const inForce = new Map([...read.configurations].filter(([id]) => probed.has(id)));
  const { configurations, wpad, pac } = await routeConfigurations(inForce, targets, {
    probes,
    suffixes: network.dnsSuffixes,
    myIpAddress,
    zones: read.zones,
    winhttp: ctx.settings.windows ? { ask: askWinHttp, userOf: read.userOf } : null,
    ...(ctx.wpadPort === undefined ? {} : { wpadPort: ctx.wpadPort }),
  });
  if (whole) {
    yield { kind: "wpad", key: "wpad", location, facts: wpad };
    for (const facts of pac) yield { kind: "pac", key: `pac:${facts.configuration}`, location, facts };
  }

  const byWay = new Map<string, Job[]>();
  for (const job of jobsOf(targets, configurations)) byWay.set(wayOf(job), [...(byWay.get(wayOf(job)) ?? []), job]);
  const ways = [...byWay.values()];
  const samples: SkewSample[] = [];
  const notes = revocationNotes(probes);
  let done = 0;
  for await (const drafts of pooled(ways, concurrency, async (jobs) => {
    const [first] = jobs;
    if (!first) return [];
    const facts = await probeTarget(first.target, first.configuration, first.via, probes);
    const sample = skewSample(facts, probes.clock.now());
    if (sample) samples.push(sample);
    return jobs.map(({ target, via, configuration }) => ({
      ...facts,
      via,
      configuration: configuration.id,
      route: via === "direct" ? forcedDirect : configuration.route(target),
      zone: configuration.zone(target),
    }));
  })) {
    onProbe?.(++done, ways.length);
    for (const facts of drafts) {
      notes.note(facts);
      yield probeDraft(facts, location);
    }
  }
  if (!whole) return;
  // As seldom as whatever else decides no status (rule 15).
  if (targets.some(({ cadence }) => cadence === "sampled"))
    for await (const facts of probeRevocation(configurations, notes, location, probes))
      yield probeDraft(facts, location);
  const facts: SystemFacts = {
    ...network,
    ...(ctx.hostname ? { hostname: ctx.hostname } : {}),
    agentVersion: ctx.agentVersion,
    locationBy: by,
    clockSkewMs: clockSkew(samples),
    clockSources: clockSources(samples),
    simulated: ctx.simulated,
  };
  yield { kind: "system", key: "system", location, facts };
}
