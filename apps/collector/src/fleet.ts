import type { Database } from "@lynceus/db/client";
import { fleetGroups } from "@lynceus/db/fleet";
import { type FleetContext, type FleetSummary, fleetContext, summarizeFleet } from "@lynceus/diagnosis/fleet";
import type { Location } from "@lynceus/protocol/names";

/** Domain 5.5: fleet findings compare what was seen within ten minutes. */
const freshMs = 10 * 60_000;

/** The parts of a summary on which a finding of one machine turns. Two that are equal need no new judgement. */
interface Edges {
  readonly down: boolean;
  readonly majority: string;
  /** Sites with a machine whose EWS is ok through a proxy: the contrasting peer of domain 5.0 rule 7. */
  readonly contrast: ReadonlySet<string | null>;
}

function edgesOf(summary: FleetSummary): Map<Location, Edges> {
  const edges = new Map<Location, Edges>();
  for (const [location, here] of summary.locations)
    edges.set(location, {
      down: here.ewsDown !== null,
      majority: here.majority ? `${here.majority.issuer} ${here.majority.spki}` : "",
      contrast: new Set([...here.sites].filter(([, tally]) => tally.okThroughProxy > 0).map(([site]) => site)),
    });
  return edges;
}

/** Who has to be judged again. `sites` null: everybody at that location. */
export interface Affected {
  readonly location: Location;
  readonly sites: ReadonlySet<string | null> | null;
}

const noEdges: Edges = { down: false, majority: "", contrast: new Set() };

/** What turned between two summaries. */
export function affectedBy(before: FleetSummary, after: FleetSummary): Affected[] {
  const [old, now] = [edgesOf(before), edgesOf(after)];
  const affected: Affected[] = [];
  for (const location of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(location) ?? noEdges, now.get(location) ?? noEdges];
    if (was.down !== is.down || was.majority !== is.majority) {
      affected.push({ location, sites: null });
      continue;
    }
    const sites = new Set<string | null>();
    for (const site of is.contrast) if (!was.contrast.has(site)) sites.add(site);
    for (const site of was.contrast) if (!is.contrast.has(site)) sites.add(site);
    if (sites.size > 0) affected.push({ location, sites });
  }
  return affected;
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

  return {
    context: (machine: Peer): FleetContext => fleetContext(machine.simulated ? fleets.simulated : fleets.real, machine),

    /** Something was written that the groups are made of. */
    noteChange(): void {
      changed = true;
    },

    /** Reads the groups again where something changed; returns who has to be judged again. */
    async refresh(now: number): Promise<Affected[]> {
      if (!changed) return [];
      changed = false;
      try {
        const groups = await fleetGroups(db, new Date(now - freshMs));
        const next = {
          real: summarizeFleet(
            groups.filter(({ simulated }) => !simulated),
            now,
          ),
          simulated: summarizeFleet(
            groups.filter(({ simulated }) => simulated),
            now,
          ),
        };
        const affected = [...affectedBy(fleets.real, next.real), ...affectedBy(fleets.simulated, next.simulated)];
        fleets = next;
        return affected;
      } catch (error) {
        changed = true;
        throw error;
      }
    },
  };
}
