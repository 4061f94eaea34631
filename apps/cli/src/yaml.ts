import { parseDocument, stringify } from "yaml";
import type * as z from "zod";
import { usageProblem } from "./problem.ts";

/** Longer lines are not folded: a diff is by line. */
export const toYaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** What a YAML (or JSON) file says, in the right shape. @throws Problem with the line, or the place, and the rule */
export function fromYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error) throw usageProblem(`${file}: ${error.message.split("\n", 1)[0]?.replace(/:$/, "")}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (problem) {
    throw usageProblem(`${file}: ${(problem as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw usageProblem(
    `${file} cannot be used: ${parsed.error.issues
      .slice(0, 10)
      .map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`)
      .join("; ")}`,
  );
}
