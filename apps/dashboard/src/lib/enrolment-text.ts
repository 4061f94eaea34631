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

/** One way to install the agent with a token; true to docs/install-agent.md. */
export interface EnrolCommand {
  readonly id: "windows" | "debian" | "linux" | "macos" | "checkout";
  readonly title: string;
  /** What has to be there, or what was not tried. */
  readonly note: string;
  readonly command: string;
}

const usualPorts = "80,443,5060,5061";

/**
 * For each system, the lines that install the agent, enrol the machine and start it. The token is base64url, suffixes are
 * host names and ports are numbers: none of them needs quotes in any shell.
 */
export function enrolCommands(text: string, { suffixes, ports }: Fence, version: string): EnrolCommand[] {
  const names = suffixes.join(",");
  const numbers = ports.join(",");
  const options = `--token ${text}${names === "" ? "" : ` --allowed-suffixes ${names}`} --allowed-ports ${numbers}`;
  const properties = [
    `ENROLL_TOKEN=${text}`,
    ...(names === "" ? [] : [`ALLOWED_SUFFIXES=${names}`]),
    ...(numbers === usualPorts ? [] : [`ALLOWED_PORTS=${numbers}`]),
  ];
  const settings = [
    `LYNCEUS_ENROLL_TOKEN=${text}`,
    ...(names === "" ? [] : [`LYNCEUS_ALLOWED_SUFFIXES=${names}`]),
    ...(numbers === usualPorts ? [] : [`LYNCEUS_ALLOWED_PORTS=${numbers}`]),
  ];
  const file = "/etc/lynceus-agent/agent.env";
  const write = `printf '%s\\n' ${settings.join(" ")} > ${file}`;
  return [
    {
      id: "windows",
      title: "Windows 10, 11 and Server",
      note: "In a console of an administrator, beside the installer; the same properties in Intune, Group Policy and Configuration Manager.",
      command: `msiexec /i lynceus-agent-${version}-x64.msi /qn ${properties.join(" ")}`,
    },
    {
      id: "debian",
      title: "Debian, Ubuntu",
      note: "As root, beside the package. It replaces what agent.env says.",
      command: `apt install ./lynceus-agent_${version}_amd64.deb && ${write} && systemctl restart lynceus-agent`,
    },
    {
      id: "linux",
      title: "Other Linux with glibc",
      note: "As root, once the files are where INSTALL.txt of the archive says.",
      command: `${write} && systemctl enable --now lynceus-agent`,
    },
    {
      id: "macos",
      title: "macOS",
      note: "Put together, but never started on a Mac; as root, once the files are where INSTALL.txt of the archive says.",
      command: `/usr/local/lynceus-agent/bin/node /usr/local/lynceus-agent/main.js enroll ${options} --data-dir "/Library/Application Support/Lynceus" && cp /usr/local/lynceus-agent/com.lynceus.agent.plist /Library/LaunchDaemons/ && launchctl bootstrap system /Library/LaunchDaemons/com.lynceus.agent.plist`,
    },
    {
      id: "checkout",
      title: "From a checkout of Lynceus",
      note: "To try it: the agent runs in the terminal, until it is ended.",
      command: `npm run --silent agent -- run ${options}`,
    },
  ];
}
