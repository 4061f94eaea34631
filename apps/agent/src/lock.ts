import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createFile } from "./atomic-file.ts";

/** Jiffies since boot at which a process started, where the system says so: a reused pid has another. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, which may hold spaces; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const lockFile = (dataDir: string) => join(dataDir, "agent.lock");

/** Pid of the agent that runs on this data directory; null when none does, also where one was killed. */
export function lockHolder(dataDir: string): number | null {
  try {
    const { pid, start } = JSON.parse(readFileSync(lockFile(dataDir), "utf8")) as { pid: unknown; start: unknown };
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1 || !isAlive(pid)) return null;
    return startOf(pid) === start ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Takes the data directory for this process: two agents on one outbox would destroy it.
 * @returns how to give it back.
 * @throws Error when another agent runs on it.
 */
export function takeLock(dataDir: string): () => void {
  const path = lockFile(dataDir);
  const mine = `${JSON.stringify({ pid: process.pid, start: startOf(process.pid) })}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    if (createFile(path, mine)) return () => rmSync(path, { force: true });
    const holder = lockHolder(dataDir);
    if (holder !== null)
      throw new Error(`another agent runs on the data directory ${dataDir} (pid ${holder}); stop it first`);
    rmSync(path, { force: true });
  }
  throw new Error(`the lock ${path} cannot be taken`);
}
