import type { Weekday } from "@lynceus/protocol/alerting";
import { weekdays } from "@lynceus/protocol/alerting";
import { Temporal } from "temporal-polyfill";

/*
 * Days and clocks of a time zone. Temporal is the language's own answer to summer time (the polyfill goes when engines
 * have it): a wall time that is left out in spring is the moment an hour later, one that comes twice in autumn is the
 * first of the two ("compatible", as RFC 5545 has it).
 */

/** The instant at which a zone's clock first shows `2026-12-01T09:00`, in milliseconds since 1970. */
export const instantOf = (wall: string, zone: string): number =>
  Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, { disambiguation: "compatible" }).epochMilliseconds;

/** What a zone's clock shows at an instant. */
export const zonedAt = (at: number, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);

/** The instant of a time of day on a date. */
export const onDate = (date: Temporal.PlainDate, clock: string, zone: string): number =>
  date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(clock) }).epochMilliseconds;

export const weekdayOf = (date: Temporal.PlainDate): Weekday => weekdays[date.dayOfWeek - 1] as Weekday;

/** `02:41`, as a zone's clock shows it. */
export const clockText = (at: number, zone: string): string => zonedAt(at, zone).toPlainTime().toString().slice(0, 5);

/** A stretch of time, from (inclusive) to (exclusive), milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type { Temporal };
