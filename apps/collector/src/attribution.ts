import { type AttributionInput, saveAttributions } from "@lynceus/db/causes";
import type { Database } from "@lynceus/db/client";
import { type ChangeWithMachines, changesSince, joinChanges } from "@lynceus/db/fleet-changes";
import { dropLease, takeLease } from "@lynceus/db/lease";
import { type MachineTraits, readTraits, resumeTraits, type TraitsPosition } from "@lynceus/db/traits";
import { attribute } from "@lynceus/diagnosis/attribution/attribute";
import { createAttributionIndex } from "@lynceus/diagnosis/attribution/attribution-index";
import { type Attribution, maxCounterExamples, none, type Subject } from "@lynceus/diagnosis/attribution/types";
import { settingsWaves } from "@lynceus/diagnosis/attribution/waves";
import { causeText } from "@lynceus/protocol/cause-text";

/** Only one collector of all attributes; its lease runs out so many seconds after its last turn. */
const leaseSeconds = 45;
const leaseName = "attribution";
/** A transaction may become visible this long after its rows were written. */
const overlapSeconds = 60;
/** A change this old is not believed to be the reason of a failure that begins now (domain 5.5). */
const changesMs = 48 * 3_600_000;
/** Settings that changed longer ago are no wave. */
const waveMs = 24 * 3_600_000;
/** The whole fleet is read again, so that what was missed does not stay. */
const reloadMs = 3_600_000;
const page = 5_000;

/** A machine as attribution compares it, without the wave that it belongs to. */
export function subjectOfTraits(row: MachineTraits): Subject {
  const noScript = row.pacUrl === none;
  const failing = row.status === "failing" ? true : row.status === "healthy" ? false : null;
  return {
    id: row.machineId,
    location: row.location,
    failing,
    failingSince: failing ? row.statusSince.getTime() : null,
    values: {
      "pac-hash": row.pacHash ?? (noScript ? none : null),
      "pac-url": row.pacUrl,
      proxy: row.route === "direct" ? none : row.route,
      "back-end": row.backEnd,
      address: row.address,
      "tls-spki": row.tlsSpki,
      "tls-issuer": row.tlsIssuer,
      resolver: row.resolver,
      subnet: row.subnet,
      site: row.site,
      "policy-version": row.policyVersion === null ? null : String(row.policyVersion),
      "agent-version": row.agentVersion || null,
      "os-build": `${row.os} ${row.osVersion}`.trim() || null,
      "route-kind": row.routeKind,
    },
  };
}

/** A machine whose settings changed lately. */
interface Changed {
  readonly subject: Subject;
  readonly at: number;
  readonly to: string;
}

/** One half of the fleet: the real machines, or the simulated ones. They say nothing about each other. */
function createHalf() {
  const index = createAttributionIndex();
  const changed = new Map<string, Changed>();
  const waveOf = new Map<string, string>();
  const locationOf = new Map<string, Subject["location"]>();
  let dirty = true;

  const put = (subject: Subject) =>
    index.set({ ...subject, values: { ...subject.values, "settings-wave": waveOf.get(subject.id) ?? none } });

  return {
    index,
    get dirty() {
      return dirty;
    },
    clean(): void {
      dirty = false;
    },
    touch(): void {
      dirty = true;
    },

    set(row: MachineTraits): void {
      const subject = subjectOfTraits(row);
      if (row.settingsChangedAt && row.configuration !== null)
        changed.set(row.machineId, { subject, at: row.settingsChangedAt.getTime(), to: row.configuration });
      else changed.delete(row.machineId);
      locationOf.set(subject.id, subject.location);
      put(subject);
      dirty = true;
    },

    delete(id: string): void {
      changed.delete(id);
      waveOf.delete(id);
      locationOf.delete(id);
      index.delete(id);
      dirty = true;
    },

    /** Finds the waves of the last day, per location; machines whose wave is another than before are put in again. */
    findWaves(now: number): void {
      for (const [id, { at }] of changed) if (now - at > waveMs && !waveOf.has(id)) changed.delete(id);
      const recent = [...changed.values()].filter(({ at }) => now - at <= waveMs);
      const next = new Map<string, string>();
      const machines = new Map<Subject["location"], number>();
      if (recent.length > 0)
        for (const location of locationOf.values()) machines.set(location, (machines.get(location) ?? 0) + 1);
      for (const location of new Set(recent.map(({ subject }) => subject.location))) {
        const changes = recent
          .filter(({ subject }) => subject.location === location)
          .map(({ subject, at, to }) => ({ machine: subject.id, at, to }));
        for (const wave of settingsWaves(changes, machines.get(location) ?? 0))
          for (const machine of wave.machines) next.set(machine, wave.id);
      }
      const moved = [...new Set([...next.keys(), ...waveOf.keys()])].filter((id) => next.get(id) !== waveOf.get(id));
      waveOf.clear();
      for (const [id, wave] of next) waveOf.set(id, wave);
      for (const id of moved) {
        const entry = changed.get(id);
        if (entry) put(entry.subject);
      }
    },
  };
}

type Half = ReturnType<typeof createHalf>;

