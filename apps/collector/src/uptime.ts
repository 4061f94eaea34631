import * as z from "zod";

/** When collectors were up to hear (domain 5.0 rule 12). Instants in ms since 1970. */
export const uptimeSchema = z.object({
  lastBeat: z.number(),
  /** Times in which no collector ran, oldest first. */
  gaps: z.array(z.object({ from: z.number(), to: z.number() })).max(1000),
});
export type Uptime = z.infer<typeof uptimeSchema>;

export const uptimeKey = "collector-uptime";

/** A beat a minute; one that is this late means that nobody listened in between. */
const beatLate = 150_000;
const remember = 7 * 86_400_000;

/** The record after a beat at `now`: a late one notes a gap. */
export function beat(uptime: Uptime | null, now: number): Uptime {
  if (!uptime) return { lastBeat: now, gaps: [] };
  const gaps = uptime.gaps.filter((gap) => gap.to > now - remember);
  if (now - uptime.lastBeat > beatLate) gaps.push({ from: uptime.lastBeat, to: now });
  return { lastBeat: Math.max(now, uptime.lastBeat), gaps: gaps.slice(-1000) };
}

/**
 * The instant since which `duration` ms of listening have passed: what was not heard from since is stale. A time
 * without a collector does not count as silence.
 * @example staleBefore({ lastBeat: 100, gaps: [{ from: 40, to: 60 }] }, 100, 50) === 30
 */
export function staleBefore(uptime: Uptime, now: number, duration: number): number {
  let at = now - duration;
  for (const gap of [...uptime.gaps].reverse()) if (gap.to > at) at -= gap.to - gap.from;
  return at;
}
