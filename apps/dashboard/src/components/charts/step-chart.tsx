"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import "uplot/dist/uPlot.min.css";
import styles from "./charts.module.css";
import type { Zoom } from "./step-plot.tsx";

export type Tone = "bad-fill" | "ink2" | "ink" | "ink3" | "stale" | "unk";

export interface StepSeries {
  /** Named at its right end, beside the last value. */
  label: string;
  tone: Tone;
  /** One per time; null is a gap, never zero and never joined. Undefined: nothing was due at this time, the line goes on. */
  values: (number | null | undefined)[];
  dashed?: boolean;
  filled?: boolean;
}

export interface ChartEvent {
  /** Seconds since 1970. */
  at: number;
  label: string;
}

export interface StepChartProps {
  times: number[];
  series: StepSeries[];
  events?: ChartEvent[];
  zone: string;
  height: number;
  /** Shape and last value, for those who do not see it. */
  sentence: string;
  /** Counts are stepped; milliseconds are lines from one to the next. */
  unit?: "count" | "ms";
  /** A value that is compared with, as a dashed line. */
  level?: { value: number; label: string } | undefined;
}

/** The library that draws comes after the page: its place is kept. */
const StepPlot = dynamic(() => import("./step-plot.tsx").then((file) => file.StepPlot), { ssr: false });

/** Counts or times to answer, over time, from zero, one axis. A stretch drawn with the pointer is zoomed into. */
export function StepChart({ sentence, ...chart }: StepChartProps) {
  const [zoom, setZoom] = useState<Zoom | null>(null);
  return (
    <div className={styles.step} style={{ minHeight: chart.height }}>
      <div role="img" aria-label={sentence}>
        <StepPlot {...chart} zoom={zoom} onZoom={setZoom} />
      </div>
      {zoom === null ? null : (
        <button type="button" className={styles.whole} onClick={() => setZoom(null)}>
          Whole range
        </button>
      )}
    </div>
  );
}
