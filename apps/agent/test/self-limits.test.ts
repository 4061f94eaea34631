import { expect, it } from "vitest";
import { maxRssBytes, watchMemory } from "../src/self-limits.ts";
import { testClock } from "./support/clock.ts";

it("an agent that holds more memory than it may is told of once, within half a minute", async () => {
  const clock = testClock();
  let bytes = maxRssBytes;
  const over: number[] = [];
  watchMemory(
    clock,
    () => bytes,
    (seen) => over.push(seen),
  );
  await clock.advance(120_000);
  expect(over).toEqual([]);
  bytes = maxRssBytes + 1;
  await clock.advance(30_000);
  await clock.advance(120_000);
  expect(over).toEqual([maxRssBytes + 1]);
});

it("an agent that stops watches no longer", async () => {
  const clock = testClock();
  let bytes = 0;
  const over: number[] = [];
  const end = watchMemory(
    clock,
    () => bytes,
    (seen) => over.push(seen),
  );
  end();
  bytes = maxRssBytes + 1;
  await clock.advance(120_000);
  expect(over).toEqual([]);
});
