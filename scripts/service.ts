import { type ChildProcess, execFileSync, spawn } from "node:child_process";
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

/**
 * When a process began, in the system's own words, to tell ours from a stranger that got the same number later; null
 * where there is none. (A command line would not do: Next.js renames its process.)
 */
function beginningOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      // Field 22 of proc(5)'s stat, counted behind the name, which may hold spaces.
      return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? null;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
  } catch {
    return null;
  }
}

const pidFile = (dataDir: string, name: string) => path.join(dataDir, "run", `${name}.pid`);

/** Notes which process is `name` now. */
export function notePid(dataDir: string, name: string, pid: number): void {
  writeFileSync(pidFile(dataDir, name), `${pid} ${beginningOf(pid) ?? ""}`);
}

/** The noted process, when it still runs and is the same; else null. */
export function notedPid(dataDir: string, name: string): number | null {
  const file = pidFile(dataDir, name);
  if (!existsSync(file)) return null;
  const [number = "", ...beginning] = readFileSync(file, "utf8").trim().split(" ");
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return null;
  return beginningOf(pid) === beginning.join(" ") ? pid : null;
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

/** Ends what a killed supervisor left running, so that ports and files are free again. */
export async function endLeftover(dataDir: string, name: string): Promise<void> {
  const pid = notedPid(dataDir, name);
  rmSync(pidFile(dataDir, name), { force: true });
  if (pid !== null) await endProcess(pid, () => !isAlive(pid));
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
  if (child.pid) notePid(dataDir, spec.name, child.pid);
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
