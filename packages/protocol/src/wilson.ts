import type { Proportion } from "./read-api-tools.ts";

/** Below this many a share says more than is known: the counts are shown instead. */
const enough = 20;

/** 97.5 % quantile of the normal distribution: a two-sided 95 % interval. */
const z95 = 1.959964;

/**
 * A proportion with Wilson's score interval at 95 % (E. B. Wilson, 1927), which stays inside 0…1 and is honest for few
 * cases and for shares near 0 or 1, where the usual ± is not.
 * @example proportion(9, 10) // share 0.9, low 0.596, high 0.982
 */
export function proportion(hits: number, of: number): Proportion {
  if (!(of > 0)) return { hits: 0, of: 0, share: null, low: null, high: null, few: true };
  const share = hits / of;
  const spread = z95 ** 2 / of;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (z95 * Math.sqrt((share * (1 - share) + spread / 4) / of)) / (1 + spread);
  return {
    hits,
    of,
    share,
    low: hits === 0 ? 0 : Math.max(0, centre - half),
    high: hits === of ? 1 : Math.min(1, centre + half),
    few: of < enough,
  };
}
