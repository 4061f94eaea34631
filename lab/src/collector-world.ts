import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { migrate } from "@lynceus/db/migrate";
import { savePolicy } from "@lynceus/db/policies";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import type { ObservationKind } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";
import { quietPort, startCollector } from "./crash-processes.ts";

/** A PostgreSQL and a built collector on loopback, for an agent that comes out of its installer. */
export interface CollectorWorld {
  readonly db: Fleet;
  /** An enrolment token as an admin copies it. */
  readonly token: string;
  /** One that this collector never gave. */
  readonly unknownToken: string;
  /** What the collector logged. */
  readonly log: readonly string[];
  /** What is stored, in the order in which it came. */
  observations(): Promise<{ readonly epoch: string; readonly seq: number }[]>;
  /** The stored facts of a kind, the newest first. */
  facts(kind: ObservationKind): Promise<unknown[]>;
  /** The highest number that the collector has of its one machine. */
  lastSeq(): Promise<number>;
  stop(): Promise<void>;
}

export async function startCollectorWorld(): Promise<CollectorWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-world-"));
  // Run as root, PostgreSQL is another user's.
  chmodSync(directory, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(directory, "postgres") });
  await migrate(postgres.url);
  const db = wholeFleet(openDatabase({ url: postgres.url }));
  const body = buildPolicy({ ews: ["mail.example.org"], smtpDomains: ["example.org"], sipDomains: ["example.org"] }, 1);
  await savePolicy(db, { body, now: new Date(), createdBy: "test" });
  const port = await quietPort();
  const log: string[] = [];
  const collectorDirectory = path.join(directory, "collector");
  const collector = await startCollector({ databaseUrl: postgres.url, port, directory: collectorDirectory, log });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const { secret } = await createToken(db, { maxUses: 5, expiresAt, createdBy: "test" });
  const tokenOf = (s: string) =>
    `lyn1.${Buffer.from(JSON.stringify({ u: `ws://127.0.0.1:${port}`, s, p: null })).toString("base64url")}`;
  return {
    db,
    token: tokenOf(secret),
    unknownToken: tokenOf("x".repeat(secret.length)),
    log,
    observations: () => db.prisma.$queryRaw`
      SELECT epoch::text AS epoch, seq::int AS seq FROM observations ORDER BY received_at, seq`,
    async facts(kind) {
      const rows = await db.prisma.observation.findMany({ where: { kind }, orderBy: { seq: "desc" } });
      return rows.map(({ facts }) => facts);
    },
    async lastSeq() {
      const [state] = await db.prisma.machineState.findMany();
      return Number(state?.lastSeq ?? 0);
    },
    async stop() {
      await collector.kill();
      await db.close();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
