/**
 * Answers that many ask for and that may be a little old: each is worked out at most once in `maxAgeMs`, also while the
 * first who asked still waits for it. At most `most` of them are kept.
 */
export function memo<T>(options: { maxAgeMs: number; most: number; now: () => number }) {
  const known = new Map<string, { at: number; answer: Promise<T> }>();
  return (key: string, work: () => Promise<T>): Promise<T> => {
    const at = options.now();
    const found = known.get(key);
    if (found && at - found.at >= 0 && at - found.at < options.maxAgeMs) return found.answer;
    const answer = work();
    known.delete(key);
    known.set(key, { at, answer });
    const [oldest] = known.keys();
    if (known.size > options.most && oldest !== undefined) known.delete(oldest);
    // What failed is asked again by the next one.
    answer.catch(() => {
      if (known.get(key)?.answer === answer) known.delete(key);
    });
    return answer;
  };
}
