import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";

/** Value below which `share` (0–1) of the sorted samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (samples: readonly number[]) => percentile(samples, 0.5);

/** Resident memory of a process in bytes, from the kernel. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1024;
}

/** Processor time of all threads of a process so far, in nanoseconds: what /proc/PID/stat counts in hundredths is too coarse for a program at rest. */
export function cpuNanoseconds(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  return sum;
}

/** Fields of /proc/PID/stat after the name, which may hold anything. */
const stat = (pid: number): string[] => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];

/** User and system CPU seconds of a process so far. */
export function cpuSeconds(pid: number): number {
  const fields = stat(pid);
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** CPU seconds of the children of a process that have ended. */
export function reapedCpuSeconds(pid: number): number {
  const fields = stat(pid);
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Processor time of a process's threads that live, in ms, to a millionth; 0 once it has ended, as PostgreSQL's workers do. */
export function onCpuMs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + onCpuOf(`/proc/${pid}/task/${task}`), 0) / 1e6;
  } catch {
    return 0;
  }
}

/** Nanoseconds; 0 for a thread that ended while we looked. */
function onCpuOf(task: string): number {
  try {
    return Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return 0;
  }
}

/** Processes whose parent this is. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return parentOf(child) === pid;
      } catch {
        return false;
      }
    });
}

export const parentOf = (pid: number): number => Number(stat(pid)[1]);

export const machineLine = () =>
  `${os.cpus().length} cores (${os.cpus()[0]?.model ?? "unknown"}), Node ${process.versions.node}, ${os.platform()} ${os.release()}`;

/** The load that others put on the machine is part of what a figure means. */
export const loadAverage = () =>
  `load ${os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}`;

export const fixed = (value: number, digits = 0) =>
  value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A Markdown table, to be copied into docs/benchmarks.md as it is. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
