import type { Location, Verdict } from "@lynceus/protocol/names";
import { none } from "./attribution/types.ts";
import { isWave } from "./attribution/waves.ts";
import type { FleetGroup, FleetSilence } from "./fleet.ts";
import { isCounted, isGoodEws } from "./fleet-verdicts.ts";
import { isPublicAddress } from "./network.ts";

/*
 * What machines of one location share when they fail, and what changed on many of them (domain 5.5). Ratios count
 * machines with a judged probe of EWS; nothing is found without machines that differ and are well.
 */

/** Percent of the machines with a value that fail at least, and their least number. */
const minimumPercent = 60;
const minimumBad = 3;
/** Points by which fewer of the others fail. */
const minimumPoints = 40;
/** Fewer others than this compare nothing. */
const minimumOthers = 3;

/** A value of which most machines fail while the others do not. */
export interface SharedFault {
  readonly bad: number;
  readonly judged: number;
  readonly othersBad: number;
  readonly othersJudged: number;
  /** What most of its failing machines see. */
  readonly verdict: Verdict;
  /** Of its failing machines, those whose direct route reaches Exchange. */
  readonly directWorks: number;
}
/** Many machines changed to one configuration. */
export interface ConfigurationWave {
  readonly changed: number;
  readonly of: number;
  /** Of the changed ones, those that fail now. */
  readonly bad: number;
}
export interface CertificateChange {
  readonly from: string;
  readonly to: string;
  readonly issuer: string | null;
  readonly machines: number;
  readonly of: number;
}
/** The name of EWS leads to public addresses at some sites, and to internal ones at others. */
export interface DnsSplit {
  /** Sites whose machines get public addresses, with the answer that most of them get. */
  readonly publicSites: ReadonlyMap<string, string>;
  readonly internalSites: number;
  readonly internalAnswer: string;
}
export interface Blind {
  readonly silent: number;
  readonly of: number;
  /** Share that is silent at this hour as a rule, 0 to 1. */
  readonly usually: number;
}

type ByValue<T> = ReadonlyMap<string, T>;
export interface SharedFaults {
  readonly proxies: ByValue<SharedFault>;
  /** By SHA-256, and by URL where each machine's script is another one. */
  readonly scripts: ByValue<SharedFault>;
  readonly scriptUrls: ByValue<SharedFault>;
  readonly sites: ByValue<SharedFault>;
  readonly subnets: ByValue<SharedFault>;
  readonly backEnds: ByValue<SharedFault>;
  readonly addresses: ByValue<SharedFault>;
  /** By id of the configuration. */
  readonly waves: ByValue<ConfigurationWave>;
  readonly certificate: CertificateChange | null;
  readonly dnsSplit: DnsSplit | null;
  /** By site. */
  readonly blind: ByValue<Blind>;
}

const nothing = new Map<string, never>();
export const noSharedFaults: SharedFaults = {
  proxies: nothing,
  scripts: nothing,
  scriptUrls: nothing,
  sites: nothing,
  subnets: nothing,
  backEnds: nothing,
  addresses: nothing,
  waves: nothing,
  certificate: null,
  dnsSplit: null,
  blind: nothing,
};

type ColumnOf = (group: FleetGroup) => string | null | undefined;

const isBad = (group: FleetGroup): boolean => !isGoodEws(group.verdictConfigured);
const count = (groups: readonly FleetGroup[]): number => groups.reduce((sum, { machines }) => sum + machines, 0);

/** Groups by a value; those whose value is not known are in none. */
function byValue(groups: readonly FleetGroup[], columnOf: ColumnOf): Map<string, FleetGroup[]> {
  const found = new Map<string, FleetGroup[]>();
  for (const group of groups) {
    const value = columnOf(group);
    if (value === null || value === undefined) continue;
    const list = found.get(value);
    if (list) list.push(group);
    else found.set(value, [group]);
  }
  return found;
}

/** The value that most machines have; of equal ones the first in the alphabet. Null without machines. */
function mostCommon<T extends string>(
  groups: readonly FleetGroup[],
  columnOf: (group: FleetGroup) => T | null | undefined,
): { readonly value: T; readonly machines: number } | null {
  let best: { value: T; machines: number } | null = null;
  for (const [value, list] of byValue(groups, columnOf)) {
    const machines = count(list);
    if (!best || machines > best.machines || (machines === best.machines && value < best.value))
      best = { value: value as T, machines };
  }
  return best;
}

interface Share {
  readonly groups: readonly FleetGroup[];
  readonly bad: number;
  readonly judged: number;
}
const shareOf = (groups: readonly FleetGroup[]): Share => ({
  groups,
  bad: count(groups.filter(isBad)),
  judged: count(groups),
});
const fails = ({ bad, judged }: Share): boolean => 100 * bad >= minimumPercent * judged;

