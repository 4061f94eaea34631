import type { SpreadPoint } from "@lynceus/db/cause-spread";
import { formatCount, formatTime } from "@lynceus/protocol/present";
import { ChartPanel } from "../charts/chart-panel.tsx";
import { type ChartEvent, StepChart } from "../charts/step-chart.tsx";
import type { Clock } from "./words.ts";

/** An event of the spread's chart, in milliseconds. */
export interface SpreadEvent {
  at: number;
  label: string;
}

/** Members failing or not yet verified, over time, with what was done meanwhile; from a little before the first. */
export function Spread(props: {
  number: number;
  points: readonly SpreadPoint[];
  /** Oldest first; at most four are drawn. */
  events: readonly SpreadEvent[];
  /** When it ended; null while it is open. */
  endedAt: number | null;
  clock: Clock;
  zoneText: string;
}) {
  const { number, points, events, endedAt, clock, zoneText } = props;
  const end = endedAt ?? clock.now;
  const last = points.at(-1)?.machines ?? 0;
  const peak = points.reduce<{ at: number; machines: number }>(
    (most, point) => (point.machines > most.machines ? { at: point.at.getTime(), machines: point.machines } : most),
    { at: end, machines: 0 },
  );
  const shown = events.slice(0, 4);
  const first = Math.min(end - 600_000, points[0]?.at.getTime() ?? end, ...shown.map(({ at }) => at));
  const start = first - Math.max(60_000, (end - first) * 0.04);
  const line = [
    { at: start, machines: 0 },
    ...points.map((point) => ({ at: point.at.getTime(), machines: point.machines })),
    { at: end, machines: last },
  ].filter((point, i, all) => i === 0 || point.at > (all[i - 1]?.at ?? 0));
  const lines: ChartEvent[] = shown.map(({ at, label }) => ({
    at: at / 1000,
    label: `${formatTime(at, clock)} ${label}`,
  }));
  return (
    <ChartPanel
      title="Spread"
      subtitle={`members failing or not yet verified, peak ${formatCount(peak.machines)} at ${formatTime(peak.at, clock)}; ${zoneText}`}
      name={`lynceus-incident-${number}`}
      table={{
        columns: ["Since", "Machines"],
        rows: [...points]
          .reverse()
          .map((point) => [formatTime(point.at.getTime(), clock), formatCount(point.machines)]),
      }}
    >
      <StepChart
        times={line.map((point) => point.at / 1000)}
        series={[{ label: "left", tone: "bad-fill", filled: true, values: line.map((point) => point.machines) }]}
        events={lines}
        zone={clock.zone}
        height={176}
        sentence={`Members failing or not yet verified: ${formatCount(last)} now, ${formatCount(peak.machines)} at most.`}
      />
    </ChartPanel>
  );
}
