// A fleet of N simulated agents over the real protocol against one collector, seeded, with faults on a script:
// how many observations it makes, how long their acknowledgement takes, and what the collector makes of them.
import { parseArgs } from "node:util";
import { countMachines } from "@lynceus/db/machines";
import { cpuSeconds, fixed, machineLine, percentile, residentBytes, table } from "./figures.ts";
import { collectorOf } from "./fleet/collector.ts";
import { scripts } from "./fleet/faults.ts";
import { simulate } from "./fleet/simulate.ts";
import { install } from "./installation.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    faults: { type: "string", default: "demo" },
    seconds: { type: "string", default: "90" },
    "cycle-seconds": { type: "string", default: "20" },
  },
});
const steps = scripts[values.faults];
if (!steps) {
  process.stderr.write(`--faults "${values.faults}" is no script; use one of ${Object.keys(scripts).join(", ")}\n`);
  process.exit(2);
}
const machines = Number(values.machines);
const installation = await install();
const collector = await installation.startCollector(17_440);
const latencies: number[] = [];
const fleet = simulate({
  machines,
  seed: Number(values.seed),
  steps,
  collector: collectorOf(await installation.token(collector.url, machines)),
  cycleSeconds: Number(values["cycle-seconds"]),
  identities: [],
  opening: 200,
  onAck: (ms) => latencies.push(ms),
  log: (line) => process.stderr.write(`${line}\n`),
});
const began = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));
const elapsed = (performance.now() - began) / 1000;
const counts = await countMachines(installation.db);
const memory = residentBytes(collector.pid);
const cpu = cpuSeconds(collector.pid);
await fleet.stop();
await installation.stop();
process.stdout.write(
  `${machineLine()}; ${fixed(machines)} machines, cycle ${values["cycle-seconds"]} s, faults "${values.faults}", ${fixed(elapsed)} s\n\n`,
);
process.stdout.write(
  `${table(
    ["fleet", "value"],
    [
      ["observations and confirmations sent", fixed(fleet.reported)],
      ["time to acknowledgement, p50 ms (confirmations wait for the next flush)", fixed(percentile(latencies, 0.5), 1)],
      ["collector RSS MB", fixed(memory / 1048576)],
      ["collector CPU of one core", `${fixed((cpu / elapsed) * 100)} %`],
      [
        "healthy / failing / stale / cannot tell / signed off",
        [counts.healthy, counts.failing, counts.stale, counts.cannotTell, counts.signedOff].join(" / "),
      ],
    ],
  )}\n`,
);
process.exit(0);
