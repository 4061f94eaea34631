#!/usr/bin/env node
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { getPriority, homedir, hostname, networkInterfaces, setPriority, uptime } from "node:os";
import { join } from "node:path";
import { getRawAsset } from "node:sea";
import { setFlagsFromString } from "node:v8";
import { type AgentWorld, enrolCommand, runCommand, type SensorSetup } from "./agent.ts";
import { createFile } from "./atomic-file.ts";
import { type CanaryRequest, probeCanary } from "./canary.ts";
import { cleanup, holdData, isHeld, releaseData } from "./cleanup.ts";
import { type Command, parseCommand, UsageError } from "./cli.ts";
import type { Clock } from "./clock.ts";
import { networkFingerprint } from "./network-fingerprint.ts";
import { runAgain, steeringVariables } from "./node-environment.ts";
import { type ObserveContext, observeCycle } from "./observe.ts";
import { loadKoffi } from "./platform/koffi.ts";
import { memoryReleaser } from "./platform/release-memory.ts";
import { runCommand as runProgram } from "./platform/run-command.ts";
import { stopReason } from "./platform/stop-reason.ts";
import { thisWindows } from "./platform/this-windows.ts";
import { type MachineWatch, watchMachine } from "./platform/watch.ts";
import { windowsCertificates } from "./platform/windows/certificates.ts";
import { parentConsole } from "./platform/windows/console.ts";
import { lowerPrivileges } from "./platform/windows/lower-privileges.ts";
import { awaitOthersEnd } from "./platform/windows/processes.ts";
import { windowsWorld } from "./platform/windows/windows-world.ts";
import { defaultTimeouts, type Fence, type ProbeContext, userAgentOf } from "./probes/context.ts";
import { readTrustStore, type TrustStore, windowsStore } from "./probes/trust-store.ts";
import { lastUsersIn } from "./proxy/last-users.ts";
import { waysOut } from "./proxy/own-route.ts";
import { scriptMemory } from "./proxy/script-memory.ts";
import { type LastUsers, readSettings, type SettingsContext } from "./proxy/settings.ts";
import { niceness } from "./self-limits.ts";
import { formatStatus, readStatus } from "./status.ts";

/*
 * The agent's process: the only place that makes the real clock, environment, randomness and network. What is made
 * here is handed to the commands, which a test gives another world.
 */

