import { latencyStep, latencyTime } from "@lynceus/protocol/latency-steps";
import { limits } from "@lynceus/protocol/limits";
import type { ProbeSlot } from "@lynceus/protocol/state";

/*
 * A machine's own usual time to the first header of EWS, over seven days, in a few hundred bytes: counts per day and per
 * step of time.
 */

type Latency = NonNullable<ProbeSlot["latency"]>;

const dayMs = 86_400_000;
/** Below these a median says nothing yet: a slow first day would call itself usual. */
const minSamples = 48;
const minDays = 3;

/** One good answer more, seen at `at`. Days older than seven go; one from the past counts only while its day is kept. */
export function addLatency(before: Latency | undefined, at: number, ms: number): Latency {
  const day = Math.floor(at / dayMs);
  const days = [...(before ?? [])];
  const known = days.find((entry) => entry.day === day);
  const step = String(latencyStep(ms));
  const counts = { ...known?.counts, [step]: (known?.counts[step] ?? 0) + 1 };
  return [...days.filter((entry) => entry.day !== day), { day, counts }]
    .sort((a, b) => a.day - b.day)
    .slice(-limits.latencyDays);
}

/** Median of the last seven days in milliseconds; null where too little is known. */
export function medianLatency(latency: Latency | undefined, now: number): number | null {
  const today = Math.floor(now / dayMs);
  const counts = new Map<number, number>();
  let days = 0;
  for (const { day, counts: ofDay } of latency ?? []) {
    if (day <= today - limits.latencyDays || day > today) continue;
    days++;
    for (const [step, count] of Object.entries(ofDay))
      if (Number.isInteger(Number(step))) counts.set(Number(step), (counts.get(Number(step)) ?? 0) + count);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total < minSamples || days < minDays) return null;
  let seen = 0;
  for (const [step, count] of [...counts].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen * 2 >= total) return latencyTime(step);
  }
  return null;
}
