import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { liveHub } from "../src/lib/live-hub.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const eventsOf = (messages: string[]) => messages.map((message) => /event: (\w+)/.exec(message)?.[1]);
const hub = (most = 10) => liveHub({ most, everyMs: 1_000, heartbeatMs: 10_000 });

test("a change goes out at once, and all of the next second become one", () => {
  const live = hub();
  const heard: string[] = [];
  live.join((message) => heard.push(message));
  for (let n = 0; n < 50; n++) live.changed();
  expect(eventsOf(heard)).toEqual(["hello", "change"]);
  vi.advanceTimersByTime(1_000);
  expect(eventsOf(heard)).toEqual(["hello", "change", "change"]);
  vi.advanceTimersByTime(5_000);
  expect(eventsOf(heard)).toEqual(["hello", "change", "change"]);
  live.close();
});

test("silence is broken by a heartbeat each 10 s, but not while the database is away", () => {
  const live = hub();
  const heard: string[] = [];
  live.join((message) => heard.push(message));
  vi.advanceTimersByTime(20_000);
  expect(eventsOf(heard)).toEqual(["hello", "heartbeat", "heartbeat"]);
  live.blind(true);
  vi.advanceTimersByTime(60_000);
  expect(heard).toHaveLength(3);
  const late: string[] = [];
  live.join((message) => late.push(message));
  expect(late).toEqual([]);
  live.blind(false);
  live.changed();
  expect(eventsOf(late)).toEqual(["change"]);
  live.close();
});

test("the number of clients is bounded, and a place that is left is free again", () => {
  const live = hub(2);
  const first = live.join(() => {});
  live.join(() => {});
  expect(live.join(() => {})).toBeNull();
  first?.leave();
  first?.leave();
  expect(live.clients).toBe(1);
  expect(live.join(() => {})).not.toBeNull();
  live.close();
});
