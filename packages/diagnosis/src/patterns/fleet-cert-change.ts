import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { isOk } from "../verdicts.ts";

/** Domain 5.5: a planned renewal as a rule. With Extended Protection the balancer's certificate must be Exchange's. */
export const pattern: Pattern = {
  id: "fleet-cert-change",
  title: "The certificate everybody sees changed",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "Exchange's certificate was renewed, or something in between now ends TLS. With Extended Protection, a balancer whose certificate is not Exchange's makes every Windows login fail, which shows as prompts while the anonymous probe looks healthy.",
  evidence:
    "At least three machines and half of those that see a trusted certificate saw another key within 24 hours, all of them the same new one.",
  severities: ["at-risk"],
  confidences: ["high"],
  notThis: [
    "tls-interception: some machines see another certificate than most.",
    "exchange-cert-invalid: the new certificate is not trusted, expired or for another name.",
    "A renewal with the same key: the key decides, not the date.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "confirm the renewal; where Extended Protection is on, install the same certificate on the balancer and on every Exchange server",
      reference: null,
    },
    { who: "Helpdesk", what: "watch for reports of prompts: this cannot be seen by a probe", reference: null },
  ],
  references: ["KB 2298541"],
  match(view) {
    const change = view.fleet.shared.certificate;
    const { ews } = view;
    const tls = ews?.configured?.facts.tls;
    if (!change || !ews?.configured || !tls?.chainOk || tls.spkiSha256 !== change.to) return null;
    if (!isOk(ews.configured.verdict, ews.target)) return null;
    const { from, to, issuer, machines, of } = change;
    const keys = `${from.slice(0, 6)} → ${to.slice(0, 6)}`;
    const by = issuer === null ? "" : `, issued by ${quote(issuer)}`;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `the certificate of ${hostOf(ews.configured)} changed (${keys})`,
      sentence: `The certificate of ${hostOf(ews.configured)} changed for ${machines} of ${of} machines${by}. Exchange answers. With Extended Protection, Windows logins fail where the balancer's certificate is not Exchange's: watch for prompts.`,
      evidence: [
        factEvidence("fleet", `Key of the certificate: ${keys}, seen by ${machines} of ${of} machines`, to, view.now),
        probeEvidence(ews.configured),
      ],
    });
  },
};
