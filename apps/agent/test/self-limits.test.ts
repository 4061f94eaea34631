import { describe, expect, it } from "vitest";
import { keepLimits } from "../src/self-limits.ts";
import { testClock } from "./support/clock.ts";

const budget = { processorPercent: 10, rssBytes: 100 };

/** @param least what memory cannot be given back below. */
function watched(least = 110) {
  const clock = testClock();
  const usage = { rssBytes: 50, cpuMs: 0 };
  const said: string[] = [];
  const look = keepLimits({
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
  /** A minute in which this share of a core was used. */
  const work = async (percent: number) => {
    usage.cpuMs += 600 * percent;
    await clock.advance(60_000);
    look();
  };
  return { usage, said, work };
}

describe("an agent that holds more memory than it may", () => {
  it("is told of once, at the next look, when giving memory back was not enough", async () => {
    const { usage, said, work } = watched();
    usage.rssBytes = 100;
    await work(0);
    expect(said).toEqual([]);
    usage.rssBytes = 500;
    for (let n = 0; n < 3; n++) await work(0);
    expect(said).toEqual(["release", "hopeless memory 110"]);
  });

  it("goes on when it could give enough back", async () => {
    const { usage, said, work } = watched(90);
    usage.rssBytes = 500;
    for (let n = 0; n < 5; n++) await work(0);
    expect(said).toEqual(["release"]);
  });
});

describe("an agent that takes more of the processor than it may", () => {
  it("lets probes wait until its average over five minutes is below its share again", async () => {
    const { said, work } = watched();
    await work(45);
    expect(said).toEqual([]);
    await work(45);
    expect(said).toEqual(["hold 18"]);
    for (let n = 0; n < 6 && said.length < 2; n++) await work(0);
    expect(said).toEqual(["hold 18", "go 9"]);
  });

  it("starts anew when waiting for a whole window did not help", async () => {
    const { said, work } = watched();
    for (let n = 0; n < 10; n++) await work(50);
    expect(said[0]).toMatch(/^hold/);
    expect(said.slice(1)).toEqual(["hopeless processor 50"]);
  });

  it("may be busy for a short time, as at its start", async () => {
    const { said, work } = watched();
    await work(40);
    for (let n = 0; n < 10; n++) await work(1);
    expect(said).toEqual([]);
  });
});
