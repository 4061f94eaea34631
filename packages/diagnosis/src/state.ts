import type { Confirmation, Observation, PhaseTimings, ProbeFacts } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import type { Location, Verdict } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { LastSeen, MachineFacts, MachineState, ProbeSlot, RingEntry } from "@lynceus/protocol/state";
import {
  answerChange,
  type Change,
  certificateChange,
  certificateOf,
  detectionChange,
  scriptChange,
  settingsChanges,
  systemChanges,
  verdictChange,
} from "./changes.ts";
import { classify } from "./classify.ts";
import { addLatency } from "./latency.ts";

/** When an observation was made, by the machine's clock corrected for its skew, and whether it came late. */
export interface ObservedAt {
  readonly at: number;
  readonly replayed: boolean;
}

/** Bounds of one machine's state, whatever it sends. The longest unseen goes first. */
const maxProbes = 1024;
const maxScripts = 64;
const maxRemembered = 256;
/** Agents send full facts again after a day, so what was not seen for longer may go. */
const forgetMs = 25 * 3_600_000;

/** State of a machine that has reported nothing. */
export function emptyState(): MachineState {
  return {
    facts: { system: null, settings: null, previousSettings: null, wpad: null, pac: {}, previousPac: {}, probes: {} },
    persistence: {},
    diagnosis: { status: "cannot-tell", atRisk: false, sentence: "Nothing observed yet.", findings: [], groups: [] },
  };
}

/** Key of a probe's slot in `facts.probes`. */
export const probeKey = (probe: Pick<ProbeFacts, "configuration" | "target" | "via">): string =>
  `${probe.configuration}:${probe.target}:${probe.via}`;

interface Timed {
  readonly at: number;
  readonly seq: number;
}
/** A replay that is older than what is known completes history only. A new epoch starts again at seq 1, but later. */
const outdated = (slot: Timed | null | undefined, next: Timed): boolean =>
  slot !== null && slot !== undefined && next.at < slot.at && next.seq <= slot.seq;

const timingsOf = (probe: ProbeFacts): PhaseTimings => ({
  dns: probe.dns?.ms ?? null,
  tcp: probe.tcp?.ms ?? null,
  connect: probe.connect?.ms ?? null,
  tls: probe.tls?.ms ?? null,
  http: probe.http?.ms ?? null,
  total: probe.totalMs,
});

function ringEntry(
  probe: ProbeFacts,
  verdict: Verdict,
  at: number,
  location: Location,
  timings: PhaseTimings,
): RingEntry {
  const node = [probe.tcp?.address, probe.http?.headers["x-feserver"]].filter((part) => part !== undefined && part);
  return {
    at,
    verdict,
    location,
    totalMs: timings.total,
    phases: [timings.dns, timings.tcp, timings.connect, timings.tls, timings.http],
    // Rule 11: a failing node may not name itself, so the address stays beside the name.
    peer: node.length > 0 ? node.join(" ").slice(0, 320) : null,
  };
}

const pushed = (ring: readonly RingEntry[], entry: RingEntry): RingEntry[] =>
  [...ring, entry].slice(-limits.ringLength);

const goodAnswer: ReadonlySet<Verdict> = new Set(["exchange-onprem", "exchange-online"]);

/** The slot's memory of how long good answers take; only EWS on the configured route has one (domain 5.4b). */
function latencyOf(
  before: ProbeSlot | undefined,
  probe: ProbeFacts,
  verdict: Verdict,
  at: number,
  http: number | null,
): Pick<ProbeSlot, "latency"> {
  const kept = before?.latency;
  if (probe.endpoint.service !== "ews" || probe.via !== "configured" || !goodAnswer.has(verdict) || http === null)
    return kept === undefined ? {} : { latency: kept };
  return { latency: addLatency(kept, at, http) };
}

/** At most `max` entries, those seen last; without what was not seen for a day. */
function bounded<T extends { at: number }>(slots: Record<string, T>, max: number, now: number): Record<string, T> {
  const entries = Object.entries(slots);
  if (entries.length <= max) return slots;
  return Object.fromEntries(
    entries
      .filter(([, slot]) => now - slot.at < forgetMs)
      .sort(([, a], [, b]) => b.at - a.at)
      .slice(0, max),
  );
}

/** A slot for facts that may be the same as before: `since` is kept while they are. */
function slotOf<T>(
  previous: { digest: string; since: number; location: Location } | null | undefined,
  observation: Observation,
  facts: T,
  at: number,
) {
  const same = previous?.digest === observation.digest && previous.location === observation.location;
  return {
    digest: observation.digest,
    since: same ? previous.since : at,
    at,
    location: observation.location,
    seq: observation.seq,
    facts,
  };
}

/** Services whose certificate is the users' own concern, and those whose names are the company's. */
const companyNames: ReadonlySet<string> = new Set([
  "ews",
  "autodiscover",
  "mapi",
  "oab",
  "lync-discover",
  "lync-web",
  "sip",
]);

/**
 * Notes the certificate of EWS and the addresses of the target's name, and says what differs from what was seen last
 * at this location. The memory is left as it is where nothing differs: it is written seldom.
 */
