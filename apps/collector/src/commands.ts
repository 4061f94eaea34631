import type { Database } from "@lynceus/db/client";
import { takeCommands, updateCommand } from "@lynceus/db/commands";
import type { AgentMessage } from "@lynceus/protocol/messages";
import type { Logger } from "pino";
import { coalesce } from "./coalesce.ts";
import type { Connections } from "./link/connections.ts";

type Progress = Extract<AgentMessage, { type: "command-progress" }>;

/** Machines whose waiting commands are taken per statement. */
const chunk = 5_000;
/** Progress reports of one machine that wait; of more, only the newest matter. */
const maxWaiting = 64;

export interface CommandsOptions {
  readonly db: Database;
  readonly connections: Connections;
  readonly log: Logger;
  readonly now: () => number;
  /** Writes what is only in memory of a machine. */
  readonly flush: (machineId: string) => void;
}

/** "Check now" and canaries: from the table to the agent, and its progress back. */
export function createCommands(options: CommandsOptions) {
  const { db, connections, log, now } = options;
  const asked = new Set<string>();
  /** Newest progress of each command that is not written yet, by command. */
  const waiting = new Map<string, { machineId: string; progress: Progress }>();
  async function take(): Promise<void> {
    while (asked.size > 0) {
      const ids = [...asked].slice(0, chunk);
      for (const id of ids) asked.delete(id);
      const here = ids.filter((id) => connections.open.has(id));
      for (const { id, machineId, command, routes } of await takeCommands(db, here, new Date(now()))) {
        const socket = connections.open.get(machineId);
        if (!socket) continue;
        if (command === "check-now") connections.send(socket, { v: 1, type: "command", id, command });
        else if (command === "canary" && routes && socket.session.canary)
          connections.send(socket, { v: 1, type: "canary", id, routes });
        else
          await updateCommand(db, id, {
            machineId,
            state: "refused",
            reason: "this machine's agent is too old for it; update the agent",
            now: new Date(now()),
          });
      }
    }
  }

  async function write(): Promise<void> {
    for (const [id, { machineId, progress }] of waiting) {
      waiting.delete(id);
      const { state, done, total, reason, upTo } = progress;
      const at = new Date(now());
      await updateCommand(db, id, { machineId, state, done, total, reason, ...(upTo ? { upTo } : {}), now: at });
      // Whoever waits for what it saw need not wait for the minute's flush.
      if (state === "done") options.flush(machineId);
    }
  }

  const taking = coalesce(take, (error) => log.warn({ err: error }, "commands cannot be read now"));
  const writing = coalesce(write, (error) => log.warn({ err: error }, "progress of a command cannot be written now"));

  return {
    /** Sends what waits for these machines, as far as they are connected here. */
    ask(machineIds: Iterable<string>): void {
      for (const id of machineIds) asked.add(id);
      taking.ask();
    },

    /** Progress of a command of this machine. An older one that is not written yet is passed over. */
    progress(machineId: string, progress: Progress): void {
      if (waiting.size >= maxWaiting * Math.max(1, connections.open.size) && !waiting.has(progress.id)) return;
      waiting.set(progress.id, { machineId, progress });
      writing.ask();
    },

    /** Resolves when nothing is under way. */
    async idle(): Promise<void> {
      await taking.idle();
      await writing.idle();
    },
  };
}
