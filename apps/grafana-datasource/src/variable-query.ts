import type { filterFields } from "@lynceus/protocol/filter";
import type { LynceusVariableQuery } from "./types";

/** What a variable may list, those that people filter by first. */
export const variableFields = [
  "site",
  "pattern",
  "route",
  "target",
  "tag",
  "os",
  "agent",
  "pac",
  "issuer",
  "severity",
] as const satisfies readonly (keyof typeof filterFields | "target")[];

/** A query as it was saved, or as somebody wrote it in a provisioned file: `site`, or with its filter. */
export function variableOf(query: Partial<LynceusVariableQuery> | string | undefined): LynceusVariableQuery {
  const given = typeof query === "string" ? { field: query } : (query ?? {});
  const field = variableFields.find((one) => one === given.field) ?? "site";
  const q = "q" in given && typeof given.q === "string" ? given.q : "";
  return { refId: "Variable", field, q };
}
