import { counterfactual, factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { ewsInterception } from "../tls-evidence.ts";
import { isProxied } from "../view.ts";

/** Domain 5.3 with the flag of 3.4 under 5.0 rule 10; the flag itself is in `interception.ts`. */
export const pattern: Pattern = {
  id: "tls-interception",
  title: "Something decrypts Exchange traffic on this machine or proxy",
  layer: "tls",
  scope: "client",
  mechanism:
    "With Extended Protection the login is bound to the TLS channel. A box that decrypts in between breaks the binding: EWS and MAPI prompt without end while Autodiscover's login works. Its certificates may also lack revocation addresses, which Lync requires.",
  evidence:
    "The certificate seen for EWS was issued by a known inspection product; or its key and issuer differ from those seen directly, or from those that most machines of this location see, and the policy does not declare the issuer.",
  severities: ["prompting", "will-prompt"],
  confidences: ["high", "medium"],
  notThis: [
    "A renewed certificate, or nodes with a certificate each: the issuer stays the same.",
    "A company CA that the machine trusts and the fleet sees.",
    "exchange-cert-invalid: everyone sees the same faulty certificate.",
  ],
  whoFixes: "Proxy team; for an antivirus, the desktop team",
  remedy: [
    { who: "Proxy team", what: "exempt the Exchange and Lync names from TLS inspection", reference: "KB 2461628" },
    {
      who: "Desktop team",
      what: "where a single machine is concerned, exclude them in its antivirus",
      reference: null,
    },
  ],
  references: ["KB 2461628", "Windows Extended Protection in Exchange Server"],
  match(view) {
    const slot = view.ews?.configured;
    const flag = ewsInterception(view);
    if (!view.ews || !slot || !flag) return null;
    const vendor = flag.by === "vendor";
    const bad = view.ews.state === "bad";
    const issuer = quote(flag.issuer);
    const where = isProxied(slot) ? "through the proxy" : "on this machine or its network";
    const usual = flag.usual === null ? "" : ` instead of ${quote(flag.usual)}`;
    return makeMatch({
      severity: view.policy.expectations.extendedProtection === "on" ? "prompting" : "will-prompt",
      confidence: vendor ? "high" : "medium",
      explains: bad && slot.verdict.startsWith("tls-"),
      cause: `${issuer} decrypts ${hostOf(slot)}`,
      sentence: `Credential prompts expected: ${where}, ${issuer} signs the certificate of ${hostOf(slot)}${usual}, and a login bound to Exchange's own certificate fails.${counterfactual(view.ews)} Exempt Exchange from inspection.`,
      evidence: [
        probeEvidence(slot, `issuer ${issuer}`),
        flag.usual === null
          ? null
          : factEvidence(
              "fleet",
              `Usual issuer: ${quote(flag.usual)}`,
              flag.usual,
              flag.by === "majority" ? view.now : (view.ews.direct?.at ?? null),
            ),
        // Lync requires revocation addresses; what signs on the fly often names none (domain 2.8).
        slot.facts.tls?.revocationHosts?.length === 0
          ? factEvidence(
              `probe:${slot.facts.configuration}:${slot.facts.target}:configured`,
              "The certificate names no revocation server",
              "none",
              slot.at,
            )
          : null,
        probeEvidence(view.ews.direct),
      ],
    });
  },
};
