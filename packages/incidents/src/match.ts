import { alertFilterTerms } from "@lynceus/protocol/alert-filter";
import type { FilterField, FilterTerm, FilterValue } from "@lynceus/protocol/filter";
import type { Urgency } from "@lynceus/protocol/notice";
import type { Incident, Machine } from "./types.ts";

/*
 * The filter language over what is in memory: silences, maintenance windows, routes. It answers as the machines table
 * does (packages/db `machines-filter.ts`): case does not matter, and `-field:x` never matches what was not observed.
 */

/** What a field of something holds: its values; none of them: `none` where it was looked for, `unknown` where not. */
interface Held {
  readonly values: readonly string[];
  readonly empty: "none" | "unknown";
}
const one = (value: string | null | undefined, empty: Held["empty"] = "unknown"): Held =>
  value === null || value === undefined ? { values: [], empty } : { values: [value], empty };
const many = (values: readonly string[], empty: Held["empty"] = "none"): Held => ({ values, empty });

/** A machine, and the incident that it belongs to. */
export interface Member {
  readonly machine: Machine;
  readonly incident: number | null;
  readonly urgency: Urgency | null;
}

const routeOf = ({ values }: Machine): string | null => (values.proxy === "none" ? "direct" : (values.proxy ?? null));

function ofMember({ machine, incident, urgency }: Member, field: FilterField): Held {
  // A machine that cannot be told has no finding because nobody could look.
  const unfound: Held["empty"] = machine.status === "cannot-tell" ? "unknown" : "none";
  switch (field) {
    case "status":
      return one(machine.status);
    case "pattern":
      return many(machine.patterns, unfound);
    case "primary":
      return one(machine.primary?.pattern, unfound);
    case "severity":
      return one(machine.primary?.severity, unfound);
    case "confidence":
      return one(machine.primary?.confidence, unfound);
    case "cause":
      return one(machine.primary?.cause, unfound);
    case "incident":
      return one(incident === null ? null : String(incident), "none");
    case "urgency":
      return one(urgency);
    case "site":
      return one(machine.site, "none");
    case "location":
      return one(machine.location);
    case "route":
      return one(routeOf(machine));
    case "pac": {
      const hash = machine.values["pac-hash"];
      const file = machine.patterns.includes("pac-file-url") ? ["file"] : [];
      const known = hash === null || hash === undefined || hash === "none" ? file : [hash, ...file];
      return many(known, hash === "none" || routeOf(machine) !== null ? "none" : "unknown");
    }
    case "issuer":
      return one(machine.values["tls-issuer"]);
    case "target":
      return many(machine.targets);
    case "os":
      return one(machine.os);
    case "agent":
      return one(machine.agentVersion || null);
    case "tag":
      return many(machine.tags);
    case "simulated":
      return one(machine.simulated ? "yes" : "no");
    case "name":
      return one(machine.hostname);
    default:
      return many([], "unknown");
  }
}

function ofIncident(incident: Incident, field: FilterField): Held {
  switch (field) {
    case "pattern":
    case "primary":
      return one(incident.pattern);
    case "severity":
      return one(incident.severity);
    case "urgency":
      return one(incident.urgency);
    case "confidence":
      return one(incident.confidence);
    case "cause":
      return one(incident.title);
    case "incident":
      return one(String(incident.number));
    case "site":
      return many(incident.sites.flatMap(({ site }) => (site === null ? [] : [site])));
    case "location":
      return one(incident.location);
    case "simulated":
      return one(incident.simulated ? "yes" : "no");
    default:
      return many([], "unknown");
  }
}

function equals(held: string, value: Extract<FilterValue, { kind: "text" }>): boolean {
  const text = held.toLowerCase();
  const needle = value.needle.toLowerCase();
  if (value.match === "exact") return text === needle;
  if (value.match === "prefix") return text.startsWith(needle);
  return value.match === "suffix" ? text.endsWith(needle) : text.includes(needle);
}

function fits(term: FilterTerm, held: Held): boolean {
  const unknown = held.values.length === 0 && held.empty === "unknown";
  const found = term.values.some((value) => {
    if (value.kind === "unknown") return unknown;
    if (value.kind === "none") return held.values.length === 0 && held.empty === "none";
    return value.kind === "text" && held.values.some((one) => equals(one, value));
  });
  return term.negated ? !found && !unknown : found;
}

export interface Matcher {
  readonly terms: readonly FilterTerm[];
  member(member: Member): boolean;
  incident(incident: Incident): boolean;
  /** Whether some term of it is about this field. */
  speaksOf(field: FilterField): boolean;
}

/** A filter that was checked when it was stored. Empty matches everything. */
export function matcherOf(text: string): Matcher {
  const terms = alertFilterTerms(text);
  return {
    terms,
    member: (member) => terms.every((term) => fits(term, ofMember(member, term.field))),
    incident: (incident) => terms.every((term) => fits(term, ofIncident(incident, term.field))),
    speaksOf: (field) => terms.some((term) => term.field === field),
  };
}
