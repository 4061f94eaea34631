import { findInterception, issuerName } from "../interception.ts";
import { factEvidence, hostOf, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { ewsInterception } from "../tls-evidence.ts";
import { verdictTexts } from "../verdicts.ts";
import { lacksIntermediateOnly, ofService, type Sighting, type View, verdictIs } from "../view.ts";

const faulty = ["tls-name", "tls-untrusted", "tls-expired"] as const;

/**
 * Whether something in between signs, not Exchange: a neutral https server shows the same faulty issuer, a portal
 * answers for the network, or the issuer is an inspection product's.
 */
function signedInBetween(view: View, { target, configured: slot, direct }: Sighting): boolean {
  if (!slot) return false;
  const issuer = issuerName(slot.facts);
  const baseline = { direct: direct === slot ? null : (direct?.facts ?? null), majority: null };
  return (
    findInterception(slot.facts, { ...baseline, expectedIssuers: target.expectedIssuers }) !== null ||
    ofService(view, "control").some(
      ({ configured }) =>
        verdictIs(configured, "captive-portal") ||
        (configured?.facts.tls?.ok === false && issuer !== null && issuerName(configured.facts) === issuer),
    )
  );
}

/**
 * Domain 5.3 under 5.0 rule 2: trust is the operating system's. A server that does not send its intermediate is at
 * risk, whether this machine completes the chain or not: Windows does.
 */
export const pattern: Pattern = {
  id: "exchange-cert-invalid",
  title: "Exchange's certificate has a name, trust or date problem",
  layer: "tls",
  scope: "server",
  mechanism:
    "Lync drops a connection whose certificate does not name the host, is not trusted, or is out of date, without a word; EWS is then unreachable for it.",
  evidence:
    "EWS or Autodiscover fails TLS by name, trust or date, with no sign of interception; or the server does not send its intermediate certificate.",
  severities: ["prompting", "will-prompt", "at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "tls-interception: another issuer signs in between.",
    "A company CA that the operating system trusts: healthy.",
    "captive-portal: there, the control target is answered by the portal too.",
  ],
  whoFixes: "Exchange team",
  remedy: [
    {
      who: "Exchange team",
      what: "renew the certificate with every name that is used, autodiscover.<each mail domain> included",
      reference: "KB 2787614",
    },
    {
      who: "Exchange team",
      what: "install the intermediate certificate on the server, so that it is sent",
      reference: null,
    },
    { who: "Desktop team", what: "where one machine lacks the root, deploy the company CA to it", reference: null },
  ],
  references: ["KB 2787614", "RFC 9525"],
  match(view) {
    if (ewsInterception(view)) return null;
    const candidates = [view.ews, ...ofService(view, "autodiscover")].filter((sighting) => sighting !== null);
    const bad = candidates.find(
      ({ configured }) => configured && verdictIs(configured, ...faulty) && !lacksIntermediateOnly(configured),
    );
    const slot = bad?.configured;
    if (bad && slot) {
      if (signedInBetween(view, bad)) return null;
      const login = ofService(view, "autodiscover", "apex").some(
        ({ target, configured }) =>
          target.id !== bad.target.id && configured?.facts.http?.status === 401 && !configured.facts.http.untrusted,
      );
      const isEws = bad.target.service === "ews";
      const what = verdictTexts[slot.verdict].toLowerCase();
      const { tls } = slot.facts;
      return makeMatch({
        severity: login ? "prompting" : "will-prompt",
        // Where no control was seen, a portal may be what shows this certificate.
        confidence: ofService(view, "control").some(({ configured }) => configured) ? "high" : "medium",
        explains: isEws && bad.state === "bad",
        cause: `${hostOf(slot)}: ${what}`,
        sentence: `Credential prompts expected: at ${hostOf(slot)}, ${what}, so Lync drops the connection. Fix the certificate on Exchange, or this machine's trust.`,
        evidence: [
          probeEvidence(slot, tls?.detail ?? null),
          factEvidence(
            `probe:${slot.facts.configuration}:${slot.facts.target}:${slot.facts.via}`,
            `Issuer ${quote(issuerName(slot.facts) ?? "unknown")}, subject ${quote(tls?.subjectCN ?? "unknown")}`,
            issuerName(slot.facts),
            slot.at,
          ),
        ],
      });
    }
    const bare = candidates.find(
      ({ configured }) =>
        configured &&
        (lacksIntermediateOnly(configured) || (configured.facts.tls?.ok && configured.facts.tls.missingIntermediate)),
    )?.configured;
    if (!bare) return null;
    return makeMatch({
      severity: "at-risk",
      confidence: "high",
      explains: false,
      cause: `${hostOf(bare)} does not send its intermediate certificate`,
      sentence: `${hostOf(bare)} does not send its intermediate certificate. Windows completes the chain by itself, others cannot. Fix on Exchange.`,
      evidence: [probeEvidence(bare, "intermediate certificate not sent")],
    });
  },
};
