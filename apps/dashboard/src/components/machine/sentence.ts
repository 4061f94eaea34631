/** Cuts a verdict sentence into runs: the cause in the failing colour, and who can fix it in the quiet one. */
export interface SentenceRun {
  text: string;
  tone: "plain" | "bad" | "quiet";
}

/**
 * `sentence` holds cause, then counterfactual, then who can fix it. The cause is marked where the sentence names it;
 * the last of several sentences is the quiet one.
 */
export function sentenceRuns(sentence: string, cause: string | null): SentenceRun[] {
  const parts = sentence.trim().split(/(?<=\.)\s+(?=\p{Lu})/u);
  // "Holds for 1 of 2 users." stands behind who can fix it, and is as quiet.
  const tail = parts.at(-1)?.startsWith("Holds for ") ? 2 : 1;
  const quiet = parts.length > tail ? parts.slice(-tail).join(" ") : null;
  const main = quiet === null ? sentence.trim() : parts.slice(0, -tail).join(" ");
  const runs: SentenceRun[] = [];
  const at = cause ? main.indexOf(cause) : -1;
  if (cause && at >= 0) {
    if (at > 0) runs.push({ text: main.slice(0, at), tone: "plain" });
    runs.push({ text: cause, tone: "bad" });
    const rest = main.slice(at + cause.length);
    if (rest !== "") runs.push({ text: rest, tone: "plain" });
  } else {
    runs.push({ text: main, tone: "plain" });
  }
  if (quiet !== null) runs.push({ text: ` ${quiet}`, tone: "quiet" });
  return runs;
}
