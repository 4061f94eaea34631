import type { DecodedObservation } from "@lynceus/protocol/decode";
import type { Confirmation } from "@lynceus/protocol/facts";
import type { CollectorConfig } from "../config.ts";
import { type AgentSocket, pause, paused, resume } from "../link/agent-socket.ts";

/** One thing to do for one machine. Work of one machine is done in the order it was added. */
export interface Work {
  readonly machineId: string;
  /** Whom to acknowledge; null for work of our own. */
  readonly socket: AgentSocket | null;
  readonly epoch: string | null;
  readonly observations: readonly DecodedObservation[];
  readonly confirmations: readonly Confirmation[];
  /** Size on the wire, for the bounds. */
  readonly bytes: number;
  readonly receivedAt: number;
  /**
   * `report`: facts of the agent. `flush`: write what is only in memory. `judge`: diagnose again, as the fleet around
   * it changed. `goodbye`: the agent leaves. `dropped`: its outbox lost observations (`count` of them so far).
   * `clone`: its key is used by two machines at once.
   */
  readonly kind: "report" | "flush" | "judge" | "goodbye" | "dropped" | "clone";
  readonly count?: number;
  readonly reason?: string;
}

export const workItems = (work: Work): number => Math.max(1, work.observations.length + work.confirmations.length);

/** Sockets that are read again at a time: each may have a message waiting, which fills the queue anew. */
const resumedAtOnce = 250;

/**
 * What waits for the database, bounded in items and bytes. Above the soft bound no agent is read until the queue has
 * shrunk to half, then some at a time: they wait with what they have, which costs less than to turn them away and to let
 * them in again. Above the hard bound nothing is taken.
 * @param everyone every agent's connection.
 */
export function createQueue(config: CollectorConfig, everyone: () => Iterable<AgentSocket>) {
  let waiting: Work[] = [];
  let head = 0;
  let items = 0;
  let bytes = 0;
  const stopped = new Set<AgentSocket>();
  let wake: (() => void) | null = null;
  /** The soft bound was passed, and nobody is read again yet. */
  let full = false;
  let resuming = false;

  const above = (itemBound: number, byteBound: number) => items > itemBound || bytes > byteBound;

  const stopReading = (socket: AgentSocket) => {
    // Who is being closed has to be heard, or the closing would wait.
    if (socket.session.phase === "closing") return;
    pause(socket, paused.queue);
    stopped.add(socket);
  };

  /** Reads the sockets again that have waited longest, and lets them deliver before the next ones. */
  function resumeSome(): void {
    resuming = false;
    if (stopped.size === 0 || above(config.queueSoftItems / 2, config.queueSoftBytes / 2)) return;
    let count = 0;
    for (const socket of stopped) {
      if (socket.session.queuedBytes > config.queueBytesPerConnection / 2) continue;
      if (count === resumedAtOnce) {
        resuming = true;
        setImmediate(resumeSome);
        return;
      }
      count++;
      full = false;
      stopped.delete(socket);
      resume(socket, paused.queue);
    }
  }

  return {
    get items() {
      return items;
    },
    get bytes() {
      return bytes;
    },
    get stoppedSockets() {
      return stopped.size;
    },

    /** False: the hard bound is reached and the work was not taken. Work of our own is always taken. */
    add(work: Work): boolean {
      const { socket } = work;
      if (socket && above(config.queueHardItems, config.queueHardBytes)) return false;
      waiting.push(work);
      items += workItems(work);
      bytes += work.bytes;
      if (socket) {
        socket.session.queuedBytes += work.bytes;
        if (above(config.queueSoftItems, config.queueSoftBytes)) {
          if (!full) for (const one of everyone()) stopReading(one);
          full = true;
          stopReading(socket);
        } else if (socket.session.queuedBytes > config.queueBytesPerConnection) stopReading(socket);
      }
      wake?.();
      return true;
    },

    /** The next works, at most `max` items and always at least one work. They still count until `done`. */
    take(max: number): Work[] {
      const taken: Work[] = [];
      let count = 0;
      while (head < waiting.length) {
        const work = waiting[head]!;
        const size = workItems(work);
        if (taken.length > 0 && count + size > max) break;
        taken.push(work);
        count += size;
        head++;
      }
      if (head === waiting.length) {
        waiting = [];
        head = 0;
      } else if (head > 4096) {
        waiting = waiting.slice(head);
        head = 0;
      }
      return taken;
    },

    /** The works are settled: their room is free again, and sockets may be read. */
    done(works: readonly Work[]): void {
      for (const work of works) {
        items -= workItems(work);
        bytes -= work.bytes;
        if (work.socket) work.socket.session.queuedBytes -= work.bytes;
      }
      if (!resuming) resumeSome();
    },

    forget(socket: AgentSocket): void {
      stopped.delete(socket);
    },

    get ready(): number {
      return waiting.length - head;
    },

    /** Called whenever work was added. */
    onAdded(fn: () => void): void {
      wake = fn;
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
