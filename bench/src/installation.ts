import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { migrate } from "@lynceus/db/migrate";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** A child whose first matching line of stdout says that it is ready. */
export async function startChild(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
  { ipc = false } = {},
): Promise<{ child: ChildProcess; match: RegExpExecArray }> {
  const child = spawn(command, [...args], {
    env,
    stdio: ["ignore", "pipe", "inherit", ...(ipc ? (["ipc"] as const) : [])],
  });
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    createInterface({ input: child.stdout as Readable }).on("line", (line) => {
      const found = ready.exec(line);
      if (found) resolve(found);
    });
    child.on("close", (code) => reject(new Error(`${args[0]} ended with ${code} before it was ready`)));
  });
  return { child, match };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await closed;
  clearTimeout(hard);
}

/** The Linux executable out of the newest tarball of `npm run package:agent`, unpacked into this directory. */
export function packagedAgent(directory: string): string {
  const packages = path.join(root, "dist/agent");
  const tarball = (existsSync(packages) ? readdirSync(packages) : []).find((name) => /-linux-x64\.tar\.gz$/.test(name));
  if (!tarball) throw new Error("there is no packaged agent in dist/agent; run npm run package:agent first");
  execFileSync("tar", ["xzf", path.join(packages, tarball), "-C", directory]);
  return path.join(directory, tarball.replace(/\.tar\.gz$/, ""), "lynceus-agent");
}

/** Hex SHA-256 of a certificate's SPKI, as a token carries it. */
const pinOf = (pem: string): string =>
  createHash("sha256")
    .update(new X509Certificate(readFileSync(pem)).publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");

export interface Collector {
  readonly url: string;
  readonly pid: number;
  /** PEM of its own authority, and what a token pins of it; null where it speaks plain text. */
  readonly authority: { readonly file: string; readonly pin: string } | null;
  stop(): Promise<void>;
}

/** Embedded PostgreSQL, a policy and as many collectors as asked for, in a folder that goes with it. */
export interface Installation {
  readonly db: Fleet;
  readonly databaseUrl: string;
  readonly policy: Policy;
  readonly directory: string;
  /** The built collector as a process of its own; plain text on loopback, unless TLS is to be measured with it. */
  startCollector(port: number, options?: { readonly tls?: boolean; readonly secretKey?: string }): Promise<Collector>;
  /** An enrolment token for that collector. */
  token(url: string, uses: number, pin?: string | null): Promise<string>;
  stop(): Promise<void>;
}

/** Where the benchmarks' machines find Exchange. */
const presets = { ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: ["example.org"] };

export async function install(body = buildPolicy(presets, 1)): Promise<Installation> {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-bench-"));
  const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(directory, "postgres") });
  await migrate(postgres.url);
  const db = wholeFleet(openDatabase({ url: postgres.url }));
  const stored = await savePolicy(db, {
    body,
    now: new Date(),
    createdBy: "bench",
  });
  const collectors: Collector[] = [];
  return {
    db,
    databaseUrl: postgres.url,
    policy: stored.body,
    directory,
    async startCollector(port, { tls = false, secretKey } = {}) {
      const data = path.join(directory, "collector");
      const { child } = await startChild(
        process.execPath,
        [
          // For profiling: COLLECTOR_NODE_ARGS="--cpu-prof --cpu-prof-dir=/tmp/profile".
          ...(process.env.COLLECTOR_NODE_ARGS?.split(" ") ?? []),
          path.join(root, "apps/collector/dist/main.js"),
          ...(tls ? [] : ["--plain"]),
          "--host",
          "127.0.0.1",
          "--port",
          String(port),
          "--data-dir",
          data,
        ],
        {
          ...process.env,
          NODE_ENV: "production",
          DATABASE_URL: postgres.url,
          LOG_LEVEL: "info",
          ...(secretKey && { LYNCEUS_SECRET_KEY: secretKey }),
        },
        /"listening"/,
      );
      const file = path.join(data, "tls/authority.pem");
      const collector = {
        url: `${tls ? "wss" : "ws"}://127.0.0.1:${port}`,
        pid: child.pid ?? 0,
        authority: tls ? { file, pin: pinOf(file) } : null,
        stop: () => stopChild(child),
      };
      collectors.push(collector);
      return collector;
    },
    async token(url, uses, pin = null) {
      const { secret } = await createToken(db, {
        maxUses: uses,
        expiresAt: new Date(Date.now() + 3_600_000),
        createdBy: "bench",
      });
      return `lyn1.${Buffer.from(JSON.stringify({ u: url, s: secret, p: pin })).toString("base64url")}`;
    },
    async stop() {
      for (const collector of collectors) await collector.stop();
      await db.close();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
