import { isMachineSort, type MachineSort } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { type FilterTerm, parseFilter } from "@lynceus/protocol/filter";

export const pageSize = 200;
export const defaultSort: MachineSort = "-since";

export interface MachinesRequest {
  query: string;
  terms: FilterTerm[];
  /** What of the query is not in force, and why; ready to show. */
  problems: string[];
  sort: MachineSort;
}

/** Reads `?q=&sort=`. What does not parse is named and left out; the rest stays in force. */
export function readRequest(
  params: { q?: unknown; sort?: unknown },
  context: { now: number; zone: string },
): MachinesRequest {
  const query = typeof params.q === "string" ? params.q : "";
  const parsed = parseFilter(query, context);
  const known = new Set<string>(supportedFields);
  return {
    query,
    terms: parsed.terms.filter((term) => known.has(term.field)),
    problems: [
      ...parsed.errors.map((error) => error.message),
      ...parsed.terms
        .filter((term) => !known.has(term.field))
        .map((term) => `The table cannot be filtered by "${term.field}" yet; such as status:failing`),
    ],
    sort: typeof params.sort === "string" && isMachineSort(params.sort) ? params.sort : defaultSort,
  };
}
