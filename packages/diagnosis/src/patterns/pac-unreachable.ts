import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { explainsBadRoute, scriptInForce } from "../proxy-script.ts";
import { badEws } from "../view.ts";

const failed = /^(?:dns|tcp|tls|timeout|too-big|http-[45]\d\d)$/;

/**
 * Domain 5.1. A 401 or 407 of the script's server is "cannot tell" (5.0 rule 1), outside the script fails by design
 * (rule 3), and on a network where nothing answers it proves nothing.
 */
export const pattern: Pattern = {
  id: "pac-unreachable",
  title: "The proxy script cannot be downloaded",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Windows silently falls back to the manual proxy or to a direct connection when the script cannot be had, so the way to Exchange changes without a word.",
  evidence:
    "A script address is in force and its download fails: name, connection, TLS, timeout, too large, or a 4xx or 5xx answer other than 401 and 407.",
  severities: ["prompting", "will-prompt"],
  confidences: ["high"],
  notThis: [
    "pac-file-url: a file address is never downloaded by WinHTTP.",
    "wpad-missing: there, no script address is set.",
    "A script server that asks for a login: the signed-in user may get the script, so it cannot be told.",
    "A machine at home whose script address is internal.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "make the script's address answer 200 without a login, from every network that uses it",
      reference: "KB 2769142",
    },
    {
      who: "Proxy team",
      what: "check the script host's name, certificate and MIME type (application/x-ns-proxy-autoconfig)",
      reference: null,
    },
    { who: "Helpdesk", what: "then restart Internet Explorer and Lync", reference: "KB 2298541" },
  ],
  references: ["KB 2769142", "KB 2298541"],
  match(view) {
    const pac = scriptInForce(view);
    if (!pac || view.location === "outside" || !view.alive) return null;
    if (!failed.test(pac.fetch) || pac.fetch === "http-401" || pac.fetch === "http-407") return null;
    const ews = badEws(view);
    return makeMatch({
      severity: ews ? "prompting" : "will-prompt",
      confidence: "high",
      explains: explainsBadRoute(view),
      cause: `the proxy script ${quote(pac.url)} cannot be downloaded (${pac.fetch})`,
      sentence: ews
        ? `Credential prompts expected: the proxy script cannot be downloaded (${pac.fetch}), and the fallback does not reach Exchange. Fix on the script's server, not on this machine.`
        : `The proxy script cannot be downloaded (${pac.fetch}). The fallback reaches Exchange today; prompts are expected when it no longer does. Fix on the script's server.`,
      evidence: [
        factEvidence(`pac:${view.configuration}`, `Download of ${quote(pac.url)}: ${pac.fetch}`, pac.fetch, pac.at),
        probeEvidence(view.ews?.configured ?? null),
      ],
    });
  },
};