function foldLastSeen(
  memory: MachineFacts["lastSeen"],
  probe: ProbeFacts,
  slot: { verdict: Verdict; location: Location },
  times: ObservedAt,
): { memory: MachineFacts["lastSeen"]; changes: Change[] } {
  const { at } = times;
  const changes: Change[] = [];
  let next = memory ?? {};
  const own = (key: string): LastSeen | undefined => (Object.hasOwn(next, key) ? next[key] : undefined);
  const put = (key: string, entry: LastSeen) => {
    next = bounded({ ...next, [key]: entry }, maxRemembered, at);
  };

  const certificate = probe.endpoint.service === "ews" ? certificateOf(probe) : null;
  if (certificate) {
    const key = `${probeKey(probe)}@${slot.location}`;
    const before = own(key)?.certificate;
    if (!before) put(key, { at, certificate });
    else {
      const found = certificateChange(before, certificate, probe, times);
      changes.push(...found);
      if (found.length > 0) {
        const since =
          before.spki === certificate.spki
            ? { ...(before.at !== undefined && { at: before.at }), ...(before.before && { before: before.before }) }
            : { at, before: before.spki };
        put(key, { at, certificate: { ...certificate, ...since } });
      }
    }
  }

  const { dns, endpoint } = probe;
  // Exchange Online's names turn with every question.
  if (dns?.ok && dns.rcode !== "LITERAL" && dns.name === endpoint.host && dns.addresses.length > 0)
    if (companyNames.has(endpoint.service) && slot.verdict !== "exchange-online") {
      const key = `${probe.target}@${slot.location}`;
      const before = own(key)?.answer;
      const addresses = [...dns.addresses].sort();
      const isNew = !before || addresses.some((address) => !before.known.includes(address));
      if (before && isNew) changes.push(answerChange(before.addresses, addresses, probe, times));
      if (isNew) {
        const known = [...new Set([...(before?.known ?? []), ...addresses])].slice(-4 * limits.addresses);
        put(key, { at, answer: { addresses, known } });
      }
    }
  return { memory: next === memory || Object.keys(next).length === 0 ? memory : next, changes };
}

/**
 * A state whose table of probes is the caller's own: `applyObservation` and `applyConfirmation` may then work `inPlace`.
 * Copying some forty slots at each observation of a report would cost more than the rest of folding it.
 */
export const ownCopy = (state: MachineState): MachineState => ({
  ...state,
  facts: { ...state.facts, probes: { ...state.facts.probes } },
});

function withSlot(
  probes: MachineFacts["probes"],
  key: string,
  slot: ProbeSlot,
  inPlace: boolean,
): MachineFacts["probes"] {
  if (!inPlace) return { ...probes, [key]: slot };
  probes[key] = slot;
  return probes;
}

function foldProbe(
  facts: MachineFacts,
  observation: Extract<Observation, { kind: "probe" }>,
  times: ObservedAt,
  policy: Policy,
  inPlace: boolean,
): { facts: MachineFacts; changes: Change[] } {
  const probe = observation.facts;
  const key = probeKey(probe);
  const previous = Object.hasOwn(facts.probes, key) ? facts.probes[key] : undefined;
  if (outdated(previous, { at: times.at, seq: observation.seq })) return { facts, changes: [] };
  const direct = probe.via === "configured" ? facts.probes[probeKey({ ...probe, via: "direct" })]?.facts : undefined;
  const verdict = classify(probe, policy.expectations, direct ?? null);
  const slot: ProbeSlot = {
    ...slotOf(previous, observation, probe, times.at),
    verdict,
    verdictSince: previous?.verdict === verdict ? previous.verdictSince : times.at,
    ring: pushed(previous?.ring ?? [], ringEntry(probe, verdict, times.at, observation.location, timingsOf(probe))),
    ...latencyOf(previous, probe, verdict, times.at, probe.http?.ms ?? null),
  };
  const probes = withSlot(facts.probes, key, slot, inPlace);
  const seen = foldLastSeen(facts.lastSeen, probe, slot, times);
  return {
    // Only a new key makes it grow; to count the keys at each observation would cost more than the rest.
    facts: {
      ...facts,
      probes: previous ? probes : bounded(probes, maxProbes, times.at),
      ...(seen.memory && { lastSeen: seen.memory }),
    },
    changes: [
      ...seen.changes,
      ...(previous && previous.verdict !== verdict ? [verdictChange(previous, slot, times)] : []),
    ],
  };
}

/**
 * Folds one observation into a machine's state, and says what changed, for the timeline. Pure: what is changed is
 * copied, or changed `inPlace` where the caller gave an `ownCopy`. The diagnosis is left as it was; `diagnose` makes the
 * next one. A first observation of a key is no change.
 */
