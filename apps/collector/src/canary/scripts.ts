import { evaluateInSandbox } from "@lynceus/pac/sandbox";
import type { MachineFacts } from "@lynceus/protocol/state";
import { matchesCidr } from "@lynceus/proxy-settings/ip";
import type { PacOutcome } from "@lynceus/proxy-settings/route";
import { isSpecialAddress } from "@lynceus/proxy-settings/special-address";

/** Milliseconds of processor time for one call, as on the agent. */
const budgetMs = 500;
/** Calls that one child answers, and the time it has for them by the clock. */
const callsPerChild = 2_000;
const evaluationMs = 30_000;
const startMs = 20_000;
/** Answers of one run that are kept for its next machines. */
const maxKnown = 10_000;

/** Names of a machine that its own probes resolved lately, or found to be none. */
function resolvedNames({ probes }: MachineFacts): Record<string, string | null> {
  const names: Record<string, string | null> = {};
  for (const { facts } of Object.values(probes)) {
    const { dns } = facts;
    if (!dns || dns.rcode === "LITERAL") continue;
    const address = dns.addresses.find((one) => one.includes("."));
    if (dns.ok && address) names[dns.name.toLowerCase()] = address;
    else if (dns.rcode === "NXDOMAIN" || dns.rcode === "NODATA") names[dns.name.toLowerCase()] = null;
  }
  return names;
}

const privateNets = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/** What a script may learn of the machine that asks. */
export interface ScriptWorld {
  readonly myIpAddress: string;
  readonly names: Readonly<Record<string, string | null>>;
  /** The company's own resolvers, as this machine has them; null: ours. */
  readonly resolvers: readonly string[] | null;
  readonly suffixes: readonly string[];
}

/** The world of a machine as far as its facts tell; a machine that said nothing has the address of none. */
export function worldOf(facts: MachineFacts): ScriptWorld {
  const system = facts.system?.facts;
  const used = Object.values(facts.pac).find((slot) => slot.facts.myIpAddress !== null)?.facts.myIpAddress;
  const first = system?.privateAddresses.find((address) => address.includes("."));
  // Only a resolver inside the company is asked on a machine's word.
  const resolvers = (system?.resolvers ?? []).filter(
    (address) => !isSpecialAddress(address) && privateNets.some((net) => matchesCidr(net, address)),
  );
  return {
    myIpAddress: used ?? first ?? "127.0.0.1",
    names: resolvedNames(facts),
    resolvers: resolvers.length > 0 ? resolvers.slice(0, 4) : null,
    suffixes: (system?.dnsSuffixes ?? []).slice(0, 8),
  };
}

export interface ScriptCall {
  readonly url: string;
  readonly world: ScriptWorld;
}

/** How a script could hide what it asks. */
const opaque = /\b(?:eval|Function|globalThis|constructor)\b|\[/;
const asksAddress = /\bmyIpAddress/;
const asksNames = /\b(?:dnsResolve|isResolvable|isInNet)/;

/**
 * Answers of one script for many machines: each different question is put once, to a child process without rights and
 * with bounded time and memory. A call that fails says why. `known` keeps answers from one call to the next of one script. Rejects only when `signal` aborts.
 */
export async function evaluateScript(
  script: string,
  calls: readonly ScriptCall[],
  signal: AbortSignal,
  known: Map<string, PacOutcome> = new Map(),
): Promise<PacOutcome[]> {
  const hidden = opaque.test(script);
  const byAddress = hidden || asksAddress.test(script);
  const byNames = hidden || asksNames.test(script);
  const keys = calls.map(({ url, world }) =>
    JSON.stringify([
      url,
      byAddress ? world.myIpAddress : "",
      ...(byNames ? [world.names, world.resolvers, world.suffixes] : []),
    ]),
  );
  const first = new Map<string, ScriptCall>();
  for (const [index, key] of keys.entries())
    if (!first.has(key) && !known.has(key)) first.set(key, calls[index] as ScriptCall);
  // One child asks one set of resolvers.
  const groups = new Map<string, { key: string; call: ScriptCall }[]>();
  for (const [key, call] of first) {
    const group = byNames ? JSON.stringify([call.world.resolvers, call.world.suffixes]) : "";
    groups.set(group, [...(groups.get(group) ?? []), { key, call }]);
  }
  const outcomes = new Map(known);
  for (const group of groups.values())
    for (let start = 0; start < group.length; start += callsPerChild) {
      const part = group.slice(start, start + callsPerChild);
      const world = part[0]?.call.world;
      const answers = await evaluateInSandbox(
        {
          script,
          calls: part.map(({ call: { url, world: own } }) => ({
            url,
            host: new URL(url).hostname.replace(/^\[|\]$/g, ""),
            myIpAddress: own.myIpAddress,
            ...(byNames ? { names: own.names } : {}),
          })),
          budgetMs,
          myIpAddress: "127.0.0.1",
          dnsServers: byNames ? (world?.resolvers ?? null) : null,
          suffixes: byNames ? (world?.suffixes ?? []) : [],
        },
        { startMs, evaluationMs, signal },
      );
      for (const [index, { key }] of part.entries())
        outcomes.set(key, answers[index] ?? { ok: false, why: "the script gave no answer" });
    }
  // A good answer holds for the whole run; a failure may be this child's alone.
  for (const [key, outcome] of outcomes) if (outcome.ok && known.size < maxKnown) known.set(key, outcome);
  return keys.map((key) => outcomes.get(key) ?? { ok: false, why: "the script gave no answer" });
}
