import type { ScopedVars } from "@grafana/data";
import { quoteValue } from "@lynceus/protocol/filter-completion";
import type { LynceusQuery } from "./types";

/** Grafana's own: replaces the variables of a text, each value written by `format`. */
export type Replace = (
  text: string,
  scopedVars: ScopedVars | undefined,
  format: (value: string | string[]) => string,
) => string;

const listOf = (value: string | string[]): string[] => (Array.isArray(value) ? value : [value]).map(String);

/** The values of a list whose items may be variables: one that has several values becomes several items. */
function listValues(items: readonly string[], replace: Replace, scopedVars: ScopedVars | undefined): string[] {
  return items.flatMap((item) => {
    // A character that no value holds: values of a variable that stand in one text stay apart.
    const mark = "\u0000";
    return replace(item, scopedVars, (value) => listOf(value).join(mark)).split(mark);
  });
}

/** A filter in which each variable stands as the values of a term: `site:$site` becomes `site:Bern,"New York"`. */
const filterValues = (q: string, replace: Replace, scopedVars: ScopedVars | undefined): string =>
  replace(q, scopedVars, (value) =>
    listOf(value)
      .map((one) => (one === "*" || one === "none" || one === "unknown" ? one : quoteValue(one)))
      .join(","),
  );

/** The query with the values of its variables. */
export function interpolate(query: LynceusQuery, replace: Replace, scopedVars?: ScopedVars): LynceusQuery {
  const result: Record<string, unknown> = { ...query };
  for (const [key, value] of Object.entries(result))
    if (Array.isArray(value) && value.every((item) => typeof item === "string"))
      result[key] = listValues(value, replace, scopedVars);
  if (typeof result.q === "string") result.q = filterValues(result.q, replace, scopedVars);
  return result as unknown as LynceusQuery;
}
