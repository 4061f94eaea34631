import type { Policy } from "@lynceus/protocol/policy";
import type { MachineFacts, ProbeSlot } from "@lynceus/protocol/state";
import type { StepSeries } from "../charts/step-chart.tsx";
import { slotOf, slotOk } from "./lanes.ts";

/** Total time of the last probes on both routes; a probe without a good answer is a break in its line. */
export function latencyOf(
  facts: MachineFacts,
  configuration: string,
  target: string,
  policy: Policy | null,
): { times: number[]; series: StepSeries[] } {
  const configured = slotOf(facts, configuration, target, "configured");
  const direct = slotOf(facts, configuration, target, "direct");
  const times = [...new Set([configured, direct].flatMap((slot) => slot?.ring.map((entry) => entry.at) ?? []))].sort(
    (a, b) => a - b,
  );
  const valuesOf = (slot: ProbeSlot) => {
    const target = policy?.targets.find((t) => t.id === slot.facts.target);
    const at = new Map(
      slot.ring.map((entry) => [
        entry.at,
        target === undefined || slotOk({ ...slot, verdict: entry.verdict }, policy) ? entry.totalMs : null,
      ]),
    );
    // Where only the other route was probed the line goes on: undefined is no break for the chart.
    return times.map((time) => (at.has(time) ? (at.get(time) ?? null) : undefined)) as (number | null)[];
  };
  const series: StepSeries[] = [];
  if (configured) series.push({ label: "configured", tone: "ink", values: valuesOf(configured) });
  if (direct && configured?.facts.route.kind !== "direct")
    series.push({ label: "direct", tone: "ink3", dashed: true, values: valuesOf(direct) });
  return { times: times.map((at) => at / 1000), series };
}
