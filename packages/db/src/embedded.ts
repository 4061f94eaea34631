import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { DatabaseError, errorCode } from "./connection.ts";
import { type EmbeddedHome, prepareHome } from "./embedded-home.ts";
import { installProgram, serverMajor } from "./embedded-program.ts";

/*
 * Supervisor of a PostgreSQL of our own. Files, for a data directory D:
 *   D/lynceus.json        where the server's files are (D itself, but see embedded-home.ts)
 *   D/secrets.json        0600: passwords of the superuser and of the application's role, both used with SCRAM
 *   D/supervisor.pid     pid of the process that stops the server when it ends
 *   D/starting.lock       pid of the process that is starting it now
 *   D/data, D/run, D/program-<version>, D/postgres.log     PostgreSQL's own; `run` holds the socket, 0700
 * It listens on the Unix socket alone (on Windows, where node-postgres has none, on a loopback port).
 */

export interface EmbeddedOptions {
  /** A folder for this server alone; made when missing. */
  dataDirectory: string;
  log?: (line: string) => void;
  /** PostgreSQL settings beyond ours, for tests and benches: `{ fsync: "off" }`. */
  settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** The application's database, as a role that is no superuser but owns it. */
  readonly url: string;
  /** Superuser on database `postgres`: for tests and repair. */
  readonly adminUrl: string;
  /** Process id of PostgreSQL. */
  readonly pid: number;
  /** True when a server was already running and is used as it is. */
  readonly adopted: boolean;
  /** Ends the server quickly and cleanly (connections are cut). Leaves it alone when another living process supervises it. */
  stop(): Promise<void>;
}

const role = "lynceus";
const startupMs = 60_000;

interface Secrets {
  admin: string;
  application: string;
  /** Windows alone. */
  port: number | null;
}

/** Starts PostgreSQL on a data directory, or adopts the one that is running on it. Throws a DatabaseError of one line. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => {});
  const home = prepareHome(options.dataDirectory);
  const unlock = await takeStartLock(path.join(home.own, "starting.lock"));
  try {
    const data = path.join(home.server, "data");
    const fresh = !existsSync(data);
    if (!fresh) checkData(data);
    const secrets = await readSecrets(home, fresh);
    const bin = installProgram(home.server);
    if (fresh) {
      log("making a database");
      initialize(bin, home, data, secrets, options.settings?.fsync === "off");
    }
    const adminUrl = urlOf(home, "postgres", secrets.admin, "postgres", secrets.port);
    const running = await findRunning(data, adminUrl, log);
    if (running === null) log("starting PostgreSQL");
    const pid = running ?? (await launch(bin, home, data, secrets, adminUrl, options.settings ?? {}));
    if (running !== null) log(`using the PostgreSQL that is running (process ${running})`);
    await ensureRole(adminUrl, secrets.application);
    return supervise(home, pid, running !== null, {
      url: urlOf(home, role, secrets.application, role, secrets.port),
      adminUrl,
    });
  } finally {
    unlock();
  }
}

function urlOf(home: EmbeddedHome, user: string, password: string, database: string, port: number | null): string {
  return port === null
    ? `postgresql://${user}:${password}@localhost/${database}?host=${encodeURIComponent(home.sockets)}`
    : `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
}

/** Two starts of one directory take turns. A lock whose process is gone is void. */
async function takeStartLock(file: string): Promise<() => void> {
  const deadline = Date.now() + startupMs;
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw new DatabaseError(`cannot write ${file}: ${error}`);
    }
    const holder = readPid(file);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    // An empty lock is one that is being written, unless it is old.
    if (holder === null ? age > 2_000 : !isAlive(holder)) rmSync(file, { force: true });
    else if (Date.now() > deadline)
      throw new DatabaseError(
        `process ${holder} has been starting this database for a minute; if it is not ours, delete ${file}`,
      );
    else await delay(50);
  }
}

function readPid(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** Whether a living process is a PostgreSQL: after a reboot its old process id may be anyone's. */
function isPostgres(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === "win32") return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres");
  } catch {
    const ps = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return ps.error !== undefined || ps.stdout.includes("postgres");
  }
}

function checkData(data: string): void {
  let version: string;
  try {
    version = readFileSync(path.join(data, "PG_VERSION"), "utf8").trim();
  } catch (error) {
    const why = errorCode(error) === "ENOENT" ? "it has no PG_VERSION" : String(error);
    throw new DatabaseError(
      `${data} is not a PostgreSQL data directory: ${why}; restore it from a backup, or name a new folder`,
    );
  }
  if (version !== serverMajor)
    throw new DatabaseError(
      `${data} was made by PostgreSQL ${version}, and this one is ${serverMajor}; dump it with the older version and load it into a new folder`,
    );
}

