// Server time of what a Grafana dashboard asks of the collector (counts and targets over time, values, machines,
// annotations, the live feed's counts) with a large fleet and its history, beside the same with a small one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createApiToken } from "@lynceus/db/api-tokens";
import { type Database, openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { migrate } from "@lynceus/db/migrate";
import { readSamples, recordSample } from "@lynceus/db/samples";
import { addTargetSamples } from "@lynceus/db/target-samples";
import { fixed, loadAverage, machineLine, median, percentile, table } from "./figures.ts";
import { root, startChild, stopChild } from "./installation.ts";
import { seedFleet } from "./seed/seed.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "100000" },
    days: { type: "string", default: "30" },
    small: { type: "string", default: "100" },
    requests: { type: "string", default: "20" },
    /** A data directory of `npm run seed` is measured instead of a fleet made for the run. */
    "data-dir": { type: "string" },
  },
});
const requests = Number(values.requests);
const warmUp = 2;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const spans = { "6 h": hoursAgo(6), "24 h": hoursAgo(24), "7 d": hoursAgo(168), "30 d": hoursAgo(720) };

/** What is asked, by what it is called in the table. */
const questions: [string, string][] = [
  ...Object.entries(spans).flatMap(([span, since]): [string, string][] => [
    [`failing, fleet, ${span}`, `/counts/history?since=${since}`],
    [`failing, by site, ${span}`, `/counts/history?since=${since}&by=site`],
    [`by pattern, ${span}`, `/counts/history?since=${since}&by=pattern`],
    [`by proxy, ${span}`, `/counts/history?since=${since}&by=proxy`],
    [`availability, by target, ${span}`, `/targets/history?since=${since}`],
    [
      `latency, by target, two quantiles, ${span}`,
      `/targets/history?since=${since}&measure=latency&quantile=0.5&quantile=0.95`,
    ],
    [`availability of EWS, by site, ${span}`, `/targets/history?since=${since}&by=site&target=ews`],
    [`changes of two machines and more, ${span}`, `/changes?since=${since}&minMachines=2`],
    [`causes, ${span}`, `/causes?since=${since}`],
  ]),
  ["values of site", "/values?field=site&contains=a"],
  ["values of tag", "/values?field=tag&contains=p"],
  ["values of route under a filter", "/values?field=route&q=status:failing"],
  ["machines, failing, 100 rows", "/machines?q=status:failing&sort=-since"],
];

interface Timed {
  readonly name: string;
  readonly samples: number[];
  readonly kilobytes: number;
}

async function time(name: string, work: () => Promise<number>): Promise<Timed> {
  const samples: number[] = [];
  let bytes = 0;
  for (let i = 0; i < warmUp + requests; i++) {
    const began = performance.now();
    bytes = await work();
    if (i >= warmUp) samples.push(performance.now() - began);
  }
  process.stderr.write(`  ${name}: ${fixed(median(samples), 1)} ms\n`);
  return { name, samples, kilobytes: bytes / 1024 };
}

async function timeQuestions(db: Database, base: string): Promise<Timed[]> {
  const { secret } = await createApiToken(db, { label: "bench", scopes: ["read"], createdBy: "bench" });
  const timed: Timed[] = [];
  for (const [name, question] of questions) {
    let n = 0;
    timed.push(
      await time(name, async () => {
        // Lists of values are kept for half a minute: each time another one is asked for.
        const fresh = question.startsWith("/values") ? `${question}%20${"x".repeat(n++ % 50)}` : question;
        const answer = await fetch(`${base}/api/v1${question.includes("q=") ? question : fresh}`, {
          headers: { authorization: `Bearer ${secret}` },
        });
        const bytes = (await answer.arrayBuffer()).byteLength;
        if (answer.status !== 200) throw new Error(`${question} answered ${answer.status}; 200 was expected`);
        return bytes;
      }),
    );
  }
  const work = (what: () => Promise<unknown>) => () => what().then(() => 0);
  timed.push(
    await time(
      "live feed: the counts of now",
      work(() => readSamples(db, { routes: false })),
    ),
  );
  timed.push(
    await time(
      "live feed: the counts of now by proxy",
      work(() => readSamples(db, { routes: true })),
    ),
  );
  let minutes = 0;
  const nextMinute = () => new Date(Date.now() + ++minutes * 60_000);
  timed.push(
    await time(
      "each minute: the samples",
      work(() => recordSample(db, nextMinute())),
    ),
  );
  const sites = [...(await readSamples(db, { routes: false })).keys()];
  const tallies = sites.flatMap((site) =>
    Array.from({ length: 16 }, (_, i) => ({
      site,
      target: `t${i}`,
      via: "configured" as const,
      simulated: true,
      at: Math.floor(Date.now() / 600_000) * 600_000,
      ok: 90,
      bad: 1,
      undecided: 1,
      latency: { "14": 20, "16": 40, "18": 20, "22": 9, "28": 1 },
    })),
  );
  timed.push(
    await time(
      "each minute: sums of 16 targets",
      work(() => addTargetSamples(db, tallies)),
    ),
  );
  return timed;
}

async function measure(machines: number, keptIn?: string): Promise<Timed[]> {
  const made = keptIn === undefined ? mkdtempSync(path.join(tmpdir(), "lynceus-series-")) : null;
  const directory = keptIn ?? made ?? "";
  const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(directory, "postgres") });
  const stops: (() => Promise<void>)[] = [() => postgres.stop()];
  try {
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url });
    stops.push(() => db.close());
    if (made !== null)
      await seedFleet(
        db,
        { machines, openFindings: Math.ceil(machines / 20), days: Number(values.days), seed: 1, now: new Date() },
        (line) => process.stderr.write(`  ${line}\n`),
      );
    const port = 17_442;
    const collector = path.join(root, "apps/collector/dist/main.js");
    const data = ["--data-dir", path.join(directory, "collector")];
    const { child } = await startChild(
      process.execPath,
      [collector, "--plain", "--port", String(port), "--api-requests-per-minute", "100000", ...data],
      { ...process.env, NODE_ENV: "production", DATABASE_URL: postgres.url },
      /"listening"/,
    );
    stops.push(() => stopChild(child));
    return await timeQuestions(db, `http://127.0.0.1:${port}`);
  } finally {
    for (const stop of stops.reverse()) await stop();
    if (made !== null) rmSync(made, { recursive: true, force: true });
  }
}

const before = loadAverage();
const small = await measure(Number(values.small));
const large = await measure(
  Number(values.machines),
  values["data-dir"] === undefined ? undefined : path.resolve(values["data-dir"]),
);
process.stdout.write(
  `${machineLine()}, ${before} before, ${loadAverage()} after; ${requests} of each after ${warmUp}, one at a time\n\n`,
);
process.stdout.write(
  `${table(
    [
      "question",
      `${fixed(Number(values.small))} machines, p50 ms`,
      `${fixed(Number(values.machines))} machines, p50 ms`,
      "p95 ms",
      "KB",
    ],
    large.map(({ name, samples, kilobytes }) => [
      name,
      fixed(percentile(small.find((one) => one.name === name)?.samples ?? [], 0.5), 1),
      fixed(percentile(samples, 0.5), 1),
      fixed(percentile(samples, 0.95), 1),
      fixed(kilobytes, 1),
    ]),
  )}\n`,
);
process.exit(0);
