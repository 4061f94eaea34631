import type { Database } from "@lynceus/db/client";
import { fleetGroups, fleetSilence, staleMachines } from "@lynceus/db/fleet";
import { type FleetContext, type FleetSummary, fleetContext, summarizeFleet } from "@lynceus/diagnosis/fleet";
import { noSharedFaults, sharedEdges } from "@lynceus/diagnosis/fleet-shared";
import type { Location } from "@lynceus/protocol/names";

/** Domain 5.5: fleet findings compare what was seen within ten minutes. */
const freshMs = 10 * 60_000;
/** Silence changes with the sweep, once a minute. */
const silenceMs = 60_000;

/** On what a finding of one machine turns, as text: per site of a location, and for the location as a whole. */
interface Edges {
  readonly location: string;
  readonly sites: ReadonlyMap<string | null, string>;
  /** Of a machine at a site of which nothing is known. */
  readonly elsewhere: string;
}

function edgesOf(summary: FleetSummary): Map<Location, Edges> {
  const edges = new Map<Location, Edges>();
  for (const [location, { ewsDown, majority, sites, shared }] of summary.locations) {
    const known = new Set([...sites.keys(), ...shared.blind.keys(), ...(shared.dnsSplit?.publicSites.keys() ?? [])]);
    // The contrasting peer of domain 5.0 rule 7: a machine whose EWS is ok through a proxy.
    const ofSite = (site: string | null) =>
      `${(sites.get(site)?.okThroughProxy ?? 0) > 0} ${sharedEdges(shared, site)}`;
    edges.set(location, {
      location: JSON.stringify([ewsDown !== null, majority && [majority.issuer, majority.spki]]),
      sites: new Map([...known].map((site) => [site, ofSite(site)])),
      elsewhere: `false ${sharedEdges(shared, null)}`,
    });
  }
  return edges;
}

/** Who has to be judged again. `sites` null: everybody at that location. */
export interface Affected {
  readonly location: Location;
  readonly sites: ReadonlySet<string | null> | null;
}

const nothing = `false ${sharedEdges(noSharedFaults, null)}`;
const noEdges: Edges = { location: JSON.stringify([false, null]), sites: new Map(), elsewhere: nothing };

/** What turned between two summaries. */
export function affectedBy(before: FleetSummary, after: FleetSummary): Affected[] {
  const [old, now] = [edgesOf(before), edgesOf(after)];
  const affected: Affected[] = [];
  for (const location of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(location) ?? noEdges, now.get(location) ?? noEdges];
    // What holds at a site of which nothing is known, holds at all: a new fault of many sites.
    if (was.location !== is.location || was.elsewhere !== is.elsewhere) {
      affected.push({ location, sites: null });
      continue;
    }
    const sites = new Set<string | null>();
    for (const site of new Set([...was.sites.keys(), ...is.sites.keys()]))
      if ((was.sites.get(site) ?? was.elsewhere) !== (is.sites.get(site) ?? is.elsewhere)) sites.add(site);
    if (sites.size > 0) affected.push({ location, sites });
  }
  return affected;
}

/** A site that fell silent, or speaks again. */
export interface Blind {
  readonly simulated: boolean;
  readonly location: Location;
  readonly site: string;
}

function blindChanges(before: FleetSummary, after: FleetSummary, simulated: boolean): Blind[] {
  const changes: Blind[] = [];
  for (const location of new Set([...before.locations.keys(), ...after.locations.keys()])) {
    const was = before.locations.get(location)?.shared.blind;
    const is = after.locations.get(location)?.shared.blind;
    for (const site of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]))
      if (was?.has(site) !== is?.has(site)) changes.push({ simulated, location, site });
  }
  return changes;
}

/** A machine as far as its peers are concerned. */
export interface Peer {
  readonly site: string | null;
  readonly location: Location;
  /** A simulated machine is judged beside simulated ones alone, and a real one beside real ones. */
  readonly simulated: boolean;
}

/** What the fleet shows, read again while something changes. */
export function createFleet(db: Database) {
  const empty = summarizeFleet([], 0);
  let fleets = { real: empty, simulated: empty };
  let changed = true;
  let silence: Awaited<ReturnType<typeof fleetSilence>> = [];
  let silenceAt: number | null = null;

  return {
    context: (machine: Peer): FleetContext => fleetContext(machine.simulated ? fleets.simulated : fleets.real, machine),

    /** Something was written that the groups are made of. */
    noteChange(): void {
      changed = true;
    },

    /** Reads the groups again where something changed; returns who has to be judged again, and where silence turned. */
    async refresh(now: number): Promise<{ affected: Affected[]; blind: Blind[] }> {
      if (!changed) return { affected: [], blind: [] };
      changed = false;
      try {
        const groups = await fleetGroups(db, { now: new Date(now), freshSince: new Date(now - freshMs) });
        if (silenceAt === null || now - silenceAt >= silenceMs) {
          silence = await fleetSilence(db, new Date(now));
          silenceAt = now;
        }
        const summarize = (half: boolean) =>
          summarizeFleet(
            groups.filter(({ simulated }) => simulated === half),
            now,
            silence.filter(({ simulated }) => simulated === half),
          );
        const next = { real: summarize(false), simulated: summarize(true) };
        const affected = [...affectedBy(fleets.real, next.real), ...affectedBy(fleets.simulated, next.simulated)];
        const blind = [
          ...blindChanges(fleets.real, next.real, false),
          ...blindChanges(fleets.simulated, next.simulated, true),
        ];
        fleets = next;
        return { affected, blind };
      } catch (error) {
        changed = true;
        throw error;
      }
    },

    /** The silent machines of a site: they report nothing, and are judged where its silence turns. */
    silentMachines: (blind: Blind): Promise<string[]> => staleMachines(db, blind),
  };
}
