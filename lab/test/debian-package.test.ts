import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeDeb } from "@lynceus/agent/packaging/deb";
import { bundle, linuxExecutable } from "@lynceus/agent/packaging/executable";
import { afterAll, beforeAll, describe, expect, it, onTestFailed, vi } from "vitest";
import { type CollectorWorld, startCollectorWorld } from "../src/collector-world.ts";
import { type SystemdMachine, startSystemdMachine } from "../src/systemd.ts";

/* The real package, installed by dpkg and run by a real systemd, on a machine of its own. */

const settings = "/etc/lynceus-agent/agent.env";
const data = "/var/lib/lynceus-agent";
const unit = "/lib/systemd/system/lynceus-agent.service";

let world: CollectorWorld;
let directory: string;
let machine: SystemdMachine;
let made: { readonly deb: string; readonly parts: Parameters<typeof makeDeb>[1] };

const on = (file: string) => path.join(machine.root, file);
const read = (file: string) => readFileSync(on(file), "utf8");
const [deb, next] = ["/var/lynceus-agent.deb", "/var/lynceus-agent-next.deb"];

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
  machine = await startSystemdMachine();
  made = { deb: makeDeb(directory, parts), parts };
  copyFileSync(made.deb, on(deb));
  copyFileSync(makeDeb(directory, { ...parts, version: "99.0.0" }), on(next));
  world = await startCollectorWorld();
}, 600_000);

afterAll(async () => {
  await world?.stop();
  await machine?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 60_000, interval: 100 });
/** What systemd says of the service. */
const service = (property: string) =>
  machine.run("systemctl", "show", "--property", property, "--value", "lynceus-agent").trim();
/** A file of the running agent below /proc. */
const process = (file: string) => machine.run("cat", `/proc/${service("MainPID")}/${file}`);
/** On failure the test says what the agent and systemd said. */
const explained = () =>
  onTestFailed(() => {
    const log = path.join(data, "agent.log");
    console.error(existsSync(on(log)) ? read(log) : "no log", world.log.slice(-10).join("\n"));
    console.error(machine.run("journalctl", "--no-pager", "-n", "30", "-u", "lynceus-agent"));
  });

const machineId = () => (JSON.parse(read(path.join(data, "machine.json"))) as { machineId: string }).machineId;
const phase = () => (JSON.parse(read(path.join(data, "status.json"))) as { link: { phase: string } }).link.phase;

describe("the Debian package", () => {
  it("has the same bytes when it is made again elsewhere", () => {
    const elsewhere = path.join(directory, "elsewhere");
    mkdirSync(elsewhere);
    expect(readFileSync(makeDeb(elsewhere, made.parts)).equals(readFileSync(made.deb))).toBe(true);
  });

  it("makes a user of its own, closes what it keeps and waits for its token", () => {
    machine.run("dpkg", "--install", deb);
    expect(read("/etc/passwd")).toMatch(/^lynceus-agent:.*:\/usr\/sbin\/nologin$/m);
    expect(statSync(on(data)).mode & 0o777).toBe(0o700);
    expect(statSync(on(settings)).mode & 0o777).toBe(0o640);
    expect(machine.run("dpkg", "--verify", "lynceus-agent")).toBe("");
    expect([service("UnitFileState"), service("ActiveState")]).toEqual(["enabled", "inactive"]);
  });

  it("has a unit with which systemd finds no fault", () => {
    expect(machine.run("systemd-analyze", "verify", "--man=no", "lynceus-agent.service")).toBe("");
    // Of 0 (nothing is open to it) to 100.
    machine.run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit);
    const [memory, processor, tasks] = ["MemoryMax", "CPUQuotaPerSecUSec", "TasksMax"].map(service);
    expect({ memory, processor, tasks }).toEqual({ memory: String(320 * 2 ** 20), processor: "250ms", tasks: "64" });
  });

  it("runs as that user in systemd's sandbox, enrols and reports", async () => {
    explained();
    const told = read(settings)
      .replace("LYNCEUS_ENROLL_TOKEN=", `LYNCEUS_ENROLL_TOKEN=${world.token}`)
      .replace("LYNCEUS_ALLOWED_SUFFIXES=", "LYNCEUS_ALLOWED_SUFFIXES=example.org");
    writeFileSync(on(settings), told);
    machine.run("systemctl", "restart", "lynceus-agent");
    await soon(() => expect(phase()).toBe("connected"));
    await soon(async () => expect((await world.observations()).length).toBeGreaterThan(3));
    expect((await world.db.prisma.machine.findMany()).map(({ id, os }) => ({ id, os }))).toEqual([
      { id: machineId(), os: "linux" },
    ]);
    const status = process("status");
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(machine.run("id", "-u", "lynceus-agent").trim());
    for (const line of [/^CapEff:\s+0+$/m, /^CapBnd:\s+0+$/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m])
      expect(status).toMatch(line);
    const mounts = process("mounts").split("\n");
    const optionsOf = (place: string) =>
      mounts
        .map((line) => line.split(" "))
        .findLast(([, where]) => where === place)?.[3]
        ?.split(",")[0];
    expect([optionsOf("/"), optionsOf(data)]).toEqual(["ro", "rw"]);
  });

  it("is started again after a crash, and loses and repeats nothing", async () => {
    explained();
    machine.run("mkdir", "-p", "/etc/systemd/system/lynceus-agent.service.d");
    // Sooner than after the minute of the unit.
    writeFileSync(on("/etc/systemd/system/lynceus-agent.service.d/soon.conf"), "[Service]\nRestartSec=100ms\n");
    machine.run("systemctl", "daemon-reload");
    const before = await world.observations();
    const heard = await world.lastSeq();
    machine.run("systemctl", "kill", "--signal", "KILL", "lynceus-agent");
    await soon(() => expect(service("NRestarts")).toBe("1"));
    // What did not change costs no row, but is heard.
    await soon(async () => expect(await world.lastSeq()).toBeGreaterThan(heard));
    const rows = await world.observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch, seq }) => `${epoch} ${seq}`)).size).toBe(rows.length);
  });

  it("keeps its settings and its identity over an upgrade, which starts the new version", async () => {
    explained();
    const before = { settings: read(settings), id: machineId(), pid: service("MainPID") };
    const stored = await world.lastSeq();
    machine.run("dpkg", "--install", "--force-confdef", next);
    expect(read(settings)).toBe(before.settings);
    expect(service("MainPID")).not.toBe(before.pid);
    await soon(async () => expect(await world.lastSeq()).toBeGreaterThan(stored));
    expect(machineId()).toBe(before.id);
  });

  it("removed is stopped and keeps its settings; purged leaves nothing", () => {
    machine.run("dpkg", "--remove", "lynceus-agent");
    expect(service("ActiveState")).toBe("inactive");
    expect(existsSync(on("/usr/lib/lynceus-agent/lynceus-agent"))).toBe(false);
    expect(existsSync(on(settings))).toBe(true);
    machine.run("dpkg", "--purge", "lynceus-agent");
    for (const left of ["/etc/lynceus-agent", data, "/usr/lib/lynceus-agent", unit])
      expect(existsSync(on(left))).toBe(false);
    expect(existsSync(on("/etc/systemd/system/multi-user.target.wants/lynceus-agent.service"))).toBe(false);
    expect(read("/etc/passwd")).not.toContain("lynceus-agent");
  });
});
