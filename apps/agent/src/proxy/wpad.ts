import type { WpadFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { redactProxyUrl } from "@lynceus/proxy-settings/redact";
import type { ProbeContext } from "../probes/context.ts";
import { resolveName } from "../probes/dns.ts";
import { type FetchedScript, fetchScript } from "./fetch-script.ts";

export interface Discovered {
  readonly facts: WpadFacts;
  /** Address of the script, null when the network announces none. */
  readonly url: string | null;
  readonly script: FetchedScript | null;
}

/**
 * Names to try, nearest first: `wpad` under each suffix and its parents, never under a top-level domain (DNS
 * devolution; domain 4.6).
 * @example wpadNames(["eu.corp.contoso.com"]) // wpad.eu.corp.contoso.com, wpad.corp.contoso.com, wpad.contoso.com
 */
export function wpadNames(suffixes: readonly string[]): string[] {
  const names = suffixes.flatMap((suffix) => {
    const labels = suffix.toLowerCase().split(".").filter(Boolean);
    return labels.slice(0, Math.max(1, labels.length - 1)).map((_, i) => `wpad.${labels.slice(i).join(".")}`);
  });
  // A search list of one label ("lan") is a network's own; a devolved one would be a registry's.
  return [...new Set(names)].slice(0, 16);
}

export const notTried: Discovered = {
  facts: { tried: false, dhcp252Url: null, dnsHost: null, addresses: [], fetch: "none" },
  url: null,
  script: null,
};

/**
 * Looks for the network's proxy script as Windows does: at the address that DHCP names where the system knows one, else
 * over DNS: the first `wpad.<suffix>` that resolves is asked for `/wpad.dat`.
 * @param port of the web server; 80 but in tests.
 * @param dhcpUrl of DHCP option 252; only Windows has a place to ask for it.
 */
export async function discoverScript(
  suffixes: readonly string[],
  ctx: ProbeContext,
  port = 80,
  dhcpUrl: string | null = null,
): Promise<Discovered> {
  const announced = dhcpUrl === null ? null : redactProxyUrl(dhcpUrl).slice(0, limits.urlChars);
  if (dhcpUrl !== null) {
    const script = await fetchScript(dhcpUrl, ctx);
    const addresses = script.addresses.slice(0, limits.addresses);
    const facts = { tried: true, dhcp252Url: announced, dnsHost: null, addresses, fetch: script.fetch };
    // Windows goes on to DNS where what DHCP names cannot be fetched.
    if (script.fetch === "ok") return { facts, url: dhcpUrl, script };
  }
  for (const name of wpadNames(suffixes)) {
    const { ok, addresses } = await resolveName(name, ctx);
    if (!ok) continue;
    const url = `http://${name}${port === 80 ? "" : `:${port}`}/wpad.dat`;
    const script = await fetchScript(url, ctx);
    return {
      facts: {
        tried: true,
        // DHCP option 252 is in the lease of whatever client the system runs, for which Linux has no common place.
        dhcp252Url: announced,
        dnsHost: name,
        addresses: addresses.slice(0, limits.addresses),
        fetch: script.fetch,
      },
      url,
      script,
    };
  }
  return { facts: { ...notTried.facts, tried: true, dhcp252Url: announced }, url: null, script: null };
}