declare const LYNCEUS_AGENT_VERSION: string | undefined;
const version = typeof LYNCEUS_AGENT_VERSION === "string" ? LYNCEUS_AGENT_VERSION : "0.0.0-source";

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Without one, times on disk are compared by the wall clock after each start of the agent.
    return randomUUID();
  }
}

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => Math.round(uptime() * 1000),
  boot: bootId(),
  setTimer(fn, ms) {
    const timer = setTimeout(fn, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/**
 * The system's certificates, read again when their file changes: an admin may add the company's authority. They are
 * nobody's memory between two cycles: `forget` lets go of them.
 */
function trustStore(): { (): TrustStore; forget(): void } {
  let store: TrustStore | null = null;
  let stamp = "";
  const stampOf = (path: string) => {
    // Windows' store is no file: it is read again each hour.
    if (path.startsWith(windowsStore)) return `${Math.floor(clock.monotonic() / 3_600_000)}`;
    try {
      const { mtimeMs, size } = statSync(path);
      return `${mtimeMs} ${size}`;
    } catch {
      return "";
    }
  };
  const read = () => {
    if (store === null || stampOf(store.source) !== stamp) {
      store = readTrustStore(process.env, process.platform === "win32" ? windowsCertificates : null);
      stamp = stampOf(store.source);
    }
    return store;
  };
  return Object.assign(read, {
    forget() {
      store = null;
    },
  });
}

/** Secret of this machine by which its users are told apart without their names (domain 6.4). */
function saltOf(dataDir: string): string {
  const path = join(dataDir, "salt");
  createFile(path, randomBytes(16).toString("hex"));
  return readFileSync(path, "utf8").trim();
}

let release = (_afterWork: boolean) => {};
/** Told by the service manager of a sign-in, as by the registry itself. */
let changed: MachineWatch | null = null;
/** Set where this process has no console of its own but was started from one. */
let consoleText: ((text: string) => void) | null = null;
const stdout = (text: string) => (consoleText ? consoleText(text) : void process.stdout.write(text));
const stderr = (text: string) => (consoleText ? consoleText(text) : void process.stderr.write(text));
const stopping = new AbortController();
const trust = trustStore();
const scripts = scriptMemory(clock);
const uid = process.getuid?.() ?? null;
/** Users of the last reading, for the time in which nobody is signed in. */
let lastUsers: LastUsers = { users: [] };
let windowsKnown: SettingsContext["windows"];
/** The service's view of Windows; null elsewhere. */
const windows = () => {
  windowsKnown ??= thisWindows("all");
  return windowsKnown;
};

const probesWith = (fence: Fence, signal: AbortSignal): ProbeContext => ({
  clock,
  fence,
  signal,
  trust: trust(),
  resolver: { servers: null },
  timeouts: defaultTimeouts,
  scripts,
  userAgent: userAgentOf(version),
});

const settingsWith = (settingsFile: string | null, salt: string): SettingsContext => ({
  platform: process.platform,
  environment: process.env,
  settingsFile,
  run: runProgram,
  uid,
  salt,
  windows: windows(),
  lastUsers,
});

const networkStateOf = (machine: SettingsContext["windows"]) =>
  machine && !("why" in machine) ? machine.networkState() : "";

function sensors({ config, dataDir, fence, hostname: reported }: SensorSetup) {
  if (process.platform === "win32") lastUsers = lastUsersIn(dataDir);
  const settings = settingsWith(config.proxySettings, saltOf(dataDir));
  let turn = -1;
  const context = (signal: AbortSignal): ObserveContext => ({
    probes: probesWith(fence, signal),
    settings,
    turn: Math.max(0, turn),
    agentVersion: version,
    simulated: false,
    hostname: reported,
  });
  const watched = ["/etc/resolv.conf", ...(config.proxySettings === null ? [] : [config.proxySettings])];
  return {
    observe: ({
      policy,
      targets,
      whole,
      signal,
      onProgress,
    }: Parameters<ReturnType<AgentWorld["sensors"]>["observe"]>[0]) => {
      // A target that is tried again is tried in the configurations that the last cycle took.
      if (whole) turn++;
      return observeCycle({ policy, ctx: context(signal), only: targets, whole, onProbe: onProgress });
    },
    readSettings: async () => (await readSettings(settings)).facts,
    canary: async (request: CanaryRequest) =>
      probeCanary(request, {
        probes: probesWith(fence, request.signal),
        settings: (await readSettings(settings)).facts,
      }),
    networkFingerprint: () => networkFingerprint(networkInterfaces(), watched, networkStateOf(settings.windows)),
    watch: (handlers: MachineWatch) => {
      changed = handlers;
      return watchMachine(
        settings.windows ?? null,
        { environment: process.env, settingsFile: config.proxySettings },
        handlers,
      );
    },
  };
}

const oses: Partial<Record<NodeJS.Platform, AgentWorld["os"]>> = { win32: "windows", darwin: "macos", linux: "linux" };

const world: AgentWorld = {
  clock,
  random: Math.random,
  newId: randomUUID,
  version,
  os: oses[process.platform] ?? "other",
  hostname: hostname().slice(0, 255),
  userAgent: userAgentOf(version),
  systemTrust: () => trust().context,
  routeFor: (settingsFile) => (url) =>
    // The way out fetches scripts from wherever the settings say, and probes nothing: it has no fence.
    waysOut(url, settingsWith(settingsFile, ""), probesWith({ suffixes: [], ports: [] }, stopping.signal)),
  sensors,
  resources: () => {
    const { user, system } = process.cpuUsage();
    return {
      rssBytes: process.memoryUsage.rss(),
      cpuMs: Math.round((user + system) / 1000),
      uptimeSeconds: Math.round(process.uptime()),
      niceness: getPriority(),
    };
  },
  releaseMemory: (afterWork) => {
    if (afterWork) trust.forget();
    release(afterWork);
  },
  print: (line) => stdout(`${line}\n`),
  installStopHandler(stop) {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      let asked = false;
      process.on(signal, () => {
        // Asked twice, somebody is in a hurry: everything that matters is on disk.
        if (asked) process.exit(1);
        asked = true;
        if (signal === "SIGINT") stop("stop");
        else void stopReason(runProgram).then(stop);
      });
    }
    // Started again by ourselves: whoever kills the first process means this one.
    if (process.channel) {
      process.channel.unref();
      process.on("disconnect", () => stop("stop"));
    }
  },
};

/** The world with what only Windows has. */
const ownWorld = (): AgentWorld => (process.platform === "win32" ? { ...world, ...windowsWorld(loadKoffi()) } : world);

/** How long a removal waits for the process of a service that has just stopped. Milliseconds. */
const othersEndMs = 10_000;

/** For a long life on a machine of somebody else: little memory, and no hurry. */
function stepBack(): void {
  release = memoryReleaser();
  try {
    if (getPriority() < niceness) setPriority(niceness);
  } catch {
    // Where the system forbids it we stay as we are: a container may.
  }
}

async function execute(command: Command): Promise<number> {
  switch (command.name) {
    case "help":
      stdout(command.text);
      return 0;
    case "version":
      world.print(version);
      return 0;
    case "status": {
      const report = readStatus(command.dataDir);
      stdout(command.json ? `${JSON.stringify(report)}\n` : formatStatus(report));
      return report.running !== null && report.status?.link.phase === "connected" ? 0 : 1;
    }
    case "diagnose": {
      // Only this command judges; the service never loads the rules.
      const { runDiagnose } = await import("./diagnose.ts");
      for (const signal of ["SIGTERM", "SIGINT"] as const)
        process.once(signal, () => stopping.abort(new Error("stopped")));
      return runDiagnose(command.args, {
        stdout,
        stderr,
        environment: process.env,
        version,
        platform: process.platform,
        uid,
        clock,
        signal: stopping.signal,
      });
    }
    case "pac-child": {
      const { pacChild } = await import("@lynceus/pac/child");
      // The script's heap; the engine's own memory is bounded in itself.
      setFlagsFromString("--max-old-space-size=64");
      if (process.platform === "win32") lowerPrivileges(loadKoffi());
      await pacChild(new Uint8Array(getRawAsset("quickjs.wasm") as ArrayBuffer));
      return 0;
    }
    case "winhttp-child": {
      const { winHttpChild } = await import("./platform/windows/winhttp-child.ts");
      await winHttpChild();
      return 0;
    }
    case "service": {
      stepBack();
      const { runWindowsService } = await import("./platform/windows/run-windows-service.ts");
      return runWindowsService(loadKoffi(), ownWorld(), {
        environment: process.env,
        onSessionChange: () => changed?.onChange("settings"),
        parse: (environment) =>
          parseCommand(["run"], { environment, isRoot: true, home: homedir(), platform: process.platform }),
      });
    }
    case "cleanup":
      // While an upgrade holds the data, what runs is the new version.
      if (process.platform === "win32" && !isHeld(command.dataDir, Date.now()))
        awaitOthersEnd(loadKoffi(), othersEndMs);
      cleanup(command.dataDir, command.keepIdentity, Date.now());
      return 0;
    case "hold":
      holdData(command.dataDir);
      return 0;
    case "release":
      releaseData(command.dataDir);
      return 0;
    case "enroll":
      return enrolCommand(command.options, ownWorld());
    case "run":
      stepBack();
      return runCommand(command.options, command.logStdout, ownWorld());
  }
}

async function main(): Promise<number> {
  const asked = process.argv[2];
  // The service manager waits for this very process.
  if (asked !== "service" && steeringVariables(process.env).length > 0) return runAgain(process);
  try {
    const silent = ["service", "pac-child", "winhttp-child", "cleanup", "hold", "release"];
    if (process.platform === "win32" && !silent.includes(asked ?? "")) consoleText = parentConsole(loadKoffi());
    const environment = process.env;
    const { platform } = process;
    return await execute(
      parseCommand(process.argv.slice(2), { environment, isRoot: uid === 0, home: homedir(), platform }),
    );
  } catch (error) {
    stderr(`lynceus-agent: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

// A reader that went away is no reason to crash.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
// No top-level await: the single executable is CommonJS.
void main().then((code) => {
  process.exitCode = code;
  // The service manager has our word that we have stopped: an installer now replaces or removes what still runs.
  if (process.argv[2] === "service") process.exit();
  // Whatever still lingers (a socket of a probe) must not hold the process up.
  setTimeout(() => process.exit(), 3000).unref();
});
