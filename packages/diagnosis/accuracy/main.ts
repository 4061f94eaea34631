// `npm run accuracy [-- --check]`: judges every labelled machine, prints what came of it and writes docs/accuracy.md.
// With --check nothing is written: it fails when a machine is judged otherwise than labelled, or when the page is stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "../fixtures/cases.ts";
import { attributionAccuracy, attributionSection } from "./attribution.ts";
import type { LabResult } from "./lab-result.ts";
import { accuracyPage, confusionMatrix, patternTable, statusMatrix } from "./page.ts";
import { score, shownOf } from "./score.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const page = new URL("../../../docs/accuracy.md", import.meta.url);
const labFile = new URL("../../../lab/results/faults.json", import.meta.url);

const scores = score(cases);
const lab = existsSync(labFile) ? (JSON.parse(readFileSync(labFile, "utf8")) as LabResult) : null;
const attribution = attributionSection(attributionAccuracy());
const text = accuracyPage({ scores, attribution, lab });

const print = (lines: readonly string[]) => process.stdout.write(`${lines.join("\n")}\n\n`);
if (!values.check) {
  print(statusMatrix(scores));
  print(patternTable(scores));
  print(confusionMatrix(scores));
  print(attribution);
}
const words = (outcome: Parameters<typeof shownOf>[0] & { status: string }) =>
  [outcome.status, ...shownOf(outcome)].join(", ");
for (const { labelled, outcome } of scores.wrong)
  process.stdout.write(
    `judged otherwise: ${labelled.name}\n  labelled ${words(labelled)}\n  given    ${words(outcome)}\n  because  ${labelled.why}\n`,
  );
process.stdout.write(`${cases.length - scores.wrong.length} of ${cases.length} machines judged as labelled\n`);
if (scores.wrong.length > 0) process.exitCode = 1;

if (!values.check) writeFileSync(page, text);
else if (!existsSync(page) || readFileSync(page, "utf8") !== text) {
  process.stderr.write("docs/accuracy.md is not what is generated; run npm run accuracy and commit the page\n");
  process.exitCode = 1;
}
