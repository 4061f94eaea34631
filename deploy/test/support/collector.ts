import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createApiToken } from "@lynceus/db/api-tokens";
import { type Database, openDatabase } from "@lynceus/db/client";
import { createTestDatabase } from "@lynceus/db/testing";
import { everyMachine } from "@lynceus/protocol/access";
import { type Program, root, startProgram } from "./program.ts";

/** The built collector on loopback with its self-made certificate, and a database of its own. */
export interface RunningCollector {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly program: Program;
  readonly port: number;
  readonly directory: string;
  /** Its authority's certificate, PEM. */
  readonly caFile: string;
  /** A token that may read the whole fleet. */
  readonly token: string;
  stop(): Promise<void>;
}

export async function startBuiltCollector(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningCollector> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url });
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-deploy-"));
  const program = startProgram(
    process.execPath,
    [
      path.join(root, "apps/collector/dist/main.js"),
      ...["--port", "0", "--data-dir", directory, "--tls-name", "localhost"],
      ...args,
    ],
    { env: { DATABASE_URL: database.url, ...env } },
  );
  const [, port = ""] = await program.line(/"listening":"wss?:\/\/[^"]*:(\d+)"/);
  const caFile = path.join(directory, "ca.pem");
  if (!args.includes("--plain"))
    execFileSync("openssl", ["x509", "-in", path.join(directory, "tls/authority.pem"), "-out", caFile]);
  const { secret } = await createApiToken(db, {
    label: "deploy",
    scopes: ["read"],
    scope: everyMachine,
    createdBy: "test",
  });
  return {
    db,
    databaseUrl: database.url,
    program,
    port: Number(port),
    directory,
    caFile,
    token: secret,
    async stop() {
      await program.stop();
      await db.close();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
