/*
 * What can be counted over time, and how a count comes of a sample of the fleet. Pure, and without a schema: whoever draws or
 * asks takes it as it is.
 */

import type { PatternId } from "./names.ts";

/** Bounds of one question. More series than that are no chart; more points no screen can show. */
export const seriesLimits = { points: 1_500, series: 50, values: 100, days: 400 } as const;

export const countGroups = ["none", "status", "site", "pattern", "proxy"] as const;
export type CountGroup = (typeof countGroups)[number];

/** What is counted. `reporting` = healthy + failing + stale + cannot-tell; `at-risk` machines are healthy ones as well. */
export const countStatuses = [
  "failing",
  "stale",
  "cannot-tell",
  "healthy",
  "at-risk",
  "signed-off",
  "reporting",
] as const;
export type CountStatus = (typeof countStatuses)[number];

/** What machines are counted, and by what the count is divided. */
export interface CountQuery {
  readonly by: CountGroup;
  /** Failing machines when absent; by status: the four states. */
  readonly status?: readonly CountStatus[] | undefined;
  /** Only machines of these sites. */
  readonly site?: readonly string[] | undefined;
  /** Only machines with one of these primary findings, failing or at risk. */
  readonly pattern?: readonly PatternId[] | undefined;
  /** Only machines whose EWS goes this way: `host:port`, `direct`, `unknown`, `other`. */
  readonly proxy?: readonly string[] | undefined;
  /** Most series; those with most machines. */
  readonly series: number;
}

const example = "e.g. by=site&status=failing";

/** Why a count cannot be given as asked; null when it can. */
export function countProblem(query: Omit<CountQuery, "series">): string | null {
  const { by, status, pattern, proxy } = query;
  const ofPatterns = by === "pattern" || pattern !== undefined;
  const ofProxies = by === "proxy" || proxy !== undefined;
  if (ofPatterns && ofProxies)
    return `counts over time are kept by pattern and by proxy, not by both at once; leave one out, ${example}, or ask for the machines of now with q=primary:… route:…`;
  if (ofPatterns && (status !== undefined || by === "status"))
    return `a pattern is counted on failing and at-risk machines together; leave the status out, ${example}`;
  if (ofProxies && status?.some((one) => one === "at-risk" || one === "signed-off"))
    return `machines of a proxy are counted as healthy, failing, stale, cannot-tell or reporting, not as ${status.join(", ")}; ${example}`;
  if (by === "status" || status === undefined || status.length < 2) return null;
  for (const [part, whole] of [
    ["at-risk", "healthy"],
    ["healthy", "reporting"],
    ["at-risk", "reporting"],
    ["failing", "reporting"],
    ["stale", "reporting"],
    ["cannot-tell", "reporting"],
  ] as const)
    if (status.includes(part) && status.includes(whole))
      return `${part} machines are ${whole} ones as well and would be counted twice; choose one, or use by=status for a series of each`;
  return null;
}

/** Machines by state on one route: healthy, failing, stale, cannot tell. */
export type RouteCounts = readonly [healthy: number, failing: number, stale: number, cannotTell: number];

/** The fleet, or one site of it, at a moment: what counts over time are made of. */
export interface FleetSample {
  healthy: number;
  failing: number;
  stale: number;
  cannotTell: number;
  signedOff: number;
  atRisk: number;
  /** Machines by primary finding. */
  patterns: Readonly<Record<string, number>>;
  /** Machines by configured route of EWS: `host:port`, `direct`, `unknown`; beyond the twenty with most, `other`. */
  routes: Readonly<Record<string, RouteCounts>>;
}

const ofStatus: Record<CountStatus, (sample: FleetSample) => number> = {
  failing: (sample) => sample.failing,
  stale: (sample) => sample.stale,
  "cannot-tell": (sample) => sample.cannotTell,
  healthy: (sample) => sample.healthy,
  "at-risk": (sample) => sample.atRisk,
  "signed-off": (sample) => sample.signedOff,
  reporting: (sample) => sample.healthy + sample.failing + sample.stale + sample.cannotTell,
};

const routeSample = ([healthy, failing, stale, cannotTell]: RouteCounts): FleetSample => ({
  healthy,
  failing,
  stale,
  cannotTell,
  signedOff: 0,
  atRisk: 0,
  patterns: {},
  routes: {},
});

/** The states that a count by status shows when none is named. */
const fourStatuses: readonly CountStatus[] = ["failing", "stale", "cannot-tell", "healthy"];

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What one sample comes to: the value of each series by its name, "" where the count is not divided. */
export function countsOf(
  sample: FleetSample,
  siteName: string,
  query: Omit<CountQuery, "series">,
): Map<string, number> {
  const { by, status = by === "status" ? fourStatuses : ["failing" as const], pattern, proxy } = query;
  const add = (of: FleetSample) => sum(status.map((one) => ofStatus[one](of)));
  if (by === "pattern")
    return new Map(Object.entries(sample.patterns).filter(([id]) => pattern?.some((one) => one === id) ?? true));
  const routes = Object.entries(sample.routes).filter(([route]) => proxy?.includes(route) ?? true);
  if (by === "proxy") return new Map(routes.map(([route, counts]) => [route, add(routeSample(counts))]));
  if (by === "status") {
    const totals = proxy ? routes.map(([, counts]) => routeSample(counts)) : [sample];
    return new Map(status.map((one) => [one, sum(totals.map(ofStatus[one]))]));
  }
  const value = pattern
    ? sum(pattern.map((id) => sample.patterns[id] ?? 0))
    : proxy
      ? sum(routes.map(([, counts]) => add(routeSample(counts))))
      : add(sample);
  return new Map([[by === "site" ? siteName : "", value]]);
}

/** One line's value at a moment. */
export interface CountNow {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The labels of a count's series. */
export const countLabels = (by: CountGroup, name: string): Record<string, string> =>
  by === "none" ? {} : { [by]: name };

/**
 * The counts of a moment. `samples` by site, "" being the whole fleet; `sites`: of `sitesInView`. A site that has no sample
 * counts for nothing.
 */
export function countsNow(
  samples: ReadonlyMap<string, FleetSample>,
  query: CountQuery,
  sites: readonly string[] | null,
): { series: CountNow[]; left: number } {
  const names = sites ?? (query.by === "site" ? [...samples.keys()].filter((name) => name !== "") : [""]);
  const values = new Map<string, number>();
  for (const name of names) {
    const sample = samples.get(name);
    if (!sample) continue;
    for (const [key, value] of countsOf(sample, name, query)) values.set(key, (values.get(key) ?? 0) + value);
  }
  const counted = [...values].map(([name, value]) => ({ labels: countLabels(query.by, name), value }));
  const series = query.by === "status" ? counted : counted.sort((a, b) => b.value - a.value).slice(0, query.series);
  return { series, left: counted.length - series.length };
}

export const targetMeasures = ["availability", "latency", "answers"] as const;
export type TargetMeasure = (typeof targetMeasures)[number];
export const targetGroups = ["none", "target", "site"] as const;
