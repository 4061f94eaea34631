import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { migrate } from "@lynceus/db/migrate";
import { onTestFailed, onTestFinished, test } from "vitest";
import { quietPort, startCollector } from "../src/crash-processes.ts";

test("a collector whose database is gone ends in good order when it is asked to", { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-stop-"));
  // Run as root, PostgreSQL is another user's.
  chmodSync(directory, 0o755);
  const log: string[] = [];
  const postgres = await startEmbeddedPostgres({ dataDirectory: path.join(directory, "postgres") });
  await migrate(postgres.url);
  const collector = await startCollector({
    databaseUrl: postgres.url,
    port: await quietPort(),
    directory: path.join(directory, "collector"),
    log,
  });
  onTestFailed(() => console.error(`the collector said at last:\n${log.slice(-40).join("\n")}`));
  onTestFinished(async () => {
    await collector.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  await postgres.stop();
  await collector.finish();
});
