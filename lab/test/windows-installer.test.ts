import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Database, openDatabase } from "@lynceus/db/client";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { migrate } from "@lynceus/db/migrate";
import { savePolicy } from "@lynceus/db/policies";
import { buildPolicy } from "@lynceus/protocol/presets";
import { afterAll, beforeAll, describe, expect, it, onTestFailed, vi } from "vitest";
import { quietPort, type Running, startCollector } from "../src/crash-processes.ts";
import { startWine, type Wine } from "../src/wine.ts";
import { buildInstallers, crash, processesOf } from "../src/windows-agent.ts";

/*
 * The real MSI with the real executable under Wine, against the real collector and PostgreSQL. Wine runs every service
 * as its one user: what SYSTEM may do is not proven here (docs/windows.md).
 */

const program = "C:\\Program Files\\Lynceus Agent\\lynceus-agent.exe";
const setupKey = "HKLM\\SOFTWARE\\Lynceus\\Agent";
const serviceKey = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LynceusAgent";

let directory: string;
let postgres: EmbeddedPostgres;
let collector: Running;
let db: Database;
let wine: Wine;
let installers: Awaited<ReturnType<typeof buildInstallers>>;
let token: string;
const log: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-windows-"));
  // Run as root, PostgreSQL is another user's.
  chmodSync(directory, 0o755);
  postgres = await startEmbeddedPostgres({ dataDirectory: path.join(directory, "postgres") });
  await migrate(postgres.url);
  db = openDatabase({ url: postgres.url });
  const body = buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: ["example.org"] }, 1);
  await savePolicy(db, { body, createdBy: "test" });
  const port = await quietPort();
  collector = await startCollector({
    databaseUrl: postgres.url,
    port,
    directory: path.join(directory, "collector"),
    log,
  });
  const { secret } = await createToken(db, {
    maxUses: 5,
    expiresAt: new Date(Date.now() + 3_600_000),
    createdBy: "test",
  });
  const content = { u: `ws://127.0.0.1:${port}`, s: secret, p: null };
  token = `lyn1.${Buffer.from(JSON.stringify(content)).toString("base64url")}`;
  installers = await buildInstallers();
  wine = startWine();
}, 240_000);

afterAll(async () => {
  wine?.stop();
  await collector?.kill();
  await db?.close();
  await postgres?.stop();
  for (const made of [directory, installers?.directory]) if (made) rmSync(made, { recursive: true, force: true });
});

const data = () => wine.unixPath("C:\\ProgramData\\Lynceus");
const msiexec = (...args: string[]) => wine.run("msiexec", [...args, "/qn"], { timeoutMs: 120_000 });
const install = (file: string, ...properties: string[]) => msiexec("/i", wine.windowsPath(file), ...properties);
const query = (key: string, ...args: string[]) => wine.run("reg", ["query", key, ...args]);
const machines = () => db.prisma.machine.findMany({ orderBy: { id: "asc" } });
const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 60_000, interval: 250 });
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
const observations = () =>
  db.prisma.$queryRaw<{ epoch: string; seq: number }[]>`
    SELECT epoch::text AS epoch, seq::int AS seq FROM observations ORDER BY received_at, seq`;

describe("the MSI", () => {
  let machineId: string;

  it("installs without a window; the service enrols and reports", async () => {
    onTestFailed(() => console.error(agentLog(), log.slice(-10).join("\n")));
    const { code, output } = await install(
      installers.msi,
      "COLLECTOR_URL=",
      `ENROLL_TOKEN=${token}`,
      "ALLOWED_SUFFIXES=example.org,msftconnecttest.com",
      "SITE=Berlin",
      "TAGS=vdi,pilot",
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    machineId = (await connected()).machineId;
    expect((await machines()).map(({ id, os }) => ({ id, os }))).toEqual([{ id: machineId, os: "windows" }]);
    await soon(async () => expect((await observations()).length).toBeGreaterThan(3));
  });

  it("leaves no token and no readable key", async () => {
    const values = (await query(setupKey)).output;
    expect(values).toContain("AllowedSuffixes");
    expect(values).not.toContain("EnrollToken");
    expect(readFileSync(path.join(data(), "machine.key"), "utf8")).toMatch(/^lynceus-protected-1 [A-Za-z0-9+/=]+\n$/);
    for (const name of readdirSync(data()).filter((name) => name.endsWith(".json") || name.endsWith(".log")))
      expect(readFileSync(path.join(data(), name), "utf8")).not.toContain(token);
  });

  it("makes a service that starts by itself, with its path in quotes, its recovery and its delayed start", async () => {
    const { output } = await query(serviceKey);
    expect(output).toMatch(/ImagePath\s+REG_(?:EXPAND_)?SZ\s+"C:\\Program Files\\Lynceus Agent\\lynceus-agent\.exe" service/);
    expect(output).toMatch(/Start\s+REG_DWORD\s+0x2/);
    expect(output).toMatch(/ObjectName\s+REG_SZ\s+LocalSystem/);
  });

  it("of a killed service loses nothing and repeats nothing", async () => {
    onTestFailed(() => console.error(agentLog(), log.slice(-10).join("\n")));
    const before = await observations();
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
    await soon(async () => expect((await observations()).length).toBeGreaterThan(before.length));
    const rows = await observations();
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ epoch }) => epoch)).size).toBe(1);
    const numbers = rows.map(({ seq }) => seq);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("of a later version keeps the machine", async () => {
    onTestFailed(() => console.error(agentLog(), log.slice(-10).join("\n")));
    const key = readFileSync(path.join(data(), "machine.key"), "utf8");
    expect((await install(installers.next)).code).toBe(0);
    await soon(() => expect(service()).toHaveLength(1));
    expect((await connected()).machineId).toBe(machineId);
    expect(readFileSync(path.join(data(), "machine.key"), "utf8")).toBe(key);
    expect((await machines()).map(({ id }) => id)).toEqual([machineId]);
  });

  it("repairs what was removed", async () => {
    await wine.run("net", ["stop", "LynceusAgent"]);
    await soon(() => expect(service()).toEqual([]));
    rmSync(wine.unixPath(program));
    expect((await msiexec("/fa", wine.windowsPath(installers.next))).code).toBe(0);
    expect(existsSync(wine.unixPath(program))).toBe(true);
  });

  it("removes everything but the identity when asked to keep that", async () => {
    expect((await msiexec("/x", wine.windowsPath(installers.next), "KEEP_IDENTITY=1")).code).toBe(0);
    expect(readdirSync(data()).sort()).toEqual(["config.json", "machine.json", "machine.key", "salt"]);
    expect((await install(installers.next)).code).toBe(0);
    expect((await connected()).machineId).toBe(machineId);
  });

  it("removed leaves nothing", async () => {
    expect((await msiexec("/x", wine.windowsPath(installers.next))).code).toBe(0);
    expect(service()).toEqual([]);
    expect(existsSync(data())).toBe(false);
    expect(existsSync(path.dirname(wine.unixPath(program)))).toBe(false);
    for (const key of [setupKey, serviceKey]) expect((await query(key)).code).not.toBe(0);
  });
});
