import { structuredPatch } from "diff";

/** Changed lines with three around them, as `diff -u` writes them; null when nothing differs. */
export function lineDiff(before: string, after: string, names: readonly [string, string]): string | null {
  if (before === after) return null;
  const { hunks } = structuredPatch(names[0], names[1], before, after, "", "", { context: 3 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  return `${[`--- ${names[0]}`, `+++ ${names[1]}`, ...lines].join("\n")}\n`;
}
