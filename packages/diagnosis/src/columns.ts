import type { Confidence, Location, MachineStatus, PatternId, Severity, Verdict } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState, ProbeSlot } from "@lynceus/protocol/state";
import { isIP } from "@lynceus/proxy-settings/ip";
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
  /** How long EWS took to answer on the configured route, milliseconds; null where it did not answer. */
  readonly answerMs: number | null;
}

/** What lists show and filter by beside the columns, and what seldom changes. Null: not observed. */
export interface ListedTraits {
  /** Rule that chose EWS's configured route. */
  readonly chosenBy: string | null;
  readonly zone: string | null;
  /** WinHTTP's proxy for 64-bit programs as written, or "direct". */
  readonly winhttp: string | null;
  /** An address by its form: the database compares it with subnets. */
  readonly privateAddress: string | null;
  /** Ids of the targets that are bad on the configured route, sorted. */
  readonly failedTargets: string[];
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
    answerMs: configured?.facts.http?.status ? (configured.ring.at(-1)?.totalMs ?? configured.facts.totalMs) : null,
  };
}

/** @param view `columnView` of the state. */
export function listedTraits({ facts }: Pick<MachineState, "facts">, view: View | null): ListedTraits {
  const configured = view?.ews?.configured?.facts ?? null;
  const winhttp = facts.settings?.facts.winhttp64 ?? null;
  // Flag 2: the named proxy is in force (domain 4.3).
  const named = winhttp !== null && (winhttp.flags & 2) !== 0 && winhttp.server.trim() !== "";
  return {
    chosenBy: configured?.route.by ?? null,
    zone: configured && configured.zone !== "unknown" ? configured.zone : null,
    winhttp: winhttp === null ? null : named ? winhttp.server.trim() : "direct",
    privateAddress: facts.system?.facts.privateAddresses.find(isIP) ?? null,
    failedTargets: (view?.sightings ?? [])
      .filter(({ state }) => state === "bad")
      .map(({ target }) => target.id)
      .sort(),
  };
}
