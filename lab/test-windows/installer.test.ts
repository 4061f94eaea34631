import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { crash } from "../src/windows-agent.ts";
import { soon, startWindowsEndpoint, type WindowsEndpoint } from "../src/windows-endpoint.ts";

/* The real MSI: what it installs, replaces, repairs and removes, and what becomes of the machine meanwhile. */

const program = "C:\\Program Files\\Lynceus Agent\\lynceus-agent.exe";
const setupKey = "HKLM\\SOFTWARE\\Lynceus\\Agent";
const uninstallKey = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall";
const sourceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Lynceus Agent";
const serviceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LynceusAgent";

let endpoint: WindowsEndpoint;
beforeAll(async () => {
  endpoint = await startWindowsEndpoint();
}, 600_000);
afterAll(() => endpoint?.stop());

const query = (key: string, ...args: string[]) => endpoint.wine.run("reg", ["query", key, ...args]);
const machines = () => endpoint.world.db.prisma.machine.findMany({ orderBy: { id: "asc" } });
/** On failure the test says what the agent and the collector said. */
const explained = () => onTestFailed(() => console.error(endpoint.logs()));
/** The newest entry in Windows' event log with this number, once there is one. */
const logged = (id: number) =>
  soon(() => {
    const entry = endpoint.eventLog().findLast((one) => one.id === id);
    if (!entry) throw new Error(`no entry ${id}`);
    return entry;
  });
const inData = (name: string) => path.join(endpoint.data, name);

/** Connected, by another process than those of before, whose last word was that they had stopped. */
const connectedAnew = async (before: readonly number[]) => {
  await soon(() => {
    const [pid, ...more] = endpoint.service();
    expect(more).toEqual([]);
    expect(before).not.toContain(pid);
    expect(pid).toBeDefined();
  });
  return endpoint.connected();
};

