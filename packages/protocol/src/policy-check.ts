import type { Policy } from "./policy.ts";

export interface PolicyProblem {
  /** `groups[1].anyOf[0]` */
  readonly path: string;
  /** The value, the rule, an example. */
  readonly message: string;
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

/**
 * What is wrong with a policy that has the right shape: ids that occur twice, groups that name no target, nothing that is
 * required. An empty list: it may be saved.
 */
export function policyProblems(policy: Pick<Policy, "targets" | "groups">): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const targets = policy.targets.map(({ id }) => id);
  for (const id of repeated(targets))
    problems.push({ path: "targets", message: `target "${id}" is there twice; ids key a machine's history` });
  for (const id of repeated(policy.groups.map((group) => group.id)))
    problems.push({ path: "groups", message: `group "${id}" is there twice; give each its own id` });
  policy.groups.forEach((group, index) => {
    group.anyOf.forEach((id, place) => {
      if (!targets.includes(id))
        problems.push({
          path: `groups[${index}].anyOf[${place}]`,
          message: `"${id}" is no target; use one of ${targets.slice(0, 8).join(", ") || "the targets, of which there is none"}`,
        });
    });
    for (const id of repeated(group.anyOf))
      problems.push({ path: `groups[${index}].anyOf`, message: `target "${id}" is named twice in one group` });
  });
  policy.targets.forEach((target, index) => {
    if (target.kind !== "srv" && target.port === null)
      problems.push({ path: `targets[${index}].port`, message: `target "${target.id}" has no port; use e.g. 443` });
  });
  if (policy.targets.length > 0 && !policy.groups.some((group) => group.required))
    problems.push({
      path: "groups",
      message: "no group is required, so that no machine could ever fail; set required: true on the one of EWS",
    });
  return problems;
}
