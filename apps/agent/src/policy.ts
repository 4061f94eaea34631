import { readFileSync } from "node:fs";
import { join } from "node:path";
import { firstIssue } from "@lynceus/protocol/decode";
import { limits } from "@lynceus/protocol/limits";
import { policyMessageSchema } from "@lynceus/protocol/messages";
import { type Policy, policySchema, targetGroupSchema, targetSchema } from "@lynceus/protocol/policy";
import { replaceFile } from "./atomic-file.ts";
import type { Fence } from "./probes/context.ts";
import { isInsideFence } from "./probes/fence.ts";

export type LenientPolicy =
  | { readonly ok: true; readonly policy: Policy; readonly ignored: string[] }
  | { readonly ok: false; readonly error: string };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads a policy message of a newer collector: targets of kinds or services that this agent does not know are left out
 * (domain 5.0 rule 16), and with them their place in groups. Everything else has to be right.
 */
export function lenientPolicy(message: unknown): LenientPolicy {
  const raw = isObject(message) ? message.policy : null;
  if (!isObject(raw) || !Array.isArray(raw.targets) || !Array.isArray(raw.groups))
    return { ok: false, error: "the policy has no targets or groups" };
  if (raw.targets.length > limits.targets || raw.groups.length > limits.groups)
    return { ok: false, error: `at most ${limits.targets} targets and ${limits.groups} groups` };
  const ignored: string[] = [];
  const keep = (values: unknown[], known: (value: unknown) => boolean) =>
    values.filter((value) => {
      if (known(value)) return true;
      ignored.push(isObject(value) && typeof value.id === "string" ? value.id.slice(0, 128) : "(no id)");
      return false;
    });
  const targets = keep(raw.targets, (value) => targetSchema.safeParse(value).success);
  const ids = new Set(targets.map((target) => (target as { id: string }).id));
  const groups = keep(raw.groups, (value) => targetGroupSchema.safeParse(value).success)
    .map((group) => {
      const { anyOf, ...rest } = group as { anyOf: string[] };
      return { ...rest, anyOf: anyOf.filter((id) => ids.has(id)) };
    })
    .filter((group) => group.anyOf.length > 0);
  const parsed = policyMessageSchema.safeParse({ ...(message as object), policy: { ...raw, targets, groups } });
  return parsed.success
    ? { ok: true, policy: parsed.data.policy, ignored }
    : { ok: false, error: firstIssue(parsed.error) };
}

/**
 * Takes the beacon from a policy that points it outside the fence, and names the targets that lie outside. Those stay:
 * the prober refuses each of them and reports it as fenced, so that an admin sees why it has no result.
 */
export function fencePolicy(policy: Policy, fence: Fence): { policy: Policy; outside: string[] } {
  const outside = policy.targets
    .filter((target) => !isInsideFence(target.host, target.port, fence))
    .map((target) => target.id);
  if (policy.beacon === null || beaconInside(policy.beacon.url, fence)) return { policy, outside };
  return { policy: { ...policy, beacon: null }, outside: [...outside, "beacon"] };
}

function beaconInside(text: string, fence: Fence): boolean {
  try {
    const url = new URL(text);
    return url.protocol === "https:" && isInsideFence(url.hostname, Number(url.port || 443), fence);
  } catch {
    return false;
  }
}

const policyFile = (dataDir: string) => join(dataDir, "policy.json");

/** Keeps the policy, so that a start without a collector probes as before. */
export const savePolicy = (dataDir: string, policy: Policy): void =>
  replaceFile(policyFile(dataDir), `${JSON.stringify(policy)}\n`);

/** The policy of the last session; null where there is none or it is damaged (the collector sends it anew). */
export function loadPolicy(dataDir: string): Policy | null {
  try {
    const parsed = policySchema.safeParse(JSON.parse(readFileSync(policyFile(dataDir), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
