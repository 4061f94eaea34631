import { isOk } from "@lynceus/diagnosis/verdicts";
import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState } from "@lynceus/protocol/state";
import { hourEntry, type Timings, timingsLimits } from "@lynceus/protocol/timings";

const hourMs = 3_600_000;
/** What was measured this shortly before the end of an hour may still be on its way. */
const settleMs = 120_000;

/**
 * Adds the hours that are over to what a machine's probes took: the state that holds them, and, once a day is full, what
 * is to be written down. Null where no hour is over.
 */
export function addHours(
  state: MachineState,
  policy: Policy,
  now: number,
): { state: MachineState; full: Timings | null } | null {
  const hour = Math.floor((now - settleMs) / hourMs) * hourMs;
  const open = state.timings;
  if (open && hour >= open.from && hour <= open.from + open.hours * hourMs) return null;
  if (Object.keys(state.facts.probes).length === 0) return null;
  const empty: Timings = { from: hour, hours: 0, probes: {} };
  // The first hour of all, or a clock that was set back.
  if (!open || hour < open.from) return { state: { ...state, timings: empty }, full: null };
  let { hours, probes } = open;
  while (hours < timingsLimits.hours && open.from + hours * hourMs < hour) {
    probes = withHour(probes, hours, open.from + hours * hourMs, state, policy);
    hours++;
  }
  const timings: Timings = { from: open.from, hours, probes };
  if (hours < timingsLimits.hours) return { state: { ...state, timings }, full: null };
  return { state: { ...state, timings: empty }, full: Object.keys(probes).length > 0 ? timings : null };
}

/** The probes with one hour more, from the ring of each slot: the newest ten that were made. */
function withHour(before: Timings["probes"], index: number, from: number, state: MachineState, policy: Policy) {
  const probes: Timings["probes"] = { ...before };
  for (const [key, slot] of Object.entries(state.facts.probes)) {
    const target = policy.targets.find(({ id }) => id === slot.facts.target);
    const made = slot.ring.filter(({ at }) => at >= from && at < from + hourMs);
    if (target === undefined || made.length === 0) continue;
    if (!Object.hasOwn(probes, key) && Object.keys(probes).length >= timingsLimits.probes) continue;
    const known = probes[key] ?? [];
    const missing = Array.from({ length: Math.max(0, index - known.length) }, () => null);
    const entry = hourEntry(made.map(({ totalMs, verdict }) => ({ ms: totalMs, ok: isOk(verdict, target) })));
    probes[key] = [...known, ...missing, entry];
  }
  return probes;
}
