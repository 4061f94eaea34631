import { hostOf, makeMatch, type Pattern, probeEvidence } from "../pattern.ts";
import { verdictTexts } from "../verdicts.ts";
import type { Sighting, View } from "../view.ts";

/**
 * Lync services that are bad: discovery per any-of group, address book by itself, Response Group where it is declared
 * (rule 8). A discovery name that does not exist is no fault: sign-in has other ways (domain 2.1).
 */
function badService(view: View): Sighting | null {
  const groups = view.groups.filter(({ members }) =>
    members.some(({ target }) => target.service === "lync-discover" || target.service === "lync-web"),
  );
  const neverPublished = ({ configured }: Sighting) =>
    configured?.verdict === "dns-fail" && ["NXDOMAIN", "NODATA"].includes(configured.facts.dns?.rcode ?? "");
  for (const { state, members } of groups) {
    const published = members.filter((member) => !neverPublished(member));
    if (state === "bad" && published[0]) return published[0];
  }
  const counts = ({ target }: Sighting) =>
    target.service === "lync-abs" || (target.service === "lync-rgs" && view.policy.expectations.responseGroups);
  // Several hosts of one service are alternatives: internal and external name.
  for (const service of ["lync-abs", "lync-rgs"]) {
    const members = view.sightings.filter((sighting) => sighting.target.service === service && counts(sighting));
    if (members.length > 0 && members.every(({ state }) => state === "bad")) return members[0] ?? null;
  }
  return null;
}

/** Domain 5.2: only while EWS is ok; else its own patterns explain. */
export const pattern: Pattern = {
  id: "lync-web-services-unreachable",
  title: "Address book or Response Group asks for a login",
  layer: "server",
  scope: "client",
  mechanism:
    "The address book and Response Group live on Lync's web services, not on Exchange. When these cannot be reached, their login fails and Lync prompts although Exchange is fine.",
  evidence: "Lync web services are bad on the configured route, while EWS is ok on it.",
  severities: ["prompting"],
  confidences: ["high"],
  notThis: [
    "EWS bad as well: then the proxy or network patterns explain both.",
    "A discovery name that is not published: sign-in uses other records.",
    "A Windows login at /abs/ or /RgsClients/: their healthy answer.",
  ],
  whoFixes: "Lync team",
  remedy: [
    { who: "Proxy team", what: "let the web services' name bypass the proxy", reference: "KB 2298541" },
    {
      who: "Lync team",
      what: "check IIS, its application pools and the certificate on the Front End servers",
      reference: null,
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    if (view.ews?.state !== "ok") return null;
    const bad = badService(view);
    const slot = bad?.configured;
    if (!bad || !slot) return null;
    const what = verdictTexts[slot.verdict].toLowerCase();
    return makeMatch({
      severity: "prompting",
      confidence: "high",
      explains: false,
      cause: `Lync web services at ${hostOf(slot)}: ${what}`,
      sentence: `Credential prompts expected for address book or Response Group: at ${hostOf(slot)}, ${what} (${slot.verdict}). Exchange answers on the same machine. Fix on Lync's web services or the way to them.`,
      evidence: [probeEvidence(slot), probeEvidence(view.ews.configured)],
    });
  },
};
