import type { AttributionIndex, Subject } from "./types.ts";

/** @param subjects the machines to begin with. */
export function createAttributionIndex(subjects: Iterable<Subject> = []): AttributionIndex {
  throw new Error(`not built yet (${[...subjects].length} machines)`);
}