async function readSecrets(home: EmbeddedHome, fresh: boolean): Promise<Secrets> {
  const file = path.join(home.own, "secrets.json");
  try {
    const read = JSON.parse(readFileSync(file, "utf8")) as Partial<Secrets>;
    if (typeof read.admin === "string" && typeof read.application === "string")
      return { admin: read.admin, application: read.application, port: read.port ?? null };
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && !fresh)
      throw new DatabaseError(`cannot read the database's passwords: ${error}`);
  }
  if (!fresh)
    throw new DatabaseError(
      `the database's passwords are gone: ${file} is missing or broken; restore it from a backup`,
    );
  const password = () => randomBytes(24).toString("base64url");
  const port = process.platform === "win32" ? await freePort() : null;
  const secrets: Secrets = { admin: password(), application: password(), port };
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

const environment = (): NodeJS.ProcessEnv => {
  const variables: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    // Windows needs it to load its own libraries.
    ...(process.env.SYSTEMROOT ? { SYSTEMROOT: process.env.SYSTEMROOT } : {}),
    LC_ALL: "C",
    TZ: "UTC",
  };
  // Beside Next.js's types this one asks for NODE_ENV, which PostgreSQL does not read.
  return variables as NodeJS.ProcessEnv;
};

const identity = (home: EmbeddedHome) => (home.runAs ? { uid: home.runAs.uid, gid: home.runAs.gid } : {});

/** Into a folder beside it, renamed when whole, so that a killed initdb leaves no half database. */
function initialize(bin: string, home: EmbeddedHome, data: string, secrets: Secrets, careless: boolean): void {
  const making = `${data}.new`;
  const passwordFile = path.join(home.server, "password");
  rmSync(making, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  try {
    mkdirSync(making, { mode: 0o700 });
    writeFileSync(passwordFile, secrets.admin, { mode: 0o600 });
    if (home.runAs) for (const file of [making, passwordFile]) chownSync(file, home.runAs.uid, home.runAs.gid);
    const result = spawnSync(
      path.join(bin, "initdb"),
      [
        ...["-D", making, "--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"],
        ...["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        ...(careless ? ["--no-sync"] : []),
      ],
      { cwd: home.server, env: environment(), encoding: "utf8", ...identity(home) },
    );
    if (result.status !== 0) {
      const said = `${result.stderr ?? ""}`
        .trim()
        .split("\n")
        .filter((line) => /error|fatal|could not/i.test(line));
      throw new DatabaseError(
        `PostgreSQL could not make its data directory ${data}: ${said[0] ?? result.error ?? `initdb ended with ${result.status}`}`,
      );
    }
    renameSync(making, data);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(making, { recursive: true, force: true });
  }
}

/** Whether the server answers: `ready`, `wait` while it starts or ends, or why it refuses for good. */
async function ping(adminUrl: string): Promise<"ready" | "wait" | { refused: string }> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return "ready";
  } catch (error) {
    const code = errorCode(error);
    // 57P03: starting up or shutting down. 53300: full, and so running. 28P01: not our password.
    if (code === "53300") return "ready";
    if (code === "28P01" || code === "28000") return { refused: String(error) };
    return "wait";
  } finally {
    await client.end().catch(() => {});
  }
}

/** Process id of the server that runs on `data`, waited for until it answers; null when none does. */
async function findRunning(data: string, adminUrl: string, log: (line: string) => void): Promise<number | null> {
  const file = path.join(data, "postmaster.pid");
  const deadline = Date.now() + startupMs;
  let told = false;
  for (;;) {
    const pid = readPid(file);
    if (pid === null) return null;
    if (!isPostgres(pid)) {
      // PostgreSQL removes a stale file itself, but not when its number is now another program's.
      if (isAlive(pid)) unlinkSync(file);
      return null;
    }
    const answer = await ping(adminUrl);
    if (answer === "ready") return pid;
    if (typeof answer === "object")
      throw new DatabaseError(
        `PostgreSQL (process ${pid}) runs on ${data} but refuses the passwords of secrets.json: ${answer.refused}`,
      );
    if (Date.now() > deadline)
      throw new DatabaseError(`PostgreSQL (process ${pid}) runs on ${data} but does not answer for a minute`);
    if (!told) log(`waiting for the PostgreSQL that is running (process ${pid})`);
    told = true;
    await delay(100);
  }
}

/**
 * An eighth of the machine's memory within bounds. A scan of a table greater than a quarter of it leaves nothing in the
 * cache for the next one, and `machines` has 50 MB with 100,000 of them. What is never used takes no memory.
 */
export const sharedBuffersMb = (totalBytes: number): number =>
  Math.round(Math.min(1024, Math.max(128, totalBytes / 8 / 1_048_576)));

