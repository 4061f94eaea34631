import { describe, expect, it, onTestFinished } from "vitest";
import { restWhenIdle } from "../src/rest.ts";
import { testClock } from "./support/clock.ts";

describe("memory", () => {
  function resting() {
    const clock = testClock();
    const world = { busy: true };
    const released: string[] = [];
    let looks = 0;
    const rest = restWhenIdle({
      clock,
      busy: () => world.busy,
      look: () => looks++,
      release: (afterWork) => released.push(afterWork ? "after work" : "at rest"),
    });
    onTestFinished(rest.end);
    return { clock, world, released, rest, looks: () => looks };
  }

  it("is given back soon after work, and then each minute without collecting garbage", async () => {
    const { clock, world, released, rest, looks } = resting();
    await clock.advance(20_000);
    expect(released).toEqual([]);
    // The limits hold while a cycle runs, too.
    expect(looks()).toBeGreaterThan(2);
    world.busy = false;
    await clock.advance(5_000);
    expect(released).toEqual(["after work"]);
    await clock.advance(60_000);
    expect(released).toEqual(["after work", "at rest"]);
    rest.end();
    await clock.advance(300_000);
    expect(released).toHaveLength(2);
  });

  it("is given back once, a moment after a heartbeat and what comes with it", async () => {
    const { clock, world, released, rest } = resting();
    world.busy = false;
    await clock.advance(1_000);
    await clock.advance(10_000);
    rest.soon(false);
    await clock.advance(500);
    rest.soon(false);
    await clock.advance(500);
    expect(released).toEqual(["after work", "at rest"]);
    await clock.advance(59_000);
    expect(released).toHaveLength(2);
  });

  it("is collected after a cycle that began and ended between two looks", async () => {
    const { clock, world, released, rest } = resting();
    world.busy = false;
    await clock.advance(1_000);
    rest.soon(true);
    rest.soon(false);
    await clock.advance(1_000);
    expect(released).toEqual(["after work", "after work"]);
  });
});
