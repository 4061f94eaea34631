// The simulated fleet as a program: `LYNCEUS_TOKEN=lyn1.… tsx bench/src/fleet/main.ts --machines 200 --faults demo`.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { collectorOf } from "./collector.ts";
import { scripts } from "./faults.ts";
import { restore, type StoredIdentity, store } from "./identity.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    faults: { type: "string", default: "none" },
    "cycle-seconds": { type: "string" },
    state: { type: "string" },
  },
});

function refuse(message: string): never {
  process.stderr.write(`fleet: ${message}\n`);
  process.exit(2);
}

const steps = scripts[values.faults];
if (!steps) refuse(`--faults "${values.faults}" is no script; use one of ${Object.keys(scripts).join(", ")}`);
const machines = Number(values.machines);
if (!Number.isInteger(machines) || machines < 1 || machines > 100_000)
  refuse(`--machines "${values.machines}" is not a whole number from 1 to 100000; use e.g. --machines 200`);

const file = values.state;
const stored: StoredIdentity[] = file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
const fleet = simulate({
  machines,
  seed: Number(values.seed),
  steps,
  collector: collectorOf(process.env.LYNCEUS_TOKEN ?? ""),
  cycleSeconds: values["cycle-seconds"] === undefined ? null : Number(values["cycle-seconds"]),
  identities: stored.map(restore),
  opening: 50,
  log: (line) => process.stderr.write(`${line}\n`),
});

const save = () => {
  if (!file) return;
  writeFileSync(`${file}.new`, JSON.stringify(fleet.identities.map(store)), { mode: 0o600 });
  renameSync(`${file}.new`, file);
};
const saving = setInterval(save, 5000);
const report = setInterval(
  () => process.stdout.write(`${fleet.connected} of ${machines} connected, ${fleet.reported} observations sent\n`),
  30_000,
);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    clearInterval(saving);
    clearInterval(report);
    save();
    void fleet.stop().then(() => process.exit(0));
  });
}
