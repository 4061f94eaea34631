import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { requireTools, run, tryRun } from "./shell.ts";

/*
 * A Debian machine of its own with a real systemd: this machine's files below an overlay whose changes are in memory, its
 * own processes, users and services, and this machine's network. Of the limits of a unit it proves none: the memory and
 * processor groups of this machine are not handed down.
 */

export interface SystemdMachine {
  /** Its root directory as this machine sees it. */
  readonly root: string;
  /** Runs a command inside, as root. @throws with what it printed, when it fails. */
  run(command: string, ...args: string[]): string;
  stop(): Promise<void>;
}

/** What begins by the clock or asks the network on a real machine stays out of a test. */
const masked = ["timers.target", "systemd-timesyncd.service", "systemd-resolved.service", "systemd-networkd.service"];

/** Boots it and waits until its systemd has started everything. */
export async function startSystemdMachine(): Promise<SystemdMachine> {
  requireTools("systemd-nspawn", "nsenter");
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-machine-"));
  const name = path.basename(directory);
  const [root, upper, work] = ["root", "upper", "work"].map((part) => path.join(directory, "files", part)) as [
    string,
    string,
    string,
  ];
  mkdirSync(path.join(directory, "files"));
  run("mount", "-t", "tmpfs", "tmpfs", path.join(directory, "files"));
  for (const part of [root, upper, work]) mkdirSync(part);
  run("mount", "-t", "overlay", "overlay", "-o", `lowerdir=/,upperdir=${upper},workdir=${work}`, root);
  const units = path.join(root, "etc/systemd/system");
  mkdirSync(units, { recursive: true });
  for (const unit of masked) {
    rmSync(path.join(units, unit), { force: true });
    symlinkSync("/dev/null", path.join(units, unit));
  }
  const container = spawn(
    "systemd-nspawn",
    ["--register=no", "--keep-unit", "--link-journal=no", "--console=pipe", "-M", name, "-D", root, "--boot"].concat(
      "systemd.unit=basic.target",
    ),
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  container.stderr.on("data", (data) => {
    said += data;
  });
  const closed = once(container, "close");
  /** Number of its first process, as this machine counts. */
  const leader = () =>
    readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, "utf8").trim().split(" ").at(-1) ?? "";
  const inside = (command: string, ...args: string[]) =>
    run("nsenter", "-t", leader(), "-m", "-p", "-i", "-u", command, ...args);
  const machine: SystemdMachine = {
    root,
    run: inside,
    async stop() {
      if (container.exitCode === null && container.signalCode === null) {
        tryRun("kill", "-KILL", leader());
        await closed;
      }
      for (const mount of [root, path.dirname(root)]) tryRun("umount", mount);
      rmSync(directory, { recursive: true, force: true });
      rmSync(path.join("/run/systemd/nspawn/propagate", name), { recursive: true, force: true });
    },
  };
  try {
    for (;;) {
      if (container.exitCode !== null) throw new Error(`systemd did not start: ${said.trim()}`);
      try {
        // "degraded" is an error to systemctl and none to us: it is another service of this machine that failed.
        inside("sh", "-c", "systemctl is-system-running --wait | grep -E '^(running|degraded)$'");
        return machine;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  } catch (error) {
    await machine.stop();
    throw error;
  }
}
