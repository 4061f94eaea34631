import type { Location, Verdict } from "@lynceus/protocol/names";

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
   * The columns below are for one pattern each. Absent or null: not known, and the pattern is not found. All are the
   * machine's decisive configuration's, as `machineColumns` gives them.
   */
  /** `x-feserver` of the last answer of EWS on the configured route, else the address connected to on a direct route. */
  readonly backEnd?: string | null;
  /** Network of the private address: /24, or /64. */
  readonly subnet?: string | null;
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
}

const noTally: Tally = { judged: 0, ok: 0, bad: 0, okThroughProxy: 0 };

/** No peers: what the one-shot and an unapproved machine see. */
export const emptyFleet: FleetContext = { location: noTally, site: noTally, majority: null, ewsDown: null };

/** Verdicts of the two good answers of EWS. */
const ok = new Set<Verdict>(["exchange-onprem", "exchange-online"]);
/**
 * Left out of every ratio: a 407, whose users may pass silently (rule 1), and what proves nothing. The columns do not
 * hold the schemes, so a proxy that offers Basic alone is left out with the others.
 */
const leftOut = new Set<Verdict>(["proxy-auth-required", "unknown-answer", "iis-windows-auth"]);
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
  const good = group.verdictConfigured !== null && ok.has(group.verdictConfigured);
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
 * @param now instant of the summary. @param groups fresh within ten minutes (domain 5.5).
 */
export function summarizeFleet(groups: readonly FleetGroup[], now: number): FleetSummary {
  const byLocation = new Map<Location, FleetGroup[]>();
  for (const group of groups) {
    if (group.machines <= 0 || group.verdictConfigured === null || leftOut.has(group.verdictConfigured)) continue;
    byLocation.set(group.location, [...(byLocation.get(group.location) ?? []), group]);
  }
  const locations = new Map<Location, LocationSummary>();
  for (const [location, members] of byLocation) {
    const sites = new Map<string | null, Tally>();
    for (const group of members) sites.set(group.site, add(sites.get(group.site) ?? noTally, group));
    locations.set(location, {
      tally: members.reduce(add, noTally),
      sites,
      majority: majorityOf(members),
      ewsDown: ewsDownOf(members),
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
  };
}
