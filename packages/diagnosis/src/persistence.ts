import type { Match, PersistenceMap } from "@lynceus/protocol/state";

export type Persistence = PersistenceMap[string];

const memory = 5;
const clearAfter = 3;

/** Whether the cycles remembered raise a pattern: two in a row, or three of five (domain 5). */
export const raises = (held: readonly boolean[]): boolean =>
  (held.length >= 2 && held.slice(-2).every(Boolean)) || held.filter(Boolean).length >= 3;

/** Whether they clear it: false for three cycles. */
export const clears = (held: readonly boolean[]): boolean =>
  held.length >= clearAfter && held.slice(-clearAfter).every((value) => !value);

/**
 * One cycle's outcome added to a pattern's memory. Null when nothing is worth remembering any more.
 * @param waive the one-shot: a match raises at once.
 */
export function nextPersistence(
  before: Persistence | undefined,
  match: Match | null,
  now: number,
  waive: boolean,
): Persistence | null {
  const held = [...(before?.held ?? []), match !== null].slice(-memory);
  const wasRaised = before?.raised ?? false;
  const raised = wasRaised ? !clears(held) : waive ? match !== null : raises(held);
  const last = match ?? before?.last;
  if (!raised && !held.includes(true)) return null;
  return {
    held,
    raised,
    since: raised ? (wasRaised ? (before?.since ?? now) : now) : null,
    ...(last ? { last } : {}),
  };
}
