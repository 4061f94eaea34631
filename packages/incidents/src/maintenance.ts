import type { Maintenance } from "@lynceus/protocol/alerting";
import { instantOf, onDate, type Span, type Temporal, weekdayOf, zonedAt } from "./wall-clock.ts";

const minute = 60_000;

/** Whether a recurring window begins on a date. */
function beginsOn({ when, validFrom, validUntil }: Maintenance, date: Temporal.PlainDate): boolean {
  const text = date.toString();
  if ((validFrom !== null && text < validFrom) || (validUntil !== null && text > validUntil)) return false;
  if (when.kind === "daily") return true;
  if (when.kind === "weekly") return when.days.includes(weekdayOf(date));
  if (when.kind === "monthly") {
    if (weekdayOf(date) !== when.day) return false;
    return when.nth === -1 ? date.day > date.daysInMonth - 7 : Math.ceil(date.day / 7) === when.nth;
  }
  return false;
}

/**
 * When a window is, of the spans that touch [from, to), in order; at most `most` of them. A window begins by its zone's
 * clock and lasts its minutes in real time, whatever the clocks do meanwhile.
 */
export function occurrences(window: Maintenance, from: number, to: number, most = 500): Span[] {
  const { when, zone } = window;
  if (when.kind === "once") {
    const span = { from: instantOf(when.from, zone), to: instantOf(when.to, zone) };
    return span.from < to && span.to > from ? [span] : [];
  }
  const found: Span[] = [];
  const length = when.minutes * minute;
  const last = zonedAt(to, zone).toPlainDate();
  // A window that began before may reach into the span.
  let date = zonedAt(from - length, zone).toPlainDate();
  while (date.toString() <= last.toString() && found.length < most) {
    if (beginsOn(window, date)) {
      const begins = onDate(date, when.at, zone);
      const span = { from: begins, to: begins + length };
      if (span.from < to && span.to > from) found.push(span);
    }
    date = date.add({ days: 1 });
  }
  return found;
}

/** The span of a window that holds an instant, the one that ends last; or null. */
export function windowAt(window: Maintenance, at: number): Span | null {
  let found: Span | null = null;
  for (const span of occurrences(window, at, at + 1)) if (found === null || span.to > found.to) found = span;
  return found;
}
