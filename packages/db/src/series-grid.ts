import { seriesLimits } from "@lynceus/protocol/counts";
import { sitesInView } from "@lynceus/protocol/series";
import type { Fleet, FleetReader } from "./scope.ts";

/** A question over time that cannot be answered as asked: the reader may tell whoever asked. */
export class SeriesError extends Error {
  override readonly name = "SeriesError";
}

/** Regular points in time. The span is `start <= t < end`, both on the grid. */
export interface Grid {
  readonly start: Date;
  readonly end: Date;
  readonly stepSeconds: number;
  readonly points: number;
}

const dayMs = 86_400_000;

/**
 * The grid of a question: its step, made longer to whole multiples of what is stored (`unitSeconds`) and so that there are
 * not too many points; the span widened to whole steps, both of its ends in it. `until` is now when absent, and `since` six hours before it.
 * Throws a SeriesError when the span is empty or too long.
 */
export function gridOf(
  query: { since?: string | undefined; until?: string | undefined; step: number },
  now: Date,
  unitSeconds: number,
): Grid {
  const until = query.until === undefined ? now.getTime() : Date.parse(query.until);
  const since = query.since === undefined ? until - 6 * 3_600_000 : Date.parse(query.since);
  if (since >= until)
    throw new SeriesError(
      `since ${new Date(since).toISOString()} is not before until ${new Date(until).toISOString()}; give an earlier one, e.g. since=${new Date(until - 3_600_000).toISOString()}`,
    );
  if (until - since > seriesLimits.days * dayMs)
    throw new SeriesError(
      `since to until are ${Math.ceil((until - since) / dayMs)} days; at most ${seriesLimits.days} are kept, e.g. since=${new Date(until - 30 * dayMs).toISOString()}`,
    );
  // A span that begins and ends within a step has two points more than whole steps.
  const least = Math.ceil((until - since) / 1000 / (seriesLimits.points - 2));
  const stepSeconds = Math.ceil(Math.max(query.step, least) / unitSeconds) * unitSeconds;
  const step = stepSeconds * 1000;
  const start = Math.floor(since / step) * step;
  const points = Math.floor((until - start) / step) + 1;
  return { start: new Date(start), end: new Date(start + points * step), stepSeconds, points };
}

/** The sites whose figures are read; null: the fleet as a whole. Throws a SeriesError where they are not in view. */
export function sitesToRead({ scope }: FleetReader, asked: readonly string[] | undefined): readonly string[] | null {
  const { sites, problem } = sitesInView(scope, asked);
  if (problem !== null) throw new SeriesError(problem);
  return sites;
}

/** The fleet as far as it is at some sites, for what is asked of those alone; all that is seen where none is named. */
export function atSites(fleet: Fleet, asked: readonly string[] | undefined): Fleet {
  return asked === undefined
    ? fleet
    : { ...fleet, scope: { sites: [...(sitesToRead(fleet, asked) ?? [])], tags: null } };
}
