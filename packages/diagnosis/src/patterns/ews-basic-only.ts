import { offeredSchemes } from "../classify.ts";
import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { badEws, isProxied, offersWindowsLogin } from "../view.ts";

/**
 * Domain 5.4: direct too, since a proxy may strip the offer. Where direct is closed, an answer read over a tunnel whose
 * certificate verified was not stripped.
 */
export const pattern: Pattern = {
  id: "ews-basic-only",
  title: "Exchange offers only Basic",
  layer: "authentication",
  scope: "server",
  mechanism: "Without Negotiate or NTLM no silent login is possible: every session asks for a password.",
  evidence:
    "EWS answers 401 with Exchange's marks and offers Basic without Negotiate and NTLM, on the direct route too.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "A proxy that strips the offer: there, direct offers Negotiate or NTLM.",
    "Another server's Basic login: ews-unexpected-answer.",
    "A 401 that offers Negotiate or NTLM: the healthy answer.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "enable Windows authentication on the EWS virtual directory (Set-WebServicesVirtualDirectory)",
      reference: "KB 2784787",
    },
  ],
  references: ["KB 2784787"],
  match(view) {
    const ews = badEws(view);
    if (ews?.configured.verdict !== "exchange-basic-only") return null;
    const { configured, direct } = ews;
    if (isProxied(configured)) {
      if (
        direct?.facts.http
          ? direct.verdict !== "exchange-basic-only" || offersWindowsLogin(direct.facts)
          : !configured.facts.tls?.ok
      )
        return null;
    }
    const offer = offeredSchemes(configured.facts).join(", ");
    const modern = offeredSchemes(configured.facts).includes("bearer");
    return makeMatch({
      severity: "prompting",
      // Without an answer on the direct route, something in between may have taken the other schemes.
      confidence: direct?.facts.http ? "high" : "medium",
      explains: true,
      cause: `EWS at ${hostOf(configured)} offers ${modern ? "Basic and modern authentication" : "Basic"} only`,
      sentence: `Credential prompts expected: EWS at ${hostOf(configured)} offers ${offer}, so no silent Windows login is possible. No route offers more. Fix on Exchange, not on this machine.`,
      evidence: [probeEvidence(configured, offer), direct === configured ? null : probeEvidence(direct)],
    });
  },
};
