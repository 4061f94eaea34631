import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** A process of ours whose lines are read until it ends. */
export interface Running {
  isAlive(): boolean;
  /** Sends SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and waits for the line it prints at last. Throws when it fails. */
  finish(): Promise<string>;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv, onLine: (line: string) => void): Running & Child {
  const child = spawn(process.execPath, [...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  let last = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = line;
    onLine(line);
  });
  const closed = once(child, "close");
  return {
    child,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    async finish() {
      child.kill("SIGTERM");
      const [code, signal] = await closed;
      if (code !== 0) throw new Error(`${args.at(-1)} ended with ${signal ?? code}`);
      return last;
    },
  };
}

interface Child {
  readonly child: ChildProcess;
}

/** Starts the built collector on plain text, and waits until it listens. */
export async function startCollector(options: {
  readonly databaseUrl: string;
  readonly port: number;
  readonly directory: string;
  readonly log: string[];
}): Promise<Running> {
  const program = path.join(root, "apps/collector/dist/main.js");
  const { port, directory, databaseUrl, log } = options;
  const args = [program, "--plain", "--host", "127.0.0.1", "--port", String(port), "--data-dir", directory];
  const env = { ...process.env, NODE_ENV: "production", DATABASE_URL: databaseUrl };
  return new Promise((resolve, reject) => {
    const running = run(args, env, (line) => {
      log.push(line);
      if (line.includes('"msg":"listening"')) resolve(running);
    });
    running.child.once("close", (code) => reject(new Error(`the collector ended with ${code} before it listened`)));
  });
}

/** Starts `crash-sender.ts`. It says at each line how many entries this run has promised and what is acknowledged. */
export function startSender(options: {
  readonly directory: string;
  readonly port: number;
  readonly secret: string;
  readonly run: number;
  readonly onProgress: (promised: number, acked: number) => void;
  readonly onEnd: () => void;
}): Running {
  const { directory, port, secret, onProgress } = options;
  const program = fileURLToPath(new URL("crash-sender.ts", import.meta.url));
  const named = { directory, url: `ws://127.0.0.1:${port}`, secret, run: options.run };
  const args = Object.entries(named).map(([name, value]) => `--${name}=${value}`);
  const running = run(["--import", "tsx", program, ...args], process.env, (line) => {
    const [, promised, acked] = /^(\d+) (\d+)$/.exec(line) ?? [];
    if (promised !== undefined) onProgress(Number(promised), Number(acked));
  });
  running.child.once("close", options.onEnd);
  return running;
}

/**
 * A port that nothing uses, to be taken again after each kill. Below those that the system gives to outgoing
 * connections: one of them could take it in between, even a connection of the agent to itself.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
