import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

/** What a service is started with. Logs and pid files stand in the data directory. */
export interface ServiceSpec {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Called with each line of stdout. */
  readonly onLine?: (line: string) => void;
  /** Called when the process ends and nobody asked it to. */
  readonly onCrash?: (reason: string) => void;
}

export interface Service {
  readonly name: string;
  readonly log: string;
  /** SIGTERM, then SIGKILL after the grace. Resolves when the process is gone. */
  stop(): Promise<void>;
}

const graceMs = 10_000;
const logLimitBytes = 10 * 1024 * 1024;
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The command line of a process, to tell ours from a stranger that got the same number; null where it cannot be read. */
export function commandLine(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return null;
  }
}

async function endProcess(pid: number, gone: () => boolean): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; waited < graceMs && !gone(); waited += 50) await pause(50);
    if (gone()) return;
  }
}

const pidFile = (dataDir: string, name: string) => path.join(dataDir, "run", `${name}.pid`);

/** Ends what a killed supervisor left running, so that ports and files are free again. */
export async function endLeftover(dataDir: string, name: string, entry: string): Promise<void> {
  const file = pidFile(dataDir, name);
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8"));
  rmSync(file, { force: true });
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  if (!(commandLine(pid) ?? "").includes(entry)) return;
  await endProcess(pid, () => !isAlive(pid));
}

/** Starts a Node program in its own process group, so that Ctrl-C reaches the supervisor alone, which stops in order. */
export function startService(spec: ServiceSpec, dataDir: string): Service {
  const log = path.join(dataDir, "logs", `${spec.name}.log`);
  if (existsSync(log) && statSync(log).size > logLimitBytes) renameSync(log, `${log}.1`);
  const sink = createWriteStream(log, { flags: "a", mode: 0o600 });
  const child: ChildProcess = spawn(process.execPath, [...spec.args], {
    cwd: spec.cwd,
    env: { ...spec.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (child.pid) writeFileSync(pidFile(dataDir, spec.name), String(child.pid));
  let stopping = false;
  let ended = false;
  const lastWords: string[] = [];
  const remember = (line: string) => {
    lastWords.push(line);
    if (lastWords.length > 5) lastWords.shift();
  };
  child.stdout?.pipe(sink, { end: false });
  child.stderr?.pipe(sink, { end: false });
  if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => spec.onLine?.(line));
  if (child.stderr) createInterface({ input: child.stderr }).on("line", remember);
  const end = (reason: string) => {
    if (ended) return;
    ended = true;
    sink.end();
    if (stopping) return;
    rmSync(pidFile(dataDir, spec.name), { force: true });
    spec.onCrash?.(lastWords.length > 0 ? `${reason}: ${lastWords.at(-1)}` : reason);
  };
  child.on("error", (error) => end(error.message));
  child.on("close", (code, signal) => end(signal ? `signal ${signal}` : `exit ${code}`));
  return {
    name: spec.name,
    log,
    async stop() {
      stopping = true;
      if (!ended && child.pid) await endProcess(child.pid, () => ended);
      rmSync(pidFile(dataDir, spec.name), { force: true });
    },
  };
}

/** Like `startService`, and starts again after a crash, at most `limit` times in a minute; then gives up with the reason. */
export function keepService(
  spec: ServiceSpec,
  dataDir: string,
  say: (line: string) => void,
  giveUp: (reason: string) => void,
  limit = 5,
): Service {
  let stopped = false;
  const crashes: number[] = [];
  let current: Service;
  const start = () => {
    current = startService(
      {
        ...spec,
        onCrash: (reason) => {
          if (stopped) return;
          const now = Date.now();
          crashes.push(now);
          while (crashes[0] !== undefined && now - crashes[0] > 60_000) crashes.shift();
          if (crashes.length > limit) {
            giveUp(`${spec.name} ended ${crashes.length} times in a minute (${reason}); its log is ${current.log}`);
            return;
          }
          say(`${spec.name} ended (${reason}); starting it again`);
          setTimeout(() => {
            if (!stopped) start();
          }, 500 * crashes.length);
        },
      },
      dataDir,
    );
  };
  start();
  return {
    name: spec.name,
    get log() {
      return current.log;
    },
    async stop() {
      stopped = true;
      await current.stop();
    },
  };
}
