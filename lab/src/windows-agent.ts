import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle, windowsExecutable } from "@lynceus/agent/packaging/executable";
import { packages } from "@lynceus/agent/packaging/fetched";
import { packaging, root } from "@lynceus/agent/packaging/layout";
import { makeMsi } from "@lynceus/agent/packaging/msi";

const cache = path.join(root, "node_modules/.cache/lynceus-windows");

/** The real `lynceus-agent.exe` of this checkout; put together anew only when something in it changed. */
export async function agentExecutable(): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const working = mkdtempSync(path.join(cache, "making-"));
  try {
    const program = path.join(working, "program.cjs");
    await bundle(program);
    const key = createHash("sha256")
      .update(readFileSync(program))
      .update(readFileSync(path.join(packaging, "executable.ts")))
      .update(readFileSync(path.join(root, "package-lock.json")))
      .update(JSON.stringify(packages))
      .digest("hex");
    const place = path.join(cache, key);
    const executable = path.join(place, "lynceus-agent.exe");
    if (existsSync(executable)) return executable;
    const made = path.dirname(await windowsExecutable(working, program));
    // Older ones are of no use any more.
    for (const name of readdirSync(cache))
      if (/^[0-9a-f]{64}$/.test(name)) rmSync(path.join(cache, name), { recursive: true, force: true });
    renameSync(made, place);
    return executable;
  } finally {
    rmSync(working, { recursive: true, force: true });
  }
}

export interface AgentInstallers {
  readonly msi: string;
  readonly next: string;
  readonly directory: string;
}

/** The Windows installers of this checkout: its own version, and a later one with the same content for the upgrade. */
export async function buildInstallers(): Promise<AgentInstallers> {
  const executable = await agentExecutable();
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-installers-"));
  const notices = path.join(directory, "notices.txt");
  writeFileSync(notices, "test\n");
  const parts = { executable, notices, date: 1_767_225_600 };
  return { msi: makeMsi(directory, parts), next: makeMsi(directory, { ...parts, version: "99.0.0" }), directory };
}

/** Processes of this machine whose command line begins with this program of a Wine prefix. */
export function processesOf(program: string, prefix: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0] ?? "";
        const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
        return command.toLowerCase().endsWith(program) && environment.includes(`WINEPREFIX=${prefix}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Ends a process at once, as a crash does. */
export const crash = (pid: number): void => void execFileSync("kill", ["-KILL", String(pid)]);
