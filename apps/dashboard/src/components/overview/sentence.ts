import { formatCount } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";

/** A run of the verdict sentence: `bad` takes the failing colour. */
export interface Run {
  text: string;
  bad?: true;
}

export interface Cause {
  pattern: string;
  cause: string;
  machines: number;
}

export interface OverviewSentence {
  lead: Run[];
  /** Quieter: what fixes it, or what the statement does not cover. */
  next: string | null;
}

export function reportingCount(counts: Counts): number {
  return counts.healthy + counts.failing + counts.stale + counts.cannotTell;
}

/** Share with one decimal beside its count; never 100.0 % unless all, never 0 for some. */
export function sentenceOf(input: {
  counts: Counts;
  /** Causes of failing machines, largest first. */
  causes: readonly Cause[];
  simulated: number;
  /** First step that fixes the largest cause, when its pattern says one. */
  remedy: string | null;
}): OverviewSentence {
  const { counts, causes, simulated, remedy } = input;
  const all = reportingCount(counts);
  const sim = simulated > 0 ? ` ${formatCount(simulated)} of them simulated.` : "";
  const machines = (n: number) => `${formatCount(n)} ${n === 1 ? "machine" : "machines"}`;

  if (all === 0) {
    return {
      lead: [{ text: `No machine reports now: ${formatCount(counts.signedOff)} signed off.${sim}` }],
      next: "Whether credential prompts are expected is unknown.",
    };
  }
  if (counts.failing === 0) {
    const seen = counts.healthy;
    if (seen === 0) {
      return {
        lead: [
          {
            text: `Cannot tell whether credential prompts are expected: none of ${machines(all)} is known to work.${sim}`,
          },
        ],
        next: uncovered(counts),
      };
    }
    return {
      lead: [{ text: `No credential prompts expected, on ${formatCount(seen)} of ${machines(all)}.${sim}` }],
      next: uncovered(counts),
    };
  }

  const lead: Run[] = [
    { text: "Credential prompts expected on " },
    { text: formatCount(counts.failing), bad: true },
    { text: ` of ${machines(all)}.${sim}` },
  ];
  const top = causes[0];
  if (top) {
    lead.push(
      {
        text:
          causes.length === 1 && top.machines >= counts.failing
            ? counts.failing === 1
              ? " The cause: "
              : " One cause: "
            : ` ${formatCount(top.machines)} for one cause: `,
      },
      { text: top.cause, bad: true },
      { text: "." },
    );
  } else {
    lead.push({ text: " No cause has been named yet." });
  }
  return { lead, next: remedy ? `What fixes it: ${lowerFirst(remedy.replace(/\.$/, ""))}.` : null };
}

/** "187 stale and 62 cannot tell are not part of this statement." */
function uncovered(counts: Counts): string | null {
  const parts = [
    counts.stale > 0 ? `${formatCount(counts.stale)} stale` : null,
    counts.cannotTell > 0 ? `${formatCount(counts.cannotTell)} cannot tell` : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  const one = counts.stale + counts.cannotTell === 1;
  return `${parts.join(" and ")} ${one ? "is" : "are"} not part of this statement.`;
}

/** Keeps names such as "EWS" and "IIS" as they are. */
export function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
