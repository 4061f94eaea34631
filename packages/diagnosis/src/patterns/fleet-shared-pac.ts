import { isCounted } from "../fleet-verdicts.ts";
import { counterfactual, factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import { badEws } from "../view.ts";

/** Domain 5.5. Stands before `fleet-shared-proxy`: a script that sends everybody to a dead proxy is rolled back. */
export const pattern: Pattern = {
  id: "fleet-shared-pac",
  title: "The proxy script changed and broke Exchange",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "A new proxy script gives a route that Exchange cannot be reached by. Every machine that takes it prompts; those that still have the one before do not.",
  evidence:
    "A script first seen within 24 hours: at least three machines and 60 % of those that have it fail, at least 40 points more than those with an older script or none.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "fleet-shared-proxy: machines with the older script fail by the same proxy.",
    "pac-unreachable, pac-script-error: this machine alone cannot load or run its script.",
    "A script that everybody has already: nothing is left to compare it with.",
    "A script of which it is not known when it was first seen.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    { who: "Proxy team", what: "roll the script back to the version before", reference: "KB 2298541" },
    {
      who: "Proxy team",
      what: "compare what both versions give for the Exchange names, then roll out again",
      reference: null,
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    const { pac, settings, fleet } = view;
    if (!ews || !pac || pac.sha256 === null || !isCounted(ews.configured.verdict)) return null;
    const { scripts, scriptUrls } = fleet.shared;
    const fault = scripts.get(pac.sha256) ?? scriptUrls.get(settings?.pacUrl ?? pac.url);
    if (!fault) return null;
    const { bad, judged, othersBad, othersJudged, verdict } = fault;
    const name = `${quote(pac.url)} (${pac.sha256.slice(0, 6)})`;
    const counts = `${bad} of ${judged} with the new script, ${othersBad} of ${othersJudged} with an older one or none`;
    return makeMatch({
      severity: "prompting",
      confidence: bad >= 0.9 * judged ? "high" : "medium",
      explains: true,
      cause: `the new proxy script ${pac.sha256.slice(0, 6)} breaks Exchange`,
      sentence: `Credential prompts expected: ${bad} of ${judged} machines with the new script ${name} cannot reach Exchange, and ${othersBad} of ${othersJudged} with an older one or none.${counterfactual(ews)} Roll the script back.`,
      evidence: [
        factEvidence("fleet", `EWS is bad for ${counts}`, counts, view.now),
        factEvidence("fleet", `Most of them see: ${verdictTexts[verdict]}`, verdict, view.now),
        factEvidence(`pac:${view.configuration}`, `This machine's script: ${name}`, pac.sha256, pac.at),
        probeEvidence(ews.configured),
        ews.direct === ews.configured ? null : probeEvidence(ews.direct),
      ],
    });
  },
};
