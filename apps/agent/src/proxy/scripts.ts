import type { PacFacts, WpadFacts } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import type { InForce } from "@lynceus/proxy-settings/effective";
import { type PacOutcome, resolveRoute } from "@lynceus/proxy-settings/route";
import { zoneOf } from "@lynceus/proxy-settings/zone";
import type { ProbeContext } from "../probes/context.ts";
import type { RoutedConfiguration } from "../probes/probe.ts";
import { type EvaluatedPac, fetchAndEvaluatePac, urlOf } from "./pac.ts";
import { type Discovered, discoverScript, notTried } from "./wpad.ts";
import type { ZoneSettings } from "./zone-map.ts";

/** The configurations of a cycle with their ways known, and what was learnt of the scripts. */
export interface RoutedConfigurations {
  readonly configurations: readonly RoutedConfiguration[];
  readonly wpad: WpadFacts;
  /** One a configuration that has a script: the one that decides, or the one that should have. */
  readonly pac: readonly PacFacts[];
}

export interface ScriptContext {
  readonly probes: ProbeContext;
  /** DNS suffixes below which discovery looks. */
  readonly suffixes: readonly string[];
  readonly myIpAddress: string;
  /** Port of the discovery server; 80 but in tests. */
  readonly wpadPort?: number;
  /** Windows: the zones of each configuration. */
  readonly zones?: ReadonlyMap<string, ZoneSettings>;
}

const outcomeOf = (pac: EvaluatedPac | null, url: string): PacOutcome | null => pac?.outcome(url) ?? null;

/**
 * Fetches and evaluates the scripts of all configurations, each address once, and gives each configuration its way to
 * every target (domain 4.6).
 */
export async function routeConfigurations(
  inForce: ReadonlyMap<string, InForce>,
  targets: readonly Target[],
  ctx: ScriptContext,
): Promise<RoutedConfigurations> {
  const all = [...inForce];
  const detects = all.some(([, { settings }]) => settings.autoDetect);
  const found: Discovered = detects ? await discoverScript(ctx.suffixes, ctx.probes, ctx.wpadPort) : notTried;
  const evaluated = new Map<string, Promise<EvaluatedPac>>();
  const evaluate = (id: string, origin: PacFacts["origin"], address: string) => {
    const key = `${origin} ${address}`;
    const known = evaluated.get(key);
    if (known) return known;
    const fetched = origin === "auto-detect" ? (found.script ?? undefined) : undefined;
    const pending = fetchAndEvaluatePac(id, origin, address, targets, ctx.myIpAddress, ctx.probes, fetched);
    evaluated.set(key, pending);
    return pending;
  };

  const pac: PacFacts[] = [];
  const configurations: RoutedConfiguration[] = [];
  for (const [id, { settings, scriptUrl }] of all) {
    const detected = settings.autoDetect && found.url ? await evaluate(id, "auto-detect", found.url) : null;
    const named = scriptUrl !== null ? await evaluate(id, "pac", scriptUrl) : null;
    const deciding = detected?.facts.evalOk === true || !named ? detected : named;
    if (deciding) pac.push({ ...deciding.facts, configuration: id });
    const route = (target: Target) => {
      const url = urlOf(target);
      return resolveRoute(url, settings, { autoDetect: outcomeOf(detected, url), pac: outcomeOf(named, url) }).route;
    };
    configurations.push({
      id,
      // A question to DNS takes no proxy.
      route: (target) =>
        target.kind === "srv" ? { kind: "direct", proxy: null, by: "none", list: "" } : route(target),
      async routeTo(target, probes) {
        const url = urlOf(target);
        const ask = async (script: EvaluatedPac | null) => script?.ask(url, probes) ?? null;
        const [autoDetect, pac] = await Promise.all([ask(detected), ask(named)]);
        return resolveRoute(url, settings, { autoDetect, pac }).route;
      },
      zone: (target) => zoneOf({ url: urlOf(target), route: route(target), settings, ...ctx.zones?.get(id) }),
    });
  }
  return { configurations, wpad: found.facts, pac };
}
