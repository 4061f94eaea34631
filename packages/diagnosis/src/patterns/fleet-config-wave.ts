import { waveWindowMs } from "../attribution/waves.ts";
import { factEvidence, makeMatch, type Pattern } from "../pattern.ts";

/** Domain 5.5: information, and the first thing to look at when machines of the wave begin to fail. */
export const pattern: Pattern = {
  id: "fleet-config-wave",
  title: "A proxy change is rolling through the fleet",
  layer: "fleet",
  scope: "fleet",
  mechanism:
    "A group policy or a management tool changes the proxy settings of many machines. If the new route does not let Exchange through, all of them prompt.",
  evidence:
    "At least five machines and a tenth of the location changed to the same settings within 30 minutes, this one among them.",
  severities: ["at-risk"],
  confidences: ["high", "medium"],
  notThis: [
    "proxy-baseline-drift: a setting that differs from the one that is rolled out.",
    "Machines that moved to another network: their location changed, and they are compared there.",
    "Many changes at once to different settings.",
  ],
  whoFixes: "Owner of the change",
  remedy: [
    {
      who: "Owner of the change",
      what: "compare the failing machines of the wave with those that were not changed, before it goes on",
      reference: null,
    },
    {
      who: "Desktop team",
      what: "if they fail more often, stop the roll-out and restore the settings",
      reference: null,
    },
  ],
  references: ["KB 2298541"],
  match(view) {
    const wave = view.fleet.shared.waves.get(view.configuration);
    const changedAt = view.settingsChangedAt;
    if (!wave || changedAt === null || view.now - changedAt > waveWindowMs) return null;
    const { changed, of, bad } = wave;
    const counts = `${changed} of ${of} machines`;
    return makeMatch({
      severity: "at-risk",
      // With failing machines among them it is more than a change.
      confidence: bad > 0 ? "high" : "medium",
      explains: false,
      cause: `new proxy settings roll through ${changed} machines`,
      sentence: `The proxy settings of ${counts} changed to the same within 30 minutes, here too; ${bad === 0 ? "none of them fails" : `${bad} of them fail`} now. Ask the owner of the change before it goes on.`,
      evidence: [
        factEvidence("fleet", `Changed to these settings within 30 minutes: ${counts}`, counts, view.now),
        factEvidence("fleet", `Of the changed machines, ${bad} fail`, String(bad), view.now),
        factEvidence("settings", "This machine's settings changed", view.configuration, changedAt),
      ],
    });
  },
};
