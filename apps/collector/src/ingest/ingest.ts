import type { Database } from "@lynceus/db/client";
import { commitBatch } from "@lynceus/db/ingest";
import { isTransient } from "@lynceus/db/sql-error";
import { loadStates, type StoredState } from "@lynceus/db/states";
import { applyObservation } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import type { MachineStatus } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState } from "@lynceus/protocol/state";
import { asTrace } from "@lynceus/telemetry/spans";
import type { Logger } from "pino";
import type { CollectorConfig } from "../config.ts";
import type { Connections } from "../link/connections.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Fold, type FoldContext, fold, itemsInOrder } from "./fold.ts";
import { createMemory, type Entry, isOnDisk } from "./memory.ts";
import { createQueue, type Work } from "./queue.ts";

export interface IngestOptions {
  readonly db: Database;
  readonly collectorId: string;
  readonly config: CollectorConfig;
  readonly connections: Connections;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly context: () => Pick<FoldContext, "siteOf" | "fleet" | "reports"> & {
    readonly policyOf: (machineId: string) => Policy;
  };
  /** Something that fleet findings compare was written. */
  readonly onWritten: () => void;
  /** What a machine's probes said, once they are on disk or in memory to be confirmed. */
  readonly onProbes: (done: Fold) => void;
}

/** A machine and what has to be done for it in this batch. */
interface Group {
  readonly entry: Entry;
  readonly works: readonly Work[];
  readonly poison: ReadonlyMap<number, string>;
}

/** The stored state with what it trails by: what the collector that wrote the rows had in memory. */
const caughtUp = ({ state, trail }: StoredState, policy: Policy): MachineState =>
  trail.reduce(
    (before, { observedAt, replayed, ...row }) =>
      applyObservation(
        before,
        // The row holds what this product decoded before it wrote it.
        { ...row, at: observedAt.getTime(), ageMs: 0 } as Observation,
        { at: observedAt.getTime(), replayed },
        policy,
      ).state,
    state,
  );

const toEntry = (stored: StoredState, policy: Policy): Entry => ({
  machineId: stored.machineId,
  hostname: stored.hostname,
  epoch: stored.epoch,
  committedSeq: stored.lastSeq,
  lastSeq: stored.lastSeq,
  state: caughtUp(stored, policy),
  // The column holds what this product writes.
  status: stored.status as MachineStatus,
  site: stored.site,
  approved: stored.approved,
  cloned: stored.cloned,
  checkpointAt: stored.checkpointAt?.getTime() ?? null,
  traitsDigest: stored.traitsDigest,
  heardAt: stored.lastSeenAt?.getTime() ?? 0,
  dirtySince: null,
  // Long enough ago to be written next time.
  trailSince: stored.trail.length > 0 ? 0 : null,
  unwritten: 0,
  cycleKeys: [],
});

const halves = <T>(items: readonly T[]): [T[], T[]] => {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
};

