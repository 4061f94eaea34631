import type { Supposed } from "@lynceus/incidents/simulate";
import { instantOf } from "@lynceus/incidents/wall-clock";
import { wallTimeSchema } from "@lynceus/protocol/alerting";
import { locationSchema, patternIdSchema, severitySchema } from "@lynceus/protocol/names";
import { shortTitle } from "../../components/overview/short-titles.ts";

/** What the form of "who would be paged" holds, as its address says it. */
export interface SupposedValues {
  pattern: string;
  severity: string;
  machines: string;
  site: string;
  tags: string;
  location: string;
  target: string;
  route: string;
  at: string;
  minutes: string;
}

export const spans: Readonly<Record<string, string>> = { "30": "30 min", "120": "2 h", "480": "8 h" };
const start: SupposedValues = {
  pattern: "proxy-auth-required",
  severity: "prompting",
  machines: "10",
  site: "",
  tags: "",
  location: "inside",
  target: "",
  route: "",
  at: "",
  minutes: "120",
};

/**
 * Reads the address. `asked`: whether anything is asked at all. `supposed` is null where nothing is, or something of it
 * is wrong; then `errors` says what, by field. Times without a zone are the viewer's.
 */
export function readSupposed(
  params: Readonly<Record<string, unknown>>,
  context: { readonly now: number; readonly zone: string },
): { values: SupposedValues; errors: Partial<Record<keyof SupposedValues, string>>; supposed: Supposed | null } {
  const values = { ...start };
  for (const key of Object.keys(start) as (keyof SupposedValues)[])
    if (typeof params[key] === "string") values[key] = params[key].trim().slice(0, 300);
  const errors: Partial<Record<keyof SupposedValues, string>> = {};
  const pattern = patternIdSchema.safeParse(values.pattern);
  if (!pattern.success) errors.pattern = "This is no pattern of the catalogue.";
  const severity = severitySchema.safeParse(values.severity);
  if (!severity.success) errors.severity = "This is no severity; use e.g. prompting.";
  const location = locationSchema.safeParse(values.location);
  if (!location.success) errors.location = "This is no location; use e.g. inside.";
  const machines = Number(values.machines);
  if (!Number.isInteger(machines) || machines < 1 || machines > 100_000)
    errors.machines = `"${values.machines}" is no count from 1 to 100,000; use e.g. 10.`;
  const minutes = Number(values.minutes);
  if (!Object.hasOwn(spans, values.minutes)) errors.minutes = "This is no span that is offered.";
  let at = context.now;
  if (values.at !== "") {
    if (wallTimeSchema.safeParse(values.at).success) at = instantOf(values.at, context.zone);
    else errors.at = `"${values.at}" is no date with a time; use e.g. 2026-12-06T02:00.`;
  }
  if (params.machines === undefined || Object.keys(errors).length > 0) return { values, errors, supposed: null };
  return {
    values,
    errors,
    supposed: {
      at,
      pattern: pattern.data ?? "proxy-auth-required",
      severity: severity.data ?? "prompting",
      cause: shortTitle(values.pattern),
      machines,
      site: values.site === "" ? null : values.site,
      tags: values.tags.split(/[\s,]+/).filter((tag) => tag !== ""),
      location: location.data ?? "inside",
      simulated: false,
      target: values.target === "" ? null : values.target,
      route: values.route === "" ? null : values.route,
      minutes,
    },
  };
}