function settingsOf(home: EmbeddedHome, secrets: Secrets, more: Readonly<Record<string, string>>): string[] {
  const settings: Record<string, string> = {
    // A list of directories: quoted, so that spaces and commas are part of the name.
    unix_socket_directories: secrets.port === null ? `"${home.sockets.replaceAll('"', '""')}"` : "",
    unix_socket_permissions: "0700",
    listen_addresses: secrets.port === null ? "" : "127.0.0.1",
    port: String(secrets.port ?? 5432),
    password_encryption: "scram-sha-256",
    timezone: "UTC",
    log_timezone: "UTC",
    log_min_messages: "warning",
    shared_buffers: `${sharedBuffersMb(totalmem())}MB`,
    // Sorting or hashing 100,000 rows stays in memory.
    work_mem: "16MB",
    // Data directories are on SSDs, or in the cache.
    random_page_cost: "1.1",
    max_connections: "100",
    max_wal_size: "1GB",
    wal_level: "minimal",
    max_wal_senders: "0",
    // Pages must be fast on the first click; nothing here runs long enough for compiling to pay.
    jit: "off",
    ...more,
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Starts the server in a session of its own, so that a Ctrl-C in the terminal reaches only its supervisor. */
async function launch(
  bin: string,
  home: EmbeddedHome,
  data: string,
  secrets: Secrets,
  adminUrl: string,
  more: Readonly<Record<string, string>>,
): Promise<number> {
  const logFile = path.join(home.server, "postgres.log");
  const deadline = Date.now() + startupMs;
  for (;;) {
    if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > 16 * 1024 * 1024)
      renameSync(logFile, `${logFile}.old`);
    const from = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    const output = openSync(logFile, "a", 0o600);
    const child = spawn(path.join(bin, "postgres"), ["-D", data, ...settingsOf(home, secrets, more)], {
      cwd: home.server,
      env: environment(),
      stdio: ["ignore", output, output],
      detached: true,
      windowsHide: true,
      ...identity(home),
    });
    closeSync(output);
    let ended: string | null = null;
    child.on("error", (error) => {
      ended = error.message;
    });
    child.on("exit", (code, signal) => {
      ended ??= `ended with ${signal ?? code}`;
    });
    child.unref();
    while (ended === null && Date.now() < deadline) {
      if (child.pid !== undefined && readPid(path.join(data, "postmaster.pid")) === child.pid) {
        const answer = await ping(adminUrl);
        if (answer === "ready") return child.pid;
        if (typeof answer === "object") {
          child.kill("SIGINT");
          throw new DatabaseError(
            `PostgreSQL refuses the passwords of ${path.join(home.own, "secrets.json")}: ${answer.refused}`,
          );
        }
      }
      await delay(15);
    }
    const said = readFileSync(logFile).subarray(from).toString("utf8").trim().split("\n");
    // A killed server holds its socket's lock until it is reaped, and its backends its memory until they notice: both
    // pass by themselves.
    const held = /pre-existing shared memory block|lock file ".*\.s\.PGSQL\.\d+\.lock" already exists/;
    if (said.some((line) => held.test(line)) && Date.now() < deadline) {
      await delay(100);
      continue;
    }
    if (ended === null && child.pid !== undefined) process.kill(child.pid, "SIGINT");
    const why = said
      .find((line) => /FATAL|PANIC|could not|error/i.test(line))
      ?.replace(/^.*?(FATAL|PANIC|ERROR|postgres):\s*/, "");
    throw new DatabaseError(
      `PostgreSQL did not start on ${data}: ${why ?? ended ?? "no answer for a minute"} (more in ${logFile})`,
    );
  }
}

/** The application's role and database, made once; harmless when they exist. */
async function ensureRole(adminUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role,
              EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database`,
      [role],
    );
    if (!rows[0]?.role)
      await client.query(
        `CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD ${pg.escapeLiteral(password)}`,
      );
    if (!rows[0]?.database) {
      await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
      await client.query(`REVOKE CONNECT ON DATABASE ${role} FROM PUBLIC`);
    }
  } finally {
    await client.end();
  }
}

function supervise(
  home: EmbeddedHome,
  pid: number,
  adopted: boolean,
  urls: { url: string; adminUrl: string },
): EmbeddedPostgres {
  const file = path.join(home.own, "supervisor.pid");
  const holder = adopted ? readPid(file) : null;
  const borrowed = holder !== null && holder !== process.pid && isAlive(holder);
  let stopped = false;
  // SIGINT is PostgreSQL's fast shutdown: connections are cut, what is committed is kept.
  const interrupt = () => {
    if (stopped || borrowed) return;
    stopped = true;
    rmSync(file, { force: true });
    if (isPostgres(pid)) process.kill(pid, "SIGINT");
  };
  if (!borrowed) {
    writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    // Whatever ends this process normally ends the server too; after kill -9 the next start adopts it.
    process.once("exit", interrupt);
  }
  return {
    ...urls,
    pid,
    adopted,
    stop: async () => {
      if (stopped || borrowed) return;
      interrupt();
      process.off("exit", interrupt);
      const deadline = Date.now() + startupMs;
      while (isPostgres(pid)) {
        if (Date.now() > deadline) throw new DatabaseError(`PostgreSQL (process ${pid}) did not end in a minute`);
        await delay(15);
      }
    },
  };
}
