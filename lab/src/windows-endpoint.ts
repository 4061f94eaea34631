import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, vi } from "vitest";
import { type CollectorWorld, startCollectorWorld } from "./collector-world.ts";
import { type AgentInstallers, buildInstallers, processesOf } from "./windows-agent.ts";
import { type Ended, nodeExe, startWine, type Wine } from "./wine.ts";

/*
 * A Windows endpoint as its admin makes it: the real MSI with the real executable under Wine, beside the real collector
 * and PostgreSQL. Wine runs every service as its one user: what SYSTEM may do is not proven here (docs/windows.md).
 */

export interface AgentStatus {
  readonly machineId: string;
  readonly link: { readonly phase: string };
}

/** An entry of Windows' Application log. */
export interface LogEntry {
  readonly source: string;
  readonly id: number;
  readonly type: "error" | "warning" | "information";
  readonly text: string;
}

/**
 * Wine keeps no event log: its calls only say what they were asked for, with these channels, on stderr of the program that
 * started the services.
 */
const eventChannels = "-all,+eventlog,fixme+advapi";
const entryTypes = { 1: "error", 2: "warning", 4: "information" } as const;

/** The entries that a trace of Wine tells of. */
function entriesOf(trace: string): LogEntry[] {
  const call = /RegisterEventSourceW \(\(null\),L"(?<source>[^"]*)"\)/;
  const report = /ReportEventW \([^,]*,0x(?<type>[0-9a-f]+),0x[0-9a-f]+,0x(?<id>[0-9a-f]+),/;
  const text = /:eventlog:ReportEventW L"(?<text>.*)"$/;
  const entries: LogEntry[] = [];
  let source = "";
  let head: Pick<LogEntry, "id" | "type"> = { id: 0, type: "error" };
  for (const line of trace.split("\n")) {
    source = call.exec(line)?.groups?.source ?? source;
    const { type, id } = report.exec(line)?.groups ?? {};
    if (type !== undefined && id !== undefined)
      head = { id: Number.parseInt(id, 16), type: entryTypes[Number.parseInt(type, 16) as keyof typeof entryTypes] };
    const said = text.exec(line)?.groups?.text;
    // Wine prints a backslash twice.
    if (said !== undefined) entries.push({ source, ...head, text: said.replaceAll("\\\\", "\\") });
  }
  return entries;
}

export interface WindowsEndpoint {
  readonly wine: Wine;
  readonly world: CollectorWorld;
  readonly installers: AgentInstallers;
  /** The agent's data directory, as this machine names it. */
  readonly data: string;
  msiexec(...args: readonly string[]): Promise<Ended>;
  install(msi: string, ...properties: readonly string[]): Promise<Ended>;
  /** Processes of the service. */
  service(): number[];
  /** What the agent itself says, once it is connected. */
  connected(): Promise<AgentStatus>;
  /** What was written to Windows' Application log so far, under any source. */
  eventLog(): LogEntry[];
  /** What the agent and the collector logged at last, for a test that fails. */
  logs(): string;
  stop(): Promise<void>;
}

/** Waits until a check no longer throws. */
export const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 120_000, interval: 250 });

export async function startWindowsEndpoint(): Promise<WindowsEndpoint> {
  // One after the other: packaging holds the event loop for longer than a connection waits.
  const installers = await buildInstallers();
  const world = await startCollectorWorld();
  const wine = startWine();
  // Wine ends its services with the last user's program, and those of the set-up have just ended: begin anew.
  for (const option of ["-k", "-w", "-p"]) execFileSync("wineserver", [option], { env: wine.env, stdio: "ignore" });
  const signedIn = ["-e", "console.log('signed in'); setInterval(() => {}, 1e6)"];
  const user = wine.start(nodeExe(), signedIn, { env: { WINEDEBUG: eventChannels } });
  // The first program starts the services, which trace as it does: none may overtake it.
  await soon(() => expect(readFileSync(user.log, "utf8")).toContain("signed in"));
  const programData = (await wine.run("cmd", ["/c", "echo %ProgramData%"])).output.trim();
  const data = wine.unixPath(`${programData}\\Lynceus`);
  const msiexec: WindowsEndpoint["msiexec"] = (...args) =>
    wine.run("msiexec", [...args, "/qn"], { timeoutMs: 300_000 });
  return {
    wine,
    world,
    installers,
    data,
    msiexec,
    install: (msi, ...properties) => msiexec("/i", wine.windowsPath(msi), ...properties),
    service: () => processesOf("lynceus-agent.exe", wine.env.WINEPREFIX ?? ""),
    connected: () =>
      soon(() => {
        const status = JSON.parse(readFileSync(path.join(data, "status.json"), "utf8")) as AgentStatus;
        expect(status.link.phase).toBe("connected");
        return status;
      }),
    eventLog: () => entriesOf(readFileSync(user.log, "utf8")),
    logs() {
      const file = path.join(data, "agent.log");
      const agent = existsSync(file) ? readFileSync(file, "utf8") : "no log";
      return `${agent}\n${world.log.slice(-10).join("\n")}`;
    },
    async stop() {
      user.process.kill("SIGKILL");
      wine.stop();
      await world.stop();
      rmSync(installers.directory, { recursive: true, force: true });
    },
  };
}
