import { isCounted } from "../fleet-verdicts.ts";
import { counterfactual, factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import { badEws, isProxied, routeName } from "../view.ts";

/** Domain 5.5: most machines behind one proxy fail while other routes are well. A 407 is no failure here (rule 1). */
export const pattern: Pattern = {
  id: "fleet-shared-proxy",
  title: "All behind the same proxy fail",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "One proxy does not let Exchange through. Lync on every machine that uses it cannot authenticate against Exchange and prompts.",
  evidence:
    "At least three machines and 60 % of those behind one proxy fail, at least 40 points more than those on other routes.",
  severities: ["prompting"],
  confidences: ["high", "medium"],
  notThis: [
    "proxy-unreachable, proxied-path-broken: this machine alone fails, others reach Exchange through the same proxy.",
    "A proxy that asks for a login: those machines are left out of the ratio.",
    "fleet-site-outage: the machines of one site fail by several proxies.",
    "fleet-ews-down: every route fails, so nothing is left to compare.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "check whether the proxy runs, and reaches Exchange by itself",
      reference: "KB 2298541",
    },
    {
      who: "Proxy team",
      what: "let Exchange's names pass without authentication or inspection, or take them out of the proxy's route",
      reference: "KB 2298541",
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const ews = badEws(view);
    if (!ews || !isProxied(ews.configured) || !isCounted(ews.configured.verdict)) return null;
    const route = routeName(ews.configured.facts.route);
    const fault = route === null ? undefined : view.fleet.shared.proxies.get(route);
    if (route === null || !fault) return null;
    const { bad, judged, othersBad, othersJudged, verdict, directWorks } = fault;
    const name = quote(route);
    const counts = `${bad} of ${judged} behind ${name}, ${othersBad} of ${othersJudged} on other routes`;
    return makeMatch({
      severity: "prompting",
      confidence: bad >= 0.9 * judged ? "high" : "medium",
      explains: true,
      cause: `${name} fails for all behind it`,
      sentence: `Credential prompts expected: ${bad} of ${judged} machines behind ${name} cannot reach Exchange, and ${othersBad} of ${othersJudged} on other routes.${counterfactual(ews)} Fix at the proxy, not on this machine.`,
      evidence: [
        factEvidence("fleet", `EWS is bad for ${counts}`, counts, view.now),
        factEvidence("fleet", `Most of them see: ${verdictTexts[verdict]}`, verdict, view.now),
        directWorks > 0
          ? factEvidence("fleet", `Direct, ${directWorks} of the ${bad} reach Exchange`, String(directWorks), view.now)
          : null,
        probeEvidence(ews.configured),
        probeEvidence(ews.direct),
      ],
    });
  },
};
