import { formatCount, formatTime } from "@lynceus/protocol/present";
import { ChartPanel } from "../charts/chart-panel.tsx";
import { StepChart } from "../charts/step-chart.tsx";
import { shortTitle } from "./short-titles.ts";
import { patternLines, type Trend, trendTable } from "./trend.ts";

/** A change that the chart marks. Time in milliseconds. */
export interface TrendEvent {
  at: number;
  title: string;
}

/** Failing machines by pattern, and machines not seen, over a span. */
export function OverTime(props: {
  trend: Trend;
  /** Patterns with a line of their own, the largest first. */
  worst: readonly string[];
  events: readonly TrendEvent[];
  /** Of the span: "8h". */
  range: string;
  /** The last moment of the span is this one, or one gone by. */
  past?: boolean;
  now: number;
  zone: string;
  zoneText: string;
}) {
  const { trend, worst, events, range, past = false, now, zone, zoneText } = props;
  const context = { now, zone };
  const lines = patternLines(trend, worst);
  const lineName = (pattern: string | null) =>
    pattern !== null ? shortTitle(pattern) : lines.length === 1 ? "failing" : "other causes";
  const end = trend.points.at(-1);
  const when = past ? "at its end" : "now";
  return (
    <>
      <ChartPanel
        title="Failing machines over time"
        subtitle={`by pattern, last ${range.replace(/(\d+)/, "$1 ")}, ${zoneText}`}
        name="lynceus-failing"
        table={trendTable(
          trend,
          [
            { title: "Failing", value: (point) => point.failing },
            ...lines.map((line) => ({
              title: line.pattern ?? "Other causes",
              value: (_: unknown, i: number) => line.values[i] ?? 0,
            })),
            { title: "At risk, working", value: (point) => point.atRisk },
          ],
          context,
        )}
      >
        <StepChart
          times={trend.times}
          series={lines.map((line, i) => ({
            label: lineName(line.pattern),
            tone: i === 0 ? "bad-fill" : i === 1 && line.pattern !== null ? "ink2" : "ink3",
            ...(i === 0 ? { filled: true } : {}),
            values: line.values,
          }))}
          events={events.map(({ at, title }) => ({
            at: at / 1000,
            label: `${formatTime(at, context)} ${title.toLowerCase()}`,
          }))}
          zone={zone}
          height={220}
          sentence={`Failing machines over the last ${range}: ${formatCount(end?.failing ?? 0)} ${when}, ${worst.map((pattern) => `${formatCount(end?.patterns[pattern] ?? 0)} with ${pattern}`).join(", ")}.`}
        />
      </ChartPanel>
      <ChartPanel
        title="Not seen"
        subtitle="stale, or cannot tell"
        name="lynceus-not-seen"
        table={trendTable(
          trend,
          [
            { title: "Stale", value: (point) => point.stale },
            { title: "Cannot tell", value: (point) => point.cannotTell },
          ],
          context,
        )}
      >
        <StepChart
          times={trend.times}
          series={[
            { label: "stale", tone: "stale", values: trend.points.map((p) => p?.stale ?? null) },
            {
              label: "cannot tell",
              tone: "unk",
              dashed: true,
              values: trend.points.map((p) => p?.cannotTell ?? null),
            },
          ]}
          zone={zone}
          height={120}
          sentence={`Machines not seen over the last ${range}: ${formatCount(end?.stale ?? 0)} stale and ${formatCount(end?.cannotTell ?? 0)} cannot tell ${when}.`}
        />
      </ChartPanel>
    </>
  );
}
