import type { PacFacts } from "@lynceus/protocol/facts";
import type { Evidence } from "@lynceus/protocol/state";
import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { badEws, type Sighting, type View } from "../view.ts";

const services = new Set(["ews", "autodiscover", "lync-discover", "lync-web", "lync-rgs", "lync-abs"]);

/** Those of the named targets that Lync itself asks for: Exchange, Autodiscover, Lync's web services. */
const concerned = (view: View, ids: readonly string[]): Sighting[] =>
  view.sightings.filter(({ target }) => services.has(target.service) && ids.includes(target.id));

const names = (sightings: readonly Sighting[]) =>
  quote([...new Set(sightings.map(({ target }) => target.host))].join(", "), 160);

/** The script that decides, where one does. */
function script(view: View): View["pac"] {
  const { settings, pac } = view;
  if (pac?.evalOk !== true || !settings) return null;
  return (pac.origin === "pac" ? settings.pacUrl !== null : settings.autoDetect) ? pac : null;
}

const evidenceOf = (pac: PacFacts & { at: number }, text: string, value: string): Evidence =>
  factEvidence(`pac:${pac.configuration}`, `${text}: ${quote(pac.url)}`, value, pac.at);

/** Domain 5.1, 2.8 "PAC case" and 4.6. Whether the route changes is the agent's finding: the script's text stays there. */
export const pattern: Pattern = {
  id: "pac-case-mismatch",
  title: "The script tests a name with capital letters",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "Lync asks for lower-case host names, and a script compares letter by letter. A rule that is written with capitals never matches, so Exchange takes another way than the script's author meant.",
  evidence:
    "The script holds a host name with capital letters, and with these in lower case the way of Exchange, Autodiscover or Lync's web services is another one. Or the script answers the whole address and the address without its path differently, as Windows and Chrome ask.",
  severities: ["prompting", "at-risk"],
  confidences: ["medium", "low"],
  notThis: [
    "Capitals in rules for other hosts, or in rules whose outcome is the same: no way changes.",
    "pac-script-error: there, the script cannot be evaluated.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "write host names in the script in lower case",
      reference: "Lync support team Japan: Skype for Business Online and PAC",
    },
    {
      who: "Proxy team",
      what: "decide by the host alone, not by the path, which browsers leave out for https",
      reference: null,
    },
  ],
  references: ["Lync support team Japan: Skype for Business Online and PAC", "KB 2769142"],
  match(view) {
    const pac = script(view);
    if (!pac) return null;
    const ews = badEws(view);
    const decided = ews ? ["pac", "auto-detect"].includes(ews.configured.facts.route.by) : false;
    const changed = concerned(view, pac.caseDecides ?? []);
    if (changed.length > 0) {
      const bad = decided && changed.some(({ target }) => target.id === ews?.target.id);
      return makeMatch({
        severity: bad ? "prompting" : "at-risk",
        confidence: "medium",
        explains: bad,
        cause: `the proxy script's capital letters send ${names(changed)} another way`,
        sentence: `${bad ? "Credential prompts expected: the" : "The"} proxy script ${quote(pac.url)} tests a name with capital letters, which Lync's lower-case names never match; in lower case, ${names(changed)} would go another way. Fix in the script.`,
        evidence: [
          evidenceOf(pac, `In lower case another way for ${names(changed)}`, changed[0]?.target.id ?? ""),
          probeEvidence(changed[0]?.configured ?? null),
        ],
      });
    }
    const forms = concerned(view, pac.urlFormsDiffer);
    if (forms.length === 0) return null;
    return makeMatch({
      severity: "at-risk",
      confidence: "low",
      explains: false,
      cause: `the proxy script decides by the path for ${names(forms)}`,
      sentence: `The proxy script ${quote(pac.url)} answers differently for ${names(forms)} when asked without the path, so Lync and the browser may take different ways. Fix in the script.`,
      evidence: [
        evidenceOf(pac, `Whole address and origin give different results for ${names(forms)}`, "urlFormsDiffer"),
      ],
    });
  },
};
