import type { FleetSamplePoint } from "@lynceus/db/samples";
import { formatCount, formatTime } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";
import type { ChartTable } from "../charts/chart-panel.tsx";

/** A hole between two samples longer than this is a gap in the line: nobody counted then. */
const gapMs = 5 * 60_000;

export interface Trend {
  /** Seconds since 1970. */
  times: number[];
  points: (TrendPoint | null)[];
}

export interface TrendPoint extends Pick<Counts, "failing" | "stale" | "cannotTell" | "atRisk"> {
  /** Machines by primary finding. */
  patterns: Readonly<Record<string, number>>;
}

/** Samples as a time series with gaps, ended by the counts of this moment. */
export function trendOf(
  samples: readonly FleetSamplePoint[],
  counts: Counts & { patterns: Readonly<Record<string, number>> },
  now: number,
): Trend {
  const times: number[] = [];
  const points: Trend["points"] = [];
  const spacing = medianSpacing(samples);
  let last: number | null = null;
  for (const sample of [...samples.filter((s) => s.at.getTime() < now), { ...counts, at: new Date(now) }]) {
    const at = sample.at.getTime();
    if (last !== null && at - last > Math.max(gapMs, spacing * 3)) {
      times.push((last + 1000) / 1000);
      points.push(null);
    }
    times.push(at / 1000);
    const { failing, stale, cannotTell, atRisk, patterns } = sample;
    points.push({ failing, stale, cannotTell, atRisk, patterns });
    last = at;
  }
  return { times, points };
}

function medianSpacing(samples: readonly FleetSamplePoint[]): number {
  const gaps = samples.slice(1).map((s, i) => s.at.getTime() - (samples[i] as FleetSamplePoint).at.getTime());
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor((gaps.length - 1) / 2)] ?? 60_000;
}

/** Failing machines of one pattern, and of all that have no line of their own; null is a gap. */
export interface PatternLine {
  /** Null: the other causes. */
  pattern: string | null;
  values: (number | null)[];
}

/**
 * The failing machines, one line for each of the patterns given and one for all others. The lines of a moment add up to
 * its failing machines.
 */
export function patternLines(trend: Trend, patterns: readonly string[]): PatternLine[] {
  const lines: PatternLine[] = patterns.map((pattern) => ({ pattern, values: [] }));
  const others: PatternLine = { pattern: null, values: [] };
  for (const point of trend.points) {
    let left = point?.failing ?? 0;
    for (const line of lines) {
      const value = Math.min(left, point?.patterns[line.pattern ?? ""] ?? 0);
      line.values.push(point === null ? null : value);
      left -= value;
    }
    others.values.push(point === null ? null : left);
  }
  return others.values.some((value) => value !== null && value > 0) || lines.length === 0 ? [...lines, others] : lines;
}

/** How each count moved in the last hour; null where nobody counted an hour ago. */
export function deltas(samples: readonly FleetSamplePoint[], counts: Counts, now: number): Counts | null {
  const aim = now - 3_600_000;
  const before = samples.reduce<FleetSamplePoint | null>(
    (best, s) => (best === null || Math.abs(s.at.getTime() - aim) < Math.abs(best.at.getTime() - aim) ? s : best),
    null,
  );
  if (before === null || Math.abs(before.at.getTime() - aim) > gapMs) return null;
  return {
    healthy: counts.healthy - before.healthy,
    failing: counts.failing - before.failing,
    stale: counts.stale - before.stale,
    cannotTell: counts.cannotTell - before.cannotTell,
    signedOff: counts.signedOff - before.signedOff,
    atRisk: counts.atRisk - before.atRisk,
  };
}

/** "+347 in 1 h", "−3 in 1 h", "no change in 1 h". */
export function deltaText(delta: number | undefined): string | undefined {
  if (delta === undefined) return undefined;
  if (delta === 0) return "same as 1 h ago";
  return `${delta > 0 ? "+" : ""}${formatCount(delta)} in 1 h`;
}

/** The figures behind a chart, newest first, without the minutes in which nothing moved. */
export function trendTable(
  trend: Trend,
  columns: readonly { title: string; value: (point: TrendPoint, i: number) => number }[],
  context: { now: number; zone: string },
): ChartTable {
  const rows: string[][] = [];
  let last = "";
  for (const [i, point] of trend.points.entries()) {
    const values = columns.map((column) => (point === null ? "not counted" : formatCount(column.value(point, i))));
    const key = values.join("|");
    const at = (trend.times[i] ?? 0) * 1000;
    if (key !== last || i === trend.points.length - 1) {
      rows.push([`${formatTime(at, context)}`, ...values]);
    }
    last = key;
  }
  return { columns: ["Since", ...columns.map((column) => column.title)], rows: rows.reverse() };
}
