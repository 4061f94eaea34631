import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** Runs a command to its end. @throws with what it printed, when it fails. */
export function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new Error(`${command} ${args.join(" ")} failed: ${(stderr || stdout || String(error)).trim()}`);
  }
}

/** Runs a command and ignores whether it failed: for taking down what may not be there. */
export function tryRun(command: string, ...args: string[]): void {
  try {
    run(command, ...args);
  } catch {
    // Nothing to take down.
  }
}

/** @throws one line that names what is missing and how to get it. */
export function requireTools(...tools: string[]): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    throw new Error("the lab needs root on Linux: it makes network namespaces");
  const directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const missing = tools.filter((tool) => !directories.some((directory) => existsSync(path.join(directory, tool))));
  if (missing.length > 0) throw new Error(`the lab needs ${missing.join(", ")}; .ci/run lists the Debian packages`);
}

export interface Daemon {
  readonly process: ChildProcess;
  readonly log: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a long-running program inside a namespace, its output in a log file. */
export function startDaemon(
  namespace: string,
  log: string,
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined> = process.env,
): Daemon {
  const sink = createWriteStream(log, { flags: "a" });
  const child = spawn("ip", ["netns", "exec", namespace, command, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(sink, { end: false });
  child.stderr.pipe(sink, { end: false });
  let gone = false;
  const closed = new Promise<void>((resolve) => {
    child.on("close", () => {
      gone = true;
      sink.end();
      resolve();
    });
  });
  return {
    process: child,
    log,
    async stop(signal = "SIGTERM") {
      if (gone) return;
      child.kill(signal);
      const hard = setTimeout(() => child.kill("SIGKILL"), 5000);
      await closed;
      clearTimeout(hard);
    },
  };
}
