// A part of the storm's machines, in a process of its own: one process may not open as many files as there are machines.
import { collectorOf } from "../fleet/collector.ts";
import type { FaultStep } from "../fleet/faults.ts";
import { simulate } from "../fleet/simulate.ts";
import { company, proxiedSites } from "./company.ts";

/** What the benchmark asks: that EWS is refused from now on, or that every machine looks within so many seconds. */
export type FromBench = { readonly lose: true } | { readonly check: number };
export interface ToBench {
  readonly connected: number;
  /** Connections that ended without the fleet's doing, by what was said of it. */
  readonly lost: readonly (readonly [string, number])[];
}

const [machines = "0", seed = "1"] = process.argv.slice(2);
const steps: FaultStep[] = [];
const fleet = simulate({
  machines: Number(machines),
  seed: Number(seed),
  sites: company,
  steps,
  collector: collectorOf(process.env.LYNCEUS_TOKEN ?? ""),
  // Cycles come when they are asked for.
  cycleSeconds: 3600,
  identities: [],
  opening: 200,
  log: (line) => process.stderr.write(`${line}\n`),
});
process.on("message", (message: FromBench) => {
  if ("check" in message) fleet.check(message.check);
  else for (const site of proxiedSites) steps.push({ atSeconds: 0, fault: "proxy-refuses", share: 2, from: 0, site });
});
process.on("disconnect", () => process.exit(0));
setInterval(() => process.send?.({ connected: fleet.connected, lost: [...fleet.lost] } satisfies ToBench), 500);
process.stdout.write("ready\n");
