import type { PacFacts, WpadFacts } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import type { InForce } from "@lynceus/proxy-settings/effective";
import { type PacOutcome, resolveRoute } from "@lynceus/proxy-settings/route";
import { targetUrl } from "@lynceus/proxy-settings/target-url";
import { zoneOf } from "@lynceus/proxy-settings/zone";
import type { WinHttpAnswer } from "../platform/windows/winhttp-child.ts";
import type { ProbeContext } from "../probes/context.ts";
import type { RoutedConfiguration } from "../probes/probe.ts";
import { type EvaluatedPac, fetchAndEvaluatePac } from "./pac.ts";
import { self } from "./source.ts";
import { type AskWinHttp, winHttpFacts } from "./winhttp-routes.ts";
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
  /** Windows: its own answers, which count before ours where it gives one; by configuration the user who asks. */
  readonly winhttp?: { readonly ask: AskWinHttp; readonly userOf: ReadonlyMap<string, string> } | null;
}

/** The reply of WinHTTP for one script, by address. */
interface Asked {
  readonly byUrl: ReadonlyMap<string, WinHttpAnswer>;
  readonly why: string | null;
  readonly dhcpUrl: string | null;
}

const notAsked: Asked = { byUrl: new Map(), why: null, dhcpUrl: null };

/** Asks WinHTTP about every target in the name of a user of this configuration. */
async function askAbout(
  id: string,
  script: { readonly autoDetect: boolean; readonly pacUrl: string | null },
  targets: readonly Target[],
  { winhttp, probes }: ScriptContext,
): Promise<Asked> {
  if (!winhttp) return notAsked;
  const urls = [...new Set(targets.filter(({ kind }) => kind !== "srv").map(targetUrl))];
  const user = winhttp.userOf.get(id) ?? null;
  const reply = await winhttp.ask(
    { ...script, user: user === self ? null : user, urls, dhcp: script.autoDetect },
    probes.signal,
  );
  if ("why" in reply) return { ...notAsked, why: reply.why };
  const byUrl = new Map(urls.flatMap((url, index) => (reply.answers[index] ? [[url, reply.answers[index]]] : [])));
  return { byUrl, why: null, dhcpUrl: reply.dhcpUrl };
}

/** What Windows says where it says something, else what we make of the script (domain 4.6). */
function outcomeBy(asked: Asked, own: EvaluatedPac | null, url: string): PacOutcome | null {
  const answer = asked.byUrl.get(url);
  return answer?.ok ? { ok: true, result: answer.list } : outcomeOf(own, url);
}

/** The observation of a script with what WinHTTP said of the EWS address beside it. */
function besideWinHttp(facts: PacFacts, own: EvaluatedPac, asked: Asked, targets: readonly Target[]): PacFacts {
  const target = targets.find(({ service }) => service === "ews") ?? targets.find(({ kind }) => kind !== "srv");
  if (!target) return facts;
  const url = targetUrl(target);
  const outcome = own.outcome(url);
  return {
    ...facts,
    winhttp: winHttpFacts(asked.byUrl.get(url) ?? null, asked.why, outcome.ok ? outcome.result : null),
  };
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
  const detecting = all.find(([, { settings }]) => settings.autoDetect)?.[0];
  const detection =
    detecting === undefined ? notAsked : await askAbout(detecting, { autoDetect: true, pacUrl: null }, targets, ctx);
  const found: Discovered =
    detecting === undefined
      ? notTried
      : await discoverScript(ctx.suffixes, ctx.probes, ctx.wpadPort, detection.dhcpUrl);
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

  const windowsAnswers = new Map<string, Promise<Asked>>();
  const askNamed = (id: string, address: string) => {
    const pending = windowsAnswers.get(address) ?? askAbout(id, { autoDetect: false, pacUrl: address }, targets, ctx);
    windowsAnswers.set(address, pending);
    return pending;
  };

  const pac: PacFacts[] = [];
  const configurations: RoutedConfiguration[] = [];
  for (const [id, { settings, scriptUrl }] of all) {
    const detected = settings.autoDetect && found.url ? await evaluate(id, "auto-detect", found.url) : null;
    const named = scriptUrl !== null ? await evaluate(id, "pac", scriptUrl) : null;
    const deciding = detected?.facts.evalOk === true || !named ? detected : named;
    const byDetection = settings.autoDetect ? detection : notAsked;
    const byScript = scriptUrl === null ? notAsked : await askNamed(id, scriptUrl);
    if (deciding) {
      const facts = { ...deciding.facts, configuration: id };
      const asked = deciding === named ? byScript : byDetection;
      pac.push(ctx.winhttp ? besideWinHttp(facts, deciding, asked, targets) : facts);
    }
    const route = (target: Target) => {
      const url = targetUrl(target);
      const outcomes = {
        autoDetect: outcomeBy(byDetection, detected, url),
        pac: outcomeBy(byScript, named, url),
      };
      return resolveRoute(url, settings, outcomes).route;
    };
    configurations.push({
      id,
      // A question to DNS takes no proxy.
      route: (target) =>
        target.kind === "srv" ? { kind: "direct", proxy: null, by: "none", list: "" } : route(target),
      async routeTo(target, probes) {
        const url = targetUrl(target);
        const ask = async (script: EvaluatedPac | null) => script?.ask(url, probes) ?? null;
        const [autoDetect, pac] = await Promise.all([ask(detected), ask(named)]);
        return resolveRoute(url, settings, { autoDetect, pac }).route;
      },
      zone: (target) => zoneOf({ url: targetUrl(target), route: route(target), settings, ...ctx.zones?.get(id) }),
    });
  }
  return { configurations, wpad: found.facts, pac };
}
