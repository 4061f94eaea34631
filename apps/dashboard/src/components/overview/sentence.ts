import { formatCount } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";

/** A run of the verdict sentence: `bad` takes the failing colour. */
export interface Run {
  text: string;
  bad?: true;
  /** What it opens: the failing machines, or those of the cause that is named. */
  opens?: "failing" | "cause";
}

export interface Cause {
  pattern: string;
  cause: string;
  machines: number;
}

/** What failing machines share and healthy ones do not: said before any finding. */
export interface SharedCause {
  /** "A PAC change at 09:14". */
  subject: string;
  /** Failing machines that it explains, of those it was compared over. */
  explains: number;
  of: number;
  /** Failing machines without it. */
  misfits: number;
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
  shared?: SharedCause | null;
  simulated: number;
  /** First step that fixes the largest cause, when its pattern says one. */
  remedy: string | null;
}): OverviewSentence {
  const { counts, causes, shared = null, simulated, remedy } = input;
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
    { text: formatCount(counts.failing), bad: true, opens: "failing" },
    { text: ` of ${machines(all)}.${sim}` },
  ];
  const top = causes[0];
  if (shared !== null) {
    lead.push(
      { text: " " },
      { text: shared.subject, bad: true, opens: "cause" },
      { text: ` ${sharedText(shared, counts.failing)}` },
    );
  } else if (top) {
    lead.push(
      {
        text:
          causes.length === 1 && top.machines >= counts.failing
            ? counts.failing === 1
              ? " The cause: "
              : " One cause: "
            : ` ${formatCount(top.machines)} for one cause: `,
      },
      { text: top.cause, bad: true, opens: "cause" },
      { text: "." },
    );
  } else {
    lead.push({ text: " No cause has been named yet." });
  }
  return { lead, next: remedy ? `What fixes it: ${lowerFirst(remedy.replace(/\.$/, ""))}.` : null };
}

/** "explains 347 of them; 4 do not fit." */
function sharedText({ explains, of, misfits }: SharedCause, failing: number): string {
  const rest = misfits === 0 ? "" : `; ${formatCount(misfits)} ${misfits === 1 ? "does" : "do"} not fit`;
  if (explains >= failing) return failing === 1 ? "explains it." : "explains all of them.";
  const whole = of === failing ? "them" : `the ${formatCount(of)} that can be compared`;
  return `explains ${formatCount(explains)} of ${whole}${rest}.`;
}

/** "187 stale and 62 cannot tell are not part of this statement." */
export function uncovered(counts: Counts, tense: "now" | "past" = "now"): string | null {
  const parts = [
    counts.stale > 0 ? `${formatCount(counts.stale)} stale` : null,
    counts.cannotTell > 0 ? `${formatCount(counts.cannotTell)} cannot tell` : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  const one = counts.stale + counts.cannotTell === 1;
  const verb = tense === "now" ? (one ? "is" : "are") : one ? "was" : "were";
  return `${parts.join(" and ")} ${verb} not part of this statement.`;
}

/** Keeps names such as "EWS" and "IIS" as they are. */
export function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
