import type { ProbeSlot } from "@lynceus/protocol/state";
import { offeredSchemes } from "../classify.ts";
import { isCloudHost } from "../organisation.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, proxyOf } from "../pattern.ts";
import { isProxied, offersWindowsLogin, type View } from "../view.ts";

/** URLACTION 1A00 (domain 4.8): log on in silence, in whatever zone. */
const alwaysSilent = 0;
const trustedZone = 2;

/** Whether all users of this configuration have set the trusted zone to log on in silence. */
const trustedIsSilent = (view: View): boolean =>
  view.userSettings.length > 0 &&
  view.userSettings.every((user) => user.windows?.zoneLogon?.[trustedZone - 1] === alwaysSilent);

/** What the zone makes of a silent logon: allowed, refused, or not known. */
function logon(view: View, slot: ProbeSlot): "allowed" | "refused" | "unknown" {
  const { zone } = slot.facts;
  if (zone === "unknown") return "unknown";
  return zone === "intranet" || (zone === "trusted" && trustedIsSilent(view)) ? "allowed" : "refused";
}

/** Domain 5.1, 2.6 point 2: the link between proxy settings and prompts. Only Windows has zones. */
export const pattern: Pattern = {
  id: "exchange-through-proxy",
  title: "Internal Exchange is reached through the web proxy",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Windows logs on in silence only to servers of the intranet zone: those that bypass the proxy, or that a policy puts there. Exchange behind the proxy is in neither, so the login prompts although everything is reachable.",
  evidence:
    "On-premises Exchange answers well through a proxy, offers only Windows logins, and Windows counts its name to the Internet or trusted zone.",
  severities: ["will-prompt", "at-risk"],
  confidences: ["medium"],
  notThis: [
    "Exchange Online: there, the proxy is the normal way.",
    "Exchange that is put into the intranet zone by policy: the login stays silent, at-risk only.",
    "proxy-auth-required: the proxy's own login.",
    "A machine without zones (Linux, macOS): cannot tell.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "let Exchange, Autodiscover and Lync's web services bypass the proxy (bypass list, or DIRECT in the script)",
      reference: "KB 2298541",
    },
    {
      who: "Desktop team",
      what: "or put these names into the intranet zone by group policy (Site to Zone Assignment List)",
      reference: "Microsoft: WinHTTP automatic logon",
    },
  ],
  references: ["KB 2298541", "Microsoft: WinHTTP automatic logon"],
  match(view) {
    const { ews } = view;
    const slot = ews?.configured;
    if (ews?.state !== "ok" || !slot || !isProxied(slot) || slot.verdict !== "exchange-onprem") return null;
    if (isCloudHost(slot.facts.endpoint.host) || view.location === "outside") return null;
    const offered = offeredSchemes(slot.facts);
    const windowsOnly = offersWindowsLogin(slot.facts) && offered.every((one) => ["negotiate", "ntlm"].includes(one));
    const silent = logon(view, slot);
    if (!windowsOnly || silent === "unknown") return null;
    const proxy = proxyOf(slot);
    const refused = silent === "refused";
    return makeMatch({
      severity: refused ? "will-prompt" : "at-risk",
      confidence: "medium",
      explains: false,
      cause: `${hostOf(slot)} is reached through ${proxy}`,
      sentence: refused
        ? `Credential prompts expected: ${hostOf(slot)} is reached through ${proxy}, so Windows counts it to the ${slot.facts.zone} zone and does not log on in silence. Let Exchange bypass the proxy; no change on Exchange helps.`
        : `${hostOf(slot)} is reached through ${proxy}; the login stays silent only because a policy puts its name into a zone that allows it. Let Exchange bypass the proxy.`,
      evidence: [
        probeEvidence(slot, offered.join(", ")),
        factEvidence(
          `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
          `Zone of ${hostOf(slot)}: ${slot.facts.zone}`,
          slot.facts.zone,
          slot.at,
        ),
      ],
    });
  },
};
