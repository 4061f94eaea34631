import type { Database } from "@lynceus/db/client";
import { recentPrompts } from "@lynceus/db/reports";
import type { PromptReport } from "@lynceus/diagnosis/view";

/** A prompt says something of a machine for a day. */
const freshMs = 86_400_000;
const none: readonly PromptReport[] = [];

/** Prompts that people reported lately, by machine: the one thing that no probe sees. */
export function createReports({ db, now }: { db: Database; now: () => number }) {
  let prompts = new Map<string, readonly PromptReport[]>();

  const since = () => new Date(now() - freshMs);

  return {
    /** Oldest first. */
    of: (machineId: string): readonly PromptReport[] => prompts.get(machineId) ?? none,

    /** Reads all again; returns the machines for which it is not as it was. */
    async refresh(): Promise<string[]> {
      const next = new Map<string, PromptReport[]>();
      for (const { machineId, at } of await recentPrompts(db, since()))
        next.set(machineId, [...(next.get(machineId) ?? []), { at: at.getTime() }]);
      const before = prompts;
      prompts = next;
      const text = (list: readonly PromptReport[] | undefined) => JSON.stringify(list ?? none);
      return [...new Set([...before.keys(), ...next.keys()])].filter(
        (machineId) => text(before.get(machineId)) !== text(next.get(machineId)),
      );
    },
  };
}

export type Reports = ReturnType<typeof createReports>;
