import { describe, expect, it } from "vitest";
import { beat, staleBefore } from "../src/uptime.ts";

const minute = 60_000;

describe("time in which a collector was up to hear", () => {
  it("counts silence without the gaps", () => {
    expect(staleBefore({ lastBeat: 100, gaps: [{ from: 40, to: 60 }] }, 100, 50)).toBe(30);
  });

  it("ignores a gap that ended before the silence could begin", () => {
    expect(staleBefore({ lastBeat: 100, gaps: [{ from: 10, to: 20 }] }, 100, 50)).toBe(50);
  });

  it("adds up several gaps", () => {
    const gaps = [
      { from: 10, to: 30 },
      { from: 60, to: 70 },
    ];
    expect(staleBefore({ lastBeat: 100, gaps }, 100, 50)).toBe(40);
    expect(staleBefore({ lastBeat: 100, gaps }, 100, 75)).toBe(-5);
  });

  it("notes a gap only for a beat that is late", () => {
    const first = beat(null, 0);
    const second = beat(first, minute);
    expect(second.gaps).toEqual([]);
    const third = beat(second, 11 * minute);
    expect(third.gaps).toEqual([{ from: minute, to: 11 * minute }]);
  });

  it("forgets gaps of long ago", () => {
    const old = { lastBeat: 10 * 86_400_000, gaps: [{ from: 0, to: minute }] };
    expect(beat(old, old.lastBeat + minute).gaps).toEqual([]);
  });
});
