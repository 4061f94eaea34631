import type { CommandRow } from "@lynceus/db/commands";

/** Progress of "check now", as the page asks for it. */
export interface CommandAnswer {
  id: string;
  state: CommandRow["state"];
  /** Probes done, of `total`; total 0: not known yet. */
  done: number;
  total: number;
  /** Why it was refused or given up. */
  reason: string | null;
  updatedAt: string;
}

export const commandAnswer = (row: CommandRow): CommandAnswer => ({
  id: row.id,
  state: row.state,
  done: row.done,
  total: row.total,
  reason: row.reason,
  updatedAt: row.updatedAt.toISOString(),
});
