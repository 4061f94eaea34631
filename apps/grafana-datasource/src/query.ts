import {
  type CountStatus,
  countGroups,
  countProblem,
  countStatuses,
  seriesLimits,
  targetGroups,
  targetMeasures,
} from "@lynceus/protocol/counts";
import { parseFilter } from "@lynceus/protocol/filter";
import type { LynceusQuery, QueryKind } from "./types";

/** Rows of one table: a page of the API is 500, and a panel that needs more needs a filter. */
export const mostRows = 1_000;

const defaults = {
  counts: { by: "status", status: [], site: [], pattern: [], proxy: [], series: 20, live: true },
  targets: {
    measure: "availability",
    by: "target",
    target: [],
    site: [],
    via: "configured",
    quantile: ["0.5", "0.95"],
    series: 20,
  },
  machines: { q: "status:failing", sort: "-since", limit: 100, live: false },
  values: { field: "site", q: "status:failing", live: false },
  incidents: { open: true, q: "", limit: 50, live: false },
  causes: { open: true, site: [], limit: 50, live: false },
  changes: { change: [], minMachines: 2, site: [], limit: 100 },
  events: { what: ["incidents", "changes"], minMachines: 5, site: [] },
} as const satisfies { [K in QueryKind]: Omit<Extract<LynceusQuery, { kind: K }>, "refId" | "kind"> };

/** All that a query of some kind has of its own; whatever else one holds is Grafana's. */
const ownKeys = new Set(Object.values(defaults).flatMap((one) => Object.keys(one)));

/**
 * A query with everything in it, whatever was saved: an older version of this plugin knew less, and a hand may have written
 * it. What belongs to another kind is left out.
 */
export function complete(query: Partial<LynceusQuery> & { refId: string }): LynceusQuery {
  const kind = query.kind !== undefined && query.kind in defaults ? query.kind : "counts";
  const base: Record<string, unknown> = structuredCopy(defaults[kind]);
  for (const [key, value] of Object.entries(query))
    if (key in base ? sameShape(base[key], value) && isWord(kind, key, value) : !ownKeys.has(key)) base[key] = value;
  return { ...base, kind, refId: query.refId } as LynceusQuery;
}

/** Where a property is one of a few words: which ones. Kinds have `by` in common, and not its words. */
const words: { readonly [K in QueryKind]?: Readonly<Record<string, readonly string[]>> } = {
  counts: { by: countGroups },
  targets: { by: targetGroups, measure: targetMeasures, via: ["configured", "direct"] },
};

const structuredCopy = (value: object): Record<string, unknown> => JSON.parse(JSON.stringify(value));

const sameShape = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) ? Array.isArray(b) && b.every((item) => typeof item === "string") : typeof a === typeof b;

const isWord = (kind: QueryKind, key: string, value: unknown): boolean =>
  words[kind]?.[key]?.includes(String(value)) ?? true;

/** The same question as another kind: what both have stays. */
export const asKind = (query: LynceusQuery, kind: QueryKind): LynceusQuery =>
  complete({ ...query, kind } as LynceusQuery);

const all = "*";

/** A list as the API takes it: nothing where it does not restrict. */
export const restricting = (values: readonly string[]): string[] =>
  values.includes(all) ? [] : [...new Set(values.filter((value) => value !== ""))];

/** A filter without the terms that ask for anything at all, which is what "All" of a variable comes to. */
export const withoutAll = (q: string): string =>
  q
    .split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .filter((term) => !/^-?[a-z]+:\*$/i.test(term))
    .join(" ")
    .trim();

const hasVariable = (values: readonly string[]): boolean => values.some((value) => /\$|\[\[/.test(value));

/**
 * Why a query cannot be asked, in words for whoever writes it; null when it can. Variables stand for anything, so that what
 * holds one is judged when its values are there.
 */
export function problemOf(query: LynceusQuery): string | null {
  if (query.kind === "counts") {
    const { by } = query;
    const lists = [query.status, query.site, query.pattern, query.proxy];
    if (lists.some(hasVariable)) return null;
    const status = restricting(query.status);
    const unknown = status.find((one) => !(countStatuses as readonly string[]).includes(one));
    if (unknown !== undefined) return `State "${unknown}" does not exist; use one of ${countStatuses.join(", ")}`;
    const pattern = restricting(query.pattern);
    const proxy = restricting(query.proxy);
    return (
      tooMany("sites", restricting(query.site)) ??
      tooMany("patterns", pattern) ??
      tooMany("proxies", proxy) ??
      countProblem({
        by,
        status: status.length > 0 ? (status as CountStatus[]) : undefined,
        site: undefined,
        pattern: pattern.length > 0 ? (pattern as never[]) : undefined,
        proxy: proxy.length > 0 ? proxy : undefined,
      })
    );
  }
  if (query.kind === "targets")
    return tooMany("sites", restricting(query.site)) ?? tooMany("targets", restricting(query.target));
  if (query.kind === "machines" || query.kind === "values" || query.kind === "incidents") return filterProblem(query.q);
  return null;
}

function tooMany(what: string, values: readonly string[]): string | null {
  return values.length > seriesLimits.values
    ? `${values.length} ${what} are more than the ${seriesLimits.values} that one question may name; where a variable's All is meant, set its "Custom all value" to *`
    : null;
}

/** What is wrong with a filter, with the place, the rule and an example; null when it can be read, or holds variables. */
export function filterProblem(q: string): string | null {
  if (hasVariable([q])) return null;
  const [first] = parseFilter(withoutAll(q), { now: 0 }).errors;
  return first?.message ?? null;
}

const count = (values: readonly string[], word: string): string =>
  restricting(values).length === 0 ? "" : ` of ${word} ${restricting(values).join(", ")}`;

/** A query in words, for a collapsed row. */
export function textOf(query: LynceusQuery): string {
  switch (query.kind) {
    case "counts": {
      const what = restricting(query.status).join(" and ") || (query.by === "status" ? "machines" : "failing machines");
      const by = query.by === "none" ? "" : ` by ${query.by}`;
      return `Counts: ${what}${by}${count(query.site, "site")}${count(query.pattern, "pattern")}${count(query.proxy, "proxy")}`;
    }
    case "targets":
      return `Targets: ${query.measure}${query.by === "none" ? "" : ` by ${query.by}`}${count(query.target, "target")}${count(query.site, "site")}`;
    case "machines":
      return `Machines: ${query.q || "all"}`;
    case "values":
      return `Machines by ${query.field}: ${query.q || "all"}`;
    case "incidents":
      return `Incidents${query.open ? " that are open" : ""}${query.q === "" ? "" : `: ${query.q}`}`;
    case "causes":
      return `Shared causes${query.open ? " of now" : ""}${count(query.site, "site")}`;
    case "changes":
      return `Changes of ${query.minMachines} machines and more${count(query.site, "site")}`;
    case "events":
      return `Events: ${query.what.join(" and ")}${count(query.site, "site")}`;
  }
}
