import { type FilterField, type FilterTerm, parseFilter } from "./filter.ts";

/*
 * The filter language where alerting uses it. Only what is known of a failing machine without asking the database, and
 * nothing that changes with the clock: a silence must not come and go by itself.
 */

/** Of one machine: silences, maintenance windows. */
export const alertMachineFields = [
  "status",
  "pattern",
  "primary",
  "severity",
  "confidence",
  "cause",
  "incident",
  "site",
  "location",
  "route",
  "pac",
  "issuer",
  "target",
  "os",
  "agent",
  "tag",
  "simulated",
  "name",
] as const satisfies readonly FilterField[];

/** Of an incident alone. */
export const alertIncidentFields = [
  "pattern",
  "primary",
  "severity",
  "urgency",
  "confidence",
  "cause",
  "incident",
  "site",
  "location",
  "simulated",
] as const satisfies readonly FilterField[];

/** `route`: an incident and one machine of it. */
export type AlertFilterUse = "machine" | "incident" | "route";

const fieldsOf: Record<AlertFilterUse, ReadonlySet<FilterField>> = {
  machine: new Set<FilterField>(alertMachineFields),
  incident: new Set<FilterField>(alertIncidentFields),
  route: new Set<FilterField>([...alertMachineFields, "urgency"]),
};

/** What is wrong with a filter in this use, in one line; null where nothing is. */
export function alertFilterProblem(text: string, use: AlertFilterUse): string | null {
  const { terms, errors } = parseFilter(text, { now: 0 });
  if (errors[0]) return errors[0].message;
  const other = terms.find(({ field }) => !fieldsOf[use].has(field));
  return other
    ? `"${other.field}" cannot be used here; fields are ${[...fieldsOf[use]].join(", ")}; such as site:Berlin`
    : null;
}

/** The terms of a filter that was checked before; what cannot be read matches nothing that it names. */
export const alertFilterTerms = (text: string): FilterTerm[] => parseFilter(text, { now: 0 }).terms;
