import type { ProxyAddress, SettingsFacts } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import { effectiveSettings, type InForce, inForce } from "@lynceus/proxy-settings/effective";
import { parsePacResult } from "@lynceus/proxy-settings/pac-result";
import { sourceAddress } from "../platform/addresses.ts";
import { readSystemFacts } from "../platform/network.ts";
import type { ProbeContext } from "../probes/context.ts";
import { routeConfigurations } from "./scripts.ts";
import { readSettings, type SettingsContext } from "./settings.ts";

/** Flag of the WinHTTP value: the named proxy is in force (domain 4.3). */
const namedProxy = 2;

/** One way out. */
export type Way = { readonly kind: "direct" } | { readonly kind: "proxy"; readonly proxy: ProxyAddress };

/**
 * What services of a Windows machine use on which nobody has signed in yet: the machine-wide WinHTTP proxy, else
 * SYSTEM's own settings (domain 4.5). Null: there are none, or this is no Windows.
 */
export function servicesSettings({ winhttp64, systemBlob }: SettingsFacts): InForce | null {
  if (winhttp64 && (winhttp64.flags & namedProxy) !== 0) {
    const { server, bypass } = winhttp64;
    return inForce({ autoDetect: false, pacUrl: null, server, bypass, source: "none", dialect: "windows" });
  }
  return systemBlob ? effectiveSettings({ user: { blob: systemBlob, legacy: null } }) : null;
}

/**
 * The ways that this machine's own settings and scripts give for an https URL, best first: how the agent itself gets
 * out. Of several users the most common configuration counts; with none known, what the system's services use.
 * @example await waysOut("https://collector.example.org:7443/", settings, probes)
 */
export async function waysOut(url: string, settings: SettingsContext, probes: ProbeContext): Promise<Way[]> {
  const { hostname, port, pathname } = new URL(url);
  const target: Target = {
    id: "collector",
    service: "control",
    kind: "https",
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 443),
    path: pathname,
    locations: ["unknown"],
    accept: [],
    cadence: "cycle",
    expectedIssuers: [],
  };
  const read = await readSettings(settings);
  const first = [...read.facts.configurations].sort((a, b) => b.users - a.users)[0];
  const mine = (first && read.configurations.get(first.id)) ?? servicesSettings(read.facts);
  if (!mine) return [{ kind: "direct" }];
  const { dnsSuffixes } = await readSystemFacts(settings.windows);
  const { configurations } = await routeConfigurations(new Map([[first?.id ?? "services", mine]]), [target], {
    probes,
    suffixes: dnsSuffixes,
    myIpAddress: await sourceAddress(),
  });
  const route = configurations[0]?.route(target);
  if (route?.kind !== "proxy" || !route.proxy) return [{ kind: "direct" }];
  // A script may name several; the settings' own list names one.
  const choices = route.by === "pac" || route.by === "auto-detect" ? parsePacResult(route.list) : [];
  return choices.length > 0 ? choices : [{ kind: "proxy", proxy: route.proxy }];
}
