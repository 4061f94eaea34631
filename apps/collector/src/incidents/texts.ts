import { textsOf } from "@lynceus/diagnosis/texts";
import type { PatternText } from "@lynceus/incidents/compose";
import type { PatternId } from "@lynceus/protocol/names";

/** What the catalogue says of a pattern, as a message has it: who fixes it, and the first thing to do. */
export function patternText(pattern: PatternId): PatternText | null {
  const texts = textsOf(pattern);
  const [step] = texts?.remedy ?? [];
  if (!texts || !step) return null;
  return {
    whoFixes: texts.whoFixes,
    firstStep: `${step.who}: ${step.what}`,
    reference: step.reference ?? texts.references[0] ?? null,
  };
}