/** The fault of a value beside the others, or null where they do not differ enough or are too few. */
function faultBeside(own: Share, others: Share): SharedFault | null {
  if (own.bad < minimumBad || others.judged < minimumOthers) return null;
  // In whole numbers: 60 % less 20 % are 40 points, and are not to be lost to rounding.
  const points = 100 * (own.bad * others.judged - others.bad * own.judged);
  if (points < minimumPoints * own.judged * others.judged) return null;
  const failing = own.groups.filter(isBad);
  const verdict = mostCommon(failing, ({ verdictConfigured }) => verdictConfigured)?.value;
  if (!verdict) return null;
  return {
    bad: own.bad,
    judged: own.judged,
    othersBad: others.bad,
    othersJudged: others.judged,
    verdict,
    directWorks: count(failing.filter(({ verdictDirect }) => isGoodEws(verdictDirect))),
  };
}

/**
 * The faults of each value of a key. The others are the values that do not fail themselves, so that two dead proxies
 * do not hide each other.
 * @param accepts values that may be at fault; all known ones are compared.
 */
function faultsBy(
  groups: readonly FleetGroup[],
  columnOf: ColumnOf,
  accepts: (value: string, own: Share) => boolean = () => true,
): Map<string, SharedFault> {
  const shares = new Map([...byValue(groups, columnOf)].map(([value, list]) => [value, shareOf(list)]));
  const well = [...shares.values()].filter((share) => !fails(share));
  const others = shareOf(well.flatMap((share) => share.groups));
  const found = new Map<string, SharedFault>();
  for (const [value, own] of shares) {
    const fault = fails(own) && accepts(value, own) ? faultBeside(own, others) : null;
    if (fault) found.set(value, fault);
  }
  return found;
}

/**
 * Whether a place fails by more than one proxy: no single proxy is the way of nine in ten of its failing machines, or
 * they go direct.
 */
function severalWays({ groups }: Share): boolean {
  const failing = groups.filter(isBad);
  const most = mostCommon(failing, ({ route }) => route);
  return most !== null && (most.value === "direct" || 10 * most.machines < 9 * count(failing));
}

/** A new script beside the ones before it, and beside machines that have none. */
function scriptFaults(groups: readonly FleetGroup[]): Pick<SharedFaults, "scripts" | "scriptUrls"> {
  const known = groups.filter(({ pacHash }) => pacHash !== null && pacHash !== undefined);
  const isNew = ({ pacHash, pacNew }: FleetGroup) => pacHash !== none && pacNew === true;
  // A script that is known to be older, or none; one of unknown age proves nothing.
  const older = shareOf(known.filter(({ pacHash, pacNew }) => pacHash === none || pacNew === false));
  const beside = (columnOf: ColumnOf) => {
    const found = new Map<string, SharedFault>();
    for (const [value, list] of byValue(known.filter(isNew), columnOf)) {
      const own = shareOf(list);
      const fault = fails(own) ? faultBeside(own, older) : null;
      if (fault) found.set(value, fault);
    }
    return found;
  };
  return { scripts: beside(({ pacHash }) => pacHash), scriptUrls: beside(({ pacUrl }) => pacUrl) };
}

/** One server that at least four of five failing machines share, while other servers answer (rule 11). */
function serverFaults(groups: readonly FleetGroup[], columnOf: ColumnOf): Map<string, SharedFault> {
  const known = [...byValue(groups, columnOf)];
  const bad = shareOf(known.flatMap(([, list]) => list)).bad;
  const found = new Map<string, SharedFault>();
  for (const [value, list] of known) {
    const own = shareOf(list);
    if (10 * own.bad < 8 * bad) continue;
    const others = shareOf(known.flatMap(([other, its]) => (other === value ? [] : its)));
    const fault = faultBeside(own, others);
    if (fault) found.set(value, fault);
  }
  return found;
}

function wavesOf(groups: readonly FleetGroup[]): Map<string, ConfigurationWave> {
  const known = groups.filter(({ changedTo }) => changedTo !== undefined);
  const of = count(known);
  const found = new Map<string, ConfigurationWave>();
  for (const [configuration, list] of byValue(known, ({ changedTo }) => changedTo)) {
    const changed = count(list);
    if (!isWave(changed, of)) continue;
    const bad = count(list.filter((group) => isCounted(group.verdictConfigured) && isBad(group)));
    found.set(configuration, { changed, of, bad });
  }
  return found;
}

/** Only trusted chains: what is not trusted has patterns of its own. */
function certificateChangeOf(judged: readonly FleetGroup[]): CertificateChange | null {
  const seeing = judged.filter((group) => group.tlsSpki !== null && !isBad(group));
  const of = count(seeing);
  const changed = seeing.filter(
    ({ tlsSpki, tlsSpkiBefore }) => tlsSpkiBefore !== null && tlsSpkiBefore !== undefined && tlsSpkiBefore !== tlsSpki,
  );
  const to = mostCommon(changed, ({ tlsSpki }) => tlsSpki);
  if (!to || to.machines < minimumBad || 2 * to.machines < of) return null;
  const its = changed.filter(({ tlsSpki }) => tlsSpki === to.value);
  return {
    from: mostCommon(its, ({ tlsSpkiBefore }) => tlsSpkiBefore)?.value ?? "",
    to: to.value,
    issuer: mostCommon(its, ({ tlsIssuer }) => tlsIssuer)?.value ?? null,
    machines: to.machines,
    of,
  };
}

