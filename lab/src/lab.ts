import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { getMachine, listMachines } from "@lynceus/db/machines";
import { migrate } from "@lynceus/db/migrate";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { saveSiteSubnets } from "@lynceus/db/sites";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { Machine } from "@lynceus/protocol/read-api";
import { makeAuthority } from "./certificates.ts";
import { type NameServers, startNameServers } from "./dns.ts";
import { address, makeNetwork, type Network, subnetOf } from "./network.ts";
import { type Proxies, startProxies } from "./proxies.ts";
import { type Daemon, requireTools, root, startDaemon } from "./shell.ts";
import { type SipServer, startSip } from "./sip.ts";
import { startWebServers, type WebServers } from "./web.ts";

/** Values of Windows' Internet Settings key, as `--proxy-settings FILE` takes them. */
export type InternetSettings = Partial<{
  AutoDetect: 0 | 1;
  AutoConfigURL: string;
  ProxyEnable: 0 | 1;
  ProxyServer: string;
  ProxyOverride: string;
}>;

export interface ClientSpec {
  readonly name: string;
  readonly site: "berlin" | "munich" | null;
  readonly settings: InternetSettings;
  /** Firewall rules that are there from the start: a network that is healthy with them. */
  readonly forward?: readonly string[];
  /** At home: the public zone, no company search list. */
  readonly home?: boolean;
  /** Trusts the interceptor's authority as well, as an administrator would have rolled it out. */
  readonly trustsInterceptor?: boolean;
  /** False: a place in the network for an agent that the test starts by itself. */
  readonly agent?: boolean;
}

export interface Client {
  readonly name: string;
  /** The network namespace in which it lives. */
  readonly namespace: string;
  setSettings(settings: InternetSettings): void;
  setRules(rules: { forward?: readonly string[]; divert?: readonly string[] }): void;
  /** `dead` answers nothing; `company` and `home` are the zones. */
  setResolver(which: "company" | "home" | "dead"): void;
  /** Back to what the client was made with. */
  repair(): void;
}

export interface Lab {
  /** Enrols machines at this lab's collector. */
  readonly token: string;
  /** File of the company's authority, in PEM. */
  readonly authority: string;
  readonly db: Fleet;
  readonly web: WebServers;
  readonly sip: SipServer;
  readonly proxies: Proxies;
  readonly dns: NameServers;
  client(name: string): Client;
  /** The machine as the collector sees it now. */
  machine(name: string): Promise<Machine>;
  machines(): Promise<Machine[]>;
  stop(): Promise<void>;
}

const nginxTarget = { host: "www.control.test", url: "http://www.control.test/connecttest.txt" };

/** How long a cycle is, before jitter. */
export const cycleSeconds = 5;

/** The company's policy, with intervals of seconds instead of minutes, so that a fault shows while one waits. */
function labPolicy(requiresProxy: boolean): Policy {
  const policy = buildPolicy(
    {
      ews: ["mail.contoso.test"],
      smtpDomains: ["contoso.test"],
      sipDomains: ["contoso.test"],
      lyncWeb: ["lyncweb.contoso.test"],
      control: nginxTarget.url,
      controlHttps: `${nginxTarget.host}:443`,
      insideSuffixes: ["contoso.test"],
      requiresProxy,
    },
    1,
  );
  return {
    ...policy,
    targets: policy.targets.map((target) => ({ ...target, cadence: "cycle" as const })),
    intervals: { cycleMinutes: cycleSeconds / 60, settingsMinutes: 2 / 60, heartbeatSeconds: 2 },
    minSecondsPerHost: 0,
  };
}

