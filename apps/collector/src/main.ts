import { openDatabase } from "@lynceus/db/client";
import { migrate } from "@lynceus/db/migrate";
import { createWelcome } from "@lynceus/db/welcome";
import { startQuerySpan } from "@lynceus/telemetry/spans";
import { startTracing } from "@lynceus/telemetry/tracing";
import { pino } from "pino";
import { runRediagnose } from "./history/command.ts";
import { UsageError } from "./history/options.ts";
import { loadSecretKeys } from "./incidents/secret-keys.ts";
import { parseOptions, usage } from "./options.ts";
import { startCollector } from "./server.ts";
import { loadTls, needsRenewal } from "./tls.ts";
import { within } from "./within.ts";

/** Kept in step with package.json by the build. */
declare const LYNCEUS_VERSION: string | undefined;
const version = typeof LYNCEUS_VERSION === "string" ? LYNCEUS_VERSION : "0.0.0";

const dayMs = 86_400_000;
/** How long a stop waits for connections to a database that may be gone. */
const databaseCloseMs = 2_000;

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`lynceus-collector: ${message.split("\n", 1)[0]}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (!options) {
    process.stdout.write(usage);
    return;
  }
  const tracing = await startTracing({ service: "lynceus-collector", version, env: process.env });
  const log = pino({ level: options.logLevel, base: null });
  const now = () => Date.now();
  const certificate = () => loadTls({ ...options, now: now() });
  let tls = options.plain ? null : await certificate();
  const keys = loadSecretKeys(options);
  if (options.migrate) await migrate(options.databaseUrl, (line) => log.info(line));
  const db = openDatabase({
    url: options.databaseUrl,
    onError: (error) => log.warn({ err: error }, "an idle database connection broke"),
    ...(tracing && { onQuery: startQuerySpan }),
  });
  const collector = await startCollector({
    ...options,
    db,
    tls,
    keys,
    version,
    now,
    monotonic: () => performance.now(),
    random: Math.random,
    log,
    timers: true,
  }).catch(async (error: NodeJS.ErrnoException) => {
    await db.close().catch(() => {});
    throw error.code === "EADDRINUSE"
      ? new Error(
          `--port ${options.port} on ${options.host} is in use; give another one, e.g. --port ${options.port + 1}`,
        )
      : error;
  });

  if (options.dashboardUrl) {
    const code = await createWelcome(db, new Date(now()));
    if (code) log.info({ link: `${options.dashboardUrl}/welcome?code=${code}` }, "first admin: valid once, for 24 h");
  }

  const renewal = setInterval(() => {
    if (!tls || tls.pin === null || !needsRenewal(tls, now())) return;
    certificate().then(
      (material) => {
        tls = material;
        collector.setCertificate(material);
        log.info({ until: new Date(material.notAfter).toISOString() }, "certificate renewed");
      },
      (error) => log.error({ err: error }, "the certificate cannot be renewed"),
    );
  }, dayMs);
  renewal.unref();

  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal does not wait.
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, "stopping");
    collector
      .stop()
      .then(() => within(db.close(), databaseCloseMs))
      .then(() => tracing?.stop())
      .then(
        () => process.exit(0),
        (error) => {
          log.error({ err: error }, "stopped with an error");
          process.exit(1);
        },
      );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/** `lynceus rediagnose …`: a command that ends, beside the collector that does not. */
async function command(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await runRediagnose(args, {
      databaseUrl: process.env.DATABASE_URL,
      now: () => new Date(),
      out: (text) => process.stdout.write(text),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`lynceus: ${message.split("\n", 1)[0]}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

if (process.argv[2] === "rediagnose") void command(process.argv.slice(3));
else main().catch(fail);
