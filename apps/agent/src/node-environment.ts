import { spawn } from "node:child_process";
import { isSea } from "node:sea";

/*
 * Node reads some NODE_* variables before any line of ours runs: they could load code, trust another authority or turn
 * verification off. The agent therefore never works with them: it starts itself again without any of them.
 */

/** Harmless where they stand: they name things and change nothing in Node. */
const harmless = new Set(["NODE_ENV", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"]);

type Environment = Readonly<Record<string, string | undefined>>;

/** Names of the variables by which the environment could steer Node. */
export const steeringVariables = (environment: Environment): string[] =>
  Object.entries(environment)
    // Empty is how the installer of Windows takes them from the service.
    .filter(([name, value]) => name.toUpperCase().startsWith("NODE_") && !harmless.has(name) && value !== "")
    .map(([name]) => name);

export function withoutSteering(environment: Environment): Record<string, string> {
  const steering = new Set(steeringVariables(environment));
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && !steering.has(name)) clean[name] = value;
  return clean;
}

/**
 * Runs this program again with a clean environment. Where Node can replace the process it does (and this never
 * returns); else a child runs, gets the signals, and its exit code is returned.
 */
export function runAgain(self: NodeJS.Process): Promise<number> {
  // The single executable is no script: its arguments begin one place later, and Node's own are built in.
  const args = isSea() ? self.argv.slice(2) : [...self.execArgv, ...self.argv.slice(1)];
  const env = withoutSteering(self.env);
  const replace = (self as { execve?: (file: string, args: string[], env: Record<string, string>) => never }).execve;
  if (replace && self.platform !== "win32") replace.call(self, self.execPath, [self.execPath, ...args], env);
  return new Promise((resolve, reject) => {
    // The channel is how the child notices that we were killed: `main.ts` stops when it closes.
    const child = spawn(self.execPath, args, { env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) self.on(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
