// Runs the whole product on one machine: database, collector, dashboard, this machine's agent, and a demo fleet if asked.
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { sites } from "@lynceus/bench/fleet/machine";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { migrate } from "@lynceus/db/migrate";
import { listen } from "@lynceus/db/notify";
import { currentPolicy, savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { initSetting, setSetting } from "@lynceus/db/settings";
import { listSiteSubnets, saveSiteSubnets } from "@lynceus/db/sites";
import { createWelcome } from "@lynceus/db/welcome";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import { endLeftover, keepService, notedPid, notePid, type Service } from "./service.ts";
import type { UpOptions, UpTargets } from "./up-options.d.mts";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const options = JSON.parse(process.argv[2] ?? "{}") as UpOptions;
const { dataDir } = options;
const entries = {
  collector: path.join(root, "apps/collector/dist/main.js"),
  dashboard: path.join(root, "apps/dashboard/.next/standalone/apps/dashboard/server.js"),
  agent: path.join(root, "apps/agent/dist/main.js"),
  demo: path.join(root, "bench/src/fleet/main.ts"),
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const step = (line: string) => process.stdout.write(`  ${line}\n`);

/** What the user can put right: printed as one line. */
class Refusal extends Error {}
const oneLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "unknown error";

/** Services in the order they were started; stopped in the reverse order. */
const started: { stop(): Promise<void> }[] = [];
let stopping: Promise<void> | null = null;
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    for (const service of started.reverse()) {
      await service
        .stop()
        .catch((error: unknown) => process.stderr.write(`lynceus: while stopping: ${oneLine(error)}\n`));
    }
    rmSync(path.join(dataDir, "run", "up.pid"), { force: true });
  })();
  return stopping;
}

async function end(code: number, message?: string): Promise<never> {
  if (message) process.stderr.write(`lynceus: ${message}\n`);
  await stopAll();
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stopping) return;
    say("\nStopping …");
    void end(0);
  });
}

function makeDataDirectory() {
  try {
    for (const directory of ["", "run", "logs"])
      mkdirSync(path.join(dataDir, directory), { recursive: true, mode: 0o700 });
    const probe = path.join(dataDir, "run", "write-test");
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    throw new Refusal(
      `data directory "${dataDir}" cannot be written (${oneLine(error)}); choose another, e.g. --data-dir ~/lynceus`,
    );
  }
}

function takeLock() {
  const pid = notedPid(dataDir, "up");
  if (pid !== null && pid !== process.pid) {
    throw new Refusal(
      `already running on "${dataDir}" (process ${pid}); stop it with Ctrl-C there, or use another --data-dir`,
    );
  }
  notePid(dataDir, "up", process.pid);
}

async function requirePort(port: number, option: string) {
  const free = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(null)));
  });
  if (free?.code === "EADDRINUSE")
    throw new Refusal(`port ${port} is in use; choose another, e.g. --${option} ${port + 1}`);
  if (free)
    throw new Refusal(
      `port ${port} cannot be opened (${free.code}); choose another, e.g. --${option} ${port < 1024 ? 8000 : port + 1}`,
    );
}

/** A secret that outlives restarts, made once, readable by its owner alone. */
function secret(name: string): string {
  const file = path.join(dataDir, `${name}.secret`);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  return readFileSync(file, "utf8").trim();
}

async function openStorage(): Promise<{ db: Fleet; url: string }> {
  let url = options.databaseUrl;
  if (url === null) {
    const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(dataDir, "postgres") });
    started.push(postgres);
    url = postgres.url;
  }
  await migrate(url);
  const db = wholeFleet(openDatabase({ url }));
  started.push({ stop: () => db.close() });
  return { db, url };
}

const demoTargets: UpTargets = {
  ews: ["mail.example.org"],
  smtpDomains: ["example.org"],
  sipDomains: ["example.org"],
  lyncWeb: [],
  control: null,
  controlHttps: null,
  requiresProxy: false,
};

/** Saves the policy of the command line, when it is not the one in force already. */
async function applyTargets(db: Fleet) {
  const targets = options.targets ?? (options.demo > 0 && (await currentPolicy(db)) === null ? demoTargets : null);
  if (targets === null) return;
  const before = await currentPolicy(db);
  const body = buildPolicy(
    {
      ews: targets.ews,
      smtpDomains: targets.smtpDomains,
      sipDomains: targets.sipDomains,
      requiresProxy: targets.requiresProxy,
      ...(targets.lyncWeb.length > 0 ? { lyncWeb: targets.lyncWeb } : {}),
      ...(targets.control === null ? {} : { control: targets.control }),
      ...(targets.controlHttps === null ? {} : { controlHttps: targets.controlHttps }),
    },
    before?.version ?? 0,
  );
  if (before && JSON.stringify({ ...before.body, version: 0 }) === JSON.stringify({ ...body, version: 0 })) return;
  await savePolicy(db, { body, now: new Date(), createdBy: "npm run up", note: "targets of the command line" });
}

