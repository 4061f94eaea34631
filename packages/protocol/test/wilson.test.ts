import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { proportion } from "../src/wilson.ts";

describe("a proportion", () => {
  it.each([
    // Worked by hand and in R: prop.test(x, n, correct = FALSE).
    [9, 10, 0.5958, 0.9821],
    [1, 1, 0.2065, 1],
    [0, 20, 0, 0.1611],
    [50, 100, 0.4038, 0.5962],
  ])("of %i in %i lies between %f and %f", (hits, of, low, high) => {
    const found = proportion(hits, of);
    expect(found.low).toBeCloseTo(low, 3);
    expect(found.high).toBeCloseTo(high, 3);
  });

  it("of nothing is nothing, and few cases are marked as few", () => {
    expect(proportion(0, 0)).toEqual({ hits: 0, of: 0, share: null, low: null, high: null, few: true });
    expect(proportion(19, 19).few).toBe(true);
    expect(proportion(20, 20).few).toBe(false);
  });

  it("lies within its interval, which narrows with the number of cases", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (of, part) => {
        const hits = Math.round(of * part);
        const { share, low, high } = proportion(hits, of);
        const wider = proportion(hits, of);
        const narrower = proportion(hits * 10, of * 10);
        return (
          low! >= 0 &&
          high! <= 1 &&
          low! <= share! &&
          share! <= high! &&
          narrower.high! - narrower.low! <= wider.high! - wider.low! + 1e-12
        );
      }),
    );
  });
});
