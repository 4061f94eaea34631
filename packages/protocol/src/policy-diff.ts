import { expectationsOf, type Policy } from "./policy.ts";

/** One difference between two policies; `before` or `after` null: it is not there. */
export interface PolicyDifference {
  /** `target ews`, `group ews: required`, `intervals: cycleMinutes` */
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

const text = (value: unknown): string =>
  typeof value === "string"
    ? value
    : Array.isArray(value)
      ? value.map(text).join(", ") || "none"
      : value === null
        ? "none"
        : typeof value === "object"
          ? Object.entries(value)
              .map(([key, part]) => `${key} ${text(part)}`)
              .join("; ")
          : String(value);

const address = ({ kind, host, port, path }: Policy["targets"][number]): string =>
  `${kind} ${host}${port === null ? "" : `:${port}`}${path ?? ""}`;

/**
 * Every value of a policy by its name: what two policies are compared by. Targets and groups go by id, whatever their
 * order. `of` names the target that a value belongs to.
 */
function valuesOf(policy: Policy): { values: Map<string, string>; of: Map<string, string> } {
  const values = new Map<string, string>();
  const of = new Map<string, string>();
  for (const target of policy.targets) {
    const { id, kind: _kind, host: _host, port: _port, path: _path, ...rest } = target;
    values.set(`target ${id}`, address(target));
    for (const [key, value] of Object.entries(rest)) {
      values.set(`target ${id}: ${key}`, text(value));
      of.set(`target ${id}: ${key}`, `target ${id}`);
    }
  }
  for (const { id, ...rest } of policy.groups)
    for (const [key, value] of Object.entries(rest)) values.set(`group ${id}: ${key}`, text(value));
  for (const [key, value] of Object.entries(policy.intervals)) values.set(`intervals: ${key}`, text(value));
  for (const [key, value] of Object.entries(expectationsOf(policy))) values.set(`expected: ${key}`, text(value));
  values.set("beacon", policy.beacon === null ? "none" : policy.beacon.url);
  values.set("inside suffixes", text(policy.insideSuffixes));
  values.set("seconds between requests to one host", String(policy.minSecondsPerHost));
  return { values, of };
}

/** What a policy changes against another, in the order of the newer one; of a target that came or went its address alone. */
export function policyDifferences(before: Policy, after: Policy): PolicyDifference[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const differences: PolicyDifference[] = [];
  for (const what of new Set([...now.values.keys(), ...old.values.keys()])) {
    const target = now.of.get(what) ?? old.of.get(what);
    if (target !== undefined && old.values.has(target) !== now.values.has(target)) continue;
    const [was, is] = [old.values.get(what) ?? null, now.values.get(what) ?? null];
    if (was !== is) differences.push({ what, before: was, after: is });
  }
  return differences;
}