describe("the MSI", { timeout: 400_000 }, () => {
  let machineId: string;

  it("installs without a window; the service enrols and reports", async () => {
    explained();
    const { code, output } = await endpoint.install(
      endpoint.installers.msi,
      `ENROLL_TOKEN=${endpoint.world.token}`,
      "ALLOWED_SUFFIXES=example.org,msftconnecttest.com",
      "SITE=Berlin",
      "TAGS=vdi,pilot",
    );
    expect({ code, output }).toEqual({ code: 0, output: "" });
    machineId = (await endpoint.connected()).machineId;
    expect((await machines()).map(({ id, os }) => ({ id, os }))).toEqual([{ id: machineId, os: "windows" }]);
    await soon(async () => expect((await endpoint.world.observations()).length).toBeGreaterThan(3));
  });

  it("makes a source in Windows' event log, where the agent says that it started and enrolled", async () => {
    const { output } = await query(sourceKey);
    expect(output).toMatch(/EventMessageFile\s+REG_(?:EXPAND_)?SZ\s+C:\\windows\\system32\\EventCreate\.exe/i);
    expect(await logged(1)).toEqual({
      source: "Lynceus Agent",
      id: 1,
      type: "information",
      text: expect.stringMatching(/^version \S+, collector ws:\/\/127\.0\.0\.1:\d+, data in C:\\ProgramData\\Lynceus$/),
    });
    expect(await logged(3)).toMatchObject({
      source: "Lynceus Agent",
      type: "information",
      text: expect.stringMatching(`^as ${machineId} at ws://`),
    });
  });

  it("leaves no token and no readable key", async () => {
    const values = (await query(setupKey)).output;
    expect(values).toContain("AllowedSuffixes");
    expect(values).not.toContain("EnrollToken");
    expect(readFileSync(inData("machine.key"), "utf8")).toMatch(/^lynceus-protected-1 [A-Za-z0-9+/=]+\n$/);
    for (const name of readdirSync(endpoint.data).filter((name) => name.endsWith(".json") || name.endsWith(".log")))
      expect(readFileSync(inData(name), "utf8")).not.toContain(endpoint.world.token);
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
    explained();
    const before = await endpoint.world.observations();
    const heard = await endpoint.world.lastSeq();
    const [pid] = endpoint.service();
    expect(pid).toBeDefined();
    crash(pid ?? 0);
    await soon(() => expect(endpoint.service()).toEqual([]));
    const written = readFileSync(inData("status.json"), "utf8");
    await soon(async () => {
      await endpoint.wine.run("net", ["start", "LynceusAgent"]);
      expect(endpoint.service()).toHaveLength(1);
    });
    await soon(() => expect(readFileSync(inData("status.json"), "utf8")).not.toBe(written));
    expect((await endpoint.connected()).machineId).toBe(machineId);
    // What did not change costs no row, but is heard.
    await soon(async () => expect(await endpoint.world.lastSeq()).toBeGreaterThan(heard));
    const rows = await endpoint.world.observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch }) => epoch)).size).toBe(1);
    const numbers = rows.map(({ seq }) => seq);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("of a later version keeps the machine", async () => {
    explained();
    const key = readFileSync(inData("machine.key"), "utf8");
    const before = await endpoint.world.observations();
    const heard = await endpoint.world.lastSeq();
    const running = endpoint.service();
    expect((await endpoint.install(endpoint.installers.next)).code).toBe(0);
    expect((await connectedAnew(running)).machineId).toBe(machineId);
    expect(readFileSync(inData("machine.key"), "utf8")).toBe(key);
    expect((await machines()).map(({ id }) => id)).toEqual([machineId]);
    // One product, the later one, and nothing holds its data any more.
    const { output } = await query(uninstallKey, "/s");
    expect(output.match(/DisplayVersion\s+REG_SZ\s+\S+/g)).toEqual([expect.stringMatching(/ 99\.0\.0$/)]);
    expect(readdirSync(endpoint.data)).not.toContain("upgrade.hold");
    // The outbox goes on where it was.
    await soon(async () => expect(await endpoint.world.lastSeq()).toBeGreaterThan(heard));
    const rows = await endpoint.world.observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch }) => epoch)).size).toBe(1);
  });

  it("repairs what was removed", async () => {
    await endpoint.wine.run("net", ["stop", "LynceusAgent"]);
    await soon(() => expect(endpoint.service()).toEqual([]));
    expect(await logged(2)).toMatchObject({ source: "Lynceus Agent", type: "information", text: "asked to: stop" });
    rmSync(endpoint.wine.unixPath(program));
    // What msiexec /fa stands for; Wine's knows no /fa.
    expect((await endpoint.install(endpoint.installers.next, "REINSTALL=ALL", "REINSTALLMODE=amus")).code).toBe(0);
    expect(existsSync(endpoint.wine.unixPath(program))).toBe(true);
    expect((await connectedAnew([])).machineId).toBe(machineId);
  });

  it("removes everything but the identity when asked to keep that", async () => {
    expect(
      (await endpoint.msiexec("/x", endpoint.wine.windowsPath(endpoint.installers.next), "KEEP_IDENTITY=1")).code,
    ).toBe(0);
    expect(readdirSync(endpoint.data).sort()).toEqual(["config.json", "machine.json", "machine.key", "salt"]);
    expect((await endpoint.install(endpoint.installers.next)).code).toBe(0);
    expect((await endpoint.connected()).machineId).toBe(machineId);
  });

  it("removed leaves nothing", async () => {
    expect((await endpoint.msiexec("/x", endpoint.wine.windowsPath(endpoint.installers.next))).code).toBe(0);
    // Whatever of it still ran was waited for: a file that runs cannot be removed.
    expect(existsSync(endpoint.data)).toBe(false);
    expect(existsSync(path.dirname(endpoint.wine.unixPath(program)))).toBe(false);
    for (const key of [setupKey, serviceKey, sourceKey]) expect((await query(key)).code).not.toBe(0);
    await soon(() => expect(endpoint.service()).toEqual([]));
  });

  it("with a token that is refused says so in the event log, and can be removed", async () => {
    explained();
    const { installers, world, wine } = endpoint;
    const properties = [`ENROLL_TOKEN=${world.unknownToken}`, "ALLOWED_SUFFIXES=example.org"];
    expect((await endpoint.install(installers.msi, ...properties)).code).toBe(0);
    expect(await logged(10)).toMatchObject({
      source: "Lynceus Agent",
      type: "error",
      text: expect.stringContaining("the enrolment token is unknown or was revoked; make a new one"),
    });
    // It ends with an error, which the service manager answers with its recovery.
    await soon(() => expect(endpoint.service()).toEqual([]));
    expect((await endpoint.msiexec("/x", wine.windowsPath(installers.msi))).code).toBe(0);
    expect(existsSync(endpoint.data)).toBe(false);
  });
});
