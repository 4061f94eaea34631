import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import type { CanaryAnswer } from "@lynceus/protocol/canary";
import type { SettingsFacts } from "@lynceus/protocol/facts";
import type { Policy } from "@lynceus/protocol/policy";
import type { CanaryRequest } from "./canary.ts";
import type { AgentOptions } from "./cli.ts";
import type { Clock, Random } from "./clock.ts";
import { parseCollectorUrl } from "./collector-url.ts";
import { type AgentConfig, defaultPorts, loadConfig, saveConfig } from "./config.ts";
import { ensureKey, type KeyProtection, loadKey, loadMachineId, type MachineKey, saveMachineId } from "./identity.ts";
import { loadLimitActs, saveLimitActs } from "./limit-acts.ts";
import { backOffMs } from "./link/back-off.ts";
import { type Connect, connector, type Hop, type RouteFor } from "./link/connect.ts";
import { EnrolmentRefused, enrol } from "./link/enrol.ts";
import { createLink, type GoodbyeReason, type Link, type LinkOptions, type MachineDescription } from "./link/link.ts";
import { takeLock } from "./lock.ts";
import { type LogLevel, openLog } from "./log.ts";
import { openDiskOutbox } from "./outbox/disk-outbox.ts";
import { fencePolicy, loadPolicy, savePolicy } from "./policy.ts";
import type { Fence } from "./probes/context.ts";
import { restWhenIdle } from "./rest.ts";
import {
  type CycleRequest,
  createRuntime,
  type Draft,
  type LastCycle,
  type Runtime,
  type RuntimeOptions,
} from "./runtime.ts";
import { defaultBudget, keepLimits } from "./self-limits.ts";
import { writeStatus } from "./status.ts";

/** The agent's eyes, made for one fence and one source of settings. */
export interface Sensors {
  readonly observe: (request: CycleRequest) => AsyncIterable<Draft>;
  readonly readSettings: () => Promise<SettingsFacts>;
  readonly canary: (request: CanaryRequest) => Promise<CanaryAnswer[]>;
  readonly networkFingerprint: () => string;
  readonly watch?: RuntimeOptions["watch"] & {};
}

export interface SensorSetup {
  readonly config: AgentConfig;
  readonly dataDir: string;
  readonly fence: Fence;
  /** Name to report instead of the system's. */
  readonly hostname: string | null;
}

/** What the process has that a test gives in another form. */
export interface AgentWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly version: string;
  readonly os: MachineDescription["os"];
  readonly hostname: string;
  readonly userAgent: string;
  readonly systemTrust: () => SecureContext;
  readonly routeFor: (proxySettings: string | null) => RouteFor;
  readonly sensors: (setup: SensorSetup) => Sensors;
  readonly resources: () => Pick<Resources, "rssBytes" | "cpuMs" | "uptimeSeconds" | "niceness">;
  /** Gives memory back to the system; after work there is more of it. */
  readonly releaseMemory: (afterWork: boolean) => void;
  readonly print: (line: string) => void;
  readonly installStopHandler: (stop: (reason: GoodbyeReason) => void) => void;
  /** Where the system tells of it: the machine goes to sleep, or is awake again. */
  readonly installPowerHandler?: (power: { onSuspend(): void; onResume(): void }) => void;
  /** Encrypts the key at rest, where the system can. */
  readonly keyProtection?: KeyProtection;
  /** Closes a directory to everybody but the system and its administrators, where its mode does not say so. */
  readonly secureDirectory?: (path: string) => void;
  /** What an admin looks for in the system's own log. */
  readonly report?: (event: AgentEvent, text: string) => void;
}

export type AgentEvent = "started" | "stopped" | "enrolled" | "enrolmentFailed" | "failed";

type Resources = ReturnType<LinkOptions["resources"]>;

const describeMachine = (world: AgentWorld, hostname: string | null): MachineDescription => ({
  agentVersion: world.version,
  os: world.os,
  hostname: hostname ?? world.hostname,
});

