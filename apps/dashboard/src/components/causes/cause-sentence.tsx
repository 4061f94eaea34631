import type { Cause } from "@lynceus/protocol/read-api";
import { VerdictSentence } from "../status/verdict-sentence.tsx";
import { causeSubject, explainsText, healthyText, misfitText } from "./words.ts";

/** "A PAC change at 09:14 explains 347 of the 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit." */
export function CauseSentence(props: { cause: Cause; fix: string | null; now: number; zone: string }) {
  const { cause, fix, now, zone } = props;
  const misfits = misfitText(cause.failingWithout);
  const held = cause.clearedAt === null;
  return (
    <VerdictSentence {...(fix === null || !held ? {} : { next: <bdi>What fixes it: {fix}</bdi> })}>
      <em>
        <bdi>{causeSubject(cause, { now, zone })}</bdi>
      </em>{" "}
      {held ? explainsText(cause) : explainsText(cause).replace(/^explains/, "explained")}. {healthyText(cause)}.
      {misfits === null ? "" : ` ${misfits}.`}
      {held ? "" : " It holds no longer."}
    </VerdictSentence>
  );
}
