import { expect, test } from "vitest";
import { fakeClock } from "../src/clock.ts";

test("timers fire in the order in which they fall due, at their own time", async () => {
  const clock = fakeClock(1000);
  const fired: [string, number, number][] = [];
  clock.setTimer(() => fired.push(["late", clock.monotonic(), clock.now()]), 20);
  clock.setTimer(() => fired.push(["early", clock.monotonic(), clock.now()]), 10);
  await clock.advance(15);
  expect(fired).toEqual([["early", 10, 1010]]);
  await clock.advance(15);
  expect(fired).toEqual([
    ["early", 10, 1010],
    ["late", 20, 1020],
  ]);
  expect(clock.pending()).toBe(0);
});

test("a timer that is set by a timer fires within the same advance", async () => {
  const clock = fakeClock();
  let at = 0;
  clock.setTimer(() => clock.setTimer(() => (at = clock.monotonic()), 5), 5);
  await clock.advance(60);
  expect(at).toBe(10);
});

test("a cancelled timer never fires", async () => {
  const clock = fakeClock();
  let fired = false;
  clock.setTimer(() => (fired = true), 5)();
  await clock.advance(10);
  expect(fired).toBe(false);
});

test("an aborted sleep rejects with the signal's reason", async () => {
  const clock = fakeClock();
  const abort = new AbortController();
  const sleep = clock.sleep(1000, abort.signal);
  abort.abort(new Error("stopped"));
  await expect(sleep).rejects.toThrow("stopped");
  expect(clock.pending()).toBe(0);
});

test("a step of the wall clock does not move the monotonic one", () => {
  const clock = fakeClock(1000);
  clock.setWallClock(500_000);
  expect([clock.now(), clock.monotonic()]).toEqual([500_000, 0]);
});
