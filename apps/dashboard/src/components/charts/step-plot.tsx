"use client";

import { formatCount, formatLatency } from "@lynceus/protocol/present";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import styles from "./charts.module.css";
import { countTicks, placeEventLabels, spreadLabels, tickFormat } from "./scale.ts";
import type { ChartEvent, StepChartProps, StepSeries } from "./step-chart.tsx";

export interface Zoom {
  /** Seconds since 1970. */
  min: number;
  max: number;
}

/** What is drawn of a step chart, with the library that draws it. */
export function StepPlot({
  times,
  series,
  events = [],
  zone,
  height,
  unit = "count",
  level,
  zoom,
  onZoom,
}: Omit<StepChartProps, "sentence"> & { zoom: Zoom | null; onZoom: (zoom: Zoom) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const labels = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = host.current;
    const labelBox = labels.current;
    const tooltip = tip.current;
    if (!element || !labelBox || !tooltip) return;
    let plot: uPlot | null = null;

    const draw = () => {
      plot?.destroy();
      const colour = (name: string) => resolveColour(element, name);
      const narrow = element.clientWidth < 420;
      const gutter = narrow ? 12 : 112;
      const max = Math.max(level?.value ?? 0, ...series.flatMap((s) => s.values.map((v) => v ?? 0)));
      const ticks = countTicks(max);
      const top = ticks.at(-1) ?? 1;
      const axis = { stroke: colour("ink3"), font: `11px ${fontOf(element)}`, ticks: { show: false } };
      const shown = zoom ?? { min: times[0] ?? 0, max: times.at(-1) ?? 0 };
      const span = (shown.max - shown.min) * 1000;
      const clock = tickFormat(zone, span, 0);
      plot = new uPlot(
        {
          width: element.clientWidth,
          height,
          padding: [events.length > 0 ? 16 : 8, gutter, 0, 0],
          legend: { show: false },
          cursor: { y: false, drag: { x: true, y: false, setScale: false, dist: 8 }, points: { size: 5 } },
          tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
          scales: { x: { time: true, ...(zoom ?? {}) }, y: { range: [0, top] } },
          axes: [
            {
              ...axis,
              size: 22,
              gap: 4,
              space: 80,
              grid: { show: false },
              values: (_u, splits, _axis, _space, step) =>
                splits.map((s) => tickFormat(zone, span, step * 1000)(s * 1000)),
            },
            {
              ...axis,
              size: (_u, values) => 14 + 6.4 * Math.max(1, ...(values ?? []).map((v) => v.length)),
              gap: 6,
              grid: { stroke: colour("line"), width: 1 },
              splits: () => ticks,
              values: (_u, splits) => splits.map((v) => formatCount(v)),
            },
          ],
          series: [
            {},
            ...series.map((s) => ({
              label: s.label,
              stroke: colour(s.tone),
              width: s.filled ? 2 : 1.6,
              ...(s.filled ? { fill: fade(colour(s.tone)) } : {}),
              ...(s.dashed ? { dash: [5, 3] } : {}),
              points: { show: false },
              spanGaps: false,
              ...(unit === "ms" ? {} : { paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder }),
            })),
          ],
          hooks: {
            draw: [
              (u) => {
                drawEvents(u, events, colour("ink3"), fontOf(element));
                if (level) drawLevel(u, level.value, colour("ink3"));
                placeLabels(u, labelBox, narrow ? [] : [...series, ...levelSeries(level)], formats[unit]);
              },
            ],
            setCursor: [(u) => showTip(u, tooltip, series, { clock, value: formats[unit] })],
            setSelect: [
              (u) => {
                const { left, width } = u.select;
                if (width < 1) return;
                onZoom({ min: u.posToVal(left, "x"), max: u.posToVal(left + width, "x") });
              },
            ],
          },
        },
        [times, ...series.map((s) => s.values)],
        element,
      );
    };

    draw();
    let width = element.clientWidth;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      draw();
    });
    resized.observe(element);
    const schemed = new MutationObserver(draw);
    schemed.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    return () => {
      resized.disconnect();
      schemed.disconnect();
      plot?.destroy();
    };
  }, [times, series, events, zone, height, unit, level, zoom, onZoom]);

  return (
    <>
      <div ref={host} aria-hidden="true" />
      <div ref={labels} className={styles.ends} aria-hidden="true" />
      <div ref={tip} className={styles.tip} hidden aria-hidden="true" />
    </>
  );
}

