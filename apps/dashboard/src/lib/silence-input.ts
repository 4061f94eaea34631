import { instantOf } from "@lynceus/incidents/wall-clock";
import { alertFilterProblem } from "@lynceus/protocol/alert-filter";
import { wallTimeSchema } from "@lynceus/protocol/alerting";
import type { NewSilence } from "@lynceus/protocol/read-api-incidents";
import { formText } from "./form-text.ts";

/** How long a silence lasts, as the form offers it: hours, or `until` a moment of one's own. */
export const silenceLengths = ["1", "2", "4", "8", "24", "168", "until"] as const;

/** What the form of a silence holds, as text. Times are of the viewer's zone, without it: `2026-12-01T09:00`. */
export interface SilenceValues {
  match: string;
  /** Empty: at once. */
  begins: string;
  lasts: string;
  until: string;
  comment: string;
}
export type SilenceErrors = Partial<Record<keyof SilenceValues, string>>;

const hour = 3_600_000;

export function readSilenceForm(form: FormData): SilenceValues {
  const text = (name: keyof SilenceValues) => formText(form, name, 2_048).trim();
  return {
    match: text("match"),
    begins: text("begins"),
    lasts: text("lasts"),
    until: text("until"),
    comment: text("comment"),
  };
}

/** The form as a silence; null with the errors of each field when something is refused. */
export function readSilence(
  values: SilenceValues,
  { now, zone }: { readonly now: number; readonly zone: string },
): { silence: NewSilence | null; errors: SilenceErrors } {
  const errors: SilenceErrors = {};
  if (values.match === "")
    errors.match = "An empty filter would silence every machine. Use e.g. site:Manila, or name:* where all are meant.";
  else {
    const problem = alertFilterProblem(values.match, "machine");
    if (problem !== null) errors.match = problem;
  }
  const wall = (name: "begins" | "until"): number | null => {
    const read = wallTimeSchema.safeParse(values[name]);
    if (read.success) return instantOf(read.data, zone);
    errors[name] =
      values[name] === ""
        ? "A time is missing; use e.g. 2026-12-01T09:00."
        : `${read.error.issues[0]?.message ?? "This is no time"}.`;
    return null;
  };
  const begins = values.begins === "" ? now : wall("begins");
  if (!silenceLengths.some((length) => length === values.lasts))
    errors.lasts = `"${values.lasts.slice(0, 40)}" is not offered; choose e.g. 2 hours.`;
  const until =
    values.lasts === "until" ? wall("until") : begins === null ? null : begins + Number(values.lasts) * hour;
  if (begins !== null && until !== null && errors.lasts === undefined && until <= Math.max(begins, now))
    errors[values.lasts === "until" ? "until" : "begins"] = "It would be over before it begins; choose a later time.";
  if (values.comment.length > 500) errors.comment = "A comment has at most 500 characters.";
  if (Object.keys(errors).length > 0 || begins === null || until === null) return { silence: null, errors };
  const iso = (at: number) => new Date(at).toISOString();
  return {
    silence: {
      match: values.match,
      comment: values.comment,
      endsAt: iso(until),
      ...(values.begins === "" ? {} : { startsAt: iso(begins) }),
    },
    errors,
  };
}
