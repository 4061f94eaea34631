/** Round tops for count axes: the axis starts at zero and ends at a number that reads well (interface section 8). */

const steps = [1, 2, 2.5, 5, 10] as const;

/** Ticks from 0 to a round top at or above `max`, four or five of them. Counts get whole numbers only. */
export function countTicks(max: number): number[] {
  const aim = Math.max(max, 4) / 4;
  const power = 10 ** Math.floor(Math.log10(aim));
  const step = steps.map((s) => s * power).find((s) => s >= aim && Number.isInteger(s)) ?? 10 * power;
  const count = Math.max(1, Math.ceil(max / step));
  return Array.from({ length: Math.max(count, 2) + 1 }, (_, i) => i * step);
}

/** Moves labels apart until none overlaps, keeping their order; the result stays within `top` and `bottom`. */
export function spreadLabels(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  let last = top - gap;
  for (const label of order) {
    label.y = Math.max(label.y, last + gap);
    last = label.y;
  }
  let next = bottom + gap;
  for (const label of order.reverse()) {
    label.y = Math.min(label.y, next - gap);
    next = label.y;
  }
  const out = [...wanted];
  for (const label of order) out[label.i] = label.y;
  return out;
}

/**
 * Where the labels of event lines begin: beside their line, on the side with more room, else on the other; null where
 * neither side is free, since two labels on one another say nothing. Lines come in their order from left to right.
 */
export function placeEventLabels(
  labels: readonly { readonly x: number; readonly width: number }[],
  { left, right, gap }: { readonly left: number; readonly right: number; readonly gap: number },
): (number | null)[] {
  const taken: [from: number, to: number][] = labels.map(({ x }) => [x, x]);
  const isFree = (from: number, to: number, own: number) =>
    from >= left - gap && to <= right + gap && taken.every(([a, b], i) => i === own || to < a || from > b);
  return labels.map(({ x, width }, own) => {
    const after = x + gap;
    const before = x - gap - width;
    const sides = x - left > (right - left) / 2 ? [before, after] : [after, before];
    const place = sides.find((from) => isFree(from, from + width, own));
    if (place === undefined) return null;
    taken.push([place - gap / 2, place + width + gap / 2]);
    return place;
  });
}

const hourMs = 3_600_000;

/** Names of ticks on a time axis: the time of day; over days the weekday with it, or the date. All in ms. */
export function tickFormat(zone: string, span: number, step: number): (at: number) => string {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    return (at: number) => made.format(at);
  };
  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (span <= 30 * hourMs) return clock;
  if (step >= 24 * hourMs) return format({ day: "numeric", month: "short" });
  const day = format({ weekday: "short" });
  return (at) => `${day(at)} ${clock(at)}`;
}
