import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle, windowsExecutable } from "@lynceus/agent/packaging/executable";
import { makeMsi } from "@lynceus/agent/packaging/msi";

/** The Windows installers of this checkout: its own version, and a later one for the upgrade. */
export async function buildInstallers(): Promise<{
  readonly msi: string;
  readonly next: string;
  readonly directory: string;
}> {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-installers-"));
  const program = path.join(directory, "program.cjs");
  await bundle(program);
  const executable = await windowsExecutable(directory, program);
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
