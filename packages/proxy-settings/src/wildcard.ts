/**
 * Matches `*` (any run, also empty) against a whole text, without a regular expression: a bypass list is hostile text,
 * and this costs at most pattern × text comparisons whatever the pattern. Both sides are compared as they are.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  if (parts.length === 1) return pattern === text;
  const last = parts[parts.length - 1] ?? "";
  const literals = parts.reduce((sum, part) => sum + part.length, 0);
  if (literals > text.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, position);
    if (found < 0 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}
