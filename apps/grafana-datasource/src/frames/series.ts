import {
  type DataFrame,
  type DataLink,
  type Field,
  type FieldConfig,
  FieldType,
  type QueryResultMetaNotice,
} from "@grafana/data";
import { safeText } from "@lynceus/protocol/present";
import type { Series, SeriesAnswer } from "@lynceus/protocol/series";

/** States have the colours that they have everywhere in the product, on dark and on light; nothing else is coloured by it. */
const stateColours: Readonly<Record<string, readonly [dark: string, light: string]>> = {
  failing: ["#F2581A", "#CC3D08"],
  stale: ["#FFD36B", "#EDB83A"],
  "cannot-tell": ["#DDA0DA", "#6E2A86"],
  healthy: ["#23898F", "#1B9AA1"],
};

const units: Record<SeriesAnswer["unit"], FieldConfig> = {
  // Counts start at zero and step; what nobody counted is a gap.
  machines: { unit: "none", decimals: 0, min: 0, custom: { lineInterpolation: "stepAfter", spanNulls: false } },
  answers: { unit: "none", decimals: 0, min: 0, custom: { lineInterpolation: "stepAfter", spanNulls: false } },
  ratio: { unit: "percentunit", min: 0, max: 1, custom: { spanNulls: false } },
  milliseconds: { unit: "ms", min: 0, custom: { spanNulls: false } },
};

const words: Readonly<Record<string, string>> = {
  "cannot-tell": "cannot tell",
  "signed-off": "signed off",
  "at-risk": "at risk",
};
const quantileWords: Readonly<Record<string, string>> = { "0.5": "median" };

/** How a series is called: by what tells it from the others, or by what it counts. */
export function nameOf(labels: Readonly<Record<string, string>>, otherwise: string): string {
  const { quantile, ...rest } = labels;
  const parts = Object.values(rest).map((value) => words[value] ?? safeText(value));
  if (quantile !== undefined) parts.push(quantileWords[quantile] ?? `p${Number(quantile) * 100}`);
  return parts.join(" ") || otherwise;
}

/** What a series' field looks like, whatever its values are. */
export interface SeriesField {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: (number | null)[];
}

export interface SeriesFrameOptions {
  readonly refId: string;
  /** Name of a series that nothing tells from others. */
  readonly otherwise: string;
  readonly unit: SeriesAnswer["unit"];
  readonly stepSeconds: number;
  readonly links: (labels: Readonly<Record<string, string>>) => DataLink[];
  readonly notices: QueryResultMetaNotice[];
  readonly dark: boolean;
}

/** Series on one axis of time as one wide frame. */
export function wideFrame(times: number[], series: readonly SeriesField[], options: SeriesFrameOptions): DataFrame {
  const { refId, unit } = options;
  const values = series.map(({ labels, values: own }): Field => {
    const colour = labels.status === undefined ? undefined : stateColours[labels.status]?.[options.dark ? 0 : 1];
    const links = options.links(labels);
    return {
      name: "value",
      type: FieldType.number,
      labels: { ...labels },
      config: {
        ...units[unit],
        displayNameFromDS: nameOf(labels, options.otherwise),
        interval: options.stepSeconds * 1000,
        ...(links.length > 0 ? { links } : {}),
        ...(colour === undefined ? {} : { color: { mode: "fixed", fixedColor: colour } }),
      },
      values: own,
    };
  });
  return {
    refId,
    length: times.length,
    fields: [
      { name: "time", type: FieldType.time, config: { interval: options.stepSeconds * 1000 }, values: times },
      ...values,
    ],
    meta: { type: undefined, preferredVisualisationType: "graph", notices: options.notices },
  };
}

/** The times of an answer's points, milliseconds. */
export function timesOf({
  start,
  stepSeconds,
  points,
}: Pick<SeriesAnswer, "start" | "stepSeconds" | "points">): number[] {
  const first = Date.parse(start);
  return Array.from({ length: points }, (_, i) => first + i * stepSeconds * 1000);
}

/** What is to be said beside an answer: what a point stands for, and how many series are not there. */
export function noticesOf({
  note,
  left,
  series,
}: Pick<SeriesAnswer, "note" | "left"> & { series: readonly Series[] }): QueryResultMetaNotice[] {
  const notices: QueryResultMetaNotice[] = [{ severity: "info", text: note }];
  if (left > 0)
    notices.push({
      severity: "warning",
      text: `${left} more series are not shown; these ${series.length} have the most. Raise "Series", or choose fewer things.`,
    });
  return notices;
}
