// One turn of incidents over 100,000 failing machines, on one core: their groups, incidents, members and what is told of
// them. Beside it the way without an index, which asks every cause and every incident for each machine.
import { parseArgs } from "node:util";
import { plan } from "@lynceus/incidents/plan";
import { reconcile } from "@lynceus/incidents/reconcile";
import { siteKey } from "@lynceus/incidents/spread";
import type { Incident, IncidentKind, Machine, OpenCause } from "@lynceus/incidents/types";
import { alertingConfigSchema } from "@lynceus/protocol/alerting";
import { fixed, loadAverage, machineLine, median, table } from "./figures.ts";
import { pick, type Random, seeded } from "./fleet/random.ts";

const { values } = parseArgs({
  options: {
    findings: { type: "string", default: "100000" },
    /** Turns that are timed, each with 1 % of the machines changed. */
    turns: { type: "string", default: "9" },
    seed: { type: "string", default: "1" },
  },
});
const count = Number(values.findings);
const random = seeded(Number(values.seed));
const start = 1_790_000_000_000;
const proxies = 50;
const limitMs = 500;

function machineOf(index: number, by: Random): Machine {
  const proxy = `px${Math.floor(by() * proxies)}.example.org:8080`;
  const site = `site ${Math.floor(400 ** by())}`;
  return {
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    hostname: `WS-${index}`,
    site,
    tags: by() < 0.2 ? ["vip"] : [],
    location: "inside",
    simulated: false,
    os: "windows",
    agentVersion: pick(by, ["1.4.0", "1.5.0"]),
    status: "failing",
    since: start - Math.floor(by() * 900_000),
    verdict: "proxy-unreachable",
    primary: {
      pattern: "proxy-unreachable",
      severity: "prompting",
      confidence: "high",
      cause: `${proxy} does not answer (refused)`,
    },
    patterns: ["proxy-unreachable"],
    values: { proxy, site, "pac-hash": "none", "tls-issuer": "Contoso CA" },
    targets: ["ews"],
    late: false,
  };
}

const machines = Array.from({ length: count }, (_, index) => machineOf(index, random));
const sites = new Map<string, number>();
for (const machine of machines) sites.set(siteKey(machine), (sites.get(siteKey(machine)) ?? 0) + 2);
const causes = Array.from(
  { length: 20 },
  (_, index): OpenCause => ({
    id: `11111111-1111-4111-8111-${String(index).padStart(12, "0")}`,
    simulated: false,
    location: "inside",
    key: "proxy",
    value: `px${index}.example.org:8080`,
    confidence: "high",
    text: `Proxy px${index}.example.org:8080 explains ${2000 - index} of the ${count} failing machines`,
    explains: 2000 - index,
    of: count,
    healthyWith: 0,
    healthyWithout: count,
  }),
);
const config = alertingConfigSchema.parse({
  receivers: [{ type: "ntfy", id: "pager", name: "Pager", capPerHour: 1000 }],
  routes: [{ id: "all", name: "Everything", receivers: ["pager"] }],
});

/** What took how long, in processor time: nothing else has to be idle for it. */
function timed<T>(work: () => T): { ms: number; result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

let now = start;
let incidents: readonly Incident[] = [];
const members: Record<IncidentKind, Map<string, number>> = { failing: new Map(), silent: new Map() };
const pages = new Set<number>();

function turn(): void {
  const turned = reconcile({
    now,
    machines,
    causes,
    incidents,
    members,
    sites,
    muters: [],
    importantTags: ["vip"],
    settings: config.settings,
    nextNumber: incidents.length + 1,
    unexplainedAfter: 30 * 60_000,
  });
  for (const { kind, machineId, to } of turned.members)
    if (to === null) members[kind].delete(machineId);
    else members[kind].set(machineId, to);
  const told = plan({
    now,
    incidents: turned.incidents,
    spreads: turned.spreads,
    failing: turned.failing,
    config,
    muters: [],
    receivers: new Map(),
    compose: { dashboardUrl: "https://lynceus.example.org", installation: "bench", textsOf: () => null },
  });
  for (const { kind, incidents: numbers } of told.notices)
    if (kind === "opened") for (const one of numbers) pages.add(one);
  incidents = told.incidents;
}

/** The same groups, found by asking every cause, every group and every incident for each machine. */
function withoutIndex(): number {
  const groups: { key: string; machines: Machine[]; incident: number | null }[] = [];
  const lists = incidents.map(({ number, keys }) => ({
    number,
    keys,
    ids: [...members.failing].filter(([, of]) => of === number).map(([id]) => id),
  }));
  for (const machine of machines) {
    const cause = causes
      .filter(({ location, simulated }) => location === machine.location && simulated === machine.simulated)
      .filter(({ key, value }) => machine.values[key] === value)
      .sort((a, b) => b.explains - a.explains)[0];
    const key = cause
      ? `cause|real|inside|${cause.key}|${cause.value}`
      : `own|real|inside|${machine.primary?.pattern}|${machine.primary?.cause.replace(/ \([^()]*\)$/, "")}`;
    let group = groups.find((one) => one.key === key);
    if (!group) {
      group = { key, machines: [], incident: null };
      groups.push(group);
    }
    group.machines.push(machine);
    group.incident ??= lists.find(({ ids, keys }) => keys.includes(key) || ids.includes(machine.id))?.number ?? null;
  }
  return groups.length;
}

const first = timed(turn);
const groups = incidents.length;
const times: number[] = [];
for (let round = 0; round < Number(values.turns); round++) {
  now += 2_000;
  for (let changed = 0; changed < count / 100; changed++) {
    const index = Math.floor(random() * count);
    machines[index] = machineOf(index, random);
  }
  times.push(timed(turn).ms);
}
const naive = timed(withoutIndex);
process.stdout.write(`${machineLine()}; ${fixed(count)} failing machines, 20 shared causes, ${loadAverage()}\n\n`);
process.stdout.write(
  `${table(
    ["reconcile", "ms on one core"],
    [
      [`groups alone, every cause and incident asked (${fixed(naive.result)} groups)`, fixed(naive.ms)],
      [`first turn: ${fixed(groups)} incidents are opened and told of`, fixed(first.ms)],
      ["a turn in which 1 % of the machines changed, median", fixed(median(times))],
      ["the slowest of those", fixed(Math.max(...times))],
    ],
  )}\n`,
);
process.stdout.write(`\nratio ${fixed(naive.ms / median(times))}; ${fixed(pages.size)} incidents were told of\n`);
if (median(times) > limitMs || first.ms > limitMs || groups !== proxies) {
  process.stderr.write(`a turn may take ${limitMs} ms of one core; ${proxies} groups were planted\n`);
  process.exit(1);
}
