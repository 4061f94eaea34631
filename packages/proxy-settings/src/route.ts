import type { EffectiveSettings, ProxyAddress, Route } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { findBypass, isImplicitBypass, removesLoopback } from "./bypass-list.ts";
import { parsePacResult, readPacResult } from "./pac-result.ts";
import { parseProxyServer, proxiesFor } from "./proxy-server.ts";
import { redactProxyList } from "./redact.ts";

/** What came of a script for one URL: its result, or why there is none. */
export type PacOutcome = { readonly ok: true; readonly result: string } | { readonly ok: false; readonly why: string };

export interface ResolvedRoute {
  readonly route: Route;
  /** Steps that were on and gave nothing, with why. Windows passes over them in silence (domain 4.6). */
  readonly fellThrough: string[];
}

const listText = (text: string) => redactProxyList(text).slice(0, limits.textChars);

const direct = (by: Route["by"], list = ""): Route => ({ kind: "direct", proxy: null, by, list: listText(list) });
const via = (proxy: ProxyAddress, by: Route["by"], list: string): Route => ({
  kind: "proxy",
  proxy,
  by,
  list: listText(list),
});

function fromScript(result: string, by: "auto-detect" | "pac"): Route {
  // WinINET takes the first and hardly ever the second.
  const choice = parsePacResult(result)[0];
  return choice?.kind === "proxy" ? via(choice.proxy, by, result) : direct(by, result);
}

function fromManual(url: string, settings: EffectiveSettings, server: string): Route {
  const by = settings.source === "environment" ? "environment" : "manual";
  const bypass = findBypass(settings.bypass, url, settings.dialect);
  if (bypass !== null) return direct("bypass", bypass);
  let scheme = "";
  try {
    scheme = new URL(url).protocol.slice(0, -1);
  } catch {
    return direct(by, server);
  }
  const proxy = proxiesFor(parseProxyServer(server, settings.dialect), scheme)[0];
  return proxy ? via(proxy, by, server) : direct(by, server);
}

/**
 * The route of a URL in the order of domain 4.6: implicit, auto-detect, script, manual with its bypass list, direct.
 * A script that failed falls through to the next step, and that is told. Pure: the scripts were evaluated before.
 *
 * @param scripts outcome per origin for this URL; null = there was nothing to evaluate, told when the step is on.
 */
export function resolveRoute(
  url: string,
  settings: EffectiveSettings,
  scripts: { readonly autoDetect: PacOutcome | null; readonly pac: PacOutcome | null },
): ResolvedRoute {
  const fellThrough: string[] = [];
  if (isImplicitBypass(url) && !(settings.dialect === "windows" && removesLoopback(settings.bypass)))
    return { route: direct("implicit"), fellThrough };
  const steps = [
    { on: settings.autoDetect, by: "auto-detect", outcome: scripts.autoDetect },
    { on: settings.pacUrl !== null, by: "pac", outcome: scripts.pac },
  ] as const;
  for (const { on, by, outcome } of steps) {
    if (!on) continue;
    if (outcome?.ok) {
      const { choices, invalid } = readPacResult(outcome.result);
      if (choices.length === 0 && invalid.length > 0)
        fellThrough.push(`${by}: the script returned nothing usable, which means direct: ${invalid[0]?.slice(0, 80)}`);
      return { route: fromScript(outcome.result, by), fellThrough };
    }
    fellThrough.push(`${by}: ${outcome?.why ?? "no script"}`);
  }
  const route = settings.server === null ? direct("none") : fromManual(url, settings, settings.server);
  return { route, fellThrough };
}
