/*
 * Times in a few bytes: counts per step of time. A step is a quarter longer than the one before, so that what is read
 * back is right to an eighth. Pure.
 */

const growth = 1.25;

/** The step of a time in milliseconds; everything below one millisecond is step 0. */
export const latencyStep = (ms: number): number => Math.round(Math.log(Math.max(1, ms)) / Math.log(growth));

/** The time that a step stands for, in milliseconds. */
export const latencyTime = (step: number): number => growth ** step;

/**
 * The time that a share of all answers did not exceed (0.5: the median), in milliseconds, by counts per step; between two
 * steps as far as its place within the step says. Null where nothing was counted.
 */
export function latencyQuantile(counts: ReadonlyMap<number, number>, share: number): number | null {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const wanted = Math.min(Math.max(share, 0), 1) * total;
  let seen = 0;
  let last = 0;
  for (const [step, count] of [...counts].sort(([a], [b]) => a - b)) {
    if (count <= 0) continue;
    last = step;
    // A step's answers lie between half a step below it and half a step above.
    if (seen + count >= wanted) return latencyTime(step - 0.5 + (wanted - seen) / count);
    seen += count;
  }
  return latencyTime(last + 0.5);
}
