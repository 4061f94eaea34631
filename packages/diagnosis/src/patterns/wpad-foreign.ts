import type { WpadFacts } from "@lynceus/protocol/facts";
import { within } from "../classify.ts";
import { isOwnHost, isPublicAddress, ownDomains, urlHost } from "../organisation.ts";
import { factEvidence, makeMatch, type Pattern, quote } from "../pattern.ts";
import type { View } from "../view.ts";

/** Who announces the script: the lease first, then DNS, as Windows asks (domain 4.6). */
function announcer({ dhcp252Url, dnsHost }: WpadFacts): { host: string; by: string } | null {
  const lease = dhcp252Url === null ? null : urlHost(dhcp252Url);
  if (lease !== null) return { host: lease, by: "DHCP option 252" };
  return dnsHost === null ? null : { host: dnsHost.toLowerCase(), by: "DNS" };
}

/** Why this announcer is not the organisation's; null where it is, or where nothing tells. */
function foreign(host: string, addresses: readonly string[], view: View): string | null {
  const allowed = view.expectations.wpadHosts;
  if (allowed.some((entry) => within(host, entry)) || addresses.some((one) => allowed.includes(one))) return null;
  const literal = isPublicAddress(host);
  if (literal !== null) return literal ? `${quote(host)} is a public address` : null;
  // A name of one label is the network's own and says nothing.
  if (host.includes(".") && ownDomains(view).length > 0 && !isOwnHost(host, view))
    return `${quote(host)} lies outside the organisation's domains`;
  const open = addresses.find((address) => isPublicAddress(address) === true);
  return open === undefined ? null : `${quote(host)} resolves to the public address ${quote(open)}`;
}

/** Domain 5.1, 4.6. A security finding as well: whoever announces the script sees and steers the traffic. */
export const pattern: Pattern = {
  id: "wpad-foreign",
  title: "Proxy auto-discovery is answered from outside the company",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Whoever answers automatic discovery decides the way of all web traffic, and may send Exchange to a proxy of their own that prompts, reads along or fails.",
  evidence:
    "Automatic detection is on, and the host that announces the script lies outside the organisation's domains or has a public address, and the policy does not allow it.",
  severities: ["at-risk"],
  confidences: ["high"],
  notThis: [
    "The organisation's own wpad host with a private address.",
    "A host or address that the policy allows.",
    "wpad-missing: nobody answers.",
    "A machine with automatic detection off: nobody is asked.",
  ],
  whoFixes: "DNS team; tell the security team",
  remedy: [
    {
      who: "DNS team",
      what: "publish the organisation's own wpad record, or block the name, so that nobody else answers it",
      reference: null,
    },
    {
      who: "Desktop team",
      what: "turn automatic detection off for machines outside the organisation's network",
      reference: null,
    },
  ],
  references: ["Chromium: proxy support, notes on WPAD"],
  match(view) {
    const { wpad, settings } = view;
    if (!settings?.autoDetect || !wpad?.tried) return null;
    const found = announcer(wpad);
    const why = found && foreign(found.host, wpad.addresses, view);
    if (!found || why === null) return null;
    const taken = wpad.fetch === "ok" ? "Its script is in force" : `Its script is not taken (${wpad.fetch})`;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `automatic proxy detection is answered by ${quote(found.host)}`,
      sentence: `Automatic proxy detection is answered by ${quote(found.host)} (${found.by}), but ${why}. ${taken}. Whoever answers steers this machine's traffic: tell the security team.`,
      evidence: [
        factEvidence("wpad", `Announced by ${found.by}: ${quote(found.host)}`, found.host, wpad.at),
        wpad.addresses.length > 0
          ? factEvidence("wpad", `Addresses: ${quote(wpad.addresses.join(", "))}`, wpad.addresses[0] ?? null, wpad.at)
          : null,
      ],
    });
  },
};
