// Runs a command of the collector on DATABASE_URL, else on the embedded database, which is started where it does not run.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { migrate } from "@lynceus/db/migrate";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [embedded = "", ...args] = process.argv.slice(2);
const given = process.env.DATABASE_URL;

try {
  const server = given || embedded === "" ? null : await startEmbeddedPostgres({ dataDirectory: embedded });
  try {
    // A server of another version than this checkout is brought to it by its own start.
    if (server && !server.adopted) await migrate(server.url, () => {});
    const child = spawn(process.execPath, ["--import", "tsx", path.join(root, "apps/collector/src/main.ts"), ...args], {
      stdio: "inherit",
      env: { ...process.env, ...(server && { DATABASE_URL: server.url }) },
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
    process.exitCode = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  } finally {
    await server?.stop();
  }
} catch (error) {
  process.stderr.write(`lynceus: ${(error instanceof Error ? error.message : String(error)).split("\n", 1)[0]}\n`);
  process.exitCode = 1;
}