/** What is stored of an attribution. */
function toInput(
  simulated: boolean,
  attribution: Attribution,
  changeIds: ReadonlyMap<string, string>,
): AttributionInput {
  const { location, failing, healthy, undecided, noCause, unexplained } = attribution;
  return {
    simulated,
    location,
    failing,
    healthy,
    undecided,
    noCause,
    unexplained: unexplained.length,
    unexplainedSample: unexplained.slice(0, maxCounterExamples),
    candidates: attribution.candidates,
    causes: attribution.causes.map((cause) => ({
      key: cause.key,
      value: cause.value,
      text: causeText(cause),
      explains: cause.explains,
      of: cause.of,
      counts: {
        failingWith: cause.failingWith,
        failingWithout: cause.failingWithout,
        failingUnknown: cause.failingUnknown,
        healthyWith: cause.healthyWith,
        healthyWithout: cause.healthyWithout,
        healthyUnknown: cause.healthyUnknown,
        logP: cause.logP,
      },
      confidence: cause.confidence,
      firstSeen: cause.firstSeen,
      change: cause.change && {
        ...cause.change,
        id: changeIds.get(cause.change.changeKey) ?? null,
        at: new Date(cause.change.at).toISOString(),
      },
      also: cause.also,
      members: cause.members,
      failingOthers: cause.failingOthers,
      healthyMembers: cause.healthyMembers,
    })),
  };
}

/**
 * Which shared value explains the present failing machines, kept up while they change. One collector of all does it at
 * a time; it has the machines' traits in memory and reads what was written since its last turn.
 */
export function createAttribution({ db, collectorId, now }: { db: Database; collectorId: string; now: () => number }) {
  let halves = { real: createHalf(), simulated: createHalf() };
  const simulatedOf = new Map<string, boolean>();
  let position: TraitsPosition | null = null;
  let loadedAt: number | null = null;
  let leading = false;
  /** Rows of the overlap that are in already. */
  let taken = new Map<string, string>();
  const stored = { real: "", simulated: "" };

  const halfOf = (simulated: boolean): Half => (simulated ? halves.simulated : halves.real);

  function forget(id: string): void {
    const simulated = simulatedOf.get(id);
    if (simulated === undefined) return;
    halfOf(simulated).delete(id);
    simulatedOf.delete(id);
  }

  function take(row: MachineTraits): void {
    const before = simulatedOf.get(row.machineId);
    if (before !== undefined && (before !== row.simulated || !row.counts)) forget(row.machineId);
    if (!row.counts) return;
    simulatedOf.set(row.machineId, row.simulated);
    halfOf(row.simulated).set(row);
  }

  function reset(): void {
    halves = { real: createHalf(), simulated: createHalf() };
    simulatedOf.clear();
    taken = new Map();
    position = null;
  }

  /** Reads what was written since the last turn. */
  async function read(): Promise<void> {
    const from: TraitsPosition | null = position && (await resumeTraits(db, position, overlapSeconds));
    let after = from;
    const seen = new Map<string, string>();
    for (;;) {
      const rows = await readTraits(db, after, page);
      for (const row of rows) {
        if (taken.get(row.machineId) !== row.changedAt) take(row);
        seen.set(row.machineId, row.changedAt);
      }
      const last = rows.at(-1);
      if (last) after = { changedAt: last.changedAt, machineId: last.machineId };
      if (rows.length < page) break;
    }
    // A first reading is the whole fleet, of which only the end is read again.
    taken = seen.size > 4 * page ? new Map([...seen].slice(-4 * page)) : seen;
    // Without a row the end is where it was: the next turn is not to begin a minute earlier again.
    if (after !== from) position = after;
  }

  async function save(name: "real" | "simulated", at: number): Promise<void> {
    const half = halves[name];
    const simulated = name === "simulated";
    half.findWaves(at);
    const changes = await changesSince(db, { since: new Date(at - changesMs), simulated });
    const attributions = attribute(half.index, changes.map(toEvent), at);
    const ids = new Map(changes.map(({ id, changeKey }) => [changeKey, id]));
    const inputs = attributions.map((attribution) => toInput(simulated, attribution, ids));
    const shape = JSON.stringify(inputs);
    if (shape !== stored[name]) {
      await saveAttributions(db, { now: new Date(at), simulated, attributions: inputs });
      stored[name] = shape;
    }
    half.clean();
  }

  return {
    /** Whether this collector did the last turn. */
    get leading() {
      return leading;
    },

    /** A machine that is gone or was revoked. */
    forget,

    /** One turn: joins the fleet's changes and, where failing sets or what they share changed, attributes anew. */
    async turn(): Promise<void> {
      leading = await takeLease(db, leaseName, collectorId, leaseSeconds);
      if (!leading) {
        // What another leader writes meanwhile is not in memory here.
        if (loadedAt !== null) reset();
        loadedAt = null;
        return;
      }
      const at = now();
      let joined = 0;
      for (let more = page; more === page; ) {
        more = await joinChanges(db, page);
        joined += more;
      }
      if (loadedAt === null || at - loadedAt >= reloadMs) {
        reset();
        stored.real = "";
        stored.simulated = "";
        loadedAt = at;
      }
      await read();
      // A change that was joined may be what a cause waits for.
      if (joined > 0) for (const half of [halves.real, halves.simulated]) half.touch();
      for (const name of ["real", "simulated"] as const) if (halves[name].dirty) await save(name, at);
    },

    /** Lets another collector lead. */
    async stop(): Promise<void> {
      if (leading) await dropLease(db, leaseName, collectorId);
      leading = false;
    },
  };
}

const toEvent = ({ at, changeKey, text, key, value, machines }: ChangeWithMachines) => ({
  at: at.getTime(),
  changeKey,
  text,
  key,
  value,
  machines,
});

export type AttributionRunner = ReturnType<typeof createAttribution>;
