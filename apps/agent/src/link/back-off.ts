import type { Random } from "../clock.ts";

export interface BackOffOptions {
  /** Bound of the first wait, in ms. */
  readonly baseMs?: number;
  /** No wait is longer, but for one that the collector asked for. */
  readonly capMs?: number;
  /** No wait is shorter. */
  readonly floorMs?: number;
}

/**
 * Milliseconds to wait before connection attempt `attempt` (0 = the first after a loss): full jitter, that is uniform
 * between the floor and a bound that doubles up to the cap, so that a fleet cut off at once comes back spread out.
 * A wait that the collector asked for is never undercut, and is spread by up to a fifth above it.
 */
export function backOffMs(
  attempt: number,
  random: Random,
  retryAfterSeconds: number | null = null,
  options: BackOffOptions = {},
): number {
  const { baseMs = 1000, capMs = 300_000, floorMs = 200 } = options;
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  const wait = floorMs + random() * Math.max(0, bound - floorMs);
  if (retryAfterSeconds === null) return wait;
  return Math.max(wait, retryAfterSeconds * 1000 * (1 + random() * 0.2));
}
