import { alertingVersion, currentAlerting } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import { incidentTurn, readMembers } from "@lynceus/db/incident-turns";
import { dropLease, LeaseLostError, takeLease } from "@lynceus/db/lease";
import type { PatternText } from "@lynceus/incidents/compose";
import { mutersAt } from "@lynceus/incidents/mute";
import { plan } from "@lynceus/incidents/plan";
import { reconcile } from "@lynceus/incidents/reconcile";
import type { Incident, IncidentKind, Machine } from "@lynceus/incidents/types";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import type { PatternId } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import { safeText } from "@lynceus/protocol/present";
import type { Logger } from "pino";
import { createIncidentMachines } from "./machines.ts";

/** One collector of all decides. */
export const incidentLease = "incidents";
/** Everything is read anew, so that what was missed does not stay. */
const reloadMs = 3_600_000;
/** What only the time changes, such as a failure that nothing explains, is looked at as often. */
const quietMs = 60_000;

export interface IncidentsOptions {
  readonly db: Database;
  readonly collectorId: string;
  readonly policy: () => Policy;
  /** Another takes over when this one did no turn for so many milliseconds. */
  readonly leaseMs: number;
  readonly now: () => number;
  readonly log: Logger;
  readonly dashboardUrl: () => string;
  /** Tells installations apart that speak to one receiver. */
  readonly installation: string;
  readonly textsOf: (pattern: PatternId) => PatternText | null;
  /** For tests: called between the steps of a turn. */
  readonly onStep?: (step: string) => void | Promise<void>;
}

/**
 * Incidents, kept up while machines change: each turn reads what was written, lets the pure packages decide, and stores
 * incidents, members, timelines and notices in one transaction.
 */
export function createIncidents(options: IncidentsOptions) {
  const { db, collectorId, now, log } = options;
  let members: Record<IncidentKind, Map<string, number>> = { failing: new Map(), silent: new Map() };
  const machines = createIncidentMachines({
    db,
    now,
    staleAfter: () => 3 * options.policy().intervals.cycleMinutes * 60_000,
    isMember: (machineId) => members.failing.has(machineId) || members.silent.has(machineId),
  });
  let leading = false;
  let loadedAt: number | null = null;
  let decidedAt = Number.NEGATIVE_INFINITY;
  let config: { version: number; config: AlertingConfig } | null = null;
  let changed = true;
  let live = true;
  let loose = 0;
  let open = { high: 0, low: 0 };

  async function load(at: number): Promise<void> {
    members = await readMembers(db);
    await machines.load([...members.failing.keys(), ...members.silent.keys()]);
    loadedAt = at;
  }

  /** Of incidents that have none, the first member's. */
  function withEvidence(
    incidents: readonly Incident[],
    failing: ReadonlyMap<number, readonly Machine[]>,
    found: ReadonlyMap<string, string>,
  ): Incident[] {
    return incidents.map((incident) => {
      if (incident.evidence !== null) return incident;
      const text = witnesses(failing.get(incident.number) ?? []).flatMap((id) => found.get(id) ?? [])[0];
      return text === undefined ? incident : { ...incident, evidence: safeText(text, 500) };
    });
  }

  async function decide(at: number, configuration: AlertingConfig): Promise<void> {
    let moved: ReturnType<typeof reconcile> | null = null;
    const result = await incidentTurn(
      db,
      {
        lease: incidentLease,
        holder: collectorId,
        now: at,
        ...(options.onStep && { onStep: options.onStep }),
      },
      async (world) => {
        const muters = mutersAt(world.silences, configuration.maintenance, at);
        const turn = reconcile({
          now: at,
          machines: machines.values(),
          causes: world.causes,
          incidents: world.incidents,
          members,
          sites: machines.sites,
          muters,
          importantTags: configuration.importantTags,
          settings: configuration.settings,
          nextNumber: world.nextNumber,
          unexplainedAfter: 2 * options.policy().intervals.cycleMinutes * 60_000,
        });
        moved = turn;
        const silent = turn.incidents.filter(({ evidence, ended }) => evidence === null && ended === null);
        const asked = silent.flatMap(({ number }) => witnesses(turn.failing.get(number) ?? []));
        const evidence = asked.length === 0 ? new Map<string, string>() : await world.evidence(asked);
        const told = plan({
          now: at,
          incidents: withEvidence(turn.incidents, turn.failing, evidence),
          spreads: turn.spreads,
          failing: turn.failing,
          config: configuration,
          muters,
          receivers: world.receivers,
          compose: {
            dashboardUrl: options.dashboardUrl(),
            installation: options.installation,
            textsOf: options.textsOf,
          },
        });
        loose = turn.loose;
        open = { high: 0, low: 0 };
        for (const { ended, urgency, simulated } of told.incidents) if (ended === null && !simulated) open[urgency]++;
        return {
          incidents: told.incidents,
          members: turn.members,
          events: [...turn.events, ...told.events],
          notices: told.notices,
          settings: configuration.settings,
        };
      },
    );
    live = result.live;
    for (const { kind, machineId, to } of (moved as ReturnType<typeof reconcile> | null)?.members ?? []) {
      if (to === null) members[kind].delete(machineId);
      else members[kind].set(machineId, to);
      if (to === null) machines.release(machineId);
    }
  }

  return {
    get leading() {
      return leading;
    },
    /** Failing machines that are in no incident, since too few share their cause. */
    get loose() {
      return loose;
    },
    /** Open incidents of real machines, by urgency, as this collector last saw them. */
    get open() {
      return open;
    },

    /** Something was written that incidents are made of, or somebody did something. */
    note(): void {
      changed = true;
    },

    /** A machine that is gone or was revoked. */
    forget(machineId: string): void {
      machines.forget(machineId);
      changed = true;
    },

    /** One turn, where there may be something to do. Returns whether this collector decided. */
    async turn(): Promise<boolean> {
      leading = await takeLease(db, incidentLease, collectorId, options.leaseMs / 1000);
      if (!leading) {
        loadedAt = null;
        return false;
      }
      const at = now();
      if (loadedAt === null || at - loadedAt >= reloadMs) {
        loadedAt = null;
        await load(at);
        changed = true;
      }
      if (!changed && !live && at - decidedAt < quietMs) return true;
      changed = false;
      decidedAt = at;
      try {
        await options.onStep?.("begun");
        const version = await alertingVersion(db);
        if (config?.version !== version) config = await currentAlerting(db);
        await machines.refresh();
        await decide(at, config.config);
        await options.onStep?.("committed");
        return true;
      } catch (error) {
        // What became of it is not known: what is in memory may not be what is stored.
        loadedAt = null;
        changed = true;
        if (!(error instanceof LeaseLostError)) throw error;
        leading = false;
        log.warn({ err: error }, "another collector leads incidents now");
        return false;
      }
    },

    /** Lets another collector lead. */
    async stop(): Promise<void> {
      if (leading) await dropLease(db, incidentLease, collectorId);
      leading = false;
    },
  };
}

/** A few members whose findings may be shown as evidence, always the same of the same set. */
const witnesses = (failing: readonly Machine[]): string[] => {
  let [first, second] = ["", ""];
  for (const { id, primary } of failing) {
    if (!primary) continue;
    if (first === "" || id < first) [first, second] = [id, first];
    else if (second === "" || id < second) second = id;
  }
  return [first, second].filter((id) => id !== "");
};

export type Incidents = ReturnType<typeof createIncidents>;
