import { writeFileSync } from "node:fs";
import path from "node:path";
import { address } from "./network.ts";
import { type Daemon, startDaemon } from "./shell.ts";

/** Which records the internal zone has; a scenario takes some away. */
export interface Zone {
  readonly autodiscover: boolean;
}
export const wholeZone: Zone = { autodiscover: true };

const common = ["no-resolv", "no-hosts", "bind-interfaces", "no-negcache", "local=/test/", "user=root", "pid-file="];

const host = (name: string, to: string) => `host-record=${name},${to}`;

function internalZone(zone: Zone): string[] {
  return [
    ...common,
    `listen-address=${address.dns}`,
    host("mail.contoso.test", address.exchange),
    ...(zone.autodiscover ? [host("autodiscover.contoso.test", address.exchange)] : []),
    host("contoso.test", address.webSite),
    host("lyncdiscoverinternal.contoso.test", address.lyncWeb),
    host("lyncdiscover.contoso.test", address.lyncWeb),
    host("lyncweb.contoso.test", address.lyncWeb),
    host("sip.contoso.test", address.sip),
    host("sipinternal.contoso.test", address.sip),
    "srv-host=_sipinternaltls._tcp.contoso.test,sip.contoso.test,5061",
    host("www.control.test", address.control),
    host("scripts.contoso.test", address.scripts),
    host("px1.contoso.test", address.proxies),
  ];
}

/** What the world sees: the published names, none of the internal ones. */
function publicZone(): string[] {
  return [
    ...common,
    `listen-address=${address.publicDns}`,
    host("mail.contoso.test", address.exchange),
    host("autodiscover.contoso.test", address.exchange),
    host("contoso.test", address.webSite),
    host("lyncdiscover.contoso.test", address.lyncWeb),
    host("lyncweb.contoso.test", address.lyncWeb),
    host("sip.contoso.test", address.sip),
    host("www.control.test", address.control),
  ];
}

export interface NameServers {
  /** Replaces the internal zone; the server is started again, which takes some 20 ms. */
  setZone(zone: Zone): Promise<void>;
  stop(): Promise<void>;
}

export async function startNameServers(namespace: string, directory: string): Promise<NameServers> {
  const start = (name: string, lines: readonly string[]): Daemon => {
    const file = path.join(directory, `${name}.conf`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return startDaemon(namespace, path.join(directory, `${name}.log`), "dnsmasq", [
      "--keep-in-foreground",
      `--conf-file=${file}`,
    ]);
  };
  let internal = start("dns-internal", internalZone(wholeZone));
  const outside = start("dns-public", publicZone());
  return {
    async setZone(zone) {
      await internal.stop();
      internal = start("dns-internal", internalZone(zone));
    },
    async stop() {
      await Promise.all([internal.stop(), outside.stop()]);
    },
  };
}
