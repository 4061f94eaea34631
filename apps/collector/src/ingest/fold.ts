import type { FindingChange, MachineUpdate, ObservationRow, QuarantineRow, TransitionRow } from "@lynceus/db/ingest";
import { classify } from "@lynceus/diagnosis/classify";
import { columnView, machineColumns } from "@lynceus/diagnosis/columns";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import type { FleetContext } from "@lynceus/diagnosis/fleet";
import { applyConfirmation, applyObservation, ownCopy, probeKey } from "@lynceus/diagnosis/state";
import type { PromptReport } from "@lynceus/diagnosis/view";
import type { DecodedObservation } from "@lynceus/protocol/decode";
import type { Confirmation, ProbeFacts } from "@lynceus/protocol/facts";
import type { MachineStatus, Verdict } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { Finding, MachineState } from "@lynceus/protocol/state";
import { timingsKind } from "@lynceus/protocol/timings";
import type { Peer } from "../fleet.ts";
import { type SiteMap, siteMapApplies } from "../sites.ts";
import { type Entry, isOnDisk } from "./memory.ts";
import type { Work } from "./queue.ts";
import type { ProbeSample } from "./target-tally.ts";
import {
  changeTransition,
  cloneTransition,
  droppedTransition,
  findingTransition,
  goodbyeTransition,
  statusTransition,
} from "./timeline.ts";
import { correctedInstant, isLate } from "./times.ts";
import { addHours } from "./timings.ts";
import { traitsOf } from "./traits.ts";

const dayMs = 86_400_000;

/** What is outside a machine and decides how it is judged. */
export interface FoldContext {
  readonly now: number;
  /** How long the stored state may trail, in milliseconds; 0 = never. */
  readonly stateTrail: number;
  readonly policy: Policy;
  readonly siteOf: SiteMap;
  readonly fleet: (peer: Peer) => FleetContext;
  /** Prompts that people reported on a machine lately. */
  readonly reports?: (machineId: string) => readonly PromptReport[];
  /** Items of this machine that the database refuses, with its reason. They are set aside and counted as stored. */
  readonly poison?: ReadonlyMap<number, string>;
}

/** What a machine's works come to: its next entry, and the rows that bring it to disk. */
export interface Fold {
  readonly entry: Entry;
  /** Null: nothing has to be written now. */
  readonly update: MachineUpdate | null;
  readonly observations: readonly ObservationRow[];
  readonly findings: readonly FindingChange[];
  readonly transitions: readonly TransitionRow[];
  readonly quarantine: readonly QuarantineRow[];
  readonly confirmations: number;
  readonly duplicates: number;
  /** What the probes of the machine's cycles say about their targets. */
  readonly probes: readonly ProbeSample[];
}

type Item =
  | { readonly seq: number; readonly observation: DecodedObservation }
  | { readonly seq: number; readonly confirmation: Confirmation };

/** Observations and confirmations of a report in the one order that the machine gave them. */
export function itemsInOrder(work: Work): Item[] {
  const items: Item[] = [
    ...work.observations.map((observation) => ({ seq: observation.observation.seq, observation })),
    ...work.confirmations.map((confirmation) => ({ seq: confirmation.seq, confirmation })),
  ];
  return items.sort((a, b) => a.seq - b.seq);
}

/** Id of the slot within `facts.probes`, or null for a key that is no probe's. */
const probeSlotId = (key: string): string | null => (key.startsWith("probe:") ? key.slice("probe:".length) : null);

/** The slot that a key names, whatever its kind. */
function slotOf(
  state: MachineState,
  key: string,
): { at: number; seq: number; digest: string; location: string } | null {
  const { facts } = state;
  const probe = probeSlotId(key);
  if (probe !== null) return Object.hasOwn(facts.probes, probe) ? (facts.probes[probe] ?? null) : null;
  if (key.startsWith("pac:")) {
    const id = key.slice("pac:".length);
    return Object.hasOwn(facts.pac, id) ? (facts.pac[id] ?? null) : null;
  }
  return key === "system" || key === "settings" || key === "wpad" ? facts[key] : null;
}

/** The direct probe of what was probed on the configured route: it tells a proxy's answer from the server's (3.4). */
const directTwin = (state: MachineState, probe: ProbeFacts): ProbeFacts | null =>
  probe.via === "direct" ? null : (state.facts.probes[probeKey({ ...probe, via: "direct" })]?.facts ?? null);

