import { formatDuration } from "@lynceus/protocol/present";
import { deltaText, type Trend } from "../overview/trend.ts";
import type { SiteRow } from "../sites/rows.ts";

/** Figures that did not move for so long (ms) are steady. */
const steadyMs = 10 * 60_000;
const hourMs = 3_600_000;
/** A count this near to an hour ago (ms) says what there was then. */
const nearMs = 5 * 60_000;

/**
 * How failing machines moved of late: since when their number stands, else what the last hour brought; null where too little
 * was counted. The trend ends `now` (ms).
 * @example "steady for 16 min", "+347 in 1 h"
 */
export function failingNote(trend: Trend, now: number): string | null {
  const last = trend.points.at(-1)?.failing;
  const firstOther = trend.points.findLastIndex((point) => point?.failing !== last);
  const steady = now - (trend.times[firstOther + 1] ?? now / 1000) * 1000;
  if (steady >= steadyMs) return `steady for ${formatDuration(steady)}${firstOther === -1 ? " or more" : ""}`;
  const aim = now - hourMs;
  const [before] = trend.times
    .map((at, i) => ({ off: Math.abs(at * 1000 - aim), failing: trend.points[i]?.failing }))
    .filter(({ off, failing }) => off <= nearMs && failing !== undefined)
    .sort((a, b) => a.off - b.off);
  return before?.failing === undefined || last === undefined ? null : (deltaText(last - before.failing) ?? null);
}

/** The site with most of these machines; null where there is but one site, or none has any. */
export function largestAt(
  rows: readonly SiteRow[],
  count: "stale" | "cannotTell",
): { site: string; count: number } | null {
  const [first] = rows
    .flatMap(({ site, counts }) => (site === null ? [] : [{ site, count: counts[count] }]))
    .sort((a, b) => b.count - a.count);
  return rows.length < 2 || first === undefined || first.count === 0 ? null : first;
}
