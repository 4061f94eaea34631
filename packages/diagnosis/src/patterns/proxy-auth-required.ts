import { proxySchemes } from "../classify.ts";
import { counterfactual, makeMatch, type Pattern, probeEvidence, proxyOf, quote } from "../pattern.ts";
import { isProxied, mayPassSilently, ofService, type Sighting, type View } from "../view.ts";

const asksForLogin = (sighting: Sighting | null) => sighting?.configured?.verdict === "proxy-auth-required";

/** EWS first, else Autodiscover or Lync web services. */
function asked(view: View): Sighting | null {
  if (asksForLogin(view.ews)) return view.ews;
  return (
    ofService(view, "autodiscover", "lync-discover", "lync-web", "lync-rgs", "lync-abs").find(asksForLogin) ?? null
  );
}

/**
 * Domain 5.1 under 5.0 rule 1: the agent holds no user token, so a proxy that offers Negotiate or NTLM may pass every
 * signed-in user. Then it is shown, at risk, and the machine counts as cannot tell. Only Basic or Digest proves it.
 */
export const pattern: Pattern = {
  id: "proxy-auth-required",
  title: "The proxy asks for its own login",
  layer: "proxy-answer",
  scope: "client",
  mechanism:
    "Lync's parts cannot be relied on to answer a proxy's 407. Microsoft's requirement is a rule for all users, which means without a proxy login; Basic and Digest never sign in silently.",
  evidence: "The proxy answers 407 to the request for EWS, Autodiscover or Lync web services.",
  severities: ["prompting", "at-risk"],
  confidences: ["high", "low"],
  notThis: [
    "A 401 from Exchange: another header, another fix, and the healthy answer.",
    "A proxy that offers Negotiate or NTLM may let signed-in users pass: at risk only, and the machine cannot be told.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "let the Exchange and Lync names through without a login, for all users",
      reference: "KB 2409256",
    },
    { who: "Proxy team", what: "or return DIRECT for them in the script, where direct works", reference: "KB 2769142" },
    { who: "Proxy team", what: "where Negotiate is offered, check the proxy's Kerberos SPN", reference: "KB 3123662" },
    {
      who: "Helpdesk",
      what: "tell the user: a password typed into the window cannot help until this is fixed",
      reference: null,
    },
  ],
  references: ["KB 2409256", "KB 3123662", "RFC 9110 section 15.5.8"],
  match(view) {
    const sighting = asked(view);
    const slot = sighting?.configured;
    if (!sighting || !slot) return null;
    const proxy = isProxied(slot) ? proxyOf(slot) : "a proxy in the path";
    const schemes = proxySchemes(slot.facts);
    const offer = schemes.length > 0 ? schemes.map((scheme) => quote(scheme, 32)).join(", ") : "no scheme seen";
    const silent = mayPassSilently(slot.facts);
    return makeMatch({
      severity: silent ? "at-risk" : "prompting",
      confidence: silent ? "low" : "high",
      explains: sighting === view.ews && sighting.state === "bad",
      cause: `${proxy} asks for its own login`,
      sentence: silent
        ? `${proxy} asks for its own login (407, ${offer}), which signed-in users may pass silently; the agent cannot.${counterfactual(sighting)} The rule for Exchange is a proxy without login: fix on the proxy.`
        : `Credential prompts expected: ${proxy} asks for its own login (407, ${offer}) before Exchange is reached.${counterfactual(sighting)} Fix on the proxy, not on this machine.`,
      evidence: [probeEvidence(slot, `407, ${offer}`), probeEvidence(sighting.direct)],
    });
  },
};
