import type { FilterTerm } from "@lynceus/protocol/filter";
import { parseFilter } from "@lynceus/protocol/filter";
import type { Incident } from "@lynceus/protocol/read-api-incidents";

/* The list of incidents as its address says it: `?show=open|over&q=&sort=`. */

export const sorts = ["-machines", "machines", "-since", "since", "-number", "number", "state"] as const;
export type IncidentSort = (typeof sorts)[number];
export const defaultSort: IncidentSort = "-machines";

export interface ListRequest {
  readonly show: "open" | "over";
  readonly query: string;
  readonly terms: readonly FilterTerm[];
  /** What of the query is not in force, and why; ready to show. */
  readonly problems: readonly string[];
  readonly sort: IncidentSort;
  readonly cursor: string | null;
}

/** Reads the address. What does not parse is named and left out; the rest stays in force. */
export function readListRequest(
  params: Readonly<Record<string, unknown>>,
  context: { readonly now: number; readonly zone: string; readonly fields: readonly string[] },
): ListRequest {
  const query = typeof params.q === "string" ? params.q.slice(0, 2048) : "";
  const parsed = parseFilter(query, context);
  const known = new Set(context.fields);
  return {
    show: params.show === "over" ? "over" : "open",
    query,
    terms: parsed.terms.filter((term) => known.has(term.field)),
    problems: [
      ...parsed.errors.map((error) => error.message),
      ...parsed.terms
        .filter((term) => !known.has(term.field))
        .map((term) => `Machines cannot be filtered by "${term.field}"; such as site:Manila`),
    ],
    sort: sorts.find((sort) => sort === params.sort) ?? defaultSort,
    cursor: typeof params.cursor === "string" ? params.cursor : null,
  };
}

/** Address of the list; what is as it begins is not in it. */
export function listHref(request: Partial<Pick<ListRequest, "show" | "query" | "sort" | "cursor">>): string {
  const query = new URLSearchParams();
  if (request.show === "over") query.set("show", "over");
  if (request.query) query.set("q", request.query);
  if (request.sort && request.sort !== defaultSort) query.set("sort", request.sort);
  if (request.cursor) query.set("cursor", request.cursor);
  const text = query.toString();
  return text === "" ? "/incidents" : `/incidents?${text}`;
}

type Compared = Pick<Incident, "number" | "failing" | "since" | "urgency" | "acknowledged" | "state">;

/** Whoever has to be asked first stands first: nobody has it and it is urgent, nobody has it, somebody has it. */
const rank = ({ acknowledged, urgency }: Compared) => (acknowledged === null ? (urgency === "high" ? 0 : 1) : 2);

/** Open incidents in an order; equal ones by number, the newest first. */
export function sortIncidents<T extends Compared>(incidents: readonly T[], sort: IncidentSort): T[] {
  const by: Record<IncidentSort, (a: T, b: T) => number> = {
    "-machines": (a, b) => b.failing - a.failing,
    machines: (a, b) => a.failing - b.failing,
    "-since": (a, b) => Date.parse(b.since) - Date.parse(a.since),
    since: (a, b) => Date.parse(a.since) - Date.parse(b.since),
    "-number": (a, b) => b.number - a.number,
    number: (a, b) => a.number - b.number,
    state: (a, b) => rank(a) - rank(b) || b.failing - a.failing,
  };
  return [...incidents].sort((a, b) => by[sort](a, b) || b.number - a.number);
}
