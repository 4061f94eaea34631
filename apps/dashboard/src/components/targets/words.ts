import type { StoredPolicy } from "@lynceus/db/policies";
import type { Service } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";

type Target = Policy["targets"][number];

/** Where one asks: `https mail.contoso.com/EWS/Exchange.asmx`; a port only where it is not the usual one. */
export function addressText({ kind, host, port, path }: Target): string {
  const usual = port === null || (kind === "https" && port === 443) || (kind === "http" && port === 80);
  return `${kind} ${host}${usual ? "" : `:${port}`}${path ?? ""}`;
}

const presets: Partial<Record<Service, string>> = {
  ews: "Exchange",
  "exchange-health": "Exchange",
  mapi: "Exchange",
  oab: "Exchange",
  autodiscover: "Autodiscover",
  apex: "Autodiscover",
  "autodiscover-srv": "Autodiscover",
  control: "Control",
};

/** The preset that a target came from (domain 6.1). */
export const presetOf = ({ service, host }: Target): string =>
  host === "outlook.office365.com" ? "Exchange Online" : (presets[service] ?? "Lync and Skype for Business");

/** What a target decides: the group that it is in, and whether a machine fails without it. */
export function groupText(policy: Policy, { id }: Target): string {
  const groups = policy.groups.filter((group) => group.anyOf.includes(id));
  if (groups.length === 0) return "shown, decides nothing";
  return groups.map((group) => `${group.title}${group.required ? ", required" : ""}`).join("; ");
}

/** What became of a version, in words. */
export function stateOf(version: Omit<StoredPolicy, "body">, inForce: number | null): string {
  if (version.version === inForce) return "in force";
  if (version.withdrawnAt !== null) return "stopped";
  if (version.inForceAt !== null) return "earlier";
  return version.rollout === null ? "earlier" : "rolling out";
}