export function applyObservation(
  state: MachineState,
  observation: Observation,
  times: ObservedAt,
  policy: Policy,
  inPlace = false,
): { state: MachineState; changes: Change[] } {
  const { facts } = state;
  const { at } = times;
  const next = (changed: Partial<MachineFacts>, changes: Change[] = []) => ({
    state: { ...state, facts: { ...facts, ...changed } },
    changes,
  });
  const now = { at, seq: observation.seq };
  switch (observation.kind) {
    case "probe": {
      const folded = foldProbe(facts, observation, times, policy, inPlace);
      return { state: folded.facts === facts ? state : { ...state, facts: folded.facts }, changes: folded.changes };
    }
    case "system": {
      if (outdated(facts.system, now)) return { state, changes: [] };
      const slot = slotOf(facts.system, observation, observation.facts, at);
      return next({ system: slot }, facts.system ? systemChanges(facts.system.facts, slot.facts, times) : []);
    }
    case "settings": {
      if (outdated(facts.settings, now)) return { state, changes: [] };
      const slot = slotOf(facts.settings, observation, observation.facts, at);
      const before = facts.settings;
      if (!before || before.digest === slot.digest) return next({ settings: slot });
      return next(
        { settings: slot, previousSettings: { ...before, replacedAt: at } },
        settingsChanges(before.facts, slot.facts, times),
      );
    }
    case "wpad":
      if (outdated(facts.wpad, now)) return { state, changes: [] };
      return next(
        { wpad: slotOf(facts.wpad, observation, observation.facts, at) },
        facts.wpad ? detectionChange(facts.wpad.facts, observation.facts, times) : [],
      );
    case "pac": {
      const id = observation.facts.configuration;
      const before = Object.hasOwn(facts.pac, id) ? facts.pac[id] : undefined;
      if (outdated(before, now)) return { state, changes: [] };
      const slot = slotOf(before, observation, observation.facts, at);
      const pac = bounded({ ...facts.pac, [id]: slot }, maxScripts, at);
      const replaced = Object.hasOwn(facts.previousPac, id) ? facts.previousPac[id] : undefined;
      const lastHash = before?.facts.sha256 ?? replaced?.facts.sha256 ?? null;
      const changes = before ? scriptChange(before.facts, slot.facts, lastHash, times) : [];
      // A script that could not be had for a while replaces nothing.
      if (!before || before.facts.sha256 === null || before.facts.sha256 === slot.facts.sha256)
        return next({ pac }, changes);
      return next({ pac, previousPac: bounded({ ...facts.previousPac, [id]: before }, maxScripts, at) }, changes);
    }
  }
}

/** The facts of a probe with the durations of its newest run. */
function withTimings(probe: ProbeFacts, timings: PhaseTimings): ProbeFacts {
  const phase = <T extends { ms: number }>(value: T | null, ms: number | null): T | null =>
    value && ms !== null ? { ...value, ms } : value;
  return {
    ...probe,
    dns: phase(probe.dns, timings.dns),
    tcp: phase(probe.tcp, timings.tcp),
    connect: phase(probe.connect, timings.connect),
    tls: phase(probe.tls, timings.tls),
    http: phase(probe.http, timings.http),
    totalMs: timings.total,
  };
}

/**
 * The facts of a key are as they were (5.0 rule 13): moves the slot's time on and adds to its ring. A confirmation
 * whose key or digest is not the state's says nothing that can be used, and changes nothing.
 */
export function applyConfirmation(
  state: MachineState,
  confirmation: Confirmation,
  times: ObservedAt,
  inPlace = false,
): MachineState {
  const { facts } = state;
  const { at } = times;
  const { seq, key, digest, location } = confirmation;
  const moved = <T extends { digest: string; at: number; seq: number }>(slot: T | null | undefined): T | null =>
    slot && slot.digest === digest && !outdated(slot, { at, seq }) ? { ...slot, at, seq, location } : null;
  const next = (changed: Partial<MachineFacts>): MachineState => ({ ...state, facts: { ...facts, ...changed } });
  const own = <T>(slots: Record<string, T>, id: string): T | undefined =>
    Object.hasOwn(slots, id) ? slots[id] : undefined;

  if (key === "system") {
    const slot = moved(facts.system);
    return slot ? next({ system: slot }) : state;
  }
  if (key === "settings") {
    const slot = moved(facts.settings);
    return slot ? next({ settings: slot }) : state;
  }
  if (key === "wpad") {
    const slot = moved(facts.wpad);
    return slot ? next({ wpad: slot }) : state;
  }
  if (key.startsWith("pac:")) {
    const id = key.slice("pac:".length);
    const slot = moved(own(facts.pac, id));
    return slot ? next({ pac: { ...facts.pac, [id]: slot } }) : state;
  }
  if (!key.startsWith("probe:")) return state;
  const id = key.slice("probe:".length);
  const slot = moved(own(facts.probes, id));
  if (!slot) return state;
  const timings = confirmation.timings ?? timingsOf(slot.facts);
  const confirmed: ProbeSlot = {
    ...slot,
    facts: withTimings(slot.facts, timings),
    ring: pushed(slot.ring, ringEntry(slot.facts, slot.verdict, at, location, timings)),
    ...latencyOf(slot, slot.facts, slot.verdict, at, timings.http),
  };
  return next({ probes: withSlot(facts.probes, id, confirmed, inPlace) });
}
