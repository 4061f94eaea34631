import type { Access } from "@lynceus/protocol/access";
import type { SignOn } from "./settings.ts";

/**
 * The groups that claims list: a list of texts, one text, or a list of objects with a name, as providers send them.
 * Anything else is no group.
 */
export function groupsOf(claims: Readonly<Record<string, unknown>>, claim: string): string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.flatMap((one) => {
    if (typeof one === "string") return [one];
    const name = typeof one === "object" && one !== null && "name" in one ? one.name : null;
    return typeof name === "string" ? [name] : [];
  });
}

/** What somebody with these groups may do: the first line that names one of them decides. Null: they are not let in. */
export function accessOfGroups(settings: Pick<SignOn, "lines" | "others">, groups: readonly string[]): Access | null {
  const line = settings.lines.find(({ group }) => groups.includes(group));
  if (line === undefined) return settings.others;
  const { role, sites, tags } = line;
  return { role, sites, tags };
}
