/* Fisher's exact test in logarithms: tables of 100,000 machines give p far below the smallest double. */

const halfLogTau = 0.5 * Math.log(2 * Math.PI);

const small: number[] = [0];
for (let n = 1; n < 256; n++) small.push((small[n - 1] ?? 0) + Math.log(n));

/** ln n! for whole n ≥ 0: a table, then Stirling's series, whose first term left out is below 1e-17 from 256 on. */
export function logFactorial(n: number): number {
  const known = small[n];
  if (known !== undefined) return known;
  const square = n * n;
  const series = (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / n;
  return (n + 0.5) * Math.log(n) - n + halfLogTau + series;
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** A table's margins: `failing` of `total` machines fail, `withValue` of `total` have the value. */
export interface Margins {
  readonly failing: number;
  readonly withValue: number;
  readonly total: number;
}

/** ln of the chance that exactly `x` of the failing have the value, if it had nothing to do with failing. */
export const logPoint = (x: number, { failing, withValue, total }: Margins): number =>
  logChoose(failing, x) + logChoose(total - failing, withValue - x) - logChoose(total, withValue);

/** The sum of the terms from `x` away from the mode, as a multiple of the first; each is `ratio` times the one before. */
function tail(x: number, last: number, ratio: (x: number) => number, step: 1 | -1): number {
  let sum = 1;
  let term = 1;
  for (let at = x; at !== last; at += step) {
    term *= ratio(at);
    sum += term;
    if (term < sum * 1e-17) break;
  }
  return sum;
}

/**
 * ln p of Fisher's exact test, one-sided: the chance that at least so many of the failing have the value, given the
 * margins. 0 (p = 1) where a margin is empty, because then nothing is compared.
 */
export function fisherLogP(failingWith: number, failingWithout: number, healthyWith: number, healthyWithout: number) {
  const failing = failingWith + failingWithout;
  const withValue = failingWith + healthyWith;
  const total = failing + healthyWith + healthyWithout;
  const margins = { failing, withValue, total };
  const lowest = Math.max(0, withValue + failing - total);
  const highest = Math.min(failing, withValue);
  if (failingWith <= lowest) return 0;
  const rest = total - failing - withValue;
  if (failingWith * total > failing * withValue) {
    const up = (x: number) => ((failing - x) * (withValue - x)) / ((x + 1) * (rest + x + 1));
    return Math.min(0, logPoint(failingWith, margins) + Math.log(tail(failingWith, highest, up, 1)));
  }
  // Below the mode the other tail is the short one.
  const down = (x: number) => (x * (rest + x)) / ((failing - x + 1) * (withValue - x + 1));
  const below = Math.exp(logPoint(failingWith - 1, margins)) * tail(failingWith - 1, lowest, down, -1);
  return Math.log1p(-Math.min(1, below));
}

/** ln of the smallest p that a table with these margins can give: as many failing with the value as there can be. */
export const lowestLogP = (margins: Margins): number => logPoint(Math.min(margins.failing, margins.withValue), margins);

/**
 * Tarone's correction: how many tests count. A value of two machines can never be significant beside 10,000 others, so
 * it costs nothing; Bonferroni over all values would drown a cause in a fleet with thousands of subnets. Like
 * Bonferroni's it holds however the tests depend on each other, as proxy, script and site do.
 * @param lowest ln of the smallest p of each test. @param alpha chance of any false cause.
 * @returns the number to divide alpha by, at least 1.
 */
export function taroneDivisor(lowest: readonly number[], alpha: number): number {
  const logAlpha = Math.log(alpha);
  const testable = lowest.filter((value) => value <= logAlpha).sort((a, b) => a - b);
  let divisor = 1;
  // The number of tests below alpha / k falls with k; the smallest k that is not exceeded is the divisor.
  let count = testable.length;
  while (count > divisor) {
    divisor += 1;
    const limit = logAlpha - Math.log(divisor);
    while (count > 0 && (testable[count - 1] ?? 0) > limit) count -= 1;
  }
  return divisor;
}
