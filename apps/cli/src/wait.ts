import { setTimeout as delay } from "node:timers/promises";
import type { Cli } from "./cli.ts";
import { exitCodes, Problem } from "./problem.ts";

/** Asks again, ever less often, until it is over. @throws Problem when the person ends it */
export async function pollUntil<T>(cli: Cli, ask: () => Promise<T>, isOver: (found: T) => boolean): Promise<T> {
  for (let wait = 250; ; wait = Math.min(wait * 1.5, 5_000)) {
    const found = await ask();
    if (isOver(found)) return found;
    try {
      await delay(wait, undefined, { signal: cli.interrupted });
    } catch {
      throw new Problem("ended before it was over; it goes on", exitCodes.failed);
    }
  }
}
