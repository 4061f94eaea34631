import type { Location, Verdict } from "@lynceus/protocol/names";
import { noSharedFaults, type SharedFaults, sharedFaults } from "./fleet-shared.ts";
import { isCounted, isGoodEws } from "./fleet-verdicts.ts";

/** Machines that agree in all of these columns. Only fresh, approved, uncloned, not signed-off ones are counted (rule 17). */
export interface FleetGroup {
  readonly site: string | null;
  readonly location: Location;
  /** Configured route of EWS: `host:port`, `direct`, or null when unknown. */
  readonly route: string | null;
  readonly verdictConfigured: Verdict | null;
  readonly verdictDirect: Verdict | null;
  readonly tlsIssuer: string | null;
  readonly tlsSpki: string | null;
  /*
   * The columns below are for one pattern each. Absent or null: not known, and the pattern is not found. Those that a
   * machine's facts give are in `sharedValues` of attribution/subject.ts.
   */
  /** Name of the Exchange server that answered (`backEndName`). */
  readonly backEnd?: string | null;
  /** Address that EWS was connected to (`exchangeAddress`). */
  readonly address?: string | null;
  /** Network of the private address: /24, or /64. */
  readonly subnet?: string | null;
  /** SHA-256 of the script; `none` (of attribution/types.ts) where the settings name none. */
  readonly pacHash?: string | null;
  readonly pacUrl?: string | null;
  /** Whether this script was first seen anywhere in the fleet within the last 24 hours. */
  readonly pacNew?: boolean | null;
  /** The configuration that the machine changed to within the last 30 minutes; null where it did not change. */
  readonly changedTo?: string | null;
  /** The key of EWS's certificate that the machine saw before the present one, changed within the last 24 hours. */
  readonly tlsSpkiBefore?: string | null;
  /** Addresses that the name of EWS has on a direct route, sorted, with spaces between them. */
  readonly dnsAnswer?: string | null;
  readonly machines: number;
}

/**
 * How many machines of a site were silent for more than three intervals in which a collector was up to hear, and how
 * many reported. Those that said goodbye are in neither (rule 12).
 */
export interface FleetSilence {
  readonly site: string | null;
  readonly location: Location;
  readonly reporting: number;
  readonly silent: number;
  /**
   * Share of the site's machines, 0 to 1, that is silent at this hour of the week as a rule: the median of the past
   * weeks. Null while there are fewer than two; then nothing is subtracted.
   */
  readonly usuallySilent: number | null;
}

/** Machines with a judged EWS probe, and how many of them are ok or bad. */
interface Tally {
  readonly judged: number;
  readonly ok: number;
  readonly bad: number;
  /** Of the ok ones: those whose configured route is a proxy (the contrast of rule 7). */
  readonly okThroughProxy: number;
}

export interface Majority {
  readonly issuer: string;
  readonly spki: string;
  readonly machines: number;
  readonly of: number;
}
export interface EwsDown {
  readonly bad: number;
  readonly judged: number;
  readonly sites: number;
  readonly routes: number;
}

interface LocationSummary {
  readonly tally: Tally;
  readonly shared: SharedFaults;
  /** Keyed by site; the machines without one stand under `null`. */
  readonly sites: ReadonlyMap<string | null, Tally>;
  readonly majority: Majority | null;
  readonly ewsDown: EwsDown | null;
}
export interface FleetSummary {
  readonly at: number;
  readonly locations: ReadonlyMap<Location, LocationSummary>;
}

/** What a machine's peers of the same location, and of the same site, show (rule 3). */
export interface FleetContext {
  readonly location: Tally;
  readonly site: Tally;
  readonly majority: Majority | null;
  readonly ewsDown: EwsDown | null;
  /** What the machines of this location share (domain 5.5). */
  readonly shared: SharedFaults;
  /** The machine's own site; null: at none. */
  readonly siteName: string | null;
}

const noTally: Tally = { judged: 0, ok: 0, bad: 0, okThroughProxy: 0 };

/** No peers: what the one-shot and an unapproved machine see. */
export const emptyFleet: FleetContext = {
  location: noTally,
  site: noTally,
  majority: null,
  ewsDown: null,
  shared: noSharedFaults,
  siteName: null,
};

