import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))));
export const inDeploy = (file: string) => path.join(root, "deploy", file);

/** A program of somebody else's, or ours as it is built, that runs until it is stopped. */
export interface Program {
  readonly pid: number;
  /** What it said so far, both streams. */
  readonly said: readonly string[];
  /** The first line, also of those to come, that matches. @throws when it ends before, with what it said. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The Debian package that has it, for who lacks it. */
  readonly debian?: string;
}

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const child: ChildProcess = spawn(command, [...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  const waiting = new Set<() => void>();
  let ended: string | null = null;
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        wake();
      });
  const gone = new Promise<void>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      ended =
        error.code === "ENOENT" && options.debian
          ? `${command} is not there; install the Debian package: apt-get install ${options.debian}`
          : error.message;
      wake();
      resolve();
    });
    child.on("close", (code, signal) => {
      ended ??= `${command} ended with ${signal ?? code}`;
      wake();
      resolve();
    });
  });
  return {
    get pid() {
      return child.pid ?? 0;
    },
    said,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        let from = 0;
        const look = () => {
          for (; from < said.length; from++) {
            const found = pattern.exec(said[from] ?? "");
            if (!found) continue;
            waiting.delete(look);
            resolve(found);
            return;
          }
          if (ended === null) return;
          waiting.delete(look);
          reject(new Error(`${ended}: ${said.slice(-8).join(" | ")}`));
        };
        waiting.add(look);
        look();
      }),
    async stop(signal = "SIGTERM") {
      if (ended === null) child.kill(signal);
      await gone;
    },
  };
}
