import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run, tryRun } from "./shell.ts";

/*
 * Topology: one firewall namespace routes between the servers' network and one network a client.
 *
 *   client k (10.77.k.2) ── 10.77.k.1  firewall  10.77.0.1 ── servers (10.77.0.0/24)
 *
 * Nothing of it is connected to the host: the addresses exist in these namespaces only.
 */

export const address = {
  exchange: "10.77.0.10",
  lyncWeb: "10.77.0.11",
  sip: "10.77.0.12",
  control: "10.77.0.20",
  webSite: "10.77.0.21",
  scripts: "10.77.0.30",
  proxies: "10.77.0.40",
  dns: "10.77.0.53",
  publicDns: "10.77.0.54",
  portal: "10.77.0.60",
  collector: "10.77.0.70",
} as const;

export const subnetOf = (index: number) => `10.77.${index}.0/24`;

export interface Network {
  readonly servers: string;
  client(index: number): string;
  /** nft rules of one client at the firewall; replaces its earlier ones. `chain` is `forward` or `divert` (dnat). */
  setRules(index: number, rules: { forward?: readonly string[]; divert?: readonly string[] }): void;
  /** Which resolver and search list a client has. */
  setResolver(index: number, lines: readonly string[]): void;
  remove(): void;
}

const resolverFile = (namespace: string) => path.join("/etc/netns", namespace, "resolv.conf");

/** Makes the namespaces. `prefix` keeps two runs apart; at most 200 clients. */
export function makeNetwork(prefix: string, clients: number): Network {
  const firewall = `${prefix}-fw`;
  const servers = `${prefix}-srv`;
  const client = (index: number) => `${prefix}-c${index}`;
  const all = [firewall, servers, ...Array.from({ length: clients }, (_, i) => client(i + 1))];
  const within = (namespace: string, ...args: string[]) => run("ip", "-n", namespace, ...args);

  const remove = () => {
    for (const namespace of all) {
      tryRun("ip", "netns", "del", namespace);
      rmSync(path.dirname(resolverFile(namespace)), { recursive: true, force: true });
    }
  };
  remove();
  for (const namespace of all) {
    run("ip", "netns", "add", namespace);
    within(namespace, "link", "set", "lo", "up");
  }

  const connect = (namespace: string, index: number, addresses: readonly string[]) => {
    const outer = `v${index}`;
    run("ip", "link", "add", outer, "netns", firewall, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    within(firewall, "addr", "add", `10.77.${index}.1/24`, "dev", outer);
    within(firewall, "link", "set", outer, "up");
    for (const [i, one] of addresses.entries())
      within(namespace, "addr", "add", `${one}/${i === 0 ? 24 : 32}`, "dev", "eth0");
    within(namespace, "link", "set", "eth0", "up");
    within(namespace, "route", "add", "default", "via", `10.77.${index}.1`);
  };
  connect(servers, 0, Object.values(address));
  for (let index = 1; index <= clients; index++) connect(client(index), index, [`10.77.${index}.2`]);

  const nft = (text: string) => run("ip", "netns", "exec", firewall, "nft", text);
  run("ip", "netns", "exec", firewall, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  nft("add table ip lab");
  nft("add chain ip lab forward { type filter hook forward priority 0 ; policy accept ; }");
  nft("add chain ip lab divert { type nat hook prerouting priority -100 ; policy accept ; }");
  for (let index = 1; index <= clients; index++) {
    for (const chain of ["forward", "divert"]) {
      nft(`add chain ip lab ${chain}${index}`);
      nft(`add rule ip lab ${chain} ip saddr ${subnetOf(index)} jump ${chain}${index}`);
    }
  }

  return {
    servers,
    client,
    setRules(index, rules) {
      for (const chain of ["forward", "divert"] as const) {
        nft(`flush chain ip lab ${chain}${index}`);
        for (const rule of rules[chain] ?? []) nft(`add rule ip lab ${chain}${index} ${rule}`);
      }
    },
    setResolver(index, lines) {
      const file = resolverFile(client(index));
      mkdirSync(path.dirname(file), { recursive: true });
      // Written in place: `ip netns exec` binds the file itself, and a renamed one would not be seen by a running agent.
      writeFileSync(file, `${lines.join("\n")}\noptions timeout:1 attempts:1\n`);
    },
    remove,
  };
}
