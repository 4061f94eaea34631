import { isCloudHost, isOwnHost } from "../organisation.ts";
import { hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { isProxied, ofService, routeName, type Sighting, type View } from "../view.ts";

/**
 * The one member of each service that this location uses (rule 8): internal and external names are alternatives. The
 * bare domain counts only where Exchange itself answers there: else it is the company's web site.
 */
function inUse(view: View): Sighting[] {
  const best = (members: readonly Sighting[]): Sighting[] => {
    const chosen = members.find(({ state }) => state === "ok") ?? members.find(({ state }) => state === "bad");
    return chosen ? [chosen] : [];
  };
  const groups = view.groups.flatMap(({ members }) => {
    const services = [...new Set(members.map(({ target }) => target.service))];
    return services
      .filter((service) => ["autodiscover", "lync-discover", "lync-web"].includes(service))
      .flatMap((service) => best(members.filter(({ target }) => target.service === service)));
  });
  const apex = ofService(view, "apex").filter(({ state }) => state === "ok");
  const rgs = view.expectations.responseGroups ? best(ofService(view, "lync-rgs")) : [];
  return [...(view.ews ? [view.ews] : []), ...groups, ...apex, ...rgs, ...best(ofService(view, "lync-abs"))];
}

const isDirect = ({ configured }: Sighting) => configured?.facts.route.kind === "direct";
const names = (members: readonly Sighting[]) =>
  quote([...new Set(members.map(({ target }) => target.host))].join(", "), 160);

/** Domain 5.1 under 5.0 rule 8. */
export const pattern: Pattern = {
  id: "bypass-list-partial",
  title: "Some of Exchange's and Lync's names bypass the proxy, some do not",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Windows logs on in silence where a name bypasses the proxy and not where it does not. With Exchange on one way and Autodiscover or Lync's web services on the other, one of them prompts. The usual hole: *.contoso.com does not cover contoso.com.",
  evidence:
    "Of the names of the organisation that this location uses (Exchange, Autodiscover, Lync's web services) at least one goes direct and at least one through a proxy.",
  severities: ["will-prompt", "at-risk"],
  confidences: ["high"],
  notThis: [
    "Exchange Online through the proxy beside on-premises names: an intended split.",
    "The external name of a service whose internal name is in use.",
    "exchange-through-proxy: all names go through the proxy.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "list Exchange, autodiscover.<mail domain>, the mail domain itself and Lync's web services in the bypass list, or answer DIRECT for all of them",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const own = inUse(view).filter(({ target }) => isOwnHost(target.host, view) && !isCloudHost(target.host));
    const proxied = own.filter(({ configured }) => isProxied(configured));
    const direct = own.filter(isDirect);
    const [first] = proxied;
    if (!first?.configured || direct.length === 0) return null;
    const bad = proxied.find(({ state }) => state === "bad");
    const shown = bad?.configured ?? first.configured;
    const proxy = quote(routeName(shown.facts.route) ?? "the proxy");
    return makeMatch({
      severity: bad ? "will-prompt" : "at-risk",
      confidence: "high",
      explains: false,
      cause: `${names(direct)} bypasses the proxy, ${names(proxied)} does not`,
      sentence: bad
        ? `Credential prompts expected: ${names(direct)} goes direct, but ${hostOf(shown)} goes through ${proxy} and fails (${shown.verdict}). Add it to the bypass list or the script; no change on Exchange helps.`
        : `${names(direct)} goes direct, ${names(proxied)} through ${proxy}, so their logins are treated differently. Give all names the same way, in the bypass list or the script.`,
      evidence: [...proxied, ...direct].slice(0, 8).map(({ configured }) => probeEvidence(configured)),
    });
  },
};
