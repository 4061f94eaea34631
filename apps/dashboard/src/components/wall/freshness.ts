/** Data older than this is no longer called live (ms): a board that stands still must not look calm. */
const lateMs = 60_000;
/** Collectors count the fleet each minute. When a count is this late (ms), none of them is at work, and what was read is old. */
const countLateMs = 90_000;

export interface Freshness {
  /** When what is on the board was true for the last time (ms); null: nothing was ever counted. */
  newestAt: number | null;
  live: boolean;
}

/**
 * How new a board is that was read at `asOf`, when the fleet had last been counted at `countedAt`; instants in ms by the
 * server's clock. While a collector is at work the newest data is what was read; else it is the last count.
 * @example freshnessOf({ asOf: 100_000, countedAt: 60_000 }, 104_000) // { newestAt: 100_000, live: true }
 */
export function freshnessOf(read: { asOf: number; countedAt: number | null }, now: number): Freshness {
  const { asOf, countedAt } = read;
  if (countedAt === null) return { newestAt: null, live: false };
  const newestAt = asOf - countedAt < countLateMs ? asOf : countedAt;
  return { newestAt, live: now - newestAt < lateMs };
}
