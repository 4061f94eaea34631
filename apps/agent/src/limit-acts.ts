import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./atomic-file.ts";
import type { LimitActs } from "./self-limits.ts";

const file = (dataDir: string) => join(dataDir, "limits.json");

/** Counts kept over restarts, because a restart is what memory asks for. None where the file is absent or damaged. */
export function loadLimitActs(dataDir: string): LimitActs {
  try {
    const { processor, memory } = JSON.parse(readFileSync(file(dataDir), "utf8")) as Partial<LimitActs>;
    const count = (value: unknown) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : 0);
    return { processor: count(processor), memory: count(memory) };
  } catch {
    return { processor: 0, memory: 0 };
  }
}

/** A full disk loses the count and nothing else. */
export function saveLimitActs(dataDir: string, acts: LimitActs): void {
  try {
    replaceFile(file(dataDir), `${JSON.stringify(acts)}\n`);
  } catch {
    // The log said it already.
  }
}
