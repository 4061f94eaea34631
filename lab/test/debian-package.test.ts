import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeDeb } from "@lynceus/agent/packaging/deb";
import { bundle, linuxExecutable } from "@lynceus/agent/packaging/executable";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CollectorWorld, startCollectorWorld } from "../src/collector-world.ts";
import { run, tryRun } from "../src/shell.ts";

/*
 * The real package, installed by dpkg on this machine. There is no systemd here: the unit's command is started as its
 * user with its variables; what systemd adds (sandbox, limits) is read from the unit and not proven.
 */

const settings = "/etc/lynceus-agent/agent.env";
const data = "/var/lib/lynceus-agent";
const unit = "/lib/systemd/system/lynceus-agent.service";

let world: CollectorWorld;
let directory: string;
let deb: string;
let next: string;
let service: ChildProcess | null = null;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-deb-"));
  const program = path.join(directory, "program.cjs");
  await bundle(program);
  const notices = path.join(directory, "notices.txt");
  writeFileSync(notices, "test\n");
  const parts = {
    executable: await linuxExecutable(directory, program),
    notices,
    date: 1_767_225_600,
    uncompressed: true,
  };
  deb = makeDeb(directory, parts);
  next = makeDeb(directory, { ...parts, version: "99.0.0" });
  world = await startCollectorWorld();
}, 600_000);

afterAll(async () => {
  service?.kill("SIGKILL");
  tryRun("dpkg", "--purge", "lynceus-agent");
  await world?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 100 });

/** Starts what the unit's ExecStart says, as its User, with its EnvironmentFile. */
function startUnit(): ChildProcess {
  const text = readFileSync(unit, "utf8");
  const one = (name: string) => new RegExp(`^${name}=-?(.*)$`, "m").exec(text)?.[1] ?? "";
  const variables = readFileSync(one("EnvironmentFile"), "utf8")
    .split("\n")
    .filter((line) => /^\w+=/.test(line));
  const [program = "", ...args] = one("ExecStart").split(" ");
  const user = one("User");
  const child = spawn(
    "setpriv",
    [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--no-new-privs", program, ...args],
    { env: Object.fromEntries(variables.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string])) },
  );
  service = child;
  return child;
}

async function stopUnit(): Promise<void> {
  const closed = service && once(service, "close");
  service?.kill("SIGTERM");
  await closed;
  service = null;
}

const machineId = () =>
  (JSON.parse(readFileSync(path.join(data, "machine.json"), "utf8")) as { machineId: string }).machineId;
const phase = () =>
  (JSON.parse(readFileSync(path.join(data, "status.json"), "utf8")) as { link: { phase: string } }).link.phase;

describe("the Debian package", () => {
  it("makes a user of its own and closes what it keeps", () => {
    run("dpkg", "--install", deb);
    expect(readFileSync("/etc/passwd", "utf8")).toMatch(/^lynceus-agent:.*:\/usr\/sbin\/nologin$/m);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(settings).mode & 0o777).toBe(0o640);
    expect(run("dpkg", "--verify", "lynceus-agent")).toBe("");
  });

  it("runs as that user, enrols and reports", async () => {
    const told = readFileSync(settings, "utf8")
      .replace("LYNCEUS_ENROLL_TOKEN=", `LYNCEUS_ENROLL_TOKEN=${world.token}`)
      .replace("LYNCEUS_ALLOWED_SUFFIXES=", "LYNCEUS_ALLOWED_SUFFIXES=example.org");
    writeFileSync(settings, told);
    const { pid } = startUnit();
    await soon(() => expect(phase()).toBe("connected"));
    await soon(async () => expect((await world.observations()).length).toBeGreaterThan(3));
    expect((await world.db.prisma.machine.findMany()).map(({ id, os }) => ({ id, os }))).toEqual([
      { id: machineId(), os: "linux" },
    ]);
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    expect(uid).toBe(run("id", "-u", "lynceus-agent").trim());
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^CapEff:\s+0+$/m);
  });

  it("keeps its settings and its identity over an upgrade", async () => {
    const before = { settings: readFileSync(settings, "utf8"), id: machineId() };
    await stopUnit();
    run("dpkg", "--install", "--force-confdef", next);
    expect(readFileSync(settings, "utf8")).toBe(before.settings);
    const stored = await world.lastSeq();
    startUnit();
    // What did not change costs no row, but is heard.
    await soon(async () => expect(await world.lastSeq()).toBeGreaterThan(stored));
    expect(machineId()).toBe(before.id);
  });

  it("removed keeps its settings; purged leaves nothing", async () => {
    await stopUnit();
    run("dpkg", "--remove", "lynceus-agent");
    expect(existsSync("/usr/lib/lynceus-agent/lynceus-agent")).toBe(false);
    expect(existsSync(settings)).toBe(true);
    run("dpkg", "--purge", "lynceus-agent");
    for (const left of ["/etc/lynceus-agent", data, "/usr/lib/lynceus-agent", unit])
      expect(existsSync(left)).toBe(false);
    expect(readFileSync("/etc/passwd", "utf8")).not.toContain("lynceus-agent");
  });

  it("asks systemd for a sandbox and for limits", () => {
    const made = path.join(directory, path.basename(deb).replace(/^lynceus-agent_(.*)_amd64\.deb$/, "deb-$1"), unit);
    const text = readFileSync(made, "utf8");
    for (const line of [
      "User=lynceus-agent",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "CapabilityBoundingSet=",
      "MemoryMax=320M",
      "CPUQuota=25%",
      "SystemCallFilter=@system-service",
    ])
      expect(text.split("\n")).toContain(line);
  });
});