/** Bad in a way that a dead Exchange explains; a dead proxy or a portal is the client's side. */
const serverMayBeDown = new Set<Verdict>([
  "dns-fail",
  "proxy-upstream-fail",
  "proxy-error",
  "tcp-refused",
  "tcp-timeout",
  "tcp-reset",
  "tls-reset",
  "tls-other",
  "http-timeout",
  "exchange-down",
  "server-error",
]);

/** Whether this pair of verdicts makes a machine a member of `fleet-ews-down`. */
export const fitsEwsDown = (configured: Verdict | null, direct: Verdict | null): boolean =>
  configured !== null && direct !== null && serverMayBeDown.has(configured) && serverMayBeDown.has(direct);

const add = (tally: Tally, group: FleetGroup): Tally => {
  const good = isGoodEws(group.verdictConfigured);
  const proxied = group.route !== null && group.route !== "direct";
  return {
    judged: tally.judged + group.machines,
    ok: tally.ok + (good ? group.machines : 0),
    bad: tally.bad + (good ? 0 : group.machines),
    okThroughProxy: tally.okThroughProxy + (good && proxied ? group.machines : 0),
  };
};

/** The certificate that more than half of the machines with a good one see. */
function majorityOf(groups: readonly FleetGroup[]): Majority | null {
  const seen = new Map<string, { issuer: string; spki: string; machines: number }>();
  let of = 0;
  for (const { tlsIssuer, tlsSpki, machines } of groups) {
    if (tlsIssuer === null || tlsSpki === null) continue;
    of += machines;
    const key = `${tlsSpki} ${tlsIssuer}`;
    const entry = seen.get(key) ?? { issuer: tlsIssuer, spki: tlsSpki, machines: 0 };
    seen.set(key, { ...entry, machines: entry.machines + machines });
  }
  for (const entry of seen.values()) if (of >= 3 && entry.machines * 2 > of) return { ...entry, of };
  return null;
}

/** Domain 5.5: at least 80 % bad on both routes, over two sites and two routes. */
function ewsDownOf(groups: readonly FleetGroup[]): EwsDown | null {
  const sites = new Set<string | null>();
  const routes = new Set<string | null>();
  let judged = 0;
  let bad = 0;
  for (const group of groups) {
    judged += group.machines;
    if (!fitsEwsDown(group.verdictConfigured, group.verdictDirect)) continue;
    bad += group.machines;
    sites.add(group.site);
    routes.add(group.route);
  }
  const holds = judged > 0 && bad >= 0.8 * judged && sites.size >= 2 && routes.size >= 2;
  return holds ? { bad, judged, sites: sites.size, routes: routes.size } : null;
}

/**
 * What the fleet shows at this moment, per location, because ratios hold within one only (rule 3).
 * @param groups fresh within ten minutes (domain 5.5). @param now instant of the summary.
 * @param silence of each site; without it no site is found to be silent.
 */
export function summarizeFleet(
  groups: readonly FleetGroup[],
  now: number,
  silence: readonly FleetSilence[] = [],
): FleetSummary {
  const byLocation = new Map<Location, FleetGroup[]>();
  const at = (location: Location): FleetGroup[] => {
    const known = byLocation.get(location) ?? [];
    byLocation.set(location, known);
    return known;
  };
  for (const group of groups) if (group.machines > 0) at(group.location).push(group);
  for (const { location } of silence) at(location);
  const locations = new Map<Location, LocationSummary>();
  for (const [location, all] of byLocation) {
    const members = all.filter(({ verdictConfigured }) => isCounted(verdictConfigured));
    const sites = new Map<string | null, Tally>();
    for (const group of members) sites.set(group.site, add(sites.get(group.site) ?? noTally, group));
    locations.set(location, {
      tally: members.reduce(add, noTally),
      sites,
      majority: majorityOf(members),
      ewsDown: ewsDownOf(members),
      shared: sharedFaults(
        location,
        all,
        silence.filter((one) => one.location === location),
      ),
    });
  }
  return { at: now, locations };
}

/** The part of the summary that a machine of this site and location may be compared with. */
export function fleetContext(
  summary: FleetSummary,
  machine: { readonly site: string | null; readonly location: Location },
): FleetContext {
  const here = summary.locations.get(machine.location);
  if (!here) return emptyFleet;
  return {
    location: here.tally,
    site: here.sites.get(machine.site) ?? noTally,
    majority: here.majority,
    ewsDown: here.ewsDown,
    shared: here.shared,
    siteName: machine.site,
  };
}
