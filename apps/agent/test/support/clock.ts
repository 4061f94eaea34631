import { fakeClock } from "@lynceus/testkit/clock";
import type { Clock } from "../../src/clock.ts";

export type TestClock = Clock & { advance(ms: number): Promise<void>; setWallClock(now: number): void };

/** A clock of the agent that moves only when a test says so. `boot` can be changed, as by a restart of the machine. */
export function testClock(boot = "boot-1", start?: number): TestClock {
  const clock = fakeClock(start);
  return { ...clock, uptime: () => 1_000_000 + clock.monotonic(), boot };
}
