/** `0.4.2` as [0, 4, 2]; null when it is none. */
export function versionParts(text: string): readonly [number, number, number] | null {
  const match = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null;
}

/**
 * How far an agent is behind a collector, in releases that are supported together: minor versions within one major, and each
 * major as one. Negative: the agent is newer. Null when one of the two is no version.
 */
export function releasesBehind(agent: string, collector: string): number | null {
  const of = versionParts(agent);
  const against = versionParts(collector);
  if (!of || !against) return null;
  return against[0] === of[0] ? against[1] - of[1] : (against[0] - of[0]) * 100;
}

/** A collector works with agents of its own release and of the two before it. */
export const supportedReleases = 2;