/** The simulated company's sites, where the admin has not mapped any. */
async function applyDemoSites(db: Fleet) {
  if (options.demo === 0 || (await listSiteSubnets(db)).length > 0) return;
  const subnets = sites.map(({ name, network }) => ({ cidr: `${network}.0.0/16`, site: name }));
  await saveSiteSubnets(db, subnets, { actor: "npm run up" });
}

/** The id of this installation, so that an agent enrolled with another database is not taken for ours. */
async function installationId(db: Fleet): Promise<string> {
  const known = (await initSetting(db, "installation", { id: randomUUID() })) as { id?: unknown };
  if (typeof known.id !== "string")
    throw new Refusal('setting "installation" of the database is damaged; restore it from a backup');
  return known.id;
}

/** Names and ports that this machine's agent may probe: what `npm run up` was told, or what the admin chose on the first page. */
function fence(policy: Policy | null): { suffixes: string[]; ports: number[] } {
  const suffixes = new Set<string>();
  const ports = new Set([80, 443, 5060, 5061]);
  for (const target of policy?.targets ?? []) {
    suffixes.add(target.host);
    if (target.port !== null) ports.add(target.port);
  }
  for (const domain of [...(policy?.expectations.smtpDomains ?? []), ...(policy?.expectations.sipDomains ?? [])])
    suffixes.add(domain);
  return { suffixes: [...suffixes].sort(), ports: [...ports].sort((a, b) => a - b) };
}

const baseEnv = () => {
  const { DATABASE_URL: _url, LYNCEUS_SECRET_KEY: _key, ...rest } = process.env;
  return rest;
};
/** The agent ignores what steers Node, by starting itself again without it: here it need not. */
const agentEnv = () => Object.fromEntries(Object.entries(baseEnv()).filter(([name]) => !name.startsWith("NODE_")));

