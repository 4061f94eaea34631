/** What the lab measured, as it writes it to `lab/results/faults.json`. */
export interface LabResult {
  /** Day of the run, `2026-11-22`, and the commit that was checked out. */
  readonly date: string;
  readonly commit: string;
  readonly cycleSeconds: number;
  readonly clients: readonly string[];
  readonly faults: readonly LabFault[];
}

export interface LabFault {
  readonly name: string;
  readonly clients: readonly {
    readonly name: string;
    /** Primary pattern that the client must come to. */
    readonly expected: string;
    /** Cycles from the change until the collector showed it, and from the repair until it showed the client healthy. */
    readonly found: number | null;
    readonly cleared: number | null;
  }[];
  /** Clients that the fault does not concern and that showed something else than their healthy state meanwhile. */
  readonly falseFindings: number;
}
