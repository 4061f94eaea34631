import type { Confidence, Location, MachineStatus, PatternId, Severity, Verdict } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState, ProbeSlot } from "@lynceus/protocol/state";
import { miniChain } from "./chain.ts";
import { emptyFleet } from "./fleet.ts";
import { issuerName } from "./interception.ts";
import { isOk } from "./verdicts.ts";
import { configurationsOf, currentLocation, makeView, routeName, type View } from "./view.ts";

/** What lists, filters and counts read of a machine. */
export interface MachineColumns {
  readonly status: MachineStatus;
  readonly atRisk: boolean;
  readonly primaryPattern: PatternId | null;
  readonly primarySeverity: Severity | null;
  readonly primaryConfidence: Confidence | null;
  readonly primaryCause: string | null;
  /** Milliseconds since 1970. */
  readonly primarySince: number | null;
  readonly patterns: PatternId[];
  readonly location: Location;
  readonly route: string | null;
  readonly verdictConfigured: Verdict | null;
  readonly verdictDirect: Verdict | null;
  readonly chainConfigured: string | null;
  readonly chainDirect: string | null;
  readonly pacHash: string | null;
  readonly tlsIssuer: string | null;
  readonly tlsSpki: string | null;
  readonly clockSkewMs: number | null;
}

const ranks = { bad: 0, unknown: 1, ok: 2 };

/** The configuration that stands for the machine: the worst EWS, then the one with most users. */
function decisiveView(views: readonly View[]): View | null {
  const rank = (view: View) => ranks[view.ews?.state ?? "unknown"];
  return [...views].sort((a, b) => rank(a) - rank(b) || b.users - a.users)[0] ?? null;
}

/** Whether a direct probe that fails is design: the configured route is a proxy that works, or the policy says so. */
function directMayFail(view: View, configured: ProbeSlot | null, direct: ProbeSlot | null): boolean {
  if (!direct || !view.ews || isOk(direct.verdict, view.ews.target)) return false;
  if (view.policy.expectations.requiresProxy) return true;
  return configured?.facts.route.kind === "proxy" && isOk(configured.verdict, view.ews.target);
}

/**
 * The view of the configuration that stands for the machine in lists and in the fleet; null where none was observed.
 * Slots are taken as last seen, whatever their age by now: a stale machine keeps its row.
 */
export function columnView({ facts }: Pick<MachineState, "facts">, policy: Policy): View | null {
  const location = currentLocation(facts, policy);
  const now = Math.max(0, ...Object.values(facts.probes).map(({ at }) => at));
  return decisiveView(
    configurationsOf(facts).map((configuration) =>
      makeView({ facts, policy, fleet: emptyFleet, now, location, configuration }),
    ),
  );
}

/**
 * Columns of a machine's row, derived from its state and its last diagnosis.
 * @param view `columnView` of the same state, where the caller has it already.
 */
export function machineColumns(
  state: MachineState,
  policy: Policy,
  view: View | null = columnView(state, policy),
): MachineColumns {
  const { facts, diagnosis } = state;
  const location = currentLocation(facts, policy);
  const configured = view?.ews?.configured ?? null;
  const direct = view?.ews?.direct ?? null;
  const primary = diagnosis.findings.find((finding) => finding.primary) ?? null;
  const expectedToFail = view ? directMayFail(view, configured, direct) : false;
  return {
    status: diagnosis.status,
    atRisk: diagnosis.atRisk,
    primaryPattern: primary?.pattern ?? null,
    primarySeverity: primary?.severity ?? null,
    primaryConfidence: primary?.confidence ?? null,
    primaryCause: primary?.cause ?? null,
    primarySince: primary?.since ?? null,
    patterns: diagnosis.findings.map(({ pattern }) => pattern),
    location,
    route: configured ? routeName(configured.facts.route) : null,
    verdictConfigured: configured?.verdict ?? null,
    verdictDirect: direct?.verdict ?? null,
    chainConfigured: miniChain(configured?.facts ?? null, { verdict: configured?.verdict ?? null }),
    chainDirect: miniChain(direct?.facts ?? null, { verdict: direct?.verdict ?? null, expectedToFail }),
    pacHash: view?.pac?.sha256 ?? null,
    tlsIssuer: configured ? issuerName(configured.facts) : null,
    tlsSpki: configured?.facts.tls?.spkiSha256 ?? null,
    clockSkewMs: facts.system?.facts.clockSkewMs ?? null,
  };
}
