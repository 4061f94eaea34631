import type { SeriesField } from "./frames/series";
import type { LiveCounts } from "./live";

/** Series on one axis of time, as far as they are known. */
export interface SeriesState {
  readonly times: readonly number[];
  readonly series: readonly SeriesField[];
}

const keyOf = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => a.localeCompare(b)));

/**
 * Series with the counts of a moment at their end: in the last point where its span is not over, else in a new one. A
 * series that was not there begins, and one that is not counted any more is zero, since the fleet was counted. As many
 * points leave at the front as came at the end: a panel that is left open does not grow.
 */
export function withCounts(state: SeriesState, counts: Pick<LiveCounts, "at" | "series">, stepMs: number): SeriesState {
  const point = Math.floor(Date.parse(counts.at) / stepMs) * stepMs;
  const last = state.times.at(-1);
  if (last !== undefined && point < last) return state;
  const values = new Map(counts.series.map(({ labels, value }) => [keyOf(labels), { labels, value }]));
  // Minutes that nobody told of are gaps, and are not joined.
  const missed = last === undefined ? 0 : Math.max(0, Math.round((point - last) / stepMs) - 1);
  const added = last === point ? 0 : 1 + Math.min(missed, 1);
  const times = [...state.times];
  if (added === 2) times.push((last ?? 0) + stepMs);
  if (added > 0) times.push(point);
  const drop = state.times.length > 1 ? Math.min(added, times.length - 1) : 0;
  const extend = (own: readonly (number | null)[], value: number): (number | null)[] => {
    const next = [...own];
    if (added === 2) next.push(null);
    if (added > 0) next.push(value);
    else next[next.length - 1] = value;
    return next.slice(drop);
  };
  const known = state.series.map(({ labels, values: own }): SeriesField => {
    const key = keyOf(labels);
    const value = values.get(key)?.value ?? 0;
    values.delete(key);
    return { labels, values: extend(own, value) };
  });
  const blank = new Array<number | null>(state.times.length).fill(null);
  const begun = [...values.values()].map(
    ({ labels, value }): SeriesField => ({ labels, values: extend(blank, value) }),
  );
  return { times: times.slice(drop), series: [...known, ...begun] };
}
