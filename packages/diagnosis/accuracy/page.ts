import { type MachineStatus, machineStatuses, patternIds } from "@lynceus/protocol/names";
import type { LabResult } from "./lab-result.ts";
import { type Scores, shownOf } from "./score.ts";

/* docs/accuracy.md. Only what was measured: the numbers are those of the run that wrote the page. */

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  `| ${head.join(" | ")} |`,
  `| ${head.map(() => "---").join(" | ")} |`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
];

const percent = (value: number | null): string => (value === null ? "–" : `${(value * 100).toFixed(0)} %`);

const statusWords: Record<MachineStatus, string> = {
  healthy: "healthy",
  failing: "failing",
  stale: "stale",
  "cannot-tell": "cannot tell",
  "signed-off": "signed off",
};

/** Expected status in rows, given in columns; those that no case has are left out. */
export function statusMatrix({ statuses }: Scores): string[] {
  const used = machineStatuses.filter(
    (status) =>
      (statuses.get(status)?.size ?? 0) > 0 || [...statuses.values()].some((row) => (row.get(status) ?? 0) > 0),
  );
  return table(
    ["labelled", ...used.map((status) => statusWords[status])],
    used.map((row) => [statusWords[row], ...used.map((column) => statuses.get(row)?.get(column) ?? 0)]),
  );
}

/** Expected primary pattern in rows, given in columns, by number; a dot is zero. */
export function confusionMatrix({ primaries }: Scores): string[] {
  const all = [null, ...patternIds];
  const width = Math.max(...all.map((id) => (id ?? "none").length));
  const cell = (text: string | number) => String(text).padStart(4);
  return [
    `${"".padEnd(width + 5)}${all.map((_, index) => cell(index)).join("")}`,
    ...all.map((row, index) => {
      const counts = all.map((column) => primaries.get(row)?.get(column) ?? 0);
      return `${(row ?? "none").padEnd(width)} ${cell(index)}${counts.map((count) => cell(count === 0 ? "·" : count)).join("")}`;
    }),
  ];
}

export function patternTable({ patterns }: Scores): string[] {
  return table(
    ["pattern", "has it", "found", "missed", "found wrongly", "precision", "recall", "look-alikes", "deceived by"],
    patterns.map((each) => [
      `[${each.pattern}](patterns/${each.pattern}.md)`,
      each.right + each.missed,
      each.right,
      each.missed,
      each.wrong,
      percent(each.precision),
      percent(each.recall),
      each.lookAlikes,
      each.deceived,
    ]),
  );
}

function labSection(result: LabResult | null): string[] {
  if (!result) return [];
  return [
    "## The lab",
    "",
    `${result.clients.length} real agents with a collector and PostgreSQL in network namespaces, against squid, nginx, Kamailio`,
    `and dnsmasq (\`lab/\`). Each fault is made by changing a server, a firewall rule or a setting; no fact is invented. A`,
    `cycle lasts ${result.cycleSeconds} s there instead of a quarter of an hour. "Found in" and "cleared in" count the cycles from the`,
    "change until the collector showed the primary finding, and until it showed the machine as it was before; a finding needs",
    "two cycles in a row by design. A cycle that had begun before the change counts too, so that 3 is the second cycle that",
    "saw it, and the stored state that is counted may trail by one; one that comes and goes needs four changes in ten probes, and",
    "one of the fleet waits for the collector to count it, every 10 s, which is two of the lab's cycles. While",
    "faults lasted, the clients that none of them concerns were",
    'watched as well: column "others" says on how many of them anything else than their healthy state was shown.',
    "",
    `${result.faults.length} faults on ${result.faults.reduce((sum, { clients }) => sum + clients.length, 0)} clients, made on ${result.date} at commit ${result.commit}`,
    "(`LYNCEUS_LAB_RECORD=1 npm run verify -- --only lab` writes `lab/results/faults.json`, this table's source).",
    "",
    ...table(
      ["fault", "client", "primary finding", "found in", "cleared in", "others"],
      result.faults.flatMap((fault) =>
        fault.clients.map((client) => [
          fault.name,
          client.name,
          client.found === null ? `${client.expected}, not found` : client.expected,
          client.found === null ? "–" : client.found,
          client.cleared === null ? "–" : client.cleared,
          fault.falseFindings,
        ]),
      ),
    ),
    "",
  ];
}

export interface Page {
  readonly scores: Scores;
  /** What attribution found in fleets with planted causes, as Markdown lines; null where it was not measured. */
  readonly attribution: readonly string[] | null;
  readonly lab: LabResult | null;
}

/** The whole page. */
export function accuracyPage({ scores, attribution, lab }: Page): string {
  const { judged, wrong } = scores;
  const healthy = judged.filter(({ labelled }) => labelled.status === "healthy" && labelled.primary === null);
  const falseAlarms = healthy.filter(({ outcome }) => outcome.primary !== null || outcome.status === "failing");
  const several = judged.filter(({ labelled }) => shownOf(labelled).length > 1);
  return [
    "# How often Lynceus is right",
    "",
    "Generated by `npm run accuracy`; do not edit. `npm run accuracy -- --check` (part of `npm run verify`) fails when a",
    "labelled machine is judged otherwise than its label says, or when this page is not what is generated.",
    "",
    "What these figures are: machines that were made up by hand from the domain's rules, and real software in a lab. They",
    "show that the patterns do what they say, and where look-alikes are told apart. They are no field study: how often a",
    "finding is right in your fleet only your own helpdesk reports can show. 100 % is the rule here, since a difference fails",
    'the build; what a pattern cannot know is in the labels: such machines are labelled "cannot tell".',
    "",
    "## Labelled machines",
    "",
    `${judged.length} machines (\`packages/diagnosis/fixtures\`), each with every fact that an agent reports, a label and its reason:`,
    `${healthy.length} healthy ones without any finding, ${several.length} with more than one finding. ${judged.length - wrong.length} of ${judged.length} are judged exactly as labelled: status,`,
    `primary finding and every contributing one. Of the ${healthy.length} healthy ones, ${falseAlarms.length} raise a false alarm.`,
    "",
    ...(wrong.length === 0
      ? []
      : [
          ...table(
            ["judged otherwise", "labelled", "given"],
            wrong.map(({ labelled, outcome }) => [
              labelled.name,
              [statusWords[labelled.status], ...shownOf(labelled)].join(", "),
              [statusWords[outcome.status], ...shownOf(outcome)].join(", "),
            ]),
          ),
          "",
        ]),
    "Status, labelled in rows and given in columns:",
    "",
    ...statusMatrix(scores),
    "",
    'Each pattern, shown as primary or beside it. "Look-alikes" are machines that resemble it and do not have it.',
    "",
    ...patternTable(scores),
    "",
    "Primary finding, labelled in rows and given in columns by the row's number:",
    "",
    "```text",
    ...confusionMatrix(scores),
    "```",
    "",
    ...(attribution ? ["## Attribution", "", ...attribution, ""] : []),
    ...labSection(lab),
  ].join("\n");
}
