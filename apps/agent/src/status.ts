import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./atomic-file.ts";
import type { LinkState } from "./link/link.ts";
import { lockHolder } from "./lock.ts";
import type { OutboxStats } from "./outbox/outbox.ts";

/** What a running agent says of itself, for `lynceus-agent status` and for support. */
export interface AgentStatus {
  readonly version: string;
  readonly machineId: string;
  readonly collector: string;
  /** Wall clock of the writing, ms. */
  readonly at: number;
  readonly link: LinkState;
  readonly policyVersion: number;
  readonly lastCycle: { readonly at: number; readonly reason: string; readonly probes: number } | null;
  readonly outbox: OutboxStats;
}

const statusFile = (dataDir: string) => join(dataDir, "status.json");

export const writeStatus = (dataDir: string, status: AgentStatus): void =>
  replaceFile(statusFile(dataDir), `${JSON.stringify(status)}\n`);

export interface StatusReport {
  /** Pid of the running agent, or null. */
  readonly running: number | null;
  readonly status: AgentStatus | null;
}

/** What is known of the agent of a data directory, running or not. Never throws. */
export function readStatus(dataDir: string): StatusReport {
  let status: AgentStatus | null = null;
  try {
    status = JSON.parse(readFileSync(statusFile(dataDir), "utf8")) as AgentStatus;
  } catch {
    // It has not run yet.
  }
  return { running: lockHolder(dataDir), status };
}

const instant = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 300);

/** The report as lines for a terminal. */
export function formatStatus({ running, status }: StatusReport): string {
  const lines = [`agent       ${running === null ? "not running" : `running, pid ${running}`}`];
  if (status) {
    const { link, outbox, lastCycle } = status;
    const via = link.via === null || link.via === "direct" ? "" : ` through ${printable(link.via)}`;
    const phase = running === null ? "" : `${link.phase} since ${instant(link.since)}${via}`;
    lines.push(
      `version     ${printable(String(status.version))}`,
      `machine     ${printable(String(status.machineId))}`,
      `collector   ${printable(String(status.collector))}`,
    );
    if (phase) lines.push(`link        ${phase}`);
    if (link.lastError !== null) lines.push(`last error  ${printable(link.lastError)}`);
    lines.push(
      `last cycle  ${lastCycle ? `${instant(lastCycle.at)}, ${lastCycle.probes} probes (${lastCycle.reason})` : "none yet"}`,
      `policy      ${status.policyVersion === 0 ? "none yet" : `version ${status.policyVersion}`}`,
      `outbox      ${outbox.items} waiting, ${outbox.bytes} bytes; dropped ${outbox.droppedObservations} observations, ${outbox.droppedConfirmations} confirmations`,
      `as of       ${instant(status.at)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