/** The verdict that the state holds of these facts; of facts that came too late for it, their own. */
function verdictOf(state: MachineState, probe: ProbeFacts, policy: Policy): Verdict {
  const slot = state.facts.probes[probeKey(probe)];
  return slot?.facts === probe ? slot.verdict : classify(probe, policy.expectations, directTwin(state, probe));
}

/** Whether this slot is EWS on the configured route: what a cycle is counted by (domain 5). */
function isCycleKey(state: MachineState, key: string): boolean {
  const id = probeSlotId(key);
  if (id === null || !id.endsWith(":configured") || !Object.hasOwn(state.facts.probes, id)) return false;
  return state.facts.probes[id]?.facts.endpoint.service === "ews";
}

/** Whether the settings still have the configuration that this slot is of; true where no settings are known. */
function isInForce({ facts }: MachineState, key: string): boolean {
  const configurations = facts.settings?.facts.configurations;
  return configurations?.some(({ id }) => key.startsWith(`probe:${id}:`)) ?? true;
}

/** A finding without the moments of its evidence: what decides whether its row has to be written again. */
const shape = (finding: Finding): string =>
  JSON.stringify([
    finding.severity,
    finding.confidence,
    finding.primary,
    finding.explains,
    finding.configurations,
    finding.users,
    finding.sentence,
    finding.cause,
    finding.evidence.map((evidence) => evidence.text),
  ]);

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Folds a machine's works into its state, in order, and judges it where that is due. Pure: the entry is not changed. */
export function fold(entry: Entry, works: readonly Work[], context: FoldContext): Fold {
  const { now, policy } = context;
  const { machineId } = entry;
  let { state, epoch, lastSeq, site, cycleKeys, dirtySince, heardAt, cloned } = entry;
  let committedSeq = entry.committedSeq;
  let duplicates = 0;
  let confirmations = 0;
  let reports = 0;
  let newCycle = false;
  let reported = false;
  let judge = false;
  let write = false;
  let touched = false;
  // Whether all that is new in the state can be made again from this machine's rows since its state was last written.
  let traceable = entry.dirtySince === null;
  let signedOff: string | null = null;
  let newSite: string | null = null;
  const observations: ObservationRow[] = [];
  const transitions: TransitionRow[] = [];
  const quarantine: QuarantineRow[] = [];
  const findings: FindingChange[] = [];
  const probes: ProbeSample[] = [];

  /** A row of the collector's own, with a seq that no agent gives. */
  const ownRow = (kind: string, seq: number, facts: ObservationRow["facts"]): ObservationRow => ({
    machineId,
    epoch: epoch!,
    seq,
    kind,
    key: kind,
    observedAt: new Date(now),
    location: state.facts.system?.location ?? "unknown",
    digest: "00000000",
    verdict: null,
    raw: false,
    replayed: false,
    facts,
  });

  const countCycle = (key: string) => {
    if (!isCycleKey(state, key)) return;
    cycleKeys = cycleKeys.filter((known) => isInForce(state, known));
    // Several configurations are one cycle: only a slot that comes again begins the next, or the first of settings that
    // are new: what those before them showed is no part of it.
    if (cycleKeys.length === 0 || cycleKeys.includes(key)) {
      newCycle = true;
      cycleKeys = [key];
    } else cycleKeys = [...cycleKeys, key];
  };

  const observe = (item: DecodedObservation, work: Work) => {
    const { observation } = item;
    const before = slotOf(state, observation.key);
    const measured = correctedInstant(work.receivedAt, observation.ageMs);
    const late = isLate(measured, work.receivedAt, policy.intervals.cycleMinutes);
    // Within an epoch the seq is the order, whatever a delay on the way made of the times.
    const outdated = before !== null && observation.seq <= before.seq && measured < before.at - 60_000;
    const at = before !== null && !outdated ? Math.max(measured, before.at) : measured;
    const replayed = late || outdated;
    let verdict: Verdict | null = null;
    let changed = before === null || before.digest !== observation.digest || before.location !== observation.location;
    if (item.known) {
      const result = applyObservation(state, item.observation, { at, replayed }, policy, true);
      state = result.state;
      // A key that is new, or one that came back as it was, is written at once.
      if (before === null || !changed) traceable = false;
      for (const change of result.changes) transitions.push(changeTransition(machineId, change));
      if (result.changes.length > 0) changed = true;
      if (item.observation.kind === "probe") verdict = verdictOf(state, item.observation.facts, policy);
      if (item.observation.kind === "system" && !outdated && siteMapApplies(observation.location, policy)) {
        const mapped = context.siteOf(item.observation.facts.privateAddresses);
        if (mapped !== null && mapped !== site) {
          site = mapped;
          newSite = mapped;
        }
      }
      if (!outdated) judge = true;
      if (!replayed) {
        reported = true;
        // A re-probe is news, but no cycle: else one bad minute would count as three (domain 5).
        if (!observation.partial) countCycle(observation.key);
      }
      if (verdict !== null && item.observation.kind === "probe" && !observation.partial) {
        const { target, via, totalMs } = item.observation.facts;
        probes.push({ target, via, at, verdict, ms: totalMs, late: replayed });
      }
    } else changed = true;
    if (!changed) return;
    observations.push({
      machineId,
      epoch: work.epoch!,
      seq: observation.seq,
      kind: observation.kind,
      key: observation.key,
      observedAt: new Date(at),
      location: observation.location,
      digest: observation.digest,
      verdict,
      raw: !item.known,
      replayed,
      facts: observation.facts as ObservationRow["facts"],
    });
  };

  const confirm = (confirmation: Confirmation, work: Work) => {
    confirmations++;
    const before = slotOf(state, confirmation.key);
    if (before === null || before.digest !== confirmation.digest) return;
    const measured = correctedInstant(work.receivedAt, confirmation.ageMs);
    const late = isLate(measured, work.receivedAt, policy.intervals.cycleMinutes);
    const at = Math.max(measured, before.at);
    state = applyConfirmation(state, confirmation, { at, replayed: late }, true);
    traceable = false;
    const probe = probeSlotId(confirmation.key);
    const slot = probe === null ? undefined : state.facts.probes[probe];
    if (slot && confirmation.timings && !confirmation.partial) {
      const { target, via } = slot.facts;
      probes.push({ target, via, at, verdict: slot.verdict, ms: confirmation.timings.total, late });
    }
    if (late) return;
    reported = true;
    if (!confirmation.partial) countCycle(confirmation.key);
  };

  for (const work of works) {
    if (work.kind === "flush") {
      write ||= !isOnDisk(entry);
      traceable = false;
    } else if (work.kind === "judge") judge ||= entry.status !== "signed-off";
    else if (work.kind === "goodbye") {
      signedOff = work.reason ?? "stop";
      heardAt = work.receivedAt;
    } else if (work.kind === "clone") {
      if (!cloned) transitions.push(cloneTransition(machineId, now));
      cloned = true;
      judge = true;
    } else if (work.kind === "dropped") {
      const known = typeof state.outboxDropped === "number" ? state.outboxDropped : 0;
      const count = work.count ?? 0;
      if (count > known) transitions.push(droppedTransition(machineId, count - known, now));
      if (count !== known) {
        state = { ...state, outboxDropped: count };
        traceable = false;
        touched = true;
      }
    } else {
      reports++;
      heardAt = Math.max(heardAt, work.receivedAt);
      if (work.epoch !== epoch) {
        epoch = work.epoch;
        lastSeq = 0;
        committedSeq = 0;
        write = true;
        traceable = false;
      }
      state = ownCopy(state);
      for (const item of itemsInOrder(work)) {
        if (item.seq <= lastSeq) {
          duplicates++;
          continue;
        }
        lastSeq = item.seq;
        touched = true;
        const refused = context.poison?.get(item.seq);
        if (refused !== undefined)
          quarantine.push({
            machineId,
            reason: refused.slice(0, 500),
            payload: Buffer.from(JSON.stringify(item), "utf8").toString("base64"),
          });
        else if ("observation" in item) observe(item.observation, work);
        else confirm(item.confirmation, work);
      }
    }
  }

  // What was reported ends a silence or an absence; a goodbye begins one.
  const before = state.diagnosis;
  if (judge || newCycle) {
    const location = state.facts.system?.location ?? "unknown";
    const result = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy,
      fleet: context.fleet({ site, location, simulated: state.facts.system?.facts.simulated ?? false }),
      now,
      newCycle,
      approved: entry.approved && !cloned,
      reports: context.reports?.(machineId) ?? [],
    });
    // Of what is judged, only "nothing new" needs no writing.
    if (!isEmpty(before.findings) || !isEmpty(state.persistence) || !isEmpty(result.persistence)) traceable = false;
    else if (JSON.stringify(before) !== JSON.stringify(result.diagnosis)) traceable = false;
    state = { ...state, diagnosis: result.diagnosis, persistence: result.persistence };
    touched = true;
    for (const finding of result.diagnosis.findings) {
      const old = before.findings.find((other) => other.pattern === finding.pattern);
      if (!old) {
        findings.push({ kind: "raise", machineId, finding });
        transitions.push(findingTransition(machineId, "finding-raised", finding, now));
      } else if (shape(old) !== shape(finding)) findings.push({ kind: "update", machineId, finding });
    }
    for (const finding of before.findings) {
      if (result.diagnosis.findings.some((other) => other.pattern === finding.pattern)) continue;
      findings.push({ kind: "clear", machineId, pattern: finding.pattern, clearedAt: new Date(now) });
      transitions.push(findingTransition(machineId, "finding-cleared", finding, now));
    }
  }

  let status: MachineStatus = entry.status;
  const absent = entry.status === "stale" || entry.status === "signed-off";
  if (signedOff !== null) status = "signed-off";
  else if (reported || !absent) status = state.diagnosis.status;
  if (signedOff !== null) {
    if (entry.status !== "signed-off") transitions.push(goodbyeTransition(machineId, signedOff, now));
  } else if (status !== entry.status)
    transitions.push(statusTransition(machineId, entry.status, status, state.diagnosis.sentence, now));

  write ||=
    status !== entry.status ||
    observations.length + findings.length + transitions.length + quarantine.length > 0 ||
    before.atRisk !== state.diagnosis.atRisk ||
    newSite !== null;

  const hours = epoch !== null ? addHours(state, policy, now) : null;
  if (hours !== null) {
    state = hours.state;
    traceable = false;
    touched = true;
    write ||= hours.full !== null;
    if (hours.full !== null) observations.push(ownRow(timingsKind, -1, hours.full));
  }

  const checkpoint = write && (entry.checkpointAt === null || now - entry.checkpointAt >= dayMs);
  if (checkpoint && entry.checkpointAt !== null && epoch !== null)
    observations.push(ownRow("checkpoint", 0, state.facts));

  if (!write && touched) dirtySince ??= now;
  // What the timeline tells, a new status, a checkpoint: on screen at once. Measurements alone may wait a moment.
  const trailed = now - (entry.trailSince ?? now);
  const trails =
    traceable &&
    transitions.length + findings.length + quarantine.length === 0 &&
    status === entry.status &&
    newSite === null &&
    !checkpoint &&
    trailed >= 0 &&
    trailed < context.stateTrail;
  const system = state.facts.system?.facts;
  const view = write ? columnView(state, policy) : null;
  const derived = write ? machineColumns(state, policy, view) : null;
  const traits = derived && traitsOf(state, view, derived, site);
  const columns = derived && {
    ...derived,
    status,
    statusSince: now,
    // What the subnet map gave; else the site stays as it is stored.
    ...(newSite !== null && { site: newSite }),
    ...(system && {
      hostname: system.hostname,
      os: system.os,
      osVersion: system.osVersion,
      agentVersion: system.agentVersion,
    }),
  };
  return {
    entry: {
      ...entry,
      epoch,
      committedSeq: write ? lastSeq : committedSeq,
      lastSeq,
      state,
      status,
      site,
      cloned,
      cycleKeys,
      checkpointAt: checkpoint ? now : entry.checkpointAt,
      heardAt,
      traitsDigest: traits?.digest ?? entry.traitsDigest,
      dirtySince: write ? null : dirtySince,
      trailSince: !write ? entry.trailSince : trails ? (entry.trailSince ?? now) : null,
      unwritten: write ? 0 : entry.unwritten + reports,
    },
    update: columns
      ? {
          machineId,
          epoch,
          expectedSeq: committedSeq,
          lastSeq,
          state: trails ? null : state,
          columns,
          traits: traits?.digest === entry.traitsDigest && status === entry.status ? null : traits,
          // What we do of our own accord is no sign of life.
          seenAt: new Date(heardAt || now),
          checkpoint,
        }
      : null,
    observations,
    findings,
    transitions,
    quarantine,
    confirmations,
    duplicates,
    probes,
  };
}