/** The parts of a report before and after the middle of its items, in order of seq. */
function splitReport(work: Work): [Work, Work] {
  const [first, second] = halves(itemsInOrder(work)).map((items) => new Set(items.map((item) => item.seq)));
  const part = (seqs: Set<number> | undefined): Work => ({
    ...work,
    observations: work.observations.filter((item) => seqs?.has(item.observation.seq)),
    confirmations: work.confirmations.filter((item) => seqs?.has(item.seq)),
  });
  return [part(first), part(second)];
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim().slice(-500);

/**
 * The one loop that writes: takes what waits, some 20 ms or 1,000 observations at a time, folds it into the machines'
 * states and stores each batch in one transaction. An agent is acknowledged after that, never before.
 */
export function createIngest(options: IngestOptions) {
  const { db, config, connections, metrics, log, now, context } = options;
  const queue = createQueue(config, () => connections.open.values());
  const memory = createMemory(config.cachedStates);
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let stopped = false;
  let wakeBackoff = () => {};

  const gauge = () => {
    metrics.queueItems.set(queue.items);
    metrics.queueBytes.set(queue.bytes);
    metrics.pausedSockets.set(queue.stoppedSockets);
    metrics.cachedStates.set(memory.size);
  };

  const pauseFor = (ms: number) =>
    new Promise<void>((resolve) => {
      const wait = setTimeout(resolve, ms);
      wakeBackoff = () => {
        clearTimeout(wait);
        resolve();
      };
    });

  /** Entries of these machines; those that are gone or revoked are absent. */
  async function load(ids: readonly string[]): Promise<Map<string, Entry>> {
    const found = new Map<string, Entry>();
    const missing: string[] = [];
    for (const id of ids) {
      const entry = memory.get(id);
      if (entry) found.set(id, entry);
      else missing.push(id);
    }
    for (const [id, stored] of await patiently(() => loadStates(db, missing)))
      found.set(id, toEntry(stored, context().policyOf(id)));
    return found;
  }

  /** Asks until the database answers. What it refuses for good is thrown. */
  async function patiently<T>(ask: (retried: boolean) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask(attempt > 0);
      } catch (error) {
        if (!isTransient(error) || stopped) throw error;
        metrics.commitFailures.inc();
        if (attempt === 0) log.warn({ err: error }, "the database cannot be reached; agents wait");
        await pauseFor(Math.min(5_000, 100 * 2 ** attempt));
      }
    }
  }

  function settle(group: Group, done: Fold): void {
    memory.set(done.entry);
    metrics.confirmations.inc(done.confirmations);
    metrics.duplicates.inc(done.duplicates);
    for (const row of done.observations) metrics.observations.inc({ kind: row.raw ? "raw" : row.kind });
    metrics.quarantined.inc(done.quarantine.length);
    options.onProbes(done);
    const { entry } = done;
    if (entry.dirtySince !== null || entry.epoch === null) return;
    // Confirmations that waited belong to the connection that is open now, even if this work was our own.
    const socket = connections.open.get(entry.machineId) ?? group.works.find((work) => work.socket)?.socket;
    if (!socket || socket.session.epoch !== entry.epoch) return;
    if (done.update === null && !group.works.some((work) => work.kind === "report")) return;
    metrics.acks.inc();
    connections.send(socket, { v: 1, type: "ack", epoch: entry.epoch, seq: entry.lastSeq });
  }

  /** Another collector moved the machine on, or it is gone: what we know of it is worth nothing. */
  function lose(machineId: string): void {
    memory.delete(machineId);
    metrics.conflicts.inc();
    connections.cut(machineId, "replaced", "another connection of this machine was faster");
  }

  /** Stores the groups in one transaction; a batch that is refused is halved until the offender stands alone. */
  async function store(groups: readonly Group[]): Promise<void> {
    const { policyOf, siteOf, fleet, reports } = context();
    const at = now();
    const folds = groups.map((group) => ({
      group,
      done: fold(group.entry, group.works, {
        now: at,
        stateTrail: config.stateTrail,
        policy: policyOf(group.entry.machineId),
        siteOf,
        fleet,
        ...(reports ? { reports } : {}),
        poison: group.poison,
      }),
    }));
    const written = folds.filter(({ done }) => done.update !== null);
    let conflicts = new Set<string>();
    if (written.length > 0) {
      const stop = metrics.commitSeconds.startTimer();
      let retried = false;
      try {
        const result = await patiently((again) => {
          retried = again;
          return asTrace("ingest batch", { "lynceus.machines": written.length, "lynceus.again": again }, () =>
            commitBatch(db, {
              now: new Date(at),
              collectorId: options.collectorId,
              observations: written.flatMap(({ done }) => done.observations),
              machines: written.map(({ done }) => done.update!),
              findings: written.flatMap(({ done }) => done.findings),
              transitions: written.flatMap(({ done }) => done.transitions),
              quarantine: written.flatMap(({ done }) => done.quarantine),
            }),
          );
        });
        conflicts = new Set(result.conflicts);
      } catch (error) {
        if (isTransient(error)) throw error;
        return divide(groups, error);
      } finally {
        stop();
      }
      if (retried && conflicts.size > 0) await forgiveOwn(folds, conflicts);
    }
    for (const { group, done } of folds)
      if (conflicts.has(group.entry.machineId)) lose(group.entry.machineId);
      else settle(group, done);
    if (written.length > conflicts.size) options.onWritten();
  }

  /** A commit whose answer was lost looks like a conflict when it is tried again: what is stored tells. */
  async function forgiveOwn(folds: readonly { done: Fold }[], conflicts: Set<string>): Promise<void> {
    const stored = await patiently(() => loadStates(db, [...conflicts]));
    for (const { done } of folds) {
      const row = stored.get(done.entry.machineId);
      if (row && row.epoch === done.entry.epoch && row.lastSeq === done.entry.lastSeq)
        conflicts.delete(done.entry.machineId);
    }
  }

  async function divide(groups: readonly Group[], error: unknown): Promise<void> {
    const [group] = groups;
    if (!group) return;
    if (groups.length > 1) {
      const [first, second] = halves(groups);
      await store(first);
      return store(second);
    }
    // One machine: its works in halves, then the items of a report. Each part builds on what the part before left.
    const { works } = group;
    const only = works.length === 1 ? works[0]! : null;
    const parts: (readonly Work[])[] =
      only === null ? halves(works) : itemsInOrder(only).length > 1 ? splitReport(only).map((work) => [work]) : [];
    if (parts.length > 0) {
      for (const part of parts) {
        const entry =
          memory.get(group.entry.machineId) ?? (await load([group.entry.machineId])).get(group.entry.machineId);
        if (entry) await store([{ ...group, entry, works: part }]);
      }
      return;
    }
    const item = only ? itemsInOrder(only)[0] : undefined;
    if (item && !group.poison.has(item.seq)) {
      log.error(
        { machineId: group.entry.machineId, seq: item.seq, err: error },
        "refused by the database: quarantined",
      );
      return store([{ ...group, poison: new Map([[item.seq, reason(error)]]) }]);
    }
    // Not an item's fault, so nothing can be set aside: the agent keeps it and comes back later.
    log.error({ machineId: group.entry.machineId, err: error }, "a machine's state cannot be stored");
    memory.delete(group.entry.machineId);
    connections.cut(group.entry.machineId, "overloaded", "the collector cannot store this machine's state");
  }

  async function batch(works: readonly Work[]): Promise<void> {
    metrics.batchItems.observe(works.reduce((sum, work) => sum + Math.max(1, itemsInOrder(work).length), 0));
    const byMachine = new Map<string, Work[]>();
    for (const work of works) {
      const list = byMachine.get(work.machineId);
      if (list) list.push(work);
      else byMachine.set(work.machineId, [work]);
    }
    const ids = [...byMachine.keys()].filter((id) => {
      // A flush of what is not in memory, or on disk already, is nothing to do.
      const entry = memory.get(id);
      if (entry && !isOnDisk(entry)) return true;
      return byMachine.get(id)!.some((work) => work.kind !== "flush");
    });
    const entries = await load(ids);
    const groups: Group[] = [];
    for (const id of ids) {
      const entry = entries.get(id);
      if (entry) groups.push({ entry, works: byMachine.get(id)!, poison: new Map() });
      else connections.cut(id, "unknown-machine", "this machine was removed; enrol again");
    }
    await store(groups);
  }

  async function run(): Promise<void> {
    while (queue.ready > 0) {
      const works = queue.take(config.batchItems);
      try {
        await batch(works);
      } catch (error) {
        log.error({ err: error }, "a batch was given up; its agents send it again");
        for (const { machineId, socket } of works) {
          memory.delete(machineId);
          if (socket)
            connections.refuse(socket, "overloaded", "the collector could not store this", connections.jitter(30));
        }
      } finally {
        queue.done(works);
        gauge();
      }
    }
  }

  const start = () => {
    timer = null;
    running ??= run().finally(() => {
      running = null;
      if (queue.ready > 0) schedule();
    });
  };
  const schedule = () => {
    if (running) return;
    if (queue.items >= config.batchItems) {
      if (timer) clearTimeout(timer);
      start();
    } else timer ??= setTimeout(start, config.batchDelay);
  };
  queue.onAdded(schedule);

  const ownWork = (machineId: string, kind: "flush" | "judge" | "clone") =>
    queue.add({
      machineId,
      kind,
      socket: null,
      epoch: null,
      observations: [],
      confirmations: [],
      bytes: 0,
      receivedAt: now(),
    });

  return {
    queue,
    memory,

    /**
     * Writes what waited long enough in memory, so that it is acknowledged: a minute; or one tick where the agent has
     * sent several reports and waits for an answer before it sends more. And states that trailed long enough.
     */
    flushDue(): void {
      const at = now();
      for (const entry of memory.dirty())
        if (
          at - (entry.dirtySince ?? at) >= config.confirmationFlush ||
          entry.unwritten > 1 ||
          at - (entry.trailSince ?? at) >= config.stateTrail
        )
          ownWork(entry.machineId, "flush");
    },

    /** Writes what is only in memory of a machine now, after what waits before. */
    flush: (machineId: string): void => void ownWork(machineId, "flush"),

    /** Judges machines again, since the fleet around them changed. */
    judge(machineIds: Iterable<string>): void {
      for (const id of machineIds) ownWork(id, "judge");
    },

    /** Notes in the timeline that a machine's key was cloned. */
    noteClone: (machineId: string): void => void ownWork(machineId, "clone"),

    /** Forgets machines that wait for an admin's word, so that the word is read when they report again. */
    forgetWaiting(): void {
      for (const entry of memory.clean()) if (!entry.approved || entry.cloned) memory.delete(entry.machineId);
    },

    /** Resolves when nothing waits. */
    async idle(): Promise<void> {
      while (queue.ready > 0 || running) {
        if (timer) {
          clearTimeout(timer);
          start();
        }
        await running;
      }
    },

    /** Writes everything that is in memory only, and acknowledges it. */
    async drain(): Promise<void> {
      await this.idle();
      for (const entry of memory.dirty()) ownWork(entry.machineId, "flush");
      await this.idle();
    },

    /** Gives up waiting for a database that does not answer. */
    stop(): void {
      stopped = true;
      wakeBackoff();
    },
  };
}

export type Ingest = ReturnType<typeof createIngest>;
