import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { seedFleet } from "@lynceus/bench/seed/seed";
import { createApiToken } from "@lynceus/db/api-tokens";
import { type Database, openDatabase } from "@lynceus/db/client";
import { createTestDatabase } from "@lynceus/db/testing";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The built collector as a process of its own. Resolves when it listens. */
async function startCollector(databaseUrl: string, directory: string, dashboardUrl: string) {
  const child: ChildProcess = spawn(
    process.execPath,
    [path.join(root, "apps/collector/dist/main.js"), "--port", "0", "--data-dir", directory],
    {
      env: { ...process.env, DATABASE_URL: databaseUrl, LYNCEUS_PUBLIC_URL: dashboardUrl },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output: string[] = [];
  const listening = await new Promise<string>((resolve, reject) => {
    const onLine = (line: string) => {
      output.push(line);
      const url = /"listening":"(wss?:\/\/[^"]+)"/.exec(line)?.[1];
      if (url) resolve(url);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream! }).on("line", onLine);
    child.on("close", (code) => reject(new Error(`the collector ended with ${code}:\n${output.join("\n")}`)));
  });
  return {
    url: listening.replace(/^ws/, "http"),
    stop: async () => {
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await closed;
    },
  };
}

export interface Fleet {
  readonly db: Database;
  /** `https://localhost:…`, with a certificate of its own authority. */
  readonly url: string;
  readonly authority: string;
  readonly token: string;
  readonly dashboardUrl: string;
  stop(): Promise<void>;
}

/** A fleet with two days of history in a real PostgreSQL, and the real collector over TLS with a certificate that it made. */
export async function startFleet(machines = 300): Promise<Fleet> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url });
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-grafana-"));
  await seedFleet(
    db,
    { machines, openFindings: Math.ceil(machines / 10), days: 2, seed: 1, now: new Date() },
    () => {},
  );
  const { secret } = await createApiToken(db, { label: "Grafana", scopes: ["read"], createdBy: "test" });
  const dashboardUrl = "https://lynceus.example.org";
  const collector = await startCollector(database.url, directory, dashboardUrl);
  return {
    db,
    url: collector.url,
    authority: readFileSync(path.join(directory, "ca.pem"), "utf8"),
    token: secret,
    dashboardUrl,
    async stop() {
      await collector.stop();
      await db.close();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