/** Builds the company network, the servers, the collector and one agent a client. Needs root, Linux and the packages of .ci/run. */
export async function startLab(specs: readonly ClientSpec[], options: { requiresProxy?: boolean } = {}): Promise<Lab> {
  requireTools("ip", "nft", "squid", "nginx", "kamailio", "dnsmasq", "openssl");
  for (const app of ["agent", "collector"]) {
    if (!existsSync(path.join(root, "apps", app, "dist/main.js")))
      throw new Error(`apps/${app} is not built; run npx turbo run build`);
  }
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-lab-"));
  chmodSync(directory, 0o755);
  const folder = (name: string) => {
    const made = path.join(directory, name);
    mkdirSync(made, { recursive: true });
    return made;
  };
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (const one of undo.reverse()) await one();
    if (process.env.LYNCEUS_LAB_KEEP) process.stderr.write(`lab files kept in ${directory}\n`);
    else rmSync(directory, { recursive: true, force: true });
  };
  try {
    const network: Network = makeNetwork(`lyn${process.pid}`, specs.length);
    undo.push(() => network.remove());
    const company = makeAuthority(folder("authorities"), "company", "Contoso");
    const guest = makeAuthority(folder("authorities"), "guest", "Guest Wifi");
    const interceptor = makeAuthority(folder("authorities"), "interceptor", "Zscaler Inc.");
    const dns = await startNameServers(network.servers, folder("dns"));
    undo.push(() => dns.stop());
    const web = startWebServers(network.servers, folder("web"), company, guest);
    undo.push(() => web.stop());
    const proxies = startProxies(network.servers, folder("proxies"), interceptor);
    undo.push(() => proxies.stop());
    const sip = startSip(network.servers, folder("sip"), company);
    undo.push(() => sip.stop());

    const postgres = await startEmbeddedPostgres({
      dataDirectory: path.join(folder("database"), "postgres"),
    });
    undo.push(() => postgres.stop());
    await migrate(postgres.url);
    const db = wholeFleet(openDatabase({ url: postgres.url }));
    undo.push(() => db.close());
    await savePolicy(db, { body: labPolicy(options.requiresProxy ?? false), now: new Date(), createdBy: "lab" });
    await saveSiteSubnets(
      db,
      specs.flatMap((spec, i) => (spec.site === null ? [] : [{ cidr: subnetOf(i + 1), site: spec.site }])),
      { actor: "lab" },
    );

    let listening: ((pin: string) => void) | null = null;
    const pinned = new Promise<string>((resolve) => {
      listening = resolve;
    });
    const collector = startDaemon(
      network.servers,
      path.join(directory, "collector.log"),
      process.execPath,
      [
        path.join(root, "apps/collector/dist/main.js"),
        "--host",
        address.collector,
        "--port",
        "7443",
        "--data-dir",
        folder("collector"),
      ],
      { ...process.env, DATABASE_URL: postgres.url },
    );
    undo.push(() => collector.stop());
    collector.process.stdout?.on("data", (chunk: Buffer) => {
      const pin = /"pin":"([0-9a-f]{64})"/.exec(chunk.toString())?.[1];
      if (pin) listening?.(pin);
    });
    const pin = await Promise.race([
      pinned,
      new Promise<never>((_, reject) =>
        collector.process.on("close", () =>
          reject(new Error(`the collector ended: ${readFileSync(collector.log, "utf8").slice(-2000)}`)),
        ),
      ),
    ]);
    const { secret } = await createToken(db, {
      label: "lab",
      site: null,
      tags: [],
      maxUses: specs.length,
      needsApproval: false,
      createdBy: "lab",
      expiresAt: new Date(Date.now() + 3_600_000),
    });
    const token = `lyn1.${Buffer.from(JSON.stringify({ u: `wss://${address.collector}:7443`, s: secret, p: pin })).toString("base64url")}`;

    const clients = new Map<string, Client>();
    const agents: Daemon[] = [];
    undo.push(() => Promise.all(agents.map((agent) => agent.stop())));
    for (const [i, spec] of specs.entries()) {
      const index = i + 1;
      const home = folder(`clients/${spec.name}`);
      const settingsFile = path.join(home, "internet-settings.json");
      const trust = path.join(home, "trusted.pem");
      writeFileSync(
        trust,
        readFileSync(company.cert, "utf8") + (spec.trustsInterceptor ? readFileSync(interceptor.cert, "utf8") : ""),
      );
      const resolvers = {
        company: ["search contoso.test", `nameserver ${address.dns}`],
        home: [`nameserver ${address.publicDns}`],
        dead: ["search contoso.test", "nameserver 10.77.0.99"],
      };
      const client: Client = {
        name: spec.name,
        namespace: network.client(index),
        setSettings: (settings) => writeFileSync(settingsFile, JSON.stringify(settings)),
        setRules: (rules) => network.setRules(index, rules),
        setResolver: (which) => network.setResolver(index, resolvers[which]),
        repair() {
          client.setSettings(spec.settings);
          client.setRules({ forward: spec.forward ?? [] });
          client.setResolver(spec.home ? "home" : "company");
        },
      };
      client.repair();
      clients.set(spec.name, client);
      if (spec.agent === false) continue;
      agents.push(
        startDaemon(
          network.client(index),
          path.join(home, "agent.log"),
          process.execPath,
          [
            path.join(root, "apps/agent/dist/main.js"),
            "run",
            "--token",
            token,
            "--data-dir",
            path.join(home, "data"),
            "--proxy-settings",
            settingsFile,
            "--hostname",
            spec.name,
            "--allowed-suffixes",
            "contoso.test,control.test",
            "--allowed-ports",
            "80,443,5060,5061",
          ],
          { ...process.env, SSL_CERT_FILE: trust },
        ),
      );
    }

    const ids = async () => {
      const { items } = await listMachines(db, { terms: [], sort: "name", cursor: null, limit: 200 });
      return new Map(items.map((item) => [item.hostname, item.id]));
    };
    return {
      token,
      authority: company.cert,
      db,
      web,
      sip,
      proxies,
      dns,
      client(name) {
        const client = clients.get(name);
        if (!client) throw new Error(`the lab has no client "${name}"; it has ${[...clients.keys()].join(", ")}`);
        return client;
      },
      async machine(name) {
        const id = (await ids()).get(name);
        const machine = id === undefined ? null : await getMachine(db, id);
        if (!machine) throw new Error(`machine "${name}" has not enrolled yet`);
        return machine;
      },
      async machines() {
        const found = await Promise.all([...(await ids()).values()].map((id) => getMachine(db, id)));
        return found.filter((machine) => machine !== null);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
