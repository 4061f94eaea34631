import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { openDatabase } from "@lynceus/db/client";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { createUser } from "@lynceus/db/users";
import { everyMachine } from "@lynceus/protocol/access";
import { closedPort } from "@lynceus/testkit/listening";
import { hashPassword } from "better-auth/crypto";
import { secretKey } from "../../test/support/incidents.ts";
import { type SeededFleet, type Story, seedFleet } from "../../test/support/seed.ts";
import { admin } from "./browser.ts";
import { root } from "./up.ts";

/** The dashboard as it is built, on a database with a fleet in it. */
export interface SeededDashboard {
  base: string;
  fleet: SeededFleet;
  /** The same database, for what a collector would do. */
  db: Fleet;
  close(): Promise<void>;
}

const server = path.join(root, "apps/dashboard/.next/standalone/apps/dashboard/server.js");

/** The process of the dashboard. */
export interface RunningDashboard {
  base: string;
  port: number;
  /** From now on nobody reads what it writes, as when whoever started it was killed. */
  leaveUnread(): void;
  stop(): Promise<void>;
}

/** The dashboard as it is built, on a database; on a port of its own, or on the one that it had before. */
export async function startDashboard(databaseUrl: string, had?: number): Promise<RunningDashboard> {
  const port = had ?? (await closedPort());
  const base = `http://localhost:${port}`;
  const child = spawn(process.execPath, [server], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: "production",
      DATABASE_URL: databaseUrl,
      PORT: String(port),
      HOSTNAME: "127.0.0.1",
      LYNCEUS_PUBLIC_URL: base,
      LYNCEUS_COLLECTOR_URL: "wss://collector.contoso.com:7443",
      LYNCEUS_COLLECTOR_PIN: "ab".repeat(32),
      LYNCEUS_SECRET_KEY: secretKey,
      BETTER_AUTH_SECRET: "kR8v1nQ0xTz5Lw2mYb7Jc4Hd9Fs6Gp3A",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ready = new Promise<void>((resolve, reject) => {
    const heard = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Ready in")) resolve();
    };
    child.stdout.on("data", heard);
    child.stderr.on("data", heard);
    child.on("close", (code) => reject(new Error(`the dashboard ended with ${code}:\n${output}`)));
  });
  await ready;
  return {
    base,
    port,
    leaveUnread: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "close");
    },
  };
}

/** The dashboard on the seeded fleet, and on `more` machines. */
export async function startSeededDashboard(more: readonly Story[] = []): Promise<SeededDashboard> {
  const database = await createTestDatabase();
  const db = wholeFleet(openDatabase({ url: database.url }));
  const fleet = await seedFleet(db, new Date(), more);
  const { name, email, password } = admin;
  const access = { role: "admin" as const, ...everyMachine };
  await createUser(db, { name, email, access, passwordHash: await hashPassword(password) }, "e2e");

  const { base, stop } = await startDashboard(database.url);
  return {
    base,
    fleet,
    db,
    close: async () => {
      await db.close();
      await stop();
      await database.drop();
    },
  };
}
