import type { Layer, Schedule } from "@lynceus/protocol/alerting";
import { hoursAt, nextEdge } from "./hours.ts";
import { instantOf, type Span, zonedAt } from "./wall-clock.ts";

const hour = 3_600_000;

/** Who is on call for how long. `person` null: a gap, in which nobody is. */
export interface Shift extends Span {
  readonly person: string | null;
  readonly by: "override" | "layer" | "gap";
}

/** How many turns of a layer had begun at an instant: 0 in the first one, negative before `start`. */
function turnAt({ start, turn }: Layer, zone: string, at: number): number {
  const begins = instantOf(start, zone);
  if (turn.unit === "hour") return Math.floor((at - begins) / (turn.every * hour));
  const first = zonedAt(begins, zone).toPlainDate();
  const here = zonedAt(at, zone).toPlainDate();
  const days = turn.every * (turn.unit === "week" ? 7 : 1);
  const passed = Math.floor(first.until(here, { largestUnit: "days" }).days / days);
  // On the day of a hand-over it depends on the hour; asked of the clock, so that summer time is right.
  return at < handOver({ start, turn }, zone, passed) ? passed - 1 : passed;
}

/** The instant of a layer's nth hand-over. */
function handOver({ start, turn }: Pick<Layer, "start" | "turn">, zone: string, n: number): number {
  const begins = instantOf(start, zone);
  if (turn.unit === "hour") return begins + n * turn.every * hour;
  const days = n * turn.every * (turn.unit === "week" ? 7 : 1);
  const date = zonedAt(begins, zone).toPlainDate().add({ days });
  return instantOf(`${date.toString()}T${start.slice(11)}`, zone);
}

/** Who of a layer is on call at an instant, and the next instant at which that may change. */
function layerAt(layer: Layer, zone: string, at: number): { person: string | null; until: number } {
  const begins = instantOf(layer.start, zone);
  if (at < begins) return { person: null, until: begins };
  const turn = turnAt(layer, zone, at);
  let until = handOver(layer, zone, turn + 1);
  const hours = layer.hours.map((one) => ({ ...one, zone }));
  for (const one of hours) until = Math.min(until, nextEdge(one, at) ?? until);
  const works = hours.length === 0 || hours.some((one) => hoursAt(one, at) !== null);
  return { person: works ? (layer.people[turn % layer.people.length] ?? null) : null, until };
}

/** Who is on call at an instant, and until when at most. */
export function onCallAt(schedule: Schedule, at: number): Shift {
  const { zone } = schedule;
  let until = at + 400 * 24 * hour;
  let person: string | null = null;
  let by: Shift["by"] = "gap";
  for (const override of schedule.overrides) {
    const [from, to] = [instantOf(override.from, zone), instantOf(override.to, zone)];
    if (at >= to) continue;
    if (at < from) until = Math.min(until, from);
    // Of overrides that overlap the one that was added last holds.
    else {
      person = override.person;
      by = "override";
      until = Math.min(until, to);
    }
  }
  if (person !== null) return { from: at, to: until, person, by };
  for (const layer of schedule.layers) {
    const here = layerAt(layer, zone, at);
    until = Math.min(until, here.until);
    if (here.person === null) continue;
    return { from: at, to: until, person: here.person, by: "layer" };
  }
  return { from: at, to: until, person, by };
}

/** Every shift of a span in order, gaps included, neighbours with the same person joined; at most `most`. */
export function shifts(schedule: Schedule, from: number, to: number, most = 1_000): Shift[] {
  const found: Shift[] = [];
  for (let at = from; at < to && found.length < most; ) {
    const shift = onCallAt(schedule, at);
    const end = Math.min(shift.to, to);
    const last = found.at(-1);
    if (last && last.person === shift.person && last.by === shift.by) found[found.length - 1] = { ...last, to: end };
    else found.push({ ...shift, to: end });
    at = end;
  }
  return found;
}

/** The stretches of a span in which nobody is on call. */
export const gaps = (schedule: Schedule, from: number, to: number): Span[] =>
  shifts(schedule, from, to)
    .filter(({ person }) => person === null)
    .map((shift) => ({ from: shift.from, to: shift.to }));