function openDataDir(dataDir: string, world: AgentWorld): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    world.secureDirectory?.(dataDir);
  } catch (error) {
    throw new Error(
      `the data directory ${dataDir} cannot be used: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
    );
  }
}

/** The options as the config file wants them; what was not told comes from the file there is. */
function mergeConfig(options: AgentOptions, before: AgentConfig | null): AgentConfig {
  const collector = options.collector ?? options.token?.url ?? before?.collector;
  if (collector === undefined)
    throw new Error("this machine is not enrolled; give --token with an enrolment token from the dashboard");
  parseCollectorUrl(collector);
  const allowedSuffixes = options.allowedSuffixes ?? before?.allowedSuffixes;
  if (allowedSuffixes === undefined)
    throw new Error(
      "--allowed-suffixes is missing: the agent probes only below these domains, whatever a policy says; use e.g. contoso.com,msftconnecttest.com",
    );
  return {
    collector,
    // A machine that is enrolled keeps its pin: a token that lies about must not move its trust.
    pin: before ? before.pin : (options.token?.pin ?? null),
    proxySettings: options.proxySettings ?? before?.proxySettings ?? null,
    allowedSuffixes,
    allowedPorts: options.allowedPorts ?? before?.allowedPorts ?? defaultPorts,
    proxy: options.proxy ?? before?.proxy ?? null,
    site: options.site ?? before?.site ?? null,
    tags: options.tags ?? before?.tags ?? [],
    budget: { ...(before?.budget ?? defaultBudget), ...options.budget },
    hostname: options.hostname ?? before?.hostname ?? null,
  };
}

/** The one way that the installer named; the connector itself tries without a proxy after it. */
function throughProxy(proxy: string | null): readonly Hop[] {
  if (proxy === null) return [];
  const { hostname, port } = new URL(proxy);
  return [{ kind: "proxy", proxy: { scheme: "http", host: hostname, port: Number(port || 80) } }];
}

function connectorOf(config: AgentConfig, world: AgentWorld): Connect {
  return connector({
    url: parseCollectorUrl(config.collector),
    pin: config.pin,
    systemTrust: world.systemTrust,
    routeFor: config.proxy === null ? world.routeFor(config.proxySettings) : async () => throughProxy(config.proxy),
    clock: world.clock,
    userAgent: world.userAgent,
  });
}

/** Enrols once and keeps the answer. @throws EnrolmentRefused, or Error when the collector cannot be asked. */
async function enrolOnce(
  dataDir: string,
  options: AgentOptions,
  config: AgentConfig,
  key: MachineKey,
  world: AgentWorld,
): Promise<{ machineId: string; approved: boolean }> {
  if (!options.token) throw new Error("--token is missing; copy an enrolment token from the dashboard");
  const answer = await enrol({
    connect: connectorOf(config, world),
    key,
    secret: options.token.secret,
    machine: describeMachine(world, config.hostname),
    simulated: false,
    site: config.site,
    tags: config.tags,
    clock: world.clock,
  });
  saveMachineId(dataDir, answer.machineId);
  saveConfig(dataDir, config);
  return answer;
}

/** `lynceus-agent enroll`. @returns the exit code. @throws Error with one line. */
export async function enrolCommand(options: AgentOptions, world: AgentWorld): Promise<number> {
  const { dataDir } = options;
  openDataDir(dataDir, world);
  const release = takeLock(dataDir);
  try {
    const known = loadMachineId(dataDir);
    if (known !== null)
      throw new Error(`this machine is enrolled already as ${known} in ${dataDir}; use another --data-dir`);
    if (!options.token) throw new Error("--token is missing; copy an enrolment token from the dashboard");
    const config = mergeConfig(options, null);
    const { machineId, approved } = await enrolOnce(
      dataDir,
      options,
      config,
      ensureKey(dataDir, world.keyProtection),
      world,
    );
    world.print(`enrolled as ${machineId}${approved ? "" : "; an admin has to approve this machine"}`);
    return 0;
  } finally {
    release();
  }
}

/** `lynceus-agent run`: until it is told to stop. @returns the exit code. @throws Error with one line. */
export async function runCommand(options: AgentOptions, logStdout: boolean, world: AgentWorld): Promise<number> {
  const { dataDir } = options;
  openDataDir(dataDir, world);
  const release = takeLock(dataDir);
  const log = openLog({
    path: join(dataDir, "agent.log"),
    clock: world.clock,
    ...(logStdout ? { echo: (line: string) => world.print(line.trimEnd()) } : {}),
  });
  try {
    return await runLocked(options, log, world);
  } catch (error) {
    log("error", "stopped", { why: (error as Error).message });
    if (!(error instanceof EnrolmentRefused)) world.report?.("failed", `stopped: ${(error as Error).message}`);
    throw error;
  } finally {
    log.close();
    release();
  }
}

type Logger = (level: LogLevel, message: string, detail?: Readonly<Record<string, unknown>>) => void;

async function runLocked(options: AgentOptions, log: Logger, world: AgentWorld): Promise<number> {
  const { dataDir } = options;
  const { clock } = world;
  const enrolledAs = loadMachineId(dataDir);
  // An id without a config is an enrolment that was cut off between the two files.
  const config = mergeConfig(options, enrolledAs === null ? null : loadConfig(dataDir));
  let runtime: Runtime | null = null;
  let overBudget = false;
  let held = false;
  let look = () => {};
  let acts = loadLimitActs(dataDir);
  const acted = (what: "processor" | "memory") => {
    acts = { ...acts, [what]: acts[what] + 1 };
    saveLimitActs(dataDir, acts);
  };
  const { budget } = config;
  // Not 0: whoever keeps the service running starts it anew.
  const exitCode = () => (overBudget ? 1 : 0);
  const stopped = new Promise<GoodbyeReason>((resolve) => {
    world.installStopHandler(resolve);
    look = keepLimits({
      clock,
      budget,
      usage: world.resources,
      release: () => world.releaseMemory(true),
      onHold(hold, processorPercent) {
        const detail = { percent: Math.round(processorPercent * 10) / 10, allowed: budget.processorPercent };
        if (hold) {
          log("warn", "used more of the processor than it may; probes wait", detail);
          acted("processor");
        } else log("info", "within its share of the processor again", detail);
        held = hold;
        runtime?.hold(held);
      },
      onHopeless(what, amount) {
        log("error", `uses more ${what} than it may and starts anew`, { amount, ...budget });
        acted(what);
        overBudget = true;
        resolve("stop");
      },
    });
  });
  const rest = restWhenIdle({ clock, busy: () => runtime?.busy() ?? false, look, release: world.releaseMemory });
  log("info", "started", { version: world.version, collector: config.collector });
  world.report?.("started", `version ${world.version}, collector ${config.collector}, data in ${dataDir}`);

  let machineId = enrolledAs;
  if (machineId === null) machineId = await enrolPatiently(options, config, log, world, stopped);
  else saveConfig(dataDir, config);
  if (machineId === null) {
    rest.end();
    return exitCode();
  }
  const key = loadKey(dataDir, world.keyProtection);
  if (!key) throw new Error(`the key of this machine is missing in ${dataDir}; restore it, or enrol again in another`);

  const fence: Fence = { suffixes: config.allowedSuffixes, ports: config.allowedPorts };
  const fenced = (policy: Policy): Policy => {
    const result = fencePolicy(policy, fence);
    if (result.outside.length > 0) log("warn", "targets outside the fence are not probed", { targets: result.outside });
    return result.policy;
  };
  const stored = loadPolicy(dataDir);
  let policyVersion = stored?.version ?? 0;
  let heartbeatSeconds = stored?.intervals.heartbeatSeconds ?? 30;

  const outbox = openDiskOutbox({
    directory: join(dataDir, "outbox"),
    clock,
    newId: world.newId,
    onDropped: (entries) => runtime?.dropped(entries),
    onDamage: (what) => log("warn", "outbox", { what }),
  });
  let lastCycle: LastCycle | null = null;
  const link: Link = createLink({
    connect: connectorOf(config, world),
    machineId,
    key,
    machine: describeMachine(world, config.hostname),
    bootId: world.newId(),
    outbox,
    clock,
    random: world.random,
    policyVersion: () => policyVersion,
    heartbeatSeconds: () => heartbeatSeconds,
    resources: () => ({
      ...world.resources(),
      maxRssBytes: budget.rssBytes,
      maxProcessorPercent: budget.processorPercent,
      limitActs: { ...acts },
    }),
    log,
    onPolicy(policy, ignored) {
      if (ignored.length > 0) log("info", "targets of unknown kinds are passed over", { targets: ignored });
      if (policy.version === policyVersion) return;
      savePolicy(dataDir, policy);
      policyVersion = policy.version;
      heartbeatSeconds = policy.intervals.heartbeatSeconds;
      log("info", "policy", { version: policy.version, targets: policy.targets.length });
      runtime?.setPolicy(fenced(policy));
    },
    onCommand: (id) => runtime?.checkNow(id),
    onCanary: (id, routes) => runtime?.canary(id, routes),
    onCollectorForgot: () => runtime?.forgetAll(),
    onChange(state) {
      runtime?.linkChanged(state);
      rest.soon(false);
    },
    onAnswered: () => rest.soon(false),
  });
  runtime = createRuntime({
    ...world.sensors({ config, dataDir, fence, hostname: config.hostname }),
    outbox,
    link,
    clock,
    random: world.random,
    policy: stored && fenced(stored),
    log,
    onRest: (worked) => rest.soon(worked),
    onStatus(cycle) {
      lastCycle = cycle ?? lastCycle;
      try {
        writeStatus(dataDir, {
          version: world.version,
          machineId,
          collector: config.collector,
          at: clock.now(),
          link: link.state(),
          policyVersion,
          lastCycle,
          outbox: outbox.stats(),
        });
      } catch (error) {
        log("warn", "the status could not be written", { why: (error as Error).message });
      }
    },
  });
  world.installPowerHandler?.({ onSuspend: () => link.suspend(), onResume: () => link.resume() });
  if (held) runtime.hold(held);
  runtime.start();
  const reason = await stopped;
  log("info", "stopping", { reason });
  rest.end();
  await runtime.stop(reason);
  world.report?.("stopped", `asked to: ${reason}`);
  return exitCode();
}

/** Enrols as soon as the collector can be reached; null when told to stop first. @throws EnrolmentRefused. */
async function enrolPatiently(
  options: AgentOptions,
  config: AgentConfig,
  log: Logger,
  world: AgentWorld,
  stopped: Promise<GoodbyeReason>,
): Promise<string | null> {
  if (!options.token)
    throw new Error("this machine is not enrolled; give --token with an enrolment token from the dashboard");
  const key = ensureKey(options.dataDir, world.keyProtection);
  // A collector that takes its time with the answer does not keep anybody from stopping us.
  const orStopped = <T>(work: Promise<T>): Promise<T | null> => Promise.race([work, stopped.then(() => null)]);
  for (let attempt = 0; ; attempt++) {
    let wait: number;
    try {
      const answer = await orStopped(enrolOnce(options.dataDir, options, config, key, world));
      if (answer === null) return null;
      const { machineId, approved } = answer;
      log("info", "enrolled", { machineId, approved });
      world.report?.("enrolled", `as ${machineId} at ${config.collector}`);
      return machineId;
    } catch (error) {
      const refused = error instanceof EnrolmentRefused && !error.mayPass;
      if (attempt === 0 || refused)
        world.report?.("enrolmentFailed", `at ${config.collector}: ${(error as Error).message}`);
      if (refused) throw error;
      const asked = error instanceof EnrolmentRefused ? error.retryAfterSeconds : null;
      wait = backOffMs(attempt, world.random, asked);
      log("warn", "not enrolled", { why: (error as Error).message, retryInMs: Math.round(wait) });
    }
    let cancel = () => {};
    const waited = new Promise<true>((resolve) => {
      cancel = world.clock.setTimer(() => resolve(true), wait);
    });
    const goOn = await orStopped(waited);
    cancel();
    if (goOn === null) return null;
  }
}
