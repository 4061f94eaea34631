/**
 * When an observation was made, by the collector's clock (domain 6.3): received minus its monotonic age, so that a
 * machine whose clock is wrong by hours still reports the right moment. Never in the future.
 */
export const correctedInstant = (receivedAt: number, ageMs: number): number =>
  Math.round(receivedAt - Math.max(0, ageMs));

/** Late: older than three cycles when it arrived. It completes history and raises nothing (domain 5.0, 6.2). */
export const isLate = (at: number, receivedAt: number, cycleMinutes: number): boolean =>
  receivedAt - at > 3 * cycleMinutes * 60_000;
