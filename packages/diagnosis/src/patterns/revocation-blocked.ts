import type { ProbeSlot } from "@lynceus/protocol/state";
import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { mayPassSilently, verdictIs } from "../view.ts";

/** Nothing of the server itself came back. What a server answers, be it an error, shows that it is reached. */
const isBlocked = (slot: ProbeSlot): boolean =>
  verdictIs(
    slot,
    "dns-fail",
    "tcp-refused",
    "tcp-timeout",
    "tcp-reset",
    "http-timeout",
    "proxy-unreachable",
    "proxy-blocked",
    "proxy-upstream-fail",
    "proxy-error",
  ) ||
  (slot.verdict === "proxy-auth-required" && !mayPassSilently(slot.facts));

/** A 407 that signed-in users may pass tells nothing of theirs. */
const isTold = (slot: ProbeSlot): boolean => isBlocked(slot) || slot.verdict !== "proxy-auth-required";

/** 5.0 rule 2, domain 2.8: its own pattern beside the certificate's. */
export const pattern: Pattern = {
  id: "revocation-blocked",
  title: "The certificate's revocation servers are not reached",
  layer: "tls",
  scope: "client",
  mechanism:
    "Windows asks the addresses inside a certificate whether it was revoked, over plain http. Where a firewall or proxy blocks these, logins wait for the time-out, and a client that insists on the check drops the connection.",
  evidence:
    "None of the revocation and issuer servers that the certificates of Exchange and Lync name answers on port 80 on the configured route, while Exchange itself is reached.",
  severities: ["at-risk"],
  confidences: ["medium"],
  notThis: [
    "One of several addresses that fails: they are alternatives.",
    "A company CA that names no http address: nothing to reach.",
    "A machine that reaches nothing at all: its network is the fault.",
    "Servers outside the agent's own limits: not probed, cannot tell.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "let port 80 to the certificate's CRL and OCSP hosts through, without a login",
      reference: "KB 2409256",
    },
  ],
  references: ["KB 2409256", "RFC 5280", "RFC 6960"],
  match(view) {
    const reached = view.ews?.configured?.facts.tls;
    const told = view.revocation.filter(isTold);
    const [first] = told;
    if (!reached || !first || !told.every(isBlocked)) return null;
    const hosts = [...new Set(told.map(hostOf))];
    const named = `${hosts.slice(0, 3).join(", ")}${hosts.length > 3 ? ` and ${hosts.length - 3} more` : ""}`;
    return makeMatch({
      severity: "at-risk",
      confidence: "medium",
      explains: false,
      cause: `the revocation servers of the certificate are not reached (${named})`,
      sentence: `The revocation servers that Exchange's certificate names are not reached from here (${named}): logins wait for a time-out, or are dropped. Exchange itself is reached. Fix on the proxy or firewall.`,
      evidence: told.slice(0, 8).map((slot) => probeEvidence(slot)),
    });
  },
};
