import { offeredSchemes } from "../classify.ts";
import { hostOf, makeMatch, type Pattern, probeEvidence, proxyOf } from "../pattern.ts";
import { isProxied, offersWindowsLogin } from "../view.ts";

/** Whether the answer ends its connection, on which a Windows login would have gone on. */
const endsConnection = (headers: Readonly<Record<string, string>>, proto: string | null): boolean =>
  proto?.toUpperCase() === "HTTP/1.0" || /(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? "");

/** Domain 5.1 and 2.6 point 1. The direct answer is the proof that the server itself offers it. */
export const pattern: Pattern = {
  id: "proxy-strips-auth",
  title: "The answer through the proxy lost its Windows login",
  layer: "proxy-answer",
  scope: "client",
  mechanism:
    "Negotiate and NTLM log in a connection, over several round trips. A proxy that decrypts and takes their offer away, or ends the connection after each answer, leaves no silent login possible.",
  evidence:
    "Direct, Exchange offers Negotiate or NTLM; through the proxy its 401 offers neither, or it comes as HTTP/1.0 or with a closed connection, which the direct one does not.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "ews-basic-only: there, the offer is missing on the direct route too.",
    "proxy-auth-required: a 407 is the proxy's own login.",
    "Where direct was not probed, the server may simply offer nothing else: cannot tell.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "tunnel Exchange (CONNECT) instead of decrypting it, or let it bypass the proxy",
      reference: "RFC 4559",
    },
    { who: "Proxy team", what: "keep connections alive between client and Exchange", reference: "RFC 4559" },
  ],
  references: ["RFC 4559", "Microsoft: Authentication in WinHTTP"],
  match(view) {
    const { ews } = view;
    const slot = ews?.configured;
    const direct = ews?.direct;
    if (!ews || !slot || !direct || direct === slot || !isProxied(slot)) return null;
    const [seen, own] = [slot.facts.http, direct.facts.http];
    if (seen?.status !== 401 || own?.status !== 401 || !offersWindowsLogin(direct.facts)) return null;
    const proxy = proxyOf(slot);
    const offer = offeredSchemes(slot.facts).join(", ") || "nothing";
    const ownOffer = offeredSchemes(direct.facts).join(", ");
    const missing = !offersWindowsLogin(slot.facts);
    const cut = endsConnection(seen.headers, seen.proto) && !endsConnection(own.headers, own.proto);
    if (!missing && !cut) return null;
    const what = missing ? `offers ${offer} instead of ${ownOffer}` : "ends the connection that the login needs";
    return makeMatch({
      severity: "prompting",
      confidence: missing ? "high" : "medium",
      explains: ews.state === "bad",
      cause: `through ${proxy}, the answer of ${hostOf(slot)} ${what}`,
      sentence: `Credential prompts expected: through ${proxy}, the answer of ${hostOf(slot)} ${what}, so no silent Windows login is possible. Direct, Exchange offers ${ownOffer}. Fix on the proxy, not on Exchange.`,
      evidence: [
        probeEvidence(slot, missing ? offer : (seen.proto ?? "connection: close")),
        probeEvidence(direct, ownOffer),
      ],
    });
  },
};
