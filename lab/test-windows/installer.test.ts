import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFailed, vi } from "vitest";
import { type CollectorWorld, startCollectorWorld } from "../src/collector-world.ts";
import { buildInstallers, crash, processesOf } from "../src/windows-agent.ts";
import { nodeExe, type Started, startWine, type Wine } from "../src/wine.ts";

/*
 * The real MSI with the real executable under Wine, against the real collector and PostgreSQL. Wine runs every service
 * as its one user: what SYSTEM may do is not proven here (docs/windows.md).
 */

const program = "C:\\Program Files\\Lynceus Agent\\lynceus-agent.exe";
const setupKey = "HKLM\\SOFTWARE\\Lynceus\\Agent";
const uninstallKey = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall";
const serviceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LynceusAgent";

let world: CollectorWorld;
let wine: Wine;
/** A program of a user: with the last of them Wine ends its services. */
let user: Started;
let programData: string;
let installers: Awaited<ReturnType<typeof buildInstallers>>;

beforeAll(async () => {
  // One after the other: packaging holds the event loop for longer than a connection waits.
  installers = await buildInstallers();
  world = await startCollectorWorld();
  wine = startWine();
  // Wine ends its services with the last user's program, and those of the set-up have just ended: begin anew.
  for (const option of ["-k", "-w", "-p"]) execFileSync("wineserver", [option], { env: wine.env, stdio: "ignore" });
  user = wine.start(nodeExe(), ["-e", "setInterval(() => {}, 1e6)"]);
  programData = (await wine.run("cmd", ["/c", "echo %ProgramData%"])).output.trim();
}, 600_000);

afterAll(async () => {
  user?.process.kill("SIGKILL");
  wine?.stop();
  await world?.stop();
  if (installers) rmSync(installers.directory, { recursive: true, force: true });
});