const formats = { count: formatCount, ms: formatLatency } as const;

function levelSeries(level: { value: number; label: string } | undefined): Pick<StepSeries, "label" | "values">[] {
  return level ? [{ label: level.label, values: [level.value] }] : [];
}

function drawLevel(u: uPlot, value: number, colour: string) {
  const { ctx, bbox } = u;
  const y = u.valToPos(value, "y", true);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** The used colour of a token: `light-dark()` is only resolved on a property that paints. */
function resolveColour(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function fade(colour: string): string {
  return colour.replace(/^rgb\(([^)]*)\)$/, "rgba($1, 0.16)");
}

function fontOf(element: HTMLElement): string {
  return getComputedStyle(element).fontFamily;
}

function drawEvents(u: uPlot, events: ChartEvent[], colour: string, font: string) {
  const { ctx } = u;
  const ratio = uPlot.pxRatio;
  const { left, top, width, height } = u.bbox;
  const drawn = events
    .slice(0, 4)
    .map((event) => ({ label: event.label, x: u.valToPos(event.at, "x", true) }))
    .filter(({ x }) => x >= left && x <= left + width);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.font = `${11 * ratio}px ${font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  for (const { x } of drawn) {
    ctx.beginPath();
    ctx.moveTo(x, top - 4 * ratio);
    ctx.lineTo(x, top + height);
    ctx.stroke();
  }
  const places = placeEventLabels(
    drawn.map(({ label, x }) => ({ x, width: ctx.measureText(label).width })),
    { left, right: left + width, gap: 6 * ratio },
  );
  for (const [i, place] of places.entries())
    if (place !== null) ctx.fillText(drawn[i]?.label ?? "", place, top - 4 * ratio);
  ctx.restore();
}

/** Each line is named where it ends, with its last value. */
function placeLabels(
  u: uPlot,
  box: HTMLDivElement,
  series: readonly Pick<StepSeries, "label" | "values">[],
  format: (value: number) => string,
) {
  box.replaceChildren();
  const top = u.over.offsetTop;
  const last = series.map((s) => s.values.findLast((v) => typeof v === "number") ?? null);
  const shown = series.map((s, i) => ({ s, value: last[i] ?? null })).filter((entry) => entry.value !== null);
  const wanted = shown.map((entry) => top + u.valToPos(entry.value ?? 0, "y"));
  const placed = spreadLabels(wanted, 30, top + 8, top + u.over.clientHeight - 6);
  for (const [i, entry] of shown.entries()) {
    const label = document.createElement("div");
    const value = document.createElement("b");
    value.textContent = format(entry.value ?? 0);
    const name = document.createElement("span");
    name.textContent = entry.s.label;
    label.append(value, name);
    label.style.top = `${placed[i]}px`;
    label.style.left = `${u.over.offsetLeft + u.over.clientWidth + 8}px`;
    box.append(label);
  }
}

function showTip(
  u: uPlot,
  tip: HTMLDivElement,
  series: StepSeries[],
  format: { clock: (at: number) => string; value: (value: number) => string },
) {
  const at = u.cursor.idx;
  const time = at === null || at === undefined ? undefined : u.data[0][at];
  if (at === null || at === undefined || time === undefined || (u.cursor.left ?? -1) < 0) {
    tip.hidden = true;
    return;
  }
  tip.replaceChildren();
  const head = document.createElement("time");
  head.textContent = format.clock(time * 1000);
  tip.append(head);
  for (const s of series) {
    const row = document.createElement("div");
    const value = document.createElement("b");
    const seen = s.values[at];
    if (seen === undefined) continue;
    value.textContent = seen === null ? "not observed" : format.value(seen);
    row.append(value, ` ${s.label}`);
    tip.append(row);
  }
  tip.hidden = false;
  const left = u.over.offsetLeft + (u.cursor.left ?? 0);
  const flip = left > u.over.clientWidth / 2;
  tip.style.left = flip ? "" : `${left + 12}px`;
  tip.style.right = flip ? `${u.root.clientWidth - left + 12}px` : "";
}