async function waitFor(
  what: string,
  ready: () => Promise<boolean> | boolean,
  crashed: () => string | null,
  seconds = 60,
) {
  for (let waited = 0; waited < seconds * 1000; waited += 100) {
    const reason = crashed();
    if (reason !== null) throw new Refusal(`${what} did not start (${reason})`);
    if (await ready()) return;
    if (stopping) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Refusal(`${what} did not answer within ${seconds} s; its log is in ${path.join(dataDir, "logs")}`);
}

async function main() {
  makeDataDirectory();
  takeLock();
  for (const name of Object.keys(entries)) await endLeftover(dataDir, name);
  await requirePort(options.port, "port");
  await requirePort(options.collectorPort, "collector-port");

  const beginning = Date.now();
  const { db, url } = await openStorage();
  step(options.databaseUrl ? "database: yours, migrated" : "database: embedded PostgreSQL, migrated");
  await applyTargets(db);
  await applyDemoSites(db);

  let crash: string | null = null;
  const giveUp = (reason: string) => {
    crash = reason;
    if (!starting) void end(1, reason);
  };
  let starting = true;

  let collector: { pin: string | null } | null = null;
  const publicName = options.publicName ?? "127.0.0.1";
  const collectorUrl = `wss://${publicName}:${options.collectorPort}`;
  started.push(
    keepService(
      {
        name: "collector",
        cwd: root,
        args: [
          entries.collector,
          "--port",
          String(options.collectorPort),
          "--host",
          options.publicName === null ? "127.0.0.1" : "0.0.0.0",
          "--data-dir",
          path.join(dataDir, "collector"),
          ...(options.publicName === null ? [] : ["--tls-name", options.publicName, "--public-url", collectorUrl]),
        ],
        env: {
          ...baseEnv(),
          DATABASE_URL: url,
          NODE_ENV: "production",
          LYNCEUS_SECRET_KEY: process.env.LYNCEUS_SECRET_KEY || secret("receivers"),
        },
        onLine: (line) => {
          if (!line.includes('"msg":"listening"')) return;
          const pin = /"pin":"([0-9a-f]{64})"/.exec(line)?.[1] ?? null;
          collector = { pin };
        },
      },
      dataDir,
      step,
      giveUp,
    ),
  );
  await waitFor(
    "the collector",
    () => collector !== null,
    () => crash,
  );
  const pin = (collector as { pin: string | null } | null)?.pin ?? null;
  step(`collector: ${collectorUrl}`);

  const dashboardUrl = `http://localhost:${options.port}`;
  await setSetting(db, "dashboard", { url: dashboardUrl });
  started.push(
    keepService(
      {
        name: "dashboard",
        cwd: root,
        args: [entries.dashboard],
        env: {
          ...baseEnv(),
          NODE_ENV: "production",
          DATABASE_URL: url,
          PORT: String(options.port),
          HOSTNAME: "127.0.0.1",
          LYNCEUS_PUBLIC_URL: dashboardUrl,
          LYNCEUS_COLLECTOR_URL: collectorUrl,
          LYNCEUS_COLLECTOR_PIN: pin ?? "",
          BETTER_AUTH_SECRET: secret("session"),
          LYNCEUS_SECRET_KEY: process.env.LYNCEUS_SECRET_KEY || secret("receivers"),
        },
      },
      dataDir,
      step,
      giveUp,
    ),
  );
  await waitFor(
    "the dashboard",
    () =>
      fetch(`http://127.0.0.1:${options.port}/api/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
    () => crash,
  );
  step(`dashboard: ${dashboardUrl}`);

  const tokenText = async (label: string, uses: number) => {
    const { secret: tokenSecret } = await createToken(db, {
      label,
      site: null,
      maxUses: uses,
      needsApproval: false,
      createdBy: "npm run up",
      expiresAt: new Date(Date.now() + 3_600_000),
    });
    const body = JSON.stringify({ u: `wss://127.0.0.1:${options.collectorPort}`, s: tokenSecret, p: pin });
    return `lyn1.${Buffer.from(body).toString("base64url")}`;
  };

  let agent: Service | null = null;
  if (options.agent) {
    const agentDir = path.join(dataDir, `agent-${(await installationId(db)).slice(0, 8)}`);
    let fenced = "";
    const startAgent = async () => {
      const allowed = fence((await currentPolicy(db))?.body ?? null);
      if (JSON.stringify(allowed) === fenced) return;
      fenced = JSON.stringify(allowed);
      await agent?.stop();
      if (stopping) return;
      agent = keepService(
        {
          name: "agent",
          cwd: root,
          args: [
            // A bound, not a diet: the agent needs a fraction of it.
            "--max-old-space-size=128",
            entries.agent,
            "run",
            "--data-dir",
            agentDir,
            "--allowed-suffixes",
            allowed.suffixes.join(","),
            "--allowed-ports",
            allowed.ports.join(","),
            ...(existsSync(path.join(agentDir, "config.json")) ? [] : ["--token", await tokenText("this machine", 1)]),
            ...(options.proxySettings === null ? [] : ["--proxy-settings", options.proxySettings]),
          ],
          env: agentEnv(),
        },
        dataDir,
        step,
        giveUp,
      );
    };
    await startAgent();
    started.push({ stop: async () => agent?.stop() });
    // `npm run up` is this machine's installer: targets chosen in the dashboard move the fence of its agent, and of no other.
    const policies = listen(url, () => void startAgent().catch((error: unknown) => step(`agent: ${oneLine(error)}`)), {
      channels: ["lynceus_policy"],
    });
    started.push({ stop: () => policies.close() });
    step("agent: this machine");
  }

  if (options.demo > 0) {
    started.push(
      keepService(
        {
          name: "demo",
          cwd: root,
          args: [
            "--import",
            "tsx",
            entries.demo,
            "--machines",
            String(options.demo),
            "--faults",
            "demo",
            "--cycle-seconds",
            "30",
            "--state",
            path.join(dataDir, "demo.json"),
          ],
          env: { ...baseEnv(), LYNCEUS_TOKEN: await tokenText("demo fleet", options.demo) },
        },
        dataDir,
        step,
        giveUp,
      ),
    );
    step(`demo: ${options.demo} simulated machines`);
  }

  starting = false;
  if (crash !== null) throw new Refusal(crash);
  const code = await createWelcome(db, new Date());
  say("");
  say(`Lynceus is running (started in ${((Date.now() - beginning) / 1000).toFixed(1)} s). Ctrl-C stops it.`);
  say(`  Dashboard   ${dashboardUrl}`);
  say(
    `  Collector   ${collectorUrl}${options.publicName === null ? "   (this machine only; --public-name NAME opens it to others)" : ""}`,
  );
  say(`  Data, logs  ${dataDir}`);
  if (code) say(`  First admin ${dashboardUrl}/welcome?code=${code}   (valid once, for 24 h)`);
}

main().catch((error: unknown) => end(error instanceof Refusal ? 2 : 1, oneLine(error)));
