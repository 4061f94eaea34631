import type { AttributionKey } from "@lynceus/protocol/names";
import type { ChangeEvent, PrecedingChange } from "./types.ts";

/** Older changes are not believed to be the reason (domain 5.5: a script first seen within 24 hours). */
const windowMs = 24 * 3_600_000;
/** Settings are read each five minutes (domain 6.2): a change may be seen a little after the failure that it made. */
const graceMs = 5 * 60_000;

/**
 * When it began: the earliest of the machines' own times, without the first twentieth of them. A machine that has
 * failed for a week by itself does not move the beginning of what came this morning. Null where no time is known.
 */
export function onsetOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length * 0.05)] ?? null;
}

interface CauseOf {
  readonly changes: readonly ChangeEvent[];
  /** The cause's own value, and those that hold for the same machines. */
  readonly values: readonly { readonly key: AttributionKey; readonly value: string }[];
  readonly firstSeen: number | null;
  readonly members: ReadonlySet<string>;
  /** Healthy machines of the location. */
  readonly healthy: number;
  readonly isHealthy: (id: string) => boolean;
}

/**
 * The change nearest before the first failure that belongs to the cause: it set the cause's value, or most of the
 * cause's machines saw it and at most half as large a share of the healthy ones. Null where there is none.
 */
export function precedingChange({
  changes,
  values,
  firstSeen,
  members,
  healthy,
  isHealthy,
}: CauseOf): PrecedingChange | null {
  if (firstSeen === null) return null;
  let best: PrecedingChange | null = null;
  const better = (change: PrecedingChange): boolean => {
    if (!best || change.at !== best.at) return !best || change.at > best.at;
    if (change.by !== best.by) return change.by === "value";
    return change.changeKey < best.changeKey;
  };
  for (const { at, changeKey, text, key, value, machines } of changes) {
    if (at > firstSeen + graceMs || at < firstSeen - windowMs) continue;
    let seenOn = 0;
    let healthySeen = 0;
    for (const id of new Set(machines)) {
      if (members.has(id)) seenOn += 1;
      else if (isHealthy(id)) healthySeen += 1;
    }
    const sets = values.some((own) => own.key === key && own.value === value);
    const reach = members.size === 0 ? 0 : seenOn / members.size;
    const spread = healthy === 0 ? 0 : healthySeen / healthy;
    if (!sets && (reach < 0.5 || 2 * spread > reach)) continue;
    const found: PrecedingChange = { at, changeKey, text, by: sets ? "value" : "machines", seenOn };
    if (better(found)) best = found;
  }
  return best;
}
