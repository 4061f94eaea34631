import type { PatternId } from "@lynceus/protocol/names";
import { catalogue } from "./catalogue.ts";
import type { PatternTexts } from "./pattern.ts";

export type { PatternTexts, Step } from "./pattern.ts";
export { verdictTexts } from "./verdicts.ts";

/** What people read about each pattern, in the catalogue's order: plain data, fit for a client component. */
export const patternTexts: readonly PatternTexts[] = catalogue.map(
  ({ id, title, mechanism, evidence, severities, confidences, notThis, whoFixes, remedy, references }) => ({
    id,
    title,
    mechanism,
    evidence,
    severities,
    confidences,
    notThis,
    whoFixes,
    remedy,
    references,
  }),
);

const byId = new Map<string, PatternTexts>(patternTexts.map((texts) => [texts.id, texts]));

/** Texts of one pattern; null for an id that this version does not know. */
export const textsOf = (id: PatternId | string): PatternTexts | null => byId.get(id) ?? null;

/** A pattern as a message says it: who fixes it, and the first thing to do. Null for an id without a remedy. */
export function shortTextOf(
  id: PatternId | string,
): { readonly whoFixes: string; readonly firstStep: string; readonly reference: string | null } | null {
  const texts = textsOf(id);
  const [step] = texts?.remedy ?? [];
  if (!texts || !step) return null;
  return {
    whoFixes: texts.whoFixes,
    firstStep: `${step.who}: ${step.what}`,
    reference: step.reference ?? texts.references[0] ?? null,
  };
}
