import type { CauseFinding } from "@lynceus/db/cause-spread";
import { textsOf } from "@lynceus/diagnosis/texts";
import { lowerFirst } from "../overview/sentence.ts";

/** The first thing to do about what most of the machines have; null where no finding of theirs says one. */
export function fixOf(findings: readonly CauseFinding[]): string | null {
  const first = findings[0] ? textsOf(findings[0].pattern)?.remedy[0]?.what : undefined;
  return first === undefined ? null : `${lowerFirst(first.replace(/\.$/, ""))}.`;
}
