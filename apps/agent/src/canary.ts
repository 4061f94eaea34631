import type { CanaryAnswer, CanaryRoute } from "@lynceus/protocol/canary";
import type { ProxyAddress, Route, SettingsFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { parseProxyServer, proxiesFor } from "@lynceus/proxy-settings/proxy-server";
import { isSpecialAddress } from "@lynceus/proxy-settings/special-address";
import type { ProbeContext } from "./probes/context.ts";
import { isInsideFence } from "./probes/fence.ts";
import { probeTarget, type RoutedConfiguration } from "./probes/probe.ts";

export interface CanaryRequest {
  readonly policy: Policy;
  readonly routes: readonly CanaryRoute[];
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export interface CanaryContext {
  readonly probes: ProbeContext;
  /** This machine's own settings: the proxies they name may be led through. */
  readonly settings: SettingsFacts;
}

/** Hosts of proxies that this machine's own settings name. */
function ownProxies({ configurations }: SettingsFacts): Set<string> {
  return new Set(
    configurations.flatMap(({ settings: { server, dialect } }) => {
      if (server === null) return [];
      const parsed = parseProxyServer(server, dialect);
      return ["http", "https"].flatMap((scheme) => proxiesFor(parsed, scheme).map(({ host }) => host.toLowerCase()));
    }),
  );
}

const nameOf = (proxy: ProxyAddress | null): string =>
  proxy === null ? "direct" : `${proxy.scheme}://${proxy.host.toLowerCase()}:${proxy.port}`;

/** Why this machine does not probe that route, or null where it does. Nothing was sent, not even a question to DNS. */
function refusal(
  { proxy }: CanaryRoute,
  target: Target | undefined,
  allowed: { probes: ProbeContext; proxies: ReadonlySet<string>; chosen: ReadonlySet<string> },
): string | null {
  const { fence } = allowed.probes;
  if (!target) return "the target is not in this machine's policy";
  if (target.kind === "srv") return "a question to DNS takes no route";
  if (!isInsideFence(target.host, target.port, fence)) return "the target is outside this machine's fence";
  if (proxy === null) return null;
  if (!allowed.chosen.has(nameOf(proxy))) return `more than ${limits.canaryProxies} different proxies`;
  if (!isInsideFence(proxy.host, null, fence) && !allowed.proxies.has(proxy.host.toLowerCase()))
    return "the proxy is neither inside this machine's fence nor in its own settings";
  return null;
}

const resolvedToNothingAllowed = "the name leads to an address that is never probed";

/**
 * Probes targets of the policy over the proposed routes, one after the other: GET without credentials, as every probe.
 * The fence of this machine rules over the request (domain 5.0 rule 16), and no address of its own, its link or a
 * cloud's metadata is connected to. Rejects with the signal's reason when the agent stops.
 */
export async function probeCanary({ policy, routes, signal, onProgress }: CanaryRequest, ctx: CanaryContext) {
  const targets = new Map(policy.targets.map((target) => [target.id, target]));
  const named = routes.slice(0, limits.canaryRoutes);
  const proxies = named.flatMap(({ proxy }) => (proxy === null ? [] : [nameOf(proxy)]));
  const chosen = new Set([...new Set(proxies)].slice(0, limits.canaryProxies));
  const allowed = { probes: ctx.probes, proxies: ownProxies(ctx.settings), chosen };
  const probes: ProbeContext = { ...ctx.probes, signal, refusesAddress: ctx.probes.refusesAddress ?? isSpecialAddress };
  const answers: CanaryAnswer[] = [];
  for (const wanted of named) {
    signal.throwIfAborted();
    const target = targets.get(wanted.target);
    const why = refusal(wanted, target, allowed);
    const { proxy } = wanted;
    if (why !== null || !target) answers.push({ target: wanted.target, proxy, refused: why, facts: null });
    else {
      const route: Route = { kind: proxy === null ? "direct" : "proxy", proxy, by: "forced", list: "" };
      const configuration: RoutedConfiguration = {
        id: "canary",
        route: () => route,
        routeTo: async () => route,
        zone: () => "unknown",
      };
      const facts = await probeTarget(target, configuration, "configured", probes);
      const { dns } = facts;
      const fenced = dns?.ok && dns.addresses.every((address) => probes.refusesAddress?.(address));
      answers.push(
        fenced
          ? { target: wanted.target, proxy, refused: resolvedToNothingAllowed, facts: null }
          : { target: wanted.target, proxy, refused: null, facts },
      );
    }
    onProgress(answers.length, named.length);
  }
  return answers;
}
