import { createHmac, randomBytes, randomUUID } from "node:crypto";
import path from "node:path";
import type { Database } from "@lynceus/db/client";
import { root, startChild, stopChild } from "./installation.ts";

/** The built dashboard on a database, with somebody signed in. */
export interface Dashboard {
  readonly base: string;
  readonly pid: number;
  /** For the header `cookie`: a session of an admin. */
  readonly cookie: string;
  stop(): Promise<void>;
}

const authSecret = "no secret: this server listens on loopback for as long as a benchmark runs";

/** Starts the dashboard as `npm run build` made it. */
export async function startDashboard(db: Database, port: number): Promise<Dashboard> {
  const base = `http://localhost:${port}`;
  const { child } = await startChild(
    process.execPath,
    // For profiling: DASHBOARD_NODE_ARGS="--cpu-prof --cpu-prof-dir=/tmp/profile".
    [
      ...(process.env.DASHBOARD_NODE_ARGS?.split(" ") ?? []),
      path.join(root, "apps/dashboard/.next/standalone/apps/dashboard/server.js"),
    ],
    {
      PATH: process.env.PATH,
      NODE_ENV: "production",
      DATABASE_URL: db.url,
      PORT: String(port),
      HOSTNAME: "127.0.0.1",
      LYNCEUS_PUBLIC_URL: base,
      LYNCEUS_COLLECTOR_URL: "wss://collector.example.org:7443",
      BETTER_AUTH_SECRET: authSecret,
    },
    /Ready in/,
  );
  return { base, pid: child.pid ?? 0, cookie: await signIn(db), stop: () => stopChild(child) };
}

/** A session as signing in stores it, without the password's hash, which is slow on purpose. */
async function signIn(db: Database): Promise<string> {
  const token = randomBytes(24).toString("base64url");
  const id = randomUUID();
  await db.prisma.user.create({
    data: {
      id,
      name: "Bench",
      email: `${id}@example.org`,
      role: "admin",
      sessions: { create: { id: randomUUID(), token, expiresAt: new Date(Date.now() + 86_400_000) } },
    },
  });
  const signature = createHmac("sha256", authSecret).update(token).digest("base64");
  return `lynceus.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}
