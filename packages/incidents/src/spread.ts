import type { Confidence, PatternId, Severity } from "@lynceus/protocol/names";
import { severities } from "@lynceus/protocol/names";
import { safeText } from "@lynceus/protocol/present";
import { explainedBy } from "./group.ts";
import type { Muter } from "./mute.ts";
import { once } from "./once.ts";
import type { Incident, Machine, SiteSpread } from "./types.ts";

/** What an incident's members come to at a moment. */
export interface Spread {
  readonly failing: number;
  readonly sites: readonly SiteSpread[];
  readonly severity: Severity;
  readonly since: number;
  /** Of the failing ones: those that no silence and no window covers, and of these those that fresh cycles confirm. */
  readonly audible: number;
  readonly fresh: number;
  readonly freshSites: ReadonlyMap<string | null, number>;
  readonly freshImportant: boolean;
  /** Machines that a muter covers, by its id. */
  readonly muted: ReadonlyMap<string, number>;
}

export interface SpreadContext {
  readonly muters: readonly Muter[];
  readonly importantTags: ReadonlySet<string>;
  /** Reporting machines by `siteKey`. */
  readonly sites: ReadonlyMap<string, number>;
}

export const siteKey = (at: { simulated: boolean; location: string; site: string | null }): string =>
  `${at.simulated ? "simulated" : "real"}|${at.location}|${at.site ?? ""}`;

export const isImportant = (machine: Machine, tags: ReadonlySet<string>): boolean =>
  tags.size > 0 && machine.tags.some((tag) => tags.has(tag));

const severityOf = (machine: Machine): Severity => explainedBy(machine)?.severity ?? "prompting";

/** Counts the failing members of an incident. */
export function measure(
  incident: Pick<Incident, "number" | "simulated" | "location" | "kind">,
  failing: readonly Machine[],
  { muters, importantTags, sites }: SpreadContext,
): Spread {
  const bySite = new Map<string | null, number>();
  /** Machines per site of which nobody is told, or not yet. */
  const unheard = new Map<string | null, number>();
  const muted = new Map<string, number>();
  let worst = severities.length - 1;
  let since = Number.POSITIVE_INFINITY;
  let audible = failing.length;
  let fresh = failing.length;
  let freshImportant = false;
  for (const machine of failing) {
    bySite.set(machine.site, (bySite.get(machine.site) ?? 0) + 1);
    if (worst > 0) worst = Math.min(worst, severities.indexOf(severityOf(machine)));
    if (machine.since < since) since = machine.since;
    let heard = true;
    for (const muter of muters) {
      if (!muter.covers({ machine, incident: incident.number, urgency: null })) continue;
      muted.set(muter.id, (muted.get(muter.id) ?? 0) + 1);
      heard = false;
    }
    // A silent machine is late by nature.
    const isLate = machine.late && incident.kind === "failing";
    if (!heard) audible--;
    if (heard && !isLate) freshImportant ||= isImportant(machine, importantTags);
    else {
      fresh--;
      unheard.set(machine.site, (unheard.get(machine.site) ?? 0) + 1);
    }
  }
  const freshSites = new Map<string | null, number>();
  for (const [site, machines] of bySite) freshSites.set(site, machines - (unheard.get(site) ?? 0));
  const { simulated, location } = incident;
  return {
    failing: failing.length,
    sites: [...bySite]
      .map(([site, machines]) => ({
        site,
        machines,
        of: Math.max(machines, sites.get(siteKey({ simulated, location, site })) ?? 0),
      }))
      .sort(
        (a, b) =>
          b.machines - a.machines ||
          Number(a.site === null) - Number(b.site === null) ||
          ((a.site ?? "") < (b.site ?? "") ? -1 : 1),
      ),
    severity: severities[worst] as Severity,
    since,
    audible,
    fresh,
    freshSites,
    freshImportant,
    muted,
  };
}

/** What an incident is called. */
export interface Naming {
  readonly pattern: PatternId | null;
  readonly title: string;
  readonly confidence: Confidence;
}

/** What a machine with such a finding alone would call it. */
function namingOf(kind: Incident["kind"], machine: Machine): Naming {
  if (kind === "silent")
    return {
      pattern: "fleet-blind",
      title: `${safeText(machine.site ?? "a site", 120)} fell silent`,
      confidence: "high",
    };
  const finding = explainedBy(machine);
  if (!finding)
    return {
      pattern: null,
      title: `EWS shows ${machine.verdict ?? "nothing that is known"}, and no known pattern explains it`,
      confidence: "low",
    };
  return { pattern: finding.pattern, title: safeText(finding.cause), confidence: finding.confidence };
}

/** What most of a group's machines call it. A name that it has already stays while half as many still say so. */
export function nameGroup(kind: Incident["kind"], machines: readonly Machine[], before: Naming | null): Naming | null {
  const votes = new Map<string, Map<string, { machine: Machine; machines: number }>>();
  for (const machine of machines) {
    const finding = kind === "silent" ? null : explainedBy(machine);
    const pattern = finding?.pattern ?? "";
    const cause = finding?.cause ?? machine.verdict ?? "";
    const byCause = once(votes, pattern, () => new Map<string, { machine: Machine; machines: number }>());
    once(byCause, cause, () => ({ machine, machines: 0 })).machines++;
  }
  let best: { key: string; naming: Naming; machines: number } | null = null;
  let kept: { naming: Naming; machines: number } | null = null;
  for (const [pattern, byCause] of votes)
    for (const [cause, { machine, machines: count }] of byCause) {
      const key = `${pattern}\n${cause}`;
      if (!best || count > best.machines || (count === best.machines && key < best.key))
        best = { key, naming: namingOf(kind, machine), machines: count };
      if (!before || (before.pattern ?? "") !== pattern) continue;
      const naming = namingOf(kind, machine);
      if (naming.title === before.title && count > (kept?.machines ?? 0)) kept = { naming, machines: count };
    }
  return best && kept && 2 * kept.machines >= best.machines ? kept.naming : (best?.naming ?? null);
}
