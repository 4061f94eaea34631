import type { PastFleet, PastSite } from "@lynceus/db/fleet-past";
import { compareNatural, formatCount } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import type { Heat } from "./heat.ts";
import { type OverviewSentence, reportingCount, type Run, uncovered } from "./sentence.ts";
import { shortTitle } from "./short-titles.ts";

/* The overview at a moment gone by: what `at=` in its address says, and what is said of that moment. */

/** What `at=` asks for, or why it asks for nothing. */
export type Moment = { at: number; problem: null } | { at: null; problem: string };

const example = "such as at=2026-11-24T02:12:00Z";
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Reads `at=`; null where the address has none. `now` in milliseconds. */
export function momentOf(value: unknown, now: number): Moment | null {
  if (value === undefined || value === "") return null;
  // A plus that nobody encoded arrives as a blank.
  const text = typeof value === "string" ? value.replace(" ", "+") : "";
  const at = instant.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isFinite(at)) {
    const shown = String(value).slice(0, 40);
    return { at: null, problem: `at=${shown} is no time; it takes a date, a time and its zone, ${example}` };
  }
  if (at > now) return { at: null, problem: `at=${text} is yet to come; it takes a time gone by, ${example}` };
  return { at, problem: null };
}

const keys = ["healthy", "failing", "stale", "cannotTell", "signedOff", "atRisk"] as const;

/** All sites added up. */
export function pastCounts(fleet: PastFleet): Counts & { patterns: Record<string, number> } {
  const total = {
    healthy: 0,
    failing: 0,
    stale: 0,
    cannotTell: 0,
    signedOff: 0,
    atRisk: 0,
    patterns: {} as Record<string, number>,
  };
  for (const site of fleet.sites) {
    for (const key of keys) total[key] += site[key];
    for (const [pattern, machines] of Object.entries(site.patterns))
      total.patterns[pattern] = (total.patterns[pattern] ?? 0) + machines;
  }
  return total;
}

/** How many were failing, and the largest incident that was open then. `incidents`: the largest first. */
export function pastSentence(counts: Counts, incidents: readonly Incident[]): OverviewSentence {
  const all = reportingCount(counts);
  const machines = (n: number) => `${formatCount(n)} ${n === 1 ? "machine" : "machines"}`;
  if (all === 0) return { lead: [{ text: "No machine reported then." }], next: null };
  if (counts.failing === 0)
    return counts.healthy === 0
      ? { lead: [{ text: `Nobody could tell then: none of ${machines(all)} was known to work.` }], next: null }
      : {
          lead: [
            { text: `No credential prompts were expected, on ${formatCount(counts.healthy)} of ${machines(all)}.` },
          ],
          next: uncovered(counts, "past"),
        };
  const lead: Run[] = [
    { text: "Credential prompts were expected on " },
    { text: formatCount(counts.failing), bad: true },
    { text: ` of ${machines(all)}.` },
  ];
  const [top] = incidents;
  if (top && top.failing > 0)
    lead.push(
      { text: ` ${formatCount(top.failing)} in one incident: ` },
      { text: top.title, bad: true },
      { text: "." },
    );
  return { lead, next: null };
}

/** More findings than this are left out; each site's failing machines are in a column of their own. */
const mostFindings = 6;
const mostSites = 20;

/** Site by finding as it was. Failing machines and those at risk are one number there: they were counted together. */
export function pastHeat(sites: readonly PastSite[]): Heat {
  const sum = (of: (site: PastSite) => number) => sites.reduce((total, site) => total + of(site), 0);
  const patterns = [...new Set(sites.flatMap((site) => Object.keys(site.patterns)))]
    .map((pattern) => ({ pattern, machines: sum((site) => site.patterns[pattern] ?? 0) }))
    .sort((a, b) => b.machines - a.machines || compareNatural(a.pattern, b.pattern))
    .slice(0, mostFindings);
  const columns = [
    { id: "failing", group: "failing", tone: "bad-fill", title: "Failing", of: (site: PastSite) => site.failing },
    ...patterns.map(({ pattern }) => ({
      id: pattern,
      group: "finding" as const,
      tone: "off" as const,
      title: shortTitle(pattern),
      of: (site: PastSite) => site.patterns[pattern] ?? 0,
    })),
    { id: "stale", group: "not-seen", tone: "stale-fill", title: "Stale", of: (site: PastSite) => site.stale },
    {
      id: "cannot-tell",
      group: "not-seen",
      tone: "unk-fill",
      title: "Cannot tell",
      of: (site: PastSite) => site.cannotTell,
    },
  ] as const;
  const shown = columns
    .map((column) => ({ ...column, query: "", total: sum(column.of) }))
    .filter(({ total }) => total > 0);
  const rows = sites
    .filter((site) => reportingCount(site) > 0)
    .map((site) => ({
      site: site.site,
      title: site.site ?? "No site",
      query: "",
      reporting: reportingCount(site),
      failing: site.failing,
      cells: shown.map(({ of }) => of(site)),
    }))
    .sort((a, b) => b.failing - a.failing || b.reporting - a.reporting || compareNatural(a.title, b.title));
  return {
    columns: shown.map(({ of: _, ...column }) => column),
    rows: rows.slice(0, mostSites).map(({ failing: _, ...row }) => row),
    reporting: sum(reportingCount),
    hidden: Math.max(0, rows.length - mostSites),
  };
}
