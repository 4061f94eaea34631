import type { AlertSettings } from "@lynceus/protocol/alerting";
import type { Incident } from "./types.ts";

/**
 * Whether nothing can come of an incident any more, so that nobody needs to look at it: it ended, cannot come back, has
 * no members that are kept, and everybody who was told of it has heard of its end.
 */
export function isSettled(
  { ended, tellings, failing }: Incident,
  { reopenMinutes }: Pick<AlertSettings, "reopenMinutes">,
  now: number,
): boolean {
  if (ended === null) return false;
  if (ended.how !== "merged" && now - ended.at <= reopenMinutes * 60_000) return false;
  if (ended.how === "closed" && failing > 0) return false;
  return Object.values(tellings).every(({ endTold, overCap }) => endTold && overCap.length === 0);
}
