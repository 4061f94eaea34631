import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { explainsBadRoute } from "../proxy-script.ts";
import { badEws } from "../view.ts";

/** Domain 5.1. Holds for the script of automatic detection as well. Outside it proves nothing (5.0 rule 3). */
export const pattern: Pattern = {
  id: "pac-script-error",
  title: "The proxy script is broken",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "A script that throws, never ends, gives no usable result, or is a web page, is as good as none: Windows falls back without a word.",
  evidence: "The script was downloaded, and evaluating it fails, or its text is a web page.",
  severities: ["prompting", "will-prompt"],
  confidences: ["high"],
  notThis: [
    "captive-portal: there, the page comes from the network's login host and the control target shows it too.",
    "A script that returns DIRECT on purpose.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    { who: "Proxy team", what: "correct the script, or roll back to the version that worked", reference: "KB 2769142" },
    { who: "Helpdesk", what: "then restart Internet Explorer and Lync", reference: "KB 2298541" },
  ],
  references: ["KB 2769142", "KB 2298541"],
  match(view) {
    const { pac, settings } = view;
    if (!pac || !settings || pac.fetch !== "ok" || view.location === "outside") return null;
    if (pac.origin === "pac" ? settings.pacUrl === null : !settings.autoDetect) return null;
    if (!pac.bodyIsHtml && pac.evalOk !== false) return null;
    const why = pac.bodyIsHtml ? "it is a web page" : quote(pac.evalError ?? "it gives no usable result", 160);
    const ews = badEws(view);
    return makeMatch({
      severity: ews ? "prompting" : "will-prompt",
      confidence: "high",
      explains: explainsBadRoute(view),
      cause: `the proxy script is broken: ${why}`,
      sentence: ews
        ? `Credential prompts expected: the proxy script is broken (${why}), and the fallback does not reach Exchange. Fix the script, not this machine.`
        : `The proxy script is broken (${why}). The fallback reaches Exchange today; prompts are expected when it no longer does. Fix the script.`,
      evidence: [
        factEvidence(`pac:${view.configuration}`, `Script ${quote(pac.url)}: ${why}`, pac.evalError ?? "html", pac.at),
        factEvidence(
          `pac:${view.configuration}`,
          `Script, sha256 ${(pac.sha256 ?? "unknown").slice(0, 12)}`,
          pac.sha256,
          pac.at,
        ),
        probeEvidence(view.ews?.configured ?? null),
      ],
    });
  },
};
