import type { Policy } from "@lynceus/protocol/policy";

/**
 * What an installer is given: where the collector is, the token's secret, and the pin of the collector's authority.
 * `lyn1.` and base64url of `{u, s, p}`; `p` is null when a public or company authority vouches for the collector.
 */
export function enrolmentText(token: { url: string; secret: string; pin: string | null }): string {
  const body = JSON.stringify({ u: token.url, s: token.secret, p: token.pin });
  return `lyn1.${Buffer.from(body, "utf8").toString("base64url")}`;
}

/** Where an agent may ever probe, whatever a policy says later: fixed by whoever installs it. */
export interface Fence {
  /** Domains, or whole hosts that lie below none of them. */
  suffixes: string[];
  ports: number[];
}

/** The narrowest fence in which everything of this policy can be probed. */
export function fenceOf(policy: Policy | null): Fence {
  const domains = [...(policy?.expectations.smtpDomains ?? []), ...(policy?.expectations.sipDomains ?? [])];
  const names = new Set([...domains, ...(policy?.targets ?? []).map((target) => target.host)]);
  const ports = new Set([80, 443, 5060, 5061, ...(policy?.targets ?? []).flatMap((target) => target.port ?? [])]);
  return {
    suffixes: [...names].filter((name) => ![...names].some((other) => name.endsWith(`.${other}`))).sort(),
    ports: [...ports].sort((a, b) => a - b),
  };
}

/** Commands that enrol a Linux machine and start its agent. */
export interface EnrolCommands {
  /** Where the agent is installed. */
  installed: string;
  /** From a checkout of the sources: one command that does both. */
  checkout: string;
}

export function enrolCommands(text: string, { suffixes, ports }: Fence): EnrolCommands {
  const options = `--token ${text}${suffixes.length === 0 ? "" : ` --allowed-suffixes ${suffixes.join(",")}`} --allowed-ports ${ports.join(",")}`;
  return {
    installed: `lynceus-agent enroll ${options} && lynceus-agent run`,
    checkout: `npm run --silent agent -- run ${options}`,
  };
}
