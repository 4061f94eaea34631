// Server time of every page and filter of the built dashboard with a large fleet and its history (bench/src/seed), beside
// the same pages with a small fleet: what size costs. A request ends when its last byte is there; one at a time, on loopback.
import path from "node:path";
import { parseArgs } from "node:util";
import type { Database } from "@lynceus/db/client";
import type { Dashboard } from "./dashboard.ts";
import { childrenOf, fixed, loadAverage, machineLine, median, onCpuMs, percentile, table } from "./figures.ts";
import { type MeasuredPage, measuredPages } from "./pages/list.ts";
import { type SeededFleet, withSeeded } from "./seeded.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "100000" },
    "open-findings": { type: "string", default: "5000" },
    days: { type: "string", default: "30" },
    /** Machines of the baseline. */
    small: { type: "string", default: "100" },
    /** Requests of each page that are measured. */
    requests: { type: "string", default: "20" },
    /** A data directory of `npm run seed` is measured instead of a fleet made for the run. */
    "data-dir": { type: "string" },
    /** Pages whose name contains this. */
    only: { type: "string", default: "" },
  },
});
const requests = Number(values.requests);
const warmUp = 3;

interface Timed {
  readonly page: MeasuredPage;
  readonly samples: number[];
  /** Processor time of one request, ms: the dashboard's and PostgreSQL's. Unlike the time, it does not depend on who else works. */
  readonly cpu: { dashboard: number; postgres: number };
  readonly kilobytes: number;
}

/** Measures all pages on one fleet. */
const measure = (fleet: SeededFleet): Promise<Timed[]> =>
  withSeeded(fleet, 17_441, ({ db, dashboard, postgresPid }) => timePages(db, dashboard, postgresPid));

async function timePages(db: Database, dashboard: Dashboard, postgres: number): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const page of await measuredPages(db)) {
    if (!page.name.includes(values.only)) continue;
    const samples: number[] = [];
    let bytes = 0;
    const cpuNow = () => ({
      dashboard: onCpuMs(dashboard.pid),
      postgres: childrenOf(postgres).reduce((sum, pid) => sum + onCpuMs(pid), 0),
    });
    let before = cpuNow();
    for (let i = 0; i < warmUp + requests; i++) {
      if (i === warmUp) before = cpuNow();
      const began = performance.now();
      const answer = await fetch(dashboard.base + page.path, {
        headers: { cookie: dashboard.cookie },
        redirect: "manual",
      });
      bytes = (await answer.arrayBuffer()).byteLength;
      if (answer.status !== 200) throw new Error(`${page.path} answered ${answer.status}; 200 was expected`);
      if (i >= warmUp) samples.push(performance.now() - began);
    }
    const after = cpuNow();
    const cpu = {
      dashboard: (after.dashboard - before.dashboard) / requests,
      postgres: (after.postgres - before.postgres) / requests,
    };
    timed.push({ page, samples, cpu, kilobytes: bytes / 1024 });
    process.stderr.write(
      `  ${page.name}: ${fixed(median(samples))} ms, cpu ${fixed(cpu.dashboard)} + ${fixed(cpu.postgres)}\n`,
    );
  }
  return timed;
}

const before = loadAverage();
const small = await measure({
  machines: Number(values.small),
  openFindings: Math.ceil(Number(values.small) / 20),
  days: 30,
});
const large = await measure({
  machines: Number(values.machines),
  openFindings: Number(values["open-findings"]),
  days: Number(values.days),
  keptIn: values["data-dir"] === undefined ? undefined : path.resolve(values["data-dir"]),
});

process.stdout.write(
  `${machineLine()}, ${before} before, ${loadAverage()} after; ${requests} requests of each page after ${warmUp}, one at a time\n\n`,
);
const ms = (samples: readonly number[], share: number) => fixed(percentile(samples, share));
process.stdout.write(
  `${table(
    [
      "page",
      `${fixed(Number(values.small))} machines, p50 ms`,
      `${fixed(Number(values.machines))} machines, p50 ms`,
      "p95 ms",
      "CPU ms, dashboard",
      "CPU ms, PostgreSQL",
      "KB",
    ],
    large.map(({ page, samples, cpu, kilobytes }) => [
      page.name,
      ms(small.find((one) => one.page.name === page.name)?.samples ?? [], 0.5),
      ms(samples, 0.5),
      ms(samples, 0.95),
      fixed(cpu.dashboard),
      fixed(cpu.postgres),
      fixed(kilobytes),
    ]),
  )}\n`,
);
const slow = large.filter(({ samples }) => percentile(samples, 0.95) > 200);
process.stdout.write(
  slow.length === 0
    ? "\nAll below 200 ms at p95.\n"
    : `\nAbove 200 ms at p95: ${slow.map(({ page }) => page.name).join(", ")}\n`,
);
process.exit(0);
