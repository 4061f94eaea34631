import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fisherLogP, logFactorial, lowestLogP, taroneDivisor } from "../../src/attribution/fisher.ts";

const factorials = [1n];
for (let n = 1; n <= 600; n++) factorials.push((factorials[n - 1] ?? 1n) * BigInt(n));
const choose = (n: number, k: number): bigint =>
  k < 0 || k > n ? 0n : (factorials[n] ?? 1n) / ((factorials[k] ?? 1n) * (factorials[n - k] ?? 1n));
/** ln of a ratio of whole numbers of any size. */
const logRatio = (a: bigint, b: bigint): number => {
  const log = (value: bigint) => {
    const digits = value.toString();
    const head = digits.slice(0, 15);
    return Math.log(Number(head)) + (digits.length - head.length) * Math.LN10;
  };
  return log(a) - log(b);
};
/** The definition, in whole numbers. */
function exactLogP(a: number, b: number, c: number, d: number): number {
  const [failing, withValue, total] = [a + b, a + c, a + b + c + d];
  let sum = 0n;
  for (let x = a; x <= Math.min(failing, withValue); x++)
    sum += choose(failing, x) * choose(total - failing, withValue - x);
  return logRatio(sum, choose(total, withValue));
}
const cell = fc.nat({ max: 150 });

describe("Fisher's exact test", () => {
  it("gives the p of the tea lady: 1 in 70 for all eight right, 17 in 70 for six", () => {
    expect(Math.exp(fisherLogP(4, 0, 0, 4))).toBeCloseTo(1 / 70, 12);
    expect(Math.exp(fisherLogP(3, 1, 1, 3))).toBeCloseTo(17 / 70, 12);
  });

  it("agrees with the definition in whole numbers, on both sides of the mode", () => {
    fc.assert(
      fc.property(cell, cell, cell, cell, (a, b, c, d) => {
        const exact = exactLogP(a, b, c, d);
        expect(Math.abs(fisherLogP(a, b, c, d) - exact)).toBeLessThan(1e-9 * Math.max(1, Math.abs(exact)));
      }),
      { numRuns: 100 },
    );
  });

  it("stays a number where p is far below the smallest double", () => {
    const logP = fisherLogP(50_000, 0, 0, 50_000);
    expect(logP).toBeLessThan(-60_000);
    expect(logP).toBeCloseTo(2 * logFactorial(50_000) - logFactorial(100_000), 3);
  });

  it("says nothing where a margin is empty", () => {
    expect([fisherLogP(0, 0, 5, 5), fisherLogP(5, 5, 0, 0), fisherLogP(5, 0, 5, 0), fisherLogP(0, 5, 0, 5)]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it("has ln n! right on both sides of the table's end", () => {
    let sum = 0;
    for (let n = 1; n <= 3000; n++) {
      sum += Math.log(n);
      expect(Math.abs(logFactorial(n) - sum)).toBeLessThan(1e-11 * Math.max(1, sum));
    }
  });

  it("never gives less than the lowest p of its margins", () => {
    fc.assert(
      fc.property(cell, cell, cell, cell, (a, b, c, d) => {
        const lowest = lowestLogP({ failing: a + b, withValue: a + c, total: a + b + c + d });
        expect(fisherLogP(a, b, c, d)).toBeGreaterThanOrEqual(lowest - 1e-9);
      }),
    );
  });
});

describe("the correction for many values", () => {
  it("counts no test that could never be significant", () => {
    const hopeless = new Array<number>(5000).fill(Math.log(0.02));
    expect(taroneDivisor([...hopeless, -50, -50], 0.01)).toBe(2);
    expect(taroneDivisor(hopeless, 0.01)).toBe(1);
  });

  it("is Bonferroni's where every test can be", () => {
    expect(taroneDivisor(new Array<number>(700).fill(-100), 0.01)).toBe(700);
  });

  it("is the smallest number that is not exceeded by the tests below alpha divided by it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -20, max: 0, noNaN: true }), { maxLength: 200 }), (lowest) => {
        const divisor = taroneDivisor(lowest, 0.01);
        const below = (k: number) => lowest.filter((value) => value <= Math.log(0.01) - Math.log(k)).length;
        expect(below(divisor)).toBeLessThanOrEqual(divisor);
        for (let k = 1; k < divisor; k++) expect(below(k)).toBeGreaterThan(k);
      }),
    );
  });
});
