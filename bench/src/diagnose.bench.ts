// One changed machine among 100,000 peers: what it costs to fold its observations, judge it beside them, and keep the
// fleet's summary of it. Beside it the way without a summary and an index, which reads all peers for each change.
import { parseArgs } from "node:util";
import { createAttributionIndex } from "@lynceus/diagnosis/attribution/attribution-index";
import { subjectOf } from "@lynceus/diagnosis/attribution/subject";
import type { Subject } from "@lynceus/diagnosis/attribution/types";
import { columnView, machineColumns } from "@lynceus/diagnosis/columns";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import { type FleetContext, type FleetGroup, fleetContext, summarizeFleet } from "@lynceus/diagnosis/fleet";
import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { MachineState } from "@lynceus/protocol/state";
import { fixed, loadAverage, machineLine, median, percentile, table } from "./figures.ts";
import type { Fault } from "./fleet/faults.ts";
import { digestOf, makeMachine, observe } from "./fleet/machine.ts";
import { pick, type Random, seeded } from "./fleet/random.ts";

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: "100000" },
    /** Changed machines that are timed. */
    changes: { type: "string", default: "2000" },
    /** Changes of the way without a summary, which takes long. */
    "scan-changes": { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
  },
});
const peers = Number(values.peers);
const policy = buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: ["example.org"] }, 1);
const start = 1_790_000_000_000;
const cycleMs = 15 * 60_000;

/** A peer as its row in the database holds it. */
function peerOf(random: Random): FleetGroup {
  const site = Math.floor(400 ** random());
  const bad = random() < 0.05;
  return {
    site: `site ${site}`,
    location: "inside",
    route: pick(random, ["direct", "px1:8080", "px2:8080", "px3:8080"]),
    verdictConfigured: bad ? "proxy-unreachable" : "exchange-onprem",
    verdictDirect: "exchange-onprem",
    tlsIssuer: "Contoso CA",
    tlsSpki: "aa".repeat(32),
    subnet: `10.${site % 250}.${Math.floor(random() * 8)}.0/24`,
    backEnd: `EX0${1 + Math.floor(random() * 6)}`,
    pacHash: "none",
    changedTo: null,
    machines: 1,
  };
}

/** As the database groups them: one row for those that agree in everything. */
function grouped(rows: readonly FleetGroup[]): FleetGroup[] {
  const groups = new Map<string, { row: FleetGroup; machines: number }>();
  for (const row of rows) {
    const key = JSON.stringify(row);
    const known = groups.get(key);
    if (known) known.machines += 1;
    else groups.set(key, { row, machines: 1 });
  }
  return [...groups.values()].map(({ row, machines }) => ({ ...row, machines }));
}

let seq = 0;
/** What a machine sends in one cycle. */
const cycleOf = (index: number, fault: Fault, at: number): Observation[] =>
  observe(makeMachine(index, peers, seeded(index)), policy, fault).map(
    (draft) => ({ ...draft, seq: ++seq, at, ageMs: 0, digest: digestOf(draft) }) as Observation,
  );

const fold = (state: MachineState, observations: readonly Observation[], at: number): MachineState =>
  observations.reduce(
    (folded, observation) => applyObservation(folded, observation, { at, replayed: false }, policy).state,
    state,
  );
const judge = (state: MachineState, fleet: FleetContext, now: number): MachineState => ({
  ...state,
  ...diagnose({ facts: state.facts, persistence: state.persistence, policy, fleet, now, newCycle: true }),
});
const context = { site: "site 1", policyVersion: 1, wave: "none" };

const random = seeded(Number(values.seed));
const rows = Array.from({ length: peers }, () => peerOf(random));
const summary = summarizeFleet(grouped(rows), start);
const subjects = rows.map(
  (row, index): Subject => ({
    id: `peer-${index}`,
    location: "inside",
    failing: row.verdictConfigured !== "exchange-onprem",
    failingSince: null,
    values: { proxy: row.route, site: row.site, subnet: row.subnet ?? null, "back-end": row.backEnd ?? null },
  }),
);
const index = createAttributionIndex(subjects);

/** Machines that were well for four cycles and are about to fail, and what they send then. */
const changes = Number(values.changes);
const changed = Array.from({ length: changes }, (_, at) => {
  let state = emptyState();
  for (let cycle = 0; cycle < 4; cycle++) {
    const now = start + cycle * cycleMs;
    state = judge(
      fold(state, cycleOf(at, "none", now), now),
      fleetContext(summary, { site: context.site, location: "inside" }),
      now,
    );
  }
  return { state, news: cycleOf(at, "ews-stopped", start + 4 * cycleMs) };
});

const now = start + 4 * cycleMs;
const timed = (work: () => void): number => {
  const before = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - before) / 1e6;
};

/** Folded, judged beside its peers, its columns and its place in the index renewed: what one change costs. */
function change(at: number, fleet: FleetContext): void {
  const entry = changed[at % changes];
  if (!entry) return;
  const state = judge(fold(entry.state, entry.news, now), fleet, now);
  const view = columnView(state, policy);
  machineColumns(state, policy, view);
  index.set(subjectOf(state, policy, { id: `peer-${at}`, ...context }, view));
}
const judgeAlone = (at: number): void => {
  const entry = changed[at % changes];
  if (entry) judge(entry.state, fleetContext(summary, { site: context.site, location: "inside" }), now);
};

// Warm: the compiler is not what is measured.
for (let at = 0; at < Math.min(500, changes); at++)
  change(at, fleetContext(summary, { site: context.site, location: "inside" }));

const judged = Array.from({ length: changes }, (_, at) => timed(() => judgeAlone(at)));
const folded = Array.from({ length: changes }, (_, at) =>
  timed(() => {
    const entry = changed[at];
    if (entry) fold(entry.state, entry.news, now);
  }),
);
const cpu = process.cpuUsage();
const whole = Array.from({ length: changes }, (_, at) =>
  timed(() => change(at, fleetContext(summary, { site: context.site, location: "inside" }))),
);
const { user, system } = process.cpuUsage(cpu);
const each = (user + system) / 1000 / changes;
const scanned = Array.from({ length: Number(values["scan-changes"]) }, (_, at) =>
  timed(() => change(at, fleetContext(summarizeFleet(grouped(rows), now), { site: context.site, location: "inside" }))),
);

const line = (name: string, samples: readonly number[]) => [
  name,
  fixed(median(samples), 3),
  fixed(percentile(samples, 0.99), 3),
];
console.log(machineLine());
console.log(
  `${fixed(peers)} peers, ${fixed(changes)} changed machines of ${changed[0]?.news.length ?? 0} observations each, ${loadAverage()}\n`,
);
console.log(
  table(
    ["diagnose", "ms p50", "ms p99"],
    [
      line("all peers read for each change", scanned),
      line("diagnosis of one machine beside the summary of its peers", judged),
      line("fold of its cycle", folded),
      line("fold of its cycle, diagnosis, columns and index", whole),
    ],
  ),
);
console.log(
  `\n${fixed(each, 3)} ms of processor time a change; ${fixed(median(scanned) / median(whole))} times as fast as by reading all peers.`,
);
if (median(judged) > 1) {
  console.error(`diagnosing one machine took ${fixed(median(judged), 2)} ms; less than 1 ms is allowed on one core`);
  process.exitCode = 1;
}
