import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** `npm run up`, as started in a terminal. */
export interface Running {
  /** Everything it printed. */
  output(): string;
  /** The one-time link of the first admin; null when none was printed. */
  welcomeLink(): string | null;
  /** Process id of one of its parts, from the data directory. */
  pidOf(part: "up" | "collector" | "dashboard" | "agent"): number;
  /** A signal to its whole process group, as Ctrl-C in a terminal. */
  signal(name: NodeJS.Signals): void;
  /** Exit code, when it has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

const readyMs = 180_000;

/** Starts everything and waits until it says so. `args` are the options of `npm run up`. */
export async function up(
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  // What vitest and the tests' own database put there is none of its business.
  const { DATABASE_URL: _own, LYNCEUS_TEST_DATABASE_URL: _tests, NODE_ENV: _test, ...rest } = process.env;
  const child = spawn(process.execPath, [path.join(root, "scripts/up.mjs"), "--data-dir", dataDir, ...args], {
    cwd: root,
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${process.execPath} could not be started`);
  let text = "";
  let failed: (error: Error) => void = () => {};
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      failed(new Error(`npm run up ended with ${code}:\n${text}`));
      resolve(code);
    });
  });
  const said = new Promise<void>((resolve, reject) => {
    failed = reject;
    const timer = setTimeout(() => reject(new Error(`npm run up was not ready in time:\n${text}`)), readyMs);
    const heard = (chunk: Buffer) => {
      text += chunk.toString();
      // The link of the first admin stands below, in the same breath.
      if (!/Data, logs .*\n/.test(text)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on("data", heard);
    child.stderr.on("data", heard);
  });
  const running: Running = {
    output: () => text,
    welcomeLink: () => /First admin\s+(\S+)/.exec(text)?.[1] ?? null,
    pidOf: (part) => Number.parseInt(readFileSync(path.join(dataDir, "run", `${part}.pid`), "utf8"), 10),
    signal: (name) => void process.kill(-pid, name),
    ended,
  };
  await said.catch(async (error: unknown) => {
    if (child.exitCode === null && child.signalCode === null) running.signal("SIGTERM");
    await ended;
    throw error;
  });
  return running;
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