const isPublicAnswer = (answer: string): boolean => answer.split(" ").every(isPublicAddress);
const isInternalAnswer = (answer: string): boolean => !answer.split(" ").some(isPublicAddress);

/** Sites of three machines or more whose answer is known; addresses that only differ are a balancer's work. */
function dnsSplitOf(groups: readonly FleetGroup[]): DnsSplit | null {
  const publicSites = new Map<string, string>();
  const internal: FleetGroup[] = [];
  let internalSites = 0;
  for (const [site, all] of byValue(groups, (group) => group.site)) {
    const asked = all.filter(({ dnsAnswer }) => dnsAnswer !== null && dnsAnswer !== undefined);
    const of = count(asked);
    if (of < minimumOthers) continue;
    const most = mostCommon(asked, ({ dnsAnswer }) => dnsAnswer);
    const having = (test: (answer: string) => boolean) =>
      100 * count(asked.filter(({ dnsAnswer }) => test(dnsAnswer ?? ""))) >= minimumPercent * of;
    if (most && having(isPublicAnswer)) publicSites.set(site, most.value);
    else if (having(isInternalAnswer)) {
      internalSites += 1;
      internal.push(...asked);
    }
  }
  const internalAnswer = mostCommon(internal, ({ dnsAnswer }) => dnsAnswer)?.value;
  return publicSites.size > 0 && internalAnswer ? { publicSites, internalSites, internalAnswer } : null;
}

/** Sites of which much more is silent than at this hour as a rule, while the rest of the fleet reports (rule 12). */
function blindSites(silence: readonly FleetSilence[]): Map<string, Blind> {
  const all = silence.map((one) => {
    const of = one.reporting + one.silent;
    const usually = one.usuallySilent ?? 0;
    return { ...one, of, usually, isLost: of > 0 && one.silent - usually * of >= 0.3 * of - 1e-9 };
  });
  const found = new Map<string, Blind>();
  for (const { site, silent, of, usually, isLost } of all) {
    if (site === null || silent < minimumBad || !isLost) continue;
    const others = all.filter((other) => other.site !== site && !other.isLost);
    if (others.reduce((sum, { reporting }) => sum + reporting, 0) < minimumOthers) continue;
    found.set(site, { silent, of, usually });
  }
  return found;
}

/**
 * All that the machines of one location share.
 * @param groups of the location, those without a judged probe too. @param silence of its sites.
 */
export function sharedFaults(
  location: Location,
  groups: readonly FleetGroup[],
  silence: readonly FleetSilence[],
): SharedFaults {
  const judged = groups.filter(({ verdictConfigured }) => isCounted(verdictConfigured));
  // Rule 3: outside there are no sites, whatever subnet a home has.
  const placed = location === "outside" ? [] : judged;
  const sites = faultsBy(
    placed,
    ({ site }) => site,
    (_, own) => severalWays(own),
  );
  // A site that is out as a whole says it better than its networks and its proxies.
  const elsewhere = (list: readonly FleetGroup[]) => list.filter(({ site }) => site === null || !sites.has(site));
  return {
    proxies: faultsBy(
      elsewhere(judged),
      ({ route }) => route,
      (route) => route !== "direct",
    ),
    ...scriptFaults(judged),
    sites,
    subnets: faultsBy(
      elsewhere(placed),
      ({ subnet }) => subnet,
      (_, own) => severalWays(own),
    ),
    backEnds: serverFaults(judged, ({ backEnd }) => backEnd),
    addresses: serverFaults(judged, ({ address }) => address),
    waves: wavesOf(groups),
    certificate: certificateChangeOf(judged),
    dnsSplit: location === "outside" ? null : dnsSplitOf(groups),
    blind: blindSites(silence),
  };
}

/**
 * What a finding of a machine turns on, as text: where two summaries give the same for its site, no machine of it has
 * to be judged again.
 */
export function sharedEdges(shared: SharedFaults, site: string | null): string {
  const values = (map: ByValue<unknown>) => [...map.keys()].sort();
  const { certificate, dnsSplit } = shared;
  const own = (map: ByValue<unknown>) => site !== null && map.has(site);
  return JSON.stringify([
    values(shared.proxies),
    values(shared.scripts),
    values(shared.scriptUrls),
    own(shared.sites),
    values(shared.subnets),
    values(shared.backEnds),
    values(shared.addresses),
    values(shared.waves),
    certificate && [certificate.from, certificate.to],
    dnsSplit !== null && own(dnsSplit.publicSites),
    own(shared.blind),
  ]);
}
