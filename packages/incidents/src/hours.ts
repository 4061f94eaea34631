import type { Hours } from "@lynceus/protocol/alerting";
import { onDate, type Span, weekdayOf, zonedAt } from "./wall-clock.ts";

/**
 * The span of these hours that holds an instant, or null. Hours belong to the day they begin on: from 22:00 to 07:00 on
 * Fridays ends on Saturday morning. Equal times are the whole day.
 */
export function hoursAt(hours: Hours, at: number): Span | null {
  const today = zonedAt(at, hours.zone).toPlainDate();
  for (const date of [today, today.subtract({ days: 1 })]) {
    if (!hours.days.includes(weekdayOf(date))) continue;
    const ends = hours.to > hours.from ? date : date.add({ days: 1 });
    const span = { from: onDate(date, hours.from, hours.zone), to: onDate(ends, hours.to, hours.zone) };
    if (at >= span.from && at < span.to) return span;
  }
  return null;
}

/** The next instant after `at` at which these hours begin or end; null where they never do within nine days. */
export function nextEdge(hours: Hours, at: number): number | null {
  const today = zonedAt(at, hours.zone).toPlainDate();
  let next: number | null = null;
  for (let day = -1; day <= 8; day++) {
    const date = today.add({ days: day });
    if (!hours.days.includes(weekdayOf(date))) continue;
    const ends = hours.to > hours.from ? date : date.add({ days: 1 });
    for (const edge of [onDate(date, hours.from, hours.zone), onDate(ends, hours.to, hours.zone)])
      if (edge > at && (next === null || edge < next)) next = edge;
  }
  return next;
}
