import { isOk } from "@lynceus/diagnosis/verdicts";
import type { Policy } from "@lynceus/protocol/policy";
import { formatLatency, formatTime } from "@lynceus/protocol/present";
import type { MachineFacts, ProbeSlot } from "@lynceus/protocol/state";
import type { Timing } from "@lynceus/protocol/timings";
import type { ChartTable } from "../charts/chart-panel.tsx";
import type { StepSeries } from "../charts/step-chart.tsx";
import { slotOf } from "./lanes.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Hours of good answers below which nothing is called usual. */
const leastHours = 12;

export interface AnswerTimes {
  /** Seconds since 1970. */
  times: number[];
  series: StepSeries[];
  /** The machine's own median over seven days on the configured route, ms; null where too little is known. */
  usual: number | null;
}

/** Keys of `facts.probes` whose times a chart of this target shows. */
export function probeKeys(facts: MachineFacts, configuration: string, target: string): string[] {
  return (["configured", "direct"] as const).flatMap((via) => keyOf(facts, configuration, target, via) ?? []);
}

function keyOf(facts: MachineFacts, configuration: string, target: string, via: "configured" | "direct") {
  const slot = slotOf(facts, configuration, target, via);
  return slot === null ? null : `${slot.facts.configuration}:${target}:${via}`;
}

/**
 * How long a target took to answer on both routes: an hour a point, and the newest probes one by one. An hour without a
 * good answer, or without a probe, is a break in its line.
 */
export function answerTimes(input: {
  facts: MachineFacts;
  hours: ReadonlyMap<string, readonly Timing[]>;
  configuration: string;
  target: string;
  policy: Policy | null;
  range: { from: number; to: number };
}): AnswerTimes {
  const { facts, hours, configuration, target, policy, range } = input;
  const step = Math.max(hourMs, (policy?.intervals.cycleMinutes ?? 15) * 60_000);
  const lines = (["configured", "direct"] as const).map((via) => {
    const slot = slotOf(facts, configuration, target, via);
    const key = keyOf(facts, configuration, target, via);
    if (slot === null || key === null) return null;
    const newest = probesOf(slot, policy);
    const known = [...(hours.get(key) ?? []).filter(({ at }) => at < (newest[0]?.at ?? Number.POSITIVE_INFINITY))];
    return { via, slot, points: withGaps([...known, ...newest], step).filter(({ at }) => at >= range.from) };
  });
  const [configured, direct] = lines;
  const compared = direct && configured?.slot.facts.route.kind !== "direct" ? direct : null;
  const shown = [configured, configured ? compared : direct].flatMap((line) => line ?? []);
  const times = [...new Set(shown.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
  const series = shown.map(({ via, points }): StepSeries => {
    const at = new Map(points.map((point) => [point.at, point.ms]));
    // Where only the other route was probed the line goes on.
    const values = times.map((time) => at.get(time));
    return {
      label: via,
      tone: via === "configured" ? "ink" : "ink3",
      values,
      ...(via === "direct" ? { dashed: true } : {}),
    };
  });
  const own = configured ? (hours.get(keyOf(facts, configuration, target, "configured") ?? "") ?? []) : [];
  return { times: times.map((at) => at / 1000), series, usual: medianOf(own, range.to) };
}

function probesOf(slot: ProbeSlot, policy: Policy | null): Timing[] {
  const target = policy?.targets.find(({ id }) => id === slot.facts.target);
  return slot.ring.map(({ at, totalMs, verdict }) => ({
    at,
    ms: totalMs,
    ok: target === undefined || isOk(verdict, target),
  }));
}

/** Good answers with their time, null where there was none or nothing was probed for long. */
function withGaps(timings: readonly Timing[], step: number): { at: number; ms: number | null }[] {
  const points: { at: number; ms: number | null }[] = [];
  for (const { at, ms, ok } of timings) {
    const last = points.at(-1);
    if (last && at - last.at > 2.5 * step) points.push({ at: last.at + 1000, ms: null });
    points.push({ at, ms: ok ? ms : null });
  }
  return points;
}

function medianOf(hours: readonly Timing[], now: number): number | null {
  const good = hours.filter(({ at, ok }) => ok && at >= now - 7 * dayMs).map(({ ms }) => ms);
  if (good.length < leastHours) return null;
  return good.sort((a, b) => a - b)[Math.floor((good.length - 1) / 2)] ?? null;
}

/** The same as a table, newest first. */
export function answerTable({ times, series }: AnswerTimes, context: { now: number; zone: string }): ChartTable {
  return {
    columns: ["At", ...series.map(({ label }) => label)],
    rows: times
      .map((at, i) => [
        formatTime(at * 1000, context),
        ...series.map(({ values }) => {
          const value = values[i];
          return value === undefined ? "" : value === null ? "no answer" : formatLatency(value);
        }),
      ])
      .reverse(),
  };
}
