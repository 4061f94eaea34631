import { errorCode } from "./connection.ts";

/**
 * PostgreSQL's five-character code of an error that came through Prisma or pg, or null when it has none.
 * `40P01` deadlock, `23514` no partition, `22P05` and `22021` text that cannot be stored, `08…` and `57…` connection lost.
 */
export function sqlState(error: unknown): string | null {
  let at: unknown = error;
  for (let depth = 0; depth < 6 && typeof at === "object" && at !== null; depth++) {
    const found = "originalCode" in at && typeof at.originalCode === "string" ? at.originalCode : errorCode(at);
    // Others' codes look alike: Prisma's P2010, "raw query failed", and the system's EPIPE. No class begins with an E.
    if (found !== null && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(found) && !/^P2\d{3}$/.test(found)) return found;
    if ("meta" in at && at.meta) at = at.meta;
    else if ("driverAdapterError" in at) at = at.driverAdapterError;
    else if ("cause" in at) at = at.cause;
    else return null;
  }
  return null;
}

/** Whether the database could not be reached or gave up in between: the same statement may succeed later, unchanged. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return /^(08|40|53|57|58)/.test(state);
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  return /P1001|P1002|P1008|P1017|P2024|P2028|ECONN|EPIPE|ENOENT|ETIMEDOUT|terminat|closed|timeout|Can't reach/i.test(
    text,
  );
}
