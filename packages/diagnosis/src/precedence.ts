import { type PatternId, patternIds, type Severity, severities } from "@lynceus/protocol/names";
import { type Layer, layers } from "./pattern.ts";

/** What decides a finding's rank. */
export interface Ranked {
  readonly pattern: PatternId;
  readonly severity: Severity;
  /** Explains why EWS is bad on the configured route. */
  readonly explains: boolean;
  readonly layer: Layer;
}

/**
 * The total order of 5.0 rule 14: what explains the badness before what does not; of those that explain, the nearest
 * to the client first; then the worse severity; then the catalogue's order. Zero only for the same pattern with the
 * same rank, so that a machine has exactly one primary finding.
 */
export function compareFindings(a: Ranked, b: Ranked): number {
  if (a.explains !== b.explains) return a.explains ? -1 : 1;
  const byLayer = a.explains ? layers.indexOf(a.layer) - layers.indexOf(b.layer) : 0;
  return (
    byLayer ||
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    patternIds.indexOf(a.pattern) - patternIds.indexOf(b.pattern)
  );
}
