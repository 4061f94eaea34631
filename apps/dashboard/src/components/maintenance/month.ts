import { occurrences } from "@lynceus/incidents/maintenance";
import { onDate, zonedAt } from "@lynceus/incidents/wall-clock";
import type { Maintenance } from "@lynceus/protocol/alerting";

/* A month of maintenance windows as a calendar shows it, in the viewer's zone. Pure. */

/** A window on one day: from and until when on it, in milliseconds since 1970. */
export interface DayWindow {
  readonly window: Maintenance;
  readonly from: number;
  readonly to: number;
  /** It began on a day before, or goes on after this one. */
  readonly fromBefore: boolean;
  readonly goesOn: boolean;
}

export interface Day {
  /** `2026-11-27`. */
  readonly date: string;
  readonly dayOfMonth: number;
  /** Of the month that is shown, and not of a week that reaches beyond it. */
  readonly inMonth: boolean;
  readonly windows: readonly DayWindow[];
}

/** A month is `2026-11`; the present one for what is none. */
export function monthOf(text: unknown, now: number, zone: string): string {
  return typeof text === "string" && /^20\d\d-(0[1-9]|1[0-2])$/.test(text)
    ? text
    : zonedAt(now, zone).toPlainDate().toString().slice(0, 7);
}

export function neighbour(month: string, months: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  const count = year * 12 + number - 1 + months;
  return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, "0")}`;
}

/** The weeks of a month, Monday first, whole: days of its neighbours complete the first and the last. */
export function weeksOf(month: string, windows: readonly Maintenance[], zone: string): Day[][] {
  const first = zonedAt(Date.parse(`${month}-01T12:00:00Z`), "UTC").toPlainDate();
  const start = first.subtract({ days: first.dayOfWeek - 1 });
  const days = Math.ceil((first.dayOfWeek - 1 + first.daysInMonth) / 7) * 7;
  const midnights = Array.from({ length: days + 1 }, (_, i) => onDate(start.add({ days: i }), "00:00", zone));
  const spans = windows.flatMap((window) =>
    occurrences(window, midnights[0] ?? 0, midnights[days] ?? 0).map((span) => ({ ...span, window })),
  );
  const dayAt = (i: number): Day => {
    const date = start.add({ days: i });
    const [from = 0, to = 0] = [midnights[i], midnights[i + 1]];
    return {
      date: date.toString(),
      dayOfMonth: date.day,
      inMonth: date.month === first.month,
      windows: spans
        .filter((span) => span.from < to && span.to > from)
        .map((span) => ({
          window: span.window,
          from: Math.max(span.from, from),
          to: Math.min(span.to, to),
          fromBefore: span.from < from,
          goesOn: span.to > to,
        }))
        .sort((a, b) => a.from - b.from || a.window.name.localeCompare(b.window.name)),
    };
  };
  return Array.from({ length: days / 7 }, (_, week) => Array.from({ length: 7 }, (_, day) => dayAt(week * 7 + day)));
}

/** The span of a window that holds `now`, else its next one within a year; null where it is over. */
export function nextOf(window: Maintenance, now: number): { from: number; to: number } | null {
  return occurrences(window, now, now + 366 * 86_400_000, 1)[0] ?? null;
}
