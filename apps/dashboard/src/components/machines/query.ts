import { isMachineSort, type MachineSort } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { type FilterField, type FilterTerm, parseFilter } from "@lynceus/protocol/filter";
import type { SavedView } from "@lynceus/protocol/saved-view";
import { type ColumnId, columnIds, defaultColumns } from "./column-info.ts";
import { isGroupField } from "./group-fields.ts";

/** Rows that the page comes with: what a tall screen shows, and some beyond. */
export const firstRows = 48;
/** Rows of one further answer at most. */
export const mostRows = 500;
export const defaultSort: MachineSort = "-since";

export type Density = "compact" | "relaxed";

/** What is on screen when the address does not say: of a saved view, or of everybody, and what this browser remembers. */
export interface Defaults {
  q: string;
  sort: MachineSort;
  cols: ColumnId[];
  group: FilterField | null;
  density: Density;
}

export interface MachinesRequest {
  query: string;
  terms: FilterTerm[];
  /** What of the query is not in force, and why; ready to show. */
  problems: string[];
  sort: MachineSort;
  group: FilterField | null;
  defaults: Defaults;
}

/** Columns out of a text of names with commas; null where it holds none that are known. */
export function readColumns(text: unknown): ColumnId[] | null {
  if (typeof text !== "string") return null;
  const wanted = new Set(text.split(","));
  const known = columnIds.filter((id) => wanted.has(id));
  return known.length > 0 ? known : null;
}

export function defaultsOf(
  view: SavedView | null = null,
  remembered: { cols?: string | undefined; density?: string | undefined } = {},
): Defaults {
  return {
    q: view?.q ?? "",
    sort: view && isMachineSort(view.sort) ? view.sort : defaultSort,
    cols: readColumns(view?.columns.join(",")) ?? readColumns(remembered.cols) ?? defaultColumns,
    group: view !== null && isGroupField(view.group) ? view.group : null,
    density: remembered.density === "relaxed" ? "relaxed" : "compact",
  };
}

/** Reads `?q=&sort=&group=`. What does not parse is named and left out; the rest stays in force. */
export function readRequest(
  params: { q?: unknown; sort?: unknown; group?: unknown },
  context: { now: number; zone: string },
  defaults: Defaults = defaultsOf(),
): MachinesRequest {
  const query = typeof params.q === "string" ? params.q : defaults.q;
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
    sort: typeof params.sort === "string" && isMachineSort(params.sort) ? params.sort : defaults.sort,
    group: isGroupField(params.group) ? params.group : params.group === "none" ? null : defaults.group,
    defaults,
  };
}
