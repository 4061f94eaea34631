import type { HistoricFinding, HistoryCorrection, RejudgedFinding } from "@lynceus/db/history";
import { patternById } from "@lynceus/diagnosis/catalogue";
import type { PatternId } from "@lynceus/protocol/names";
import type { Episode } from "./replay.ts";

/** What judging a machine's past again would change. */
export interface Difference {
  readonly kind: "raised" | "cleared" | "changed";
  readonly pattern: PatternId;
  readonly since: number;
  readonly clearedAt: number | null;
  /** What it says now; of a cleared one what it said. */
  readonly cause: string;
  /** Of a changed one: "severity will-prompt → prompting". */
  readonly what: string | null;
  /** What is written to the history; null for what is still open, which the collector judges by itself. */
  readonly correction: HistoryCorrection | null;
}

/** Findings that turn on what is not in the machine's own facts: its peers, or reports of people. */
const notReplayed = (pattern: string): boolean =>
  pattern === "stale-credentials-suspected" || patternById(pattern as PatternId)?.scope === "fleet";

const endOf = ({ clearedAt }: { clearedAt: number | null }): number => clearedAt ?? Number.POSITIVE_INFINITY;

interface Span {
  readonly from: number;
  readonly to: number;
  /** Times are known to within so many milliseconds: cycles that left no row are assumed. */
  readonly slack: number;
}

const overlap = (a: Episode, b: HistoricFinding, slack: number): boolean =>
  a.since - slack <= endOf(b) && b.since <= endOf(a) + slack;

const rejudged = (episode: Episode, to: number): RejudgedFinding => ({
  pattern: episode.pattern,
  severity: episode.severity,
  confidence: episode.confidence,
  primary: episode.primary,
  cause: episode.cause,
  sentence: episode.sentence,
  evidence: episode.evidence,
  configurations: episode.configurations,
  users: episode.users,
  since: episode.since,
  clearedAt: episode.clearedAt ?? to,
});

function whatDiffers(stored: HistoricFinding, judged: Episode): string | null {
  if (stored.withdrawn) return "holds after all";
  const parts = (["severity", "confidence", "cause"] as const).flatMap((field) =>
    stored[field] === judged[field] ? [] : [`${field} ${stored[field]} → ${judged[field]}`],
  );
  return parts.length > 0 ? parts.join(", ") : null;
}

/**
 * What differs between a machine's stored findings and those of its past judged again. Only findings that began within
 * the span are raised or cleared: of others the beginning is not seen.
 */
export function compareHistory(
  stored: readonly HistoricFinding[],
  judged: readonly Episode[],
  { from, to, slack }: Span,
): Difference[] {
  const differences: Difference[] = [];
  const unmatched = new Set(stored.filter(({ pattern }) => !notReplayed(pattern)));
  // While a finding of the fleet stood, it stood for the machine's own.
  const ofFleet = stored.filter(({ pattern, withdrawn }) => notReplayed(pattern) && !withdrawn);
  for (const episode of judged) {
    if (endOf(episode) < from || notReplayed(episode.pattern)) continue;
    const matches = [...unmatched].filter((one) => one.pattern === episode.pattern && overlap(episode, one, slack));
    for (const match of matches) unmatched.delete(match);
    const { pattern, since, clearedAt, cause } = episode;
    // One that flickered is one finding judged now, or several; the first that is kept stands for it.
    const match = matches.find(({ withdrawn }) => !withdrawn) ?? matches[0];
    if (match) {
      const what = whatDiffers(match, episode);
      if (what !== null)
        differences.push({
          kind: match.withdrawn ? "raised" : "changed",
          pattern,
          since: match.since,
          clearedAt: match.clearedAt,
          cause,
          what,
          correction:
            match.clearedAt === null ? null : { kind: "change", id: match.id, finding: rejudged(episode, to) },
        });
      continue;
    }
    if (since < from || (episode.explains && ofFleet.some((one) => overlap(episode, one, slack)))) continue;
    differences.push({
      kind: "raised",
      pattern,
      since,
      clearedAt,
      cause,
      what: null,
      correction: clearedAt === null ? null : { kind: "raise", finding: rejudged(episode, to) },
    });
  }
  for (const { id, pattern, since, clearedAt, cause, withdrawn } of unmatched) {
    if (withdrawn || since < from || since >= to) continue;
    differences.push({
      kind: "cleared",
      pattern,
      since,
      clearedAt,
      cause,
      what: null,
      correction: clearedAt === null ? null : { kind: "withdraw", id },
    });
  }
  return differences.sort((a, b) => a.since - b.since || (a.pattern < b.pattern ? -1 : 1));
}
