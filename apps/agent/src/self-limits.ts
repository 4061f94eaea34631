import type { Clock } from "./clock.ts";

/** Below every program that somebody waits for. */
export const niceness = 10;
/** Several times what the agent ever needs; more is a fault, and a new process is the cure. */
export const maxRssBytes = 256 * 1024 * 1024;
const lookEveryMs = 30_000;

/**
 * Calls `onOver` once when the process holds more memory than it may. Node cannot bound its own heap after the start.
 * @returns what ends the watch.
 */
export function watchMemory(
  clock: Pick<Clock, "setTimer">,
  rssBytes: () => number,
  onOver: (rssBytes: number) => void,
): () => void {
  let cancel = () => {};
  const look = () => {
    const bytes = rssBytes();
    if (bytes > maxRssBytes) onOver(bytes);
    else cancel = clock.setTimer(look, lookEveryMs);
  };
  look();
  return () => cancel();
}
