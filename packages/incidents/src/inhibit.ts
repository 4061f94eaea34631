import type { Inhibition } from "@lynceus/protocol/alerting";
import { type Matcher, matcherOf } from "./match.ts";
import type { Incident } from "./types.ts";

interface Rule {
  readonly inhibition: Inhibition;
  readonly source: Matcher;
  readonly target: Matcher;
}

export interface Inhibitor {
  readonly rule: string;
  readonly name: string;
  readonly by: Incident;
}

const siteNames = ({ sites }: Incident) => sites.map(({ site }) => site);

/** Which open incident explains another, by the rules of the configuration. */
export function createInhibitions(inhibitions: readonly Inhibition[], incidents: readonly Incident[]) {
  const rules: Rule[] = inhibitions.map((inhibition) => ({
    inhibition,
    source: matcherOf(inhibition.source),
    target: matcherOf(inhibition.target),
  }));
  const open = incidents.filter(({ ended, failing }) => ended === null && failing > 0);
  const covers = ({ inhibition, source, target }: Rule, by: Incident, of: Incident): boolean => {
    if (by.number === of.number || by.simulated !== of.simulated) return false;
    if (inhibition.same.includes("location") && by.location !== of.location) return false;
    if (!source.incident(by) || !target.incident(of)) return false;
    const explained = new Set(siteNames(by));
    return !inhibition.same.includes("site") || siteNames(of).every((site) => site !== null && explained.has(site));
  };
  return (of: Incident): Inhibitor | null => {
    for (const rule of rules)
      for (const by of open) {
        if (!covers(rule, by, of)) continue;
        // Two that explain each other: the older one is told of.
        if (of.number < by.number && rules.some((other) => covers(other, of, by))) continue;
        return { rule: rule.inhibition.id, name: rule.inhibition.name, by };
      }
    return null;
  };
}
