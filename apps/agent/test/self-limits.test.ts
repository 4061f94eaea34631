import { describe, expect, it } from "vitest";
import { defaultBudget, releaseWhenIdle, watchLimits } from "../src/self-limits.ts";
import { testClock } from "./support/clock.ts";

const budget = { processorPercent: 10, rssBytes: 100 };

/** @param least what memory cannot be given back below. */
function watched(least = 110) {
  const clock = testClock();
  const usage = { rssBytes: 50, cpuMs: 0 };
  const said: string[] = [];
  const end = watchLimits({
    clock,
    budget,
    usage: () => ({ ...usage }),
    release() {
      said.push("release");
      usage.rssBytes = Math.min(usage.rssBytes, least);
    },
    onHold: (hold, percent) => said.push(`${hold ? "hold" : "go"} ${Math.round(percent)}`),
    onHopeless: (what, amount) => said.push(`hopeless ${what} ${Math.round(amount)}`),
  });
  /** Half a minute in which this share of a core was used. */
  const work = async (percent: number) => {
    usage.cpuMs += 300 * percent;
    await clock.advance(30_000);
  };
  return { clock, usage, said, end, work };
}

describe("an agent that holds more memory than it may", () => {
  it("is told of once, within half a minute, when giving memory back was not enough", async () => {
    const { clock, usage, said } = watched();
    usage.rssBytes = 100;
    await clock.advance(120_000);
    expect(said).toEqual([]);
    usage.rssBytes = 500;
    await clock.advance(30_000);
    await clock.advance(120_000);
    expect(said).toEqual(["release", "hopeless memory 110"]);
  });

  it("goes on when it could give enough back", async () => {
    const { clock, usage, said } = watched(90);
    usage.rssBytes = 500;
    await clock.advance(300_000);
    expect(said).toEqual(["release"]);
  });
});

describe("an agent that takes more of the processor than it may", () => {
  it("lets probes wait until its average over five minutes is below its share again", async () => {
    const { said, work } = watched();
    await work(90);
    expect(said).toEqual([]);
    await work(90);
    expect(said).toEqual(["hold 18"]);
    for (let n = 0; n < 12 && said.length < 2; n++) await work(0);
    expect(said).toEqual(["hold 18", "go 9"]);
  });

  it("starts anew when waiting for a whole window did not help", async () => {
    const { said, work } = watched();
    for (let n = 0; n < 20; n++) await work(50);
    expect(said[0]).toMatch(/^hold/);
    expect(said.slice(1)).toEqual(["hopeless processor 50"]);
  });

  it("may be busy for a short time, as at its start", async () => {
    const { said, work } = watched();
    await work(80);
    for (let n = 0; n < 20; n++) await work(1);
    expect(said).toEqual([]);
  });
});

it("an agent that stops watches no longer", async () => {
  const { clock, usage, said, end } = watched();
  end();
  usage.rssBytes = defaultBudget.rssBytes;
  await clock.advance(120_000);
  expect(said).toEqual([]);
});

it("memory is given back soon after work, and then each minute without collecting garbage", async () => {
  const clock = testClock();
  let busy = true;
  const released: boolean[] = [];
  const end = releaseWhenIdle(
    clock,
    () => busy,
    (afterWork) => released.push(afterWork),
  );
  await clock.advance(20_000);
  expect(released).toEqual([]);
  busy = false;
  await clock.advance(5_000);
  expect(released).toEqual([true]);
  await clock.advance(60_000);
  expect(released).toEqual([true, false]);
  busy = true;
  await clock.advance(60_000);
  busy = false;
  await clock.advance(5_000);
  expect(released).toEqual([true, false, true]);
  end();
  await clock.advance(300_000);
  expect(released).toHaveLength(3);
});
