import type { Settlement } from "@lynceus/db/notices";
import type { Outcome } from "@lynceus/notify/outcome";
import type { NoticeKind, Urgency } from "@lynceus/protocol/notice";

/*
 * When a notice is tried again, and when it is given up: the one place that decides it, whatever the receiver.
 */

const second = 1000;
const minute = 60 * second;
const firstMs = 2 * second;
const longestMs = 10 * minute;
/** Some 24 hours at the longest pause. */
const maxAttempts = 150;
/** Something urgent that does not get through for so long is told to another receiver while it is tried on. */
const reportAfterMs = 2 * minute;

/** Kinds that nobody waits for: they are not worth another receiver's attention. */
const quiet: ReadonlySet<NoticeKind> = new Set(["test", "change", "acknowledged"]);

/**
 * The pause before the next try: twice the one before, half of it by chance, so that many do not come at once; never
 * shorter than the receiver asked for.
 * @param attempts tries so far @param random in [0, 1)
 */
export function pauseMs(attempts: number, askedMs: number | null, random: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 20));
  return Math.max(Math.round(full / 2 + (random * full) / 2), askedMs ?? 0);
}

/** What is known of the try. */
export interface Tried {
  readonly kind: NoticeKind;
  readonly urgency: Urgency;
  readonly attempts: number;
  readonly createdAt: number;
  readonly reported: boolean;
}

/** What becomes of a notice after a try, and whether another receiver is to be told that it does not get through. */
export function judge(
  outcome: Outcome,
  tried: Tried,
  by: { readonly now: number; readonly random: number },
): { readonly settlement: Settlement; readonly report: boolean } {
  if (outcome.outcome === "delivered") return { settlement: { state: "sent", detail: outcome.detail }, report: false };
  const worthIt = !tried.reported && !quiet.has(tried.kind);
  // Whoever tries a receiver wants to see what is wrong, not to wait.
  if (outcome.outcome === "rejected" || tried.attempts >= maxAttempts || tried.kind === "test")
    return { settlement: { state: "dead", detail: outcome.reason }, report: worthIt };
  const stuck = tried.urgency === "high" && by.now - tried.createdAt >= reportAfterMs;
  const afterMs = pauseMs(tried.attempts, outcome.afterMs, by.random);
  return { settlement: { state: "failed", detail: outcome.reason, afterMs }, report: worthIt && stuck };
}
