/** What may be wrong with a simulated machine. Each is what the real agent would observe of it, not a diagnosis. */
export const faults = [
  "none",
  "proxy-login",
  "proxy-silent-login",
  "proxy-dead",
  "proxy-refuses",
  "port-closed",
  "interception",
  "ews-stopped",
  "script-gone",
  "no-network-names",
  "signed-off",
] as const;
export type Fault = (typeof faults)[number];

/** From `atSeconds` on, this share of the machines has the fault; a later step of the same share ends it. */
export interface FaultStep {
  readonly atSeconds: number;
  readonly fault: Fault;
  /** Part of the fleet, 0–1, taken from `from` on, so that shares do not overlap by accident. */
  readonly share: number;
  readonly from: number;
  /** Only machines of this site. */
  readonly site?: string;
}

export const scripts: Readonly<Record<string, readonly FaultStep[]>> = {
  none: [],
  /** A few realistic faults, there from the start, and one that begins after two minutes. */
  demo: [
    { atSeconds: 0, fault: "proxy-dead", share: 0.02, from: 0 },
    { atSeconds: 0, fault: "port-closed", share: 0.015, from: 0.1 },
    { atSeconds: 0, fault: "interception", share: 0.01, from: 0.2 },
    { atSeconds: 0, fault: "proxy-silent-login", share: 0.02, from: 0.3 },
    { atSeconds: 0, fault: "script-gone", share: 0.02, from: 0.4 },
    { atSeconds: 0, fault: "signed-off", share: 0.08, from: 0.5 },
    { atSeconds: 120, fault: "proxy-login", share: 0.3, from: 0, site: "Singapore (simulated)" },
  ],
  /** Exchange stops for all after a minute and comes back after five. */
  outage: [
    { atSeconds: 60, fault: "ews-stopped", share: 1, from: 0 },
    { atSeconds: 300, fault: "none", share: 1, from: 0 },
  ],
};

/** The fault of one machine at one time. `position` is its place in the fleet, 0–1; the newest step that names it wins. */
export function faultAt(steps: readonly FaultStep[], position: number, site: string, seconds: number): Fault {
  let fault: Fault = "none";
  let since = -1;
  for (const step of steps) {
    const within =
      position >= step.from && position < step.from + step.share && (step.site === undefined || step.site === site);
    if (within && step.atSeconds <= seconds && step.atSeconds > since) {
      fault = step.fault;
      since = step.atSeconds;
    }
  }
  return fault;
}