const data = () => wine.unixPath(`${programData}\\Lynceus`);
const msiexec = (...args: string[]) => wine.run("msiexec", [...args, "/qn"], { timeoutMs: 300_000 });
const install = (file: string, ...properties: string[]) => msiexec("/i", wine.windowsPath(file), ...properties);
const query = (key: string, ...args: string[]) => wine.run("reg", ["query", key, ...args]);
const machines = () => world.db.prisma.machine.findMany({ orderBy: { id: "asc" } });
const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 120_000, interval: 250 });
const service = () => processesOf("lynceus-agent.exe", wine.env.WINEPREFIX ?? "");
const agentLog = () => {
  const file = path.join(data(), "agent.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "no log";
};

interface Status {
  readonly machineId: string;
  readonly link: { readonly phase: string };
}
/** What the agent itself says, once it is connected. */
const connected = () =>
  soon(() => {
    const status = JSON.parse(readFileSync(path.join(data(), "status.json"), "utf8")) as Status;
    expect(status.link.phase).toBe("connected");
    return status;
  });

/** The same of another process than that of before. */
const connectedAnew = async (before: readonly number[]) => {
  const status = path.join(data(), "status.json");
  const started = await soon(() => {
    const [pid, ...more] = service();
    expect(more).toEqual([]);
    expect(before).not.toContain(pid);
    expect(pid).toBeDefined();
    return readFileSync(status, "utf8");
  });
  await soon(() => expect(readFileSync(status, "utf8")).not.toBe(started));
  return connected();
};

describe("the MSI", { timeout: 400_000 }, () => {
  let machineId: string;

  it("installs without a window; the service enrols and reports", async () => {
    onTestFailed(() => console.error(agentLog(), world.log.slice(-10).join("\n")));
    const { code, output } = await install(
      installers.msi,
      `ENROLL_TOKEN=${world.token}`,
      "ALLOWED_SUFFIXES=example.org,msftconnecttest.com",
      "SITE=Berlin",
      "TAGS=vdi,pilot",
    );
    expect({ code, output }).toEqual({ code: 0, output: "" });
    machineId = (await connected()).machineId;
    expect((await machines()).map(({ id, os }) => ({ id, os }))).toEqual([{ id: machineId, os: "windows" }]);
    await soon(async () => expect((await world.observations()).length).toBeGreaterThan(3));
  });

  it("leaves no token and no readable key", async () => {
    const values = (await query(setupKey)).output;
    expect(values).toContain("AllowedSuffixes");
    expect(values).not.toContain("EnrollToken");
    expect(readFileSync(path.join(data(), "machine.key"), "utf8")).toMatch(/^lynceus-protected-1 [A-Za-z0-9+/=]+\n$/);
    for (const name of readdirSync(data()).filter((name) => name.endsWith(".json") || name.endsWith(".log")))
      expect(readFileSync(path.join(data(), name), "utf8")).not.toContain(world.token);
  });

  it("makes a service that starts by itself, with its path in quotes, its recovery and its delayed start", async () => {
    const { output } = await query(serviceKey);
    expect(output).toMatch(
      /ImagePath\s+REG_(?:EXPAND_)?SZ\s+"C:\\Program Files\\Lynceus Agent\\lynceus-agent\.exe" service/,
    );
    expect(output).toMatch(/Start\s+REG_DWORD\s+0x2/);
    expect(output).toMatch(/ObjectName\s+REG_SZ\s+LocalSystem/);
  });

  it("of a killed service loses nothing and repeats nothing", async () => {
    onTestFailed(() => console.error(agentLog(), world.log.slice(-10).join("\n")));
    const before = await world.observations();
    const heard = await world.lastSeq();
    const [pid] = service();
    expect(pid).toBeDefined();
    crash(pid ?? 0);
    await soon(() => expect(service()).toEqual([]));
    const written = readFileSync(path.join(data(), "status.json"), "utf8");
    await soon(async () => {
      await wine.run("net", ["start", "LynceusAgent"]);
      expect(service()).toHaveLength(1);
    });
    await soon(() => expect(readFileSync(path.join(data(), "status.json"), "utf8")).not.toBe(written));
    expect((await connected()).machineId).toBe(machineId);
    // What did not change costs no row, but is heard.
    await soon(async () => expect(await world.lastSeq()).toBeGreaterThan(heard));
    const rows = await world.observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch }) => epoch)).size).toBe(1);
    const numbers = rows.map(({ seq }) => seq);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("of a later version keeps the machine", async () => {
    onTestFailed(() => console.error(agentLog(), world.log.slice(-10).join("\n")));
    const key = readFileSync(path.join(data(), "machine.key"), "utf8");
    const before = await world.observations();
    const heard = await world.lastSeq();
    const running = service();
    expect((await install(installers.next)).code).toBe(0);
    expect((await connectedAnew(running)).machineId).toBe(machineId);
    expect(readFileSync(path.join(data(), "machine.key"), "utf8")).toBe(key);
    expect((await machines()).map(({ id }) => id)).toEqual([machineId]);
    // One product, the later one, and nothing holds its data any more.
    const { output } = await query(uninstallKey, "/s");
    expect(output.match(/DisplayVersion\s+REG_SZ\s+\S+/g)).toEqual([expect.stringMatching(/ 99\.0\.0$/)]);
    expect(readdirSync(data())).not.toContain("upgrade.hold");
    // The outbox goes on where it was.
    await soon(async () => expect(await world.lastSeq()).toBeGreaterThan(heard));
    const rows = await world.observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch }) => epoch)).size).toBe(1);
  });

  it("repairs what was removed", async () => {
    await wine.run("net", ["stop", "LynceusAgent"]);
    await soon(() => expect(service()).toEqual([]));
    rmSync(wine.unixPath(program));
    // What msiexec /fa stands for; Wine's knows no /fa.
    expect((await install(installers.next, "REINSTALL=ALL", "REINSTALLMODE=amus")).code).toBe(0);
    expect(existsSync(wine.unixPath(program))).toBe(true);
    expect((await connectedAnew([])).machineId).toBe(machineId);
  });

  it("removes everything but the identity when asked to keep that", async () => {
    expect((await msiexec("/x", wine.windowsPath(installers.next), "KEEP_IDENTITY=1")).code).toBe(0);
    expect(readdirSync(data()).sort()).toEqual(["config.json", "machine.json", "machine.key", "salt"]);
    expect((await install(installers.next)).code).toBe(0);
    expect((await connected()).machineId).toBe(machineId);
  });

  it("removed leaves nothing", async () => {
    expect((await msiexec("/x", wine.windowsPath(installers.next))).code).toBe(0);
    // The manager has heard that the service stopped before its process has ended.
    await soon(() => expect(service()).toEqual([]));
    expect(existsSync(data())).toBe(false);
    expect(existsSync(path.dirname(wine.unixPath(program)))).toBe(false);
    for (const key of [setupKey, serviceKey]) expect((await query(key)).code).not.toBe(0);
  });
});
