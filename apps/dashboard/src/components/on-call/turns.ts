import { type Shift, shifts } from "@lynceus/incidents/on-call";
import { onDate, type Span, zonedAt } from "@lynceus/incidents/wall-clock";
import type { AlertingConfig, Schedule } from "@lynceus/protocol/alerting";

/* Who is on call now and next, for the page. Pure; instants in milliseconds since 1970. */

const day = 86_400_000;
/** As far ahead as gaps are looked for. */
export const aheadDays = 28;
export const stripDays = 14;

export interface Standing {
  readonly now: Shift;
  /** The first shift after it that somebody has, also the same person after a gap; null where nobody comes in four weeks. */
  readonly next: Shift | null;
  /** Stretches of the next four weeks in which nobody is on call, the present one included. */
  readonly gaps: readonly Span[];
}

export function standingOf(schedule: Schedule, now: number): Standing {
  const all = shifts(schedule, now, now + aheadDays * day);
  const [first = { from: now, to: now, person: null, by: "gap" as const }, ...later] = all;
  return {
    now: first,
    next: later.find(({ person, from }) => person !== null && (person !== first.person || from > first.to)) ?? null,
    gaps: all.filter(({ person }) => person === null).map(({ from, to }) => ({ from, to })),
  };
}

export interface StripPart extends Shift {
  /** Share of the strip, 0 to 100: where it begins, and how long it is. */
  readonly left: number;
  readonly width: number;
}

/** Two weeks of a schedule from this day on, with the midnights of the viewer's zone. */
export function stripOf(schedule: Schedule, now: number, zone: string) {
  const today = zonedAt(now, zone).toPlainDate();
  const midnights = Array.from({ length: stripDays + 1 }, (_, i) => onDate(today.add({ days: i }), "00:00", zone));
  const from = midnights[0] ?? now;
  const to = midnights[stripDays] ?? now;
  const share = (at: number) => ((at - from) / (to - from)) * 100;
  return {
    parts: shifts(schedule, from, to).map(
      (shift): StripPart => ({ ...shift, left: share(shift.from), width: share(shift.to) - share(shift.from) }),
    ),
    days: midnights.slice(0, stripDays).map((at) => ({ at, left: share(at) })),
    now: share(now),
  };
}

/** Escalations that ask a schedule, and at which of their steps. */
export function askedBy({ escalations }: AlertingConfig, schedule: string): { name: string; step: number }[] {
  return escalations.flatMap(({ name, steps }) =>
    steps.flatMap(({ targets }, i) =>
      targets.some((target) => "schedule" in target && target.schedule === schedule) ? [{ name, step: i + 1 }] : [],
    ),
  );
}
