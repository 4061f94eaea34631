import * as z from "zod";

/*
 * How long probes took, kept beside the observations: a probe that answers as before is confirmed without a row of its own
 * (domain 5.0 rule 13), and its state remembers ten. What they took in each hour is collected in the state and written
 * down as one row a day.
 */

/** Kind and key of such a row. */
export const timingsKind = "timings";

/** Hours of a row, and probes of a machine whose times are kept. */
export const timingsLimits = { hours: 24, probes: 64 } as const;

const hourMs = 3_600_000;

export const timingsSchema = z.object({
  /** Start of the first hour, milliseconds since 1970. */
  from: z.number().int().min(0),
  /** Hours that are told of. */
  hours: z.number().int().min(0).max(timingsLimits.hours),
  /**
   * By `<configuration>:<target>:<via>`, one entry an hour from the first on; what is missing at the end, or null, was not
   * probed. Milliseconds of the middle one of the good answers; where there was none, of the failures, negative: how
   * long it took to fail is no time to answer.
   */
  probes: z.record(z.string().max(256), z.array(z.number().int().nullable()).max(timingsLimits.hours)),
});
export type Timings = z.infer<typeof timingsSchema>;

/** One hour, or one probe: when (the middle of the hour), how long, and whether there was an answer as it should be. */
export interface Timing {
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
}

/** The entry of an hour for the probes that were made in it; null for none. */
export function hourEntry(probes: readonly Omit<Timing, "at">[]): number | null {
  const good = probes.filter(({ ok }) => ok);
  const told = (good.length > 0 ? good : probes).map(({ ms }) => ms).sort((a, b) => a - b);
  const middle = told[Math.floor((told.length - 1) / 2)];
  if (middle === undefined) return null;
  return good.length > 0 ? Math.round(middle) : -Math.max(1, Math.round(middle));
}

/** The hours of a probe in which it was made, oldest first. */
export function hoursOf({ from, probes }: Timings, key: string): Timing[] {
  const entries = Object.hasOwn(probes, key) ? (probes[key] ?? []) : [];
  return entries.flatMap((ms, hour) =>
    ms === null ? [] : [{ at: from + (hour + 0.5) * hourMs, ms: Math.abs(ms), ok: ms >= 0 }],
  );
}
