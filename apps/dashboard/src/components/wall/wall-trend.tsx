import { formatCount } from "@lynceus/protocol/present";
import { countTicks, placeEventLabels, spreadLabels } from "../charts/scale.ts";
import { timeTicks } from "../machine/strips.ts";
import styles from "./wall.module.css";

export interface WallLine {
  label: string;
  /** One per time; null is a gap. */
  values: readonly (number | null)[];
  bad: boolean;
}

export interface WallEvent {
  /** ms */
  at: number;
  label: string;
}

/** Width of a letter of the chart, near enough to tell on which side of a line its label has room. */
const letter = 9.5;
const box = { width: 800, height: 410, left: 58, right: 612, top: 12, bottom: 374 };

/** Counts over time, stepped and from zero, drawn on the server: a screen that is not touched needs no chart library. */
export function WallTrend(props: {
  /** Seconds since 1970. */
  times: readonly number[];
  lines: readonly WallLine[];
  /** What changed before, if anything did. */
  event: WallEvent | null;
  range: { from: number; to: number };
  zone: string;
}) {
  const { times, lines, event, range, zone } = props;
  const ticks = countTicks(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const top = ticks.at(-1) ?? 1;
  const x = (at: number) => round(box.left + ((at - range.from) / (range.to - range.from)) * (box.right - box.left));
  const y = (value: number) => round(box.bottom - (value / top) * (box.bottom - box.top));
  const shown = lines.flatMap((line) => {
    const last = line.values.findLast((value) => value !== null) ?? null;
    return last === null ? [] : [{ line, last }];
  });
  const labels = spreadLabels(
    shown.map(({ last }) => y(last)),
    44,
    box.top + 10,
    box.bottom - 4,
  );
  const said = shown.map(({ line, last }) => `${line.label}: ${formatCount(last)}`).join("; ");
  const eventX = event === null ? 0 : x(event.at);
  const width = (event?.label.length ?? 0) * letter;
  const [labelX = null] = placeEventLabels([{ x: eventX, width }], { left: box.left, right: box.right, gap: 8 });
  const xs = times.map((at) => x(at * 1000));
  return (
    <svg
      viewBox={`0 0 ${box.width} ${box.height}`}
      className={styles.trend}
      role="img"
      aria-label={event === null ? `Now ${said}.` : `Now ${said}. ${event.label}.`}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <path d={`M${box.left} ${y(tick)}H${box.right}`} stroke="var(--line)" />
          <text x={box.left - 8} y={y(tick) + 6} textAnchor="end">
            {formatCount(tick)}
          </text>
        </g>
      ))}
      {timeTicks(range, zone, 8).map((tick) => (
        <text key={tick.label} x={box.left + tick.at * (box.right - box.left)} y={box.bottom + 26} textAnchor="middle">
          {tick.label}
        </text>
      ))}
      {event === null ? null : (
        <>
          <path d={`M${eventX} ${box.top}V${box.bottom}`} stroke="var(--ink3)" strokeDasharray="2 4" strokeWidth={2} />
          {labelX === null ? null : (
            <text x={round(labelX)} y={box.top + 18}>
              {event.label}
            </text>
          )}
        </>
      )}
      {[...shown].reverse().map(({ line }) => (
        <g key={line.label}>
          {line.bad ? (
            <path d={stepPath(xs, line.values, y, box.bottom)} fill="var(--bad-fill)" fillOpacity={0.16} />
          ) : null}
          <path
            d={stepPath(xs, line.values, y)}
            fill="none"
            stroke={line.bad ? "var(--bad-fill)" : "var(--ink2)"}
            strokeWidth={line.bad ? 3 : 2}
          />
        </g>
      ))}
      {shown.map(({ line, last }, i) => (
        <g key={line.label}>
          <text className={styles.figure} x={box.right + 10} y={(labels[i] ?? 0) + 2}>
            {formatCount(last)}
          </text>
          <text x={box.right + 10} y={(labels[i] ?? 0) + 22}>
            {line.label.length > 20 ? `${line.label.slice(0, 19)}…` : line.label}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** "M…H…V…": from each value straight to the next; a gap lifts the pen. With a floor, the areas down to it. */
function stepPath(
  xs: readonly number[],
  values: readonly (number | null)[],
  y: (value: number) => number,
  floor?: number,
): string {
  let path = "";
  let from: number | null = null;
  const close = () => (floor === undefined || from === null ? "" : `V${floor}H${from}Z`);
  for (const [i, value] of values.entries()) {
    const at = xs[i] ?? 0;
    if (value === null) {
      path += close();
      from = null;
    } else {
      path += from === null ? `M${at} ${y(value)}` : `H${at}V${y(value)}`;
      from ??= at;
    }
  }
  return path + close();
}

const round = (value: number) => Math.round(value * 10) / 10;
